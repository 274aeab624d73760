"""%azureml save --keep, keep and forget: what the user is told, and what is there after a restart of the kernel."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHOWN = Path("~/.config/azml/configs/prod.json")


@pytest.fixture
def prod(notebook):
    notebook.ok("%azureml save prod --url https://x.y/score -f gpt2 --key env:PROD_KEY")
    return notebook


def restart(notebook):
    notebook.ok("%unload_ext azml_magics")
    return notebook.ok("%load_ext azml_magics")


def sources(notebook):
    return {row[1]: row[-1] for row in getattr(notebook.ok("%azureml list").result, "rows", ())}


def test_keep_says_where_and_outlives_the_kernel(prod):
    assert sources(prod) == {"prod": "session"}
    assert prod.ok("%azureml keep").text == f"Kept prod for new sessions, in {SHOWN}."
    assert sources(prod) == {"prod": "kept"}
    assert dict(prod.ok("%azureml show prod").result.rows)["from"] == f"kept in {SHOWN}"
    restart(prod)
    assert sources(prod) == {"prod": "kept"}
    assert "env:PROD_KEY" in prod.ok("%azureml show prod").text


def test_save_with_keep_does_both(notebook):
    said = notebook.ok("%azureml save prod --url https://x.y/score -f gpt2 --key env:PROD_KEY --keep").text
    assert said == (
        f"Saved prod: gpt2 at https://x.y/score, key env:PROD_KEY (not set)\nKept prod for new sessions, in {SHOWN}."
    )
    restart(notebook)
    assert sources(notebook) == {"prod": "kept"}


def test_change_of_a_kept_config_is_for_the_session(prod):
    prod.ok("%azureml keep prod")
    said = prod.ok("%azureml save prod --timeout 5").text.splitlines()
    assert said == [
        "Saved prod for this session: gpt2 at https://x.y/score, key env:PROD_KEY (not set)",
        "The kept config is as it was; to keep this one: %azureml keep prod",
    ]
    assert sources(prod) == {"prod": "kept (changed in this session; keep it again)"}
    prod.ok("%reload_ext azml_magics")
    assert sources(prod) == {"prod": "kept (changed in this session; keep it again)"}
    prod.ok("%azureml keep prod")
    assert sources(prod) == {"prod": "kept"}


def test_forget_ends_it_with_the_session(prod):
    prod.ok("%azureml keep prod")
    assert prod.ok("%azureml forget prod").text == f"Deleted {SHOWN}. prod stays for this session."
    assert sources(prod) == {"prod": "session"}
    assert prod.refused("%azureml forget prod").startswith("UnknownNameError: No kept config named 'prod'")
    restart(prod)
    assert sources(prod) == {}


def test_delete_of_a_kept_config_says_that_it_comes_back(prod):
    prod.ok("%azureml keep prod")
    assert prod.ok("%azureml delete prod -f").text == (
        "Deleted prod. The kept prod is back in new sessions, unless you %azureml forget prod."
    )
    assert prod.ok("%azureml forget prod").text == f"Deleted {SHOWN}."
    prod.ok("%azureml save other --url https://x.y/score -f gpt2")
    assert prod.ok("%azureml delete other -f").text == "Deleted other."


def test_rename_of_a_kept_config_says_what_is_kept(prod):
    prod.ok("%azureml keep prod")
    assert prod.ok("%azureml rename prod next").text == (
        "prod is now next. The kept prod is back in new sessions, unless you %azureml forget prod."
    )


def test_config_of_another_session_is_replaced_with_a_word(prod):
    prod.ok("%azureml keep prod")
    prod.ok("%azureml delete prod -f")
    prod.ok("%azureml save prod --url https://other.y/score -f gpt2")
    assert prod.ok("%azureml keep prod").text.endswith(" It replaced another config that was kept as prod.")


def test_object_in_a_variable_is_not_kept(notebook):
    notebook.ok(
        "class Mine:\n"
        "    def format_request_payload(self, prompt, kwargs):\n        return {}\n"
        "    def format_response_payload(self, output):\n        return ''\n"
        "mine = Mine()"
    )
    said = notebook.refused("%azureml save prod --url https://x.y/score -f $mine --keep")
    assert said.startswith("DocumentError: prod is not kept: ")
    assert sources(notebook) == {}  # nothing half done


def test_key_in_memory_names_the_way_out(prod):
    from azml_magics import session
    from azml_magics.core.secret import Secret

    session.current().save("prod", session.current().get("prod").merged(key=Secret("marked-0123456789")))
    said = prod.refused("%azureml keep prod")
    assert "its key is in memory only" in said
    assert "%azureml save prod --key env:NAME" in said
    assert "marked" not in said


@pytest.mark.skipif(os.name == "nt" or os.getuid() == 0, reason="root writes everywhere")
def test_read_only_home_is_one_line(prod):
    Path.home().chmod(0o500)
    try:
        said = prod.refused("%azureml keep prod")
    finally:
        Path.home().chmod(0o700)
    assert "Permission denied" in said


def test_unusable_folder_is_one_line_and_the_config_stays(prod):
    (Path.home() / ".config").write_text("a file in its place")
    said = prod.refused("%azureml save prod --timeout 5 --keep")
    assert said.startswith("DocumentError: prod is not kept: ")
    assert "%azureml export prod FILE.json" in said
    assert sources(prod) == {"prod": "session"}
    assert dict(prod.ok("%azureml show prod").result.rows)["timeout"] == "5 s"


def test_keep_without_config_says_how_to_make_one(notebook):
    assert notebook.refused("%azureml keep").startswith("ConfigError: There is no config yet.")
    assert "Did you mean" in notebook.refused("%azureml keeep")
