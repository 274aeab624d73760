"""What GitHub and package indexes read of the project fits the project."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from azml_magics.notebook.verbs import VERBS

ROOT = Path(__file__).parents[1]
PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")


TEMPLATES = sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml"))


@pytest.mark.parametrize("path", sorted((ROOT / ".github").rglob("*.yml")), ids=lambda path: path.name)
def test_file_is_yaml_with_a_name_or_a_version(path):
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert content.keys() & {"name", "version", "blank_issues_enabled"}


@pytest.mark.parametrize("name", ["bug.yml", "endpoint.yml"])
def test_issue_templates_ask_for_the_report_of_doctor(name):
    form = yaml.safe_load((ROOT / ".github/ISSUE_TEMPLATE" / name).read_text(encoding="utf-8"))["body"]
    (asked,) = [each for each in form if "%azureml doctor" in each["attributes"].get("description", "")]
    assert asked["validations"] == {"required": True}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_commands_in_issue_templates_exist(path):
    named = re.findall(r"`%azureml ([\w-]+)", path.read_text(encoding="utf-8"))
    assert set(named) <= set(VERBS)


def test_workflow_runs_what_everybody_can_run():
    steps = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]["everything"][
        "steps"
    ]
    assert any(".ci/run" in step.get("run", "") for step in steps)


def test_every_python_of_the_classifiers_is_tested():
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]
    tested = {*jobs["other-interpreters"]["strategy"]["matrix"]["python"], "3.11"}
    assert set(re.findall(r'"Programming Language :: Python :: (3\.\d+)"', PROJECT)) <= tested


def test_published_files_are_checked_and_need_no_token():
    jobs = yaml.safe_load((ROOT / ".github/workflows/publish.yml").read_text(encoding="utf-8"))["jobs"]
    runs = " ".join(step.get("run", "") for step in jobs["build"]["steps"])
    assert "twine check --strict" in runs
    assert "check-wheel-contents" in runs
    assert jobs["attach"]["permissions"] == {"contents": "write"}
    assert jobs["publish"]["permissions"] == {"id-token": "write"}
    assert "secrets." not in (ROOT / ".github/workflows/publish.yml").read_text(encoding="utf-8")


def test_extras_for_users_are_in_the_documentation():
    lines = PROJECT.partition("[project.optional-dependencies]")[2].partition("\n[")[0]
    extras = set(re.findall(r"^(\w+) = \[", lines, re.MULTILINE)) - {"browser", "docs", "test", "tools"}
    table = (ROOT / "docs/how-to/install.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == extras


def test_every_extra_that_a_message_names_exists():
    named = {
        name
        for path in (ROOT / "azml_magics").rglob("*.py")
        for name in re.findall(r"install_command\([\"'](\w+)[\"']\)", path.read_text(encoding="utf-8"))
    }
    assert named
    assert [name for name in named if not re.search(rf"^{name} = \[", PROJECT, re.MULTILINE)] == []


@pytest.mark.parametrize("name", ["SECURITY.md", "CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE"])
def test_project_has_the_usual_files(name):
    assert (ROOT / name).read_text(encoding="utf-8").strip()
