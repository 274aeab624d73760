"""tests/oldest.txt, which .ci/run installs, names the lower bounds of pyproject.toml and nothing older or newer."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:  # pytest brings it where the standard library does not have it
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
# What users install; the rest of the extras is for those who work on the package. `lab` brings applications.
USED = PROJECT["dependencies"] + [
    requirement for name in ("azure", "dask", "demo", "evaluate", "spark") for requirement in EXTRAS[name]
]
PINNED = dict(
    line.split("==") for line in (ROOT / "tests/oldest.txt").read_text(encoding="utf-8").splitlines() if "==" in line
)
# The test extra asks for the LangChain packages of langchain-core 1.x (with the oldest langchain-core go older ones),
# and for tools that the oldest run leaves alone.
LEFT_OUT = {
    "anthropic",
    "duckdb",
    "httpx-aiohttp",
    "httpx2",
    "import-linter",
    "keyrings.alt",
    "langchain-classic",
    "langchain-community",
    "langchain-tests",
    "mypy",
    "narwhals",
    "openai",
    "opentelemetry-instrumentation-httpx",
    "opentelemetry-sdk",
    "pycryptodome",
    "pyspark",  # needs a Java; tests/real_components has it
    "pytest-cov",
    "pytest-httpx",
    "respx",
    "ruff",
    "types-pyyaml",
    "vcrpy",
    "xarray",
}


def bounds(requirements: list[str]) -> dict[str, str]:
    """Name -> lower bound of requirements such as "httpx>=0.27"; those on the package's own extras are left out."""
    found = (re.fullmatch(r"([A-Za-z0-9.-]+)>=([0-9.]+)(?:,<[0-9.]+)?", each) for each in requirements)
    return {match[1].lower(): match[2] for match in found if match}


@pytest.mark.parametrize("requirement", USED)
def test_every_requirement_has_a_lower_bound(requirement: str) -> None:
    assert bounds([requirement])


@pytest.mark.parametrize(
    ("name", "bound"),
    [(name, bound) for name, bound in bounds(USED + EXTRAS["test"]).items() if name not in LEFT_OUT],
)
def test_oldest_run_installs_the_lower_bounds(name: str, bound: str) -> None:
    assert release(PINNED[name]) == release(bound)


def release(version: str) -> list[int]:
    """The parts of a version, without its trailing zeros: 0.27 is 0.27.0."""
    parts = [int(part) for part in version.split(".")]
    while parts and parts[-1] == 0:
        parts.pop()
    return parts
