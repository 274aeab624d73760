"""What the README says can be typed is what there is."""

from __future__ import annotations

import re
from pathlib import Path

from azml_magics.notebook.verbs import VERBS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_commands_have_their_own_code_blocks():
    assert re.findall(r"```bash\n(.*?)\n```", README, re.DOTALL) == [
        'pip install -e ".[demo]" && azml-magics demo',
        'pip install -e ".[lab]" && azml-magics demo --lab',
        'pip install -e ".[test]" && pytest',
    ]


def test_readme_is_short_and_in_short_sentences():
    assert len(README.splitlines()) <= 150
    prose = re.sub(r"```.*?```|<picture>.*?</picture>|^\|.*$|^#.*$", "", README, flags=re.DOTALL | re.MULTILINE)
    sentences = re.split(r"[.!?:;]\s", re.sub(r"\]\([^)]*\)", "]", prose))
    assert max(len(sentence.split()) for sentence in sentences) <= 32
    introduction = README.split("\n\n")[1]
    assert introduction.count(". ") + 1 == 3  # what it is, in three sentences


def test_five_things_have_an_example_of_two_lines_each():
    section = README.partition("## Five things")[2].partition("\n## ")[0]
    examples = re.findall(r"```python\n(.*?)\n```", section, re.DOTALL)
    assert len(examples) == len(re.findall(r"^\*\*", section, re.MULTILINE)) == 5
    assert all(example.count("\n") == 1 for example in examples)


def test_readme_leads_to_every_kind_of_documentation():
    for folder in ("tutorials", "how-to", "reference", "explanation"):
        assert f"](docs/{folder}/" in README


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
