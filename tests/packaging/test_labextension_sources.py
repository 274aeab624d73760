"""Names that TypeScript and Python share are equal on both sides."""

from __future__ import annotations

import json
import keyword
import re

from azml_magics.display.mime import RESPONSE_MIME
from azml_magics.notebook import code_metadata
from azml_magics.notebook.options import CELL_OPTIONS
from azml_magics.panel.view import panel_view

from .conftest import ROOT

SOURCES = ROOT / "labextension" / "src"


def source(name):
    return (SOURCES / name).read_text(encoding="utf-8")


def test_options_without_a_value_are_listed_in_typescript():
    switches = {flag for flags, keywords in CELL_OPTIONS if keywords.get("action") == "store_true" for flag in flags}
    known = json.loads(source("cell-options.json"))
    assert known == {"switches": sorted(switches)}, "labextension/src/cell-options.json lists them too"
    # the front end takes the word after any other option for its value
    assert {keywords.get("action", "store") for _, keywords in CELL_OPTIONS} <= {"store", "store_true", "append"}


def test_python_keywords_are_listed_in_typescript():
    words = re.search(r"new Set\(\s*\((.*?)\)\.split", source("variables.ts"), re.DOTALL)
    assert sorted(" ".join(re.findall(r"'(.*?)'", words[1])).split()) == sorted(keyword.kwlist)


def test_mime_type_and_text_marks_are_equal_on_both_sides():
    assert f"RESPONSE_MIME = '{RESPONSE_MIME}'" in source("response/document.ts")
    assert code_metadata._MARK in source("response/code-metadata.ts")


def test_insert_event_is_equal_on_both_sides():
    assert f"'{panel_view.INSERT_EVENT}'" in source("commands.ts")


def test_every_command_in_the_schema_exists():
    schema = (ROOT / "labextension/schema/panel.json").read_text(encoding="utf-8")
    named = set(re.findall(r'"command": "(.*?)"', schema))
    assert named
    assert named <= set(re.findall(r"'(azml-magics:[a-z-]+)'", source("commands.ts")))
