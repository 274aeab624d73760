"""A <picture> with a light and a dark image, as GitHub reads it: on the site the theme chooses which one is shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_PICTURE: Final = re.compile(
    r'<picture>\s*<source media="\(prefers-color-scheme: dark\)" srcset="(?P<dark>[^"]+)">\s*'
    r'<img alt="(?P<alt>[^"]+)" src="(?P<light>[^"]+)">\s*</picture>'
)
_IMAGES: Final = """\
```{{image}} {light}
:alt: {alt}
:class: only-light
```

```{{image}} {dark}
:alt: {alt}
:class: only-dark
```"""


def setup(app: Sphinx) -> dict[str, bool]:
    """Rewrite pages before they are parsed."""
    app.connect("source-read", _rewrite)
    return {"parallel_read_safe": True}


def _rewrite(_app: Sphinx, _page: str, source: list[str]) -> None:
    source[0] = as_theme_images(source[0])


def as_theme_images(text: str) -> str:
    """Return a page whose <picture> elements are two images, of which the theme shows one.

    Raises:
        ValueError: A <picture> is written in another way than the ones of this documentation.
    """
    rewritten = _PICTURE.sub(lambda found: _IMAGES.format_map(found.groupdict()), text)
    if "<picture>" in rewritten:
        raise ValueError("A <picture> needs a dark <source> and an <img> with alt and src, in this order")
    return rewritten
