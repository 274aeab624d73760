"""What the README says can be typed is what there is."""

from __future__ import annotations

import re
from pathlib import Path

from azml_magics.notebook.verbs import VERBS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_both_commands_have_their_own_code_block():
    blocks = re.findall(r"```bash\n(.*?)\n```", README, re.DOTALL)
    assert 'pip install -e ".[demo]" && azml-magics demo' in blocks
    assert 'pip install -e ".[test]" && pytest' in blocks


def test_every_verb_in_an_example_exists():
    used = set(re.findall(r"^%azureml ([a-z-]+)", README, re.MULTILINE)) | set(
        re.findall(r"`%azureml ([a-z-]+)", README)
    )
    assert used
    assert used <= set(VERBS)


def test_links_resolve():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", README):
        assert (ROOT / target).exists(), target


def test_named_extras_exist():
    extras = re.findall(r"^(\w+) = \[", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    named = set(re.findall(r"\[(\w+)\]\"", README))
    assert {"demo", "test", "lab"} <= named <= set(extras)
