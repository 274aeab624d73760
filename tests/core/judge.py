"""What a property test lets pass: our own errors, each one printable line."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from azml_magics.core.errors import AzmlError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def only_our_errors(kind: type[AzmlError] = AzmlError) -> Iterator[None]:
    """Ends quietly where the block raises an error of ours that is one line; anything else goes on up."""
    try:
        yield
    except kind as error:
        if len(str(error).splitlines()) != 1:
            raise AssertionError(f"not one line: {str(error)!r}") from error
