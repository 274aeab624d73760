"""The recipe for conda-forge says what pyproject.toml says, and rattler-build makes and tests a package of the sdist with it."""

from __future__ import annotations

import hashlib
import platform
import re
import sys

import pytest
import yaml

from .conftest import ROOT, only
from .local_channel import PYTHON, make_channel

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PLATFORMS = {"x86_64": "linux-64", "aarch64": "linux-aarch64"}  # as conda calls them
RECIPE = ROOT / "recipe" / "recipe.yaml"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def read_recipe():
    """The recipe with the values of its context filled in."""
    text = RECIPE.read_text(encoding="utf-8")
    for name, value in yaml.safe_load(text)["context"].items():
        text = text.replace(f"${{{{ {name} }}}}", value)
    return yaml.safe_load(text)


def split(requirement):
    """("httpx", ">=0.27,<1") of "httpx>=0.27,<1" or "httpx >=0.27,<1"."""
    name, bounds = re.fullmatch(r"([\w-]+) ?(.*)", requirement).groups()
    return name.lower(), bounds


def test_recipe_has_the_version_and_texts_of_the_project():
    recipe, project = read_recipe(), PROJECT["project"]
    assert recipe["package"] == {"name": project["name"], "version": project["version"]}
    about = recipe["about"]
    assert (about["summary"], about["license"]) == (project["description"], project["license"])
    assert about["license_file"] in project["license-files"]
    scripts = [f"{name} = {target}" for name, target in project["scripts"].items()]
    assert recipe["build"]["python"]["entry_points"] == scripts


def test_recipe_requires_what_the_project_requires():
    recipe, project = read_recipe(), PROJECT["project"]
    python, *others = recipe["requirements"]["run"]
    assert python == f"python {project['requires-python']}"
    assert list(map(split, others)) == list(map(split, project["dependencies"]))
    backend = split(PROJECT["build-system"]["requires"][0])
    assert backend in map(split, recipe["requirements"]["host"])


def test_optional_packages_are_bounded_as_in_the_extras():
    extras = {
        split(each)
        for group in PROJECT["project"]["optional-dependencies"].values()
        for each in group
        if "[" not in each
    }
    assert set(map(split, read_recipe()["requirements"]["run_constraints"])) <= extras


@pytest.mark.timeout(600)
def test_rattler_build_makes_and_tests_a_package_of_the_sdist(dist, tmp_path):
    rattler_build = pytest.importorskip("rattler_build", reason='it is not installed: pip install -e ".[browser]"')
    if sys.platform != "linux" or platform.machine() not in PLATFORMS:
        pytest.skip("the stand-in for python is a shell script, tried on Linux")
    recipe = read_recipe()
    lowest = {name: re.search(r"[\d.]+", bounds)[0] for name, bounds in map(split, recipe["requirements"]["run"][1:])}
    channel = make_channel(
        tmp_path / "channel", PLATFORMS[platform.machine()], {**lowest, "pip": "25.0", "hatchling": "1.27.0"}
    )
    sdist = only(dist, "*.tar.gz")
    text = RECIPE.read_text(encoding="utf-8")
    for pattern, value in {
        r"^  url: .*$": f"  url: {sdist.resolve().as_uri()}",
        r"^  sha256: .*$": f"  sha256: {hashlib.sha256(sdist.read_bytes()).hexdigest()}",
        r"^  python_min: .*$": f'  python_min: "{PYTHON}"',
    }.items():
        text, count = re.subn(pattern, value, text, flags=re.MULTILINE)
        assert count == 1, pattern
    (tmp_path / "recipe").mkdir()
    (tmp_path / "recipe" / "recipe.yaml").write_text(text)
    (variant,) = rattler_build.Stage0Recipe.from_file(tmp_path / "recipe" / "recipe.yaml").render()
    tools = rattler_build.ToolConfiguration(test_strategy="native")
    variant.run_build(tool_config=tools, output_dir=tmp_path / "out", channels=[channel])
    package = rattler_build.Package.from_file(only(tmp_path / "out" / "noarch", "azml-magics-*.conda"))
    assert {"site-packages/azml_magics/py.typed", "share/jupyter/labextensions/azml-magics/install.json"} <= set(
        package.files
    )
    assert package.noarch == "python"
    needed = {split(each) for each in package.depends if not each.startswith("python ")}
    assert needed == set(map(split, recipe["requirements"]["run"][1:]))
