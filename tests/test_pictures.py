"""The pictures of the README and the documentation: made by the script, described, small, and all of them used."""

from __future__ import annotations

import base64
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
DRAWN_ELSEWHERE = {"growth.svg"}  # benchmarks/growth_plot.py
LARGEST = {".gif": 700_000, ".png": 150_000, ".svg": 150_000}  # bytes
_IMAGE = re.compile(r"!\[(?P<alt>[^\]]*)\]\((?P<src>[^)]+)\)|<img [^>]*>")
_PICTURE = re.compile(r"<picture>.*?</picture>", re.DOTALL)
_CODE = re.compile(r"^ *```.*?^ *```|`[^`\n]*`", re.DOTALL | re.MULTILINE)
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')


def text_of(page):
    return _CODE.sub("", page.read_text(encoding="utf-8"))


def images(text):
    """(path, alternative text) of every image on a page; of a <picture> that of the light one."""
    for found in _IMAGE.finditer(text):
        attributes = dict(_ATTRIBUTE.findall(found[0])) if found["src"] is None else found.groupdict()
        yield attributes.get("src", ""), attributes.get("alt", "")


def paths(text):
    """The path of every image on a page, the dark ones and those that are linked among them."""
    return [
        *(path for path, _ in images(text)),
        *re.findall(r'srcset="([^"]*)"', text),
        *re.findall(r"(?<!!)\[[^\]]*\]\(([^)]+\.(?:png|gif|svg))\)", text),
    ]


def made_by_script():
    from docs.pictures.scenes import file_names

    return file_names()


@PAGE
def test_pictures_of_a_page_exist(page):
    for path in paths(text_of(page)):
        assert (page.parent / path).resolve().parent == IMAGES, path
        assert (page.parent / path).is_file(), path


@PAGE
def test_pictures_of_a_page_have_alternative_texts(page):
    for path, alt in images(text_of(page)):
        assert len(alt.split()) > 2, path


@PAGE
def test_light_pictures_have_their_dark_twin(page):
    text = text_of(page)
    for picture in _PICTURE.findall(text):
        ((light, _),) = images(picture)
        assert re.findall(r'srcset="([^"]*)"', picture) == [light.replace("-light.", "-dark.")]
    alone = [path for path, _ in images(_PICTURE.sub("", text)) if "-light." in path or "-dark." in path]
    assert alone == []


def test_script_makes_every_picture_and_no_other_is_left():
    assert {path.name for path in IMAGES.iterdir()} == made_by_script() | DRAWN_ELSEWHERE


def test_every_picture_is_shown_somewhere():
    shown = {Path(path).name for page in PAGES for path in paths(text_of(page))}
    assert {path.name for path in IMAGES.iterdir()} == shown


def test_pictures_are_small():
    sizes = {path.name: path.stat().st_size for path in IMAGES.iterdir()}
    assert {name: size for name, size in sizes.items() if size > LARGEST[Path(name).suffix]} == {}


def test_tutorial_has_the_picture_of_the_panel():
    from docs.pictures.tutorial import attached_picture

    assert base64.b64decode(attached_picture()) == (IMAGES / "panel-light.png").read_bytes()


def test_unknown_picture_is_refused():
    said = subprocess.run(
        [sys.executable, "-m", "docs.pictures", "panle"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert said.returncode == 2
    assert "there is no picture 'panle'; choose from streaming, cell," in said.stderr


# ---- in the site, where the theme chooses ----


def theme_images():
    path = ROOT / "docs" / "extensions" / "theme_images.py"
    spec = importlib.util.spec_from_file_location("theme_images", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.as_theme_images


def test_picture_becomes_an_image_for_each_theme():
    page = (
        'Look:\n\n<picture>\n  <source media="(prefers-color-scheme: dark)" srcset="images/a-dark.png">\n'
        '  <img alt="A cell" src="images/a-light.png">\n</picture>\n\nMore.'
    )
    assert theme_images()(page) == (
        "Look:\n\n```{image} images/a-light.png\n:alt: A cell\n:class: only-light\n```\n\n"
        "```{image} images/a-dark.png\n:alt: A cell\n:class: only-dark\n```\n\nMore."
    )


def test_picture_that_is_written_in_another_way_is_refused():
    with pytest.raises(ValueError, match="A <picture> needs a dark <source>"):
        theme_images()('<picture>\n  <img alt="A cell" src="a.png">\n</picture>')
