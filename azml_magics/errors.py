"""The exceptions of azml_magics; their tree is drawn in `azml_magics.core.errors`."""

from .core import errors as _errors
from .core.errors import *  # noqa: F403 - the public place for all of them

__all__ = sorted(  # noqa: PLE0605 - made from the tree, so that it cannot go stale
    name
    for name, value in vars(_errors).items()
    if isinstance(value, type) and issubclass(value, BaseException) and value.__module__.startswith(_errors.__name__)
)
