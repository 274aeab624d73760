"""Build the documentation into a folder for its version, and list the versions beside it.

`python docs/build_site.py [--as NAME] [FOLDER]` makes

    build/site/index.html       leads to the newest release, or else to latest
    build/site/versions.html    lists the versions; every page has a link to it
    build/site/latest/          one folder for each version, named by --as (0.2)

Folders of other versions stay as they are. Every warning is an error, and nothing is fetched.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parent
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="color-scheme" content="light dark">
<title>azml-magics</title>
{content}
</html>
"""
_REDIRECT = (
    '<meta http-equiv="refresh" content="0; url={name}/index.html">\n<a href="{name}/index.html">azml-magics {name}</a>'
)


def build(site: Path, name: str) -> None:
    """Build the pages into the folder `name` of the site."""
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", str(DOCS), str(site / name)]
    subprocess.run([*command, "-D", f"version={name}", "-D", "html_context.versions=../versions.html"], check=True)  # noqa: S603 - our own arguments


def list_versions(site: Path) -> list[str]:
    """Write the pages that lead to the versions in the site's folder, and return these, newest first."""
    names = sorted((path.parent.name for path in site.glob("*/objects.inv")), key=_by_age, reverse=True)
    newest = next((name for name in names if name[0].isdigit()), names[0])
    links = "\n".join(f'<li><a href="{name}/index.html">{name}</a></li>' for name in names)
    pages = {
        "index.html": _REDIRECT.format(name=newest),
        "versions.html": f"<h1>azml-magics: versions of the documentation</h1>\n<ul>\n{links}\n</ul>",
    }
    for name, content in pages.items():
        (site / name).write_text(_PAGE.format(content=content), encoding="utf-8")
    return names


def _by_age(name: str) -> tuple[bool, list[int]]:
    """Names such as latest come first, then the highest numbers."""
    return not name[0].isdigit(), [int(part) for part in name.split(".") if part.isdigit()]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("site", nargs="?", type=Path, default=DOCS.parent / "build" / "site", metavar="FOLDER")
    parser.add_argument("--as", dest="name", default="latest", metavar="NAME", help="the version's folder (latest)")
    given = parser.parse_args()
    try:
        build(given.site, given.name)
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)  # Sphinx has said why
    list_versions(given.site)
    print(f"file://{(given.site / given.name / 'index.html').resolve()}")  # noqa: T201 - a command line prints
