"""What is in a wheel and an sdist, with Node.js and without: the JupyterLab extension, once, and nothing it is made with."""

from __future__ import annotations

import json
import re
import tarfile
import zipfile

import pytest

from .conftest import ROOT, build, copied, only

SHARE = "share/jupyter/labextensions/azml-magics"
ASSETS = {"package.json", "install.json", "schemas/azml-magics/panel.json", "static/style.js"}
LARGEST = 1_500_000  # bytes of a wheel; the assets are some 60 kB of them


def names_in(wheel):
    """The names of the files in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def assets_in(wheel):
    """The extension's files, by their names in it."""
    return {name.partition(f"{SHARE}/")[2] for name in names_in(wheel) if SHARE in name}


def test_the_wheel_has_the_extension_where_jupyterlab_looks_for_it(dist):
    wheel = only(dist, "*.whl")
    assert wheel.name.endswith("-py3-none-any.whl")
    assets = assets_in(wheel)
    assert assets >= ASSETS
    assert any(re.fullmatch(r"static/remoteEntry\.\w+\.js", name) for name in assets)
    assert all(name.startswith("azml_magics-") for name in names_in(wheel) if SHARE in name)  # as data, not as a module
    assert wheel.stat().st_size < LARGEST


def test_the_wheel_has_it_once_and_nothing_that_made_it(dist):
    names = names_in(only(dist, "*.whl"))
    assert not [name for name in names if name.startswith("azml_magics/labextension")]
    assert not [name for name in names if name.endswith((".ts", ".map", "yarn.lock", "tsbuildinfo"))]
    assert not [name for name in names if "node_modules" in name]


def test_what_jupyterlab_loads_is_in_the_wheel(dist):
    with zipfile.ZipFile(only(dist, "*.whl")) as archive:
        (data,) = {name.partition(SHARE)[0] for name in archive.namelist() if SHARE in name}
        package = json.loads(archive.read(f"{data}{SHARE}/package.json"))
        built = package["jupyterlab"]["_build"]
        assert f"{data}{SHARE}/{built['load']}" in archive.namelist()
        assert (package["name"], built["extension"]) == ("azml-magics", "./extension")
        # what JupyterLab shares is not in it a second time
        licenses = json.loads(archive.read(f"{data}{SHARE}/static/third-party-licenses.json"))
        assert {each["name"] for each in licenses["packages"]} <= {"css-loader", "style-loader"}


def test_the_sdist_has_the_sources_and_the_built_extension(dist):
    with tarfile.open(only(dist, "*.tar.gz")) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "hatch_build.py",
        "labextension/package.json",
        "labextension/yarn.lock",
        "labextension/src/index.ts",
    } <= names
    assert {"azml_magics/labextension/package.json", "azml_magics/labextension/inputs.sha256"} <= names
    assert not [name for name in names if "node_modules" in name or name.startswith("labextension/lib")]


def test_a_wheel_is_made_of_the_sdist_without_node(dist, tmp_path):
    with tarfile.open(only(dist, "*.tar.gz")) as archive:
        archive.extractall(tmp_path, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    done = build(only(tmp_path, "azml_magics-*"), "wheel", tmp_path, node=False, AZML_LABEXTENSION="require")
    assert done.returncode == 0, done.stdout + done.stderr
    assert assets_in(only(tmp_path, "*.whl")) == assets_in(only(dist, "*.whl"))


@pytest.mark.usefixtures("dist")
def test_an_editable_installation_has_it_too(tmp_path):
    done = build(copied(tmp_path, with_assets=True), "wheel:editable", tmp_path, node=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert assets_in(only(tmp_path, "*.whl")) >= ASSETS


def test_without_node_the_python_part_is_built_and_a_warning_says_so(tmp_path):
    done = build(copied(tmp_path, with_assets=False), "wheel", tmp_path, node=False)
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout + done.stderr
    assert "azml-magics is installed without its JupyterLab extension: Node.js is not on the PATH." in said
    names = names_in(only(tmp_path, "*.whl"))
    assert "azml_magics/notebook/magics.py" in names
    assert not [name for name in names if "labextension" in name]


def test_where_it_is_required_a_build_without_node_fails_and_says_why(tmp_path):
    done = build(copied(tmp_path, with_assets=False), "wheel", tmp_path, node=False, AZML_LABEXTENSION="require")
    assert done.returncode != 0
    assert "Node.js is not on the PATH. Install Node.js 20.19 or later" in done.stdout + done.stderr
    assert not list(tmp_path.glob("*.whl"))


def test_it_can_be_left_out(tmp_path):
    done = build(copied(tmp_path, with_assets=True), "wheel", tmp_path, AZML_LABEXTENSION="skip")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not assets_in(only(tmp_path, "*.whl"))


def test_another_word_for_it_is_refused(tmp_path):
    done = build(copied(tmp_path, with_assets=False), "wheel", tmp_path, AZML_LABEXTENSION="never")
    assert done.returncode != 0
    assert "AZML_LABEXTENSION is one of auto, require, skip, not 'never'" in done.stdout + done.stderr


def test_stale_assets_are_not_packed(tmp_path):
    checkout = copied(tmp_path, with_assets=True)
    with (checkout / "labextension" / "src" / "index.ts").open("a") as source:
        source.write("// changed\n")
    done = build(checkout, "wheel", tmp_path, node=False)
    assert "installed without its JupyterLab extension" in done.stdout + done.stderr
    assert not assets_in(only(tmp_path, "*.whl"))


def test_a_release_is_one_version_and_its_lock_file_names_no_hosts():
    package = json.loads((ROOT / "labextension/package.json").read_text(encoding="utf-8"))
    version = re.search(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert package["version"] == version[1]
    lock = (ROOT / "labextension/yarn.lock").read_text(encoding="utf-8")
    assert "@jupyterlab/notebook@npm:" in lock
    assert "://" not in lock
    assert "://" not in (ROOT / "labextension/.yarnrc.yml").read_text(encoding="utf-8")


def test_readme_of_the_package_has_absolute_links(dist):
    with zipfile.ZipFile(only(dist, "*.whl")) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        text = archive.read(name).decode("utf-8")
    assert "Description-Content-Type: text/markdown" in text
    assert 'src="https://raw.githubusercontent.com/azml-magics/azml-magics/main/docs/images/' in text
    assert not re.findall(r"\]\((?!https?:|#)[^)]*\)", text)  # a package index has no other files
    assert not re.findall(r'src(?:set)?="(?!https?:)', text)
