"""`azml-magics doctor` and `%azureml doctor`: what they tell of an environment, and that no secret is in it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import azml_magics
from azml_magics import LLMConfig, Secret
from azml_magics import __main__ as command_line
from azml_magics.doctor import examine, versions
from azml_magics.doctor.network import mask_user

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SECRET = "sk-4f9a8b7c6d5e4f3a2b1c"


@pytest.fixture
def jupyter(tmp_path, monkeypatch):
    """A folder that Jupyter reads before all others; `jupyter(path, content)` writes a JSON file into it."""
    pytest.importorskip("jupyter_core")
    for name in ("JUPYTER_PATH", "JUPYTER_CONFIG_PATH", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "jupyter"))

    def write(path, content):
        file = tmp_path / "jupyter" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content))
        return file

    return write


@pytest.fixture
def installed(monkeypatch):
    """`installed(ipywidgets="7.8.1")` pretends that other versions are installed; None for a missing package."""

    def pretend(**versions_by_name):
        given = {name.replace("_", "-"): version for name, version in versions_by_name.items()}
        real = metadata.version

        def version(name):
            if name not in given:
                return real(name)
            if given[name] is None:
                raise metadata.PackageNotFoundError(name)
            return given[name]

        monkeypatch.setattr(metadata, "version", version)

    return pretend


def section(report, title):
    """Name -> value of the facts under a heading."""
    return {fact.name: fact.value for each in report.sections if each.title == title for fact in each.facts}


def problems(report):
    return {fact.problem: fact.fix for fact in report.problems}


def test_report_names_versions_and_interpreter():
    report = examine()
    assert section(report, "Platform")["azml-magics"] == azml_magics.__version__
    assert section(report, "Platform")["Python"].startswith(".".join(map(str, sys.version_info[:3])))
    assert section(report, "Packages")["ipython"] == metadata.version("ipython")


@pytest.mark.parametrize(
    ("package", "version", "bound"),
    [
        ("jupyterlab", "3.6.8", "4.2"),
        ("ipywidgets", "7.8.5", "8.0.5"),
        ("ipykernel", "5.5.6", "6.29"),
        ("notebook", "6.5.7", "7.2"),
    ],
)
def test_old_component_is_flagged_with_its_command(installed, package, version, bound):
    installed(**{package: version})
    report = examine()
    (fix,) = [fix for problem, fix in problems(report).items() if problem.startswith(f"{package} {version} is too old")]
    assert re.search(rf'pip install .*"{package}>={re.escape(bound)}"', fix)
    assert f"{version}, too old" in report.to_text()


def test_oldest_versions_are_those_of_the_project():
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    bounds = dict(re.findall(r"^([\w-]+)>=([\d.]+)", "\n".join(map("\n".join, groups)), re.MULTILINE))
    ours = {name: bound for name, (bound, _) in versions.OLDEST.items() if name in bounds}
    assert ours == {name: bounds[name] for name in ours}
    assert set(versions.OLDEST) - set(ours) == {"jupyterlab-widgets"}


@pytest.mark.parametrize(
    ("version", "bound", "older"),
    [("8.0.5", "8.0.5", False), ("8.0", "8.0.0", False), ("7.9", "8.0.5", True), ("10.0rc1", "8.12", False)],
)
def test_versions_compare_by_their_numbers(version, bound, older):
    assert versions.is_older(version, bound) is older


def test_disabled_extension_names_the_command_that_enables_it(jupyter):
    jupyter("labextensions/azml-magics/package.json", {"version": azml_magics.__version__})
    jupyter("labconfig/page_config.json", {"disabledExtensions": {"azml-magics:panel": True}})
    report = examine()
    assert problems(report)["The JupyterLab extension is disabled."] == "jupyter labextension enable azml-magics:panel"


def test_extension_is_enabled_if_a_user_says_so(jupyter):
    jupyter("labextensions/azml-magics/package.json", {"version": azml_magics.__version__})
    jupyter("labconfig/page_config.json", {"disabledExtensions": {"azml-magics": False, "another": True}})
    assert section(examine(), "Jupyter")["JupyterLab extension"].endswith(", enabled")


def test_missing_extension_says_why_it_may_be_missing(jupyter, monkeypatch):
    monkeypatch.setattr("azml_magics.doctor.jupyter._find_extension", lambda name: None)
    monkeypatch.setattr("azml_magics.doctor.jupyter.installed_version", lambda name: "4.5.0")
    found = problems(examine())
    [problem] = [each for each in found if "built without its extension" in each]
    assert "its packages could not be fetched" in problem
    assert found[problem].startswith("Install Node.js 20.19 or later, then run ")


def test_extension_of_another_version_is_flagged(jupyter):
    jupyter("labextensions/azml-magics/package.json", {"version": "0.0.1"})
    assert any("extension has version 0.0.1" in problem for problem in problems(examine()))


def test_disabled_widgets_extension_is_flagged(jupyter):
    manager = "@jupyter-widgets/jupyterlab-manager"
    jupyter(f"labextensions/{manager}/package.json", {"version": "5.0.0"})
    jupyter("labconfig/page_config.json", {"disabledExtensions": [manager]})
    assert f"jupyter labextension enable {manager}" in problems(examine()).values()


def test_kernels_tell_which_python_they_start(jupyter):
    jupyter("kernels/ours/kernel.json", {"argv": [sys.executable, "-m", "ipykernel_launcher"]})
    jupyter("kernels/gone/kernel.json", {"argv": ["/nowhere/bin/python"]})
    report = examine()
    assert section(report, "Jupyter")["kernel ours"].endswith(", this Python")
    assert problems(report)["The kernel gone starts /nowhere/bin/python, which does not exist."] == (
        "jupyter kernelspec remove gone"
    )


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("http://ada:pa@ss/word@proxy:8080", "http://***@proxy:8080"),
        ("ada:secret@proxy:8080", "***@proxy:8080"),
        ("http://proxy:8080/?token=secret", "http://proxy:8080/"),
        ("http://proxy:8080", "http://proxy:8080"),
        ("localhost,10.0.0.0/8", "localhost,10.0.0.0/8"),
    ],
)
def test_user_of_a_proxy_is_masked(url, masked):
    assert mask_user(url) == masked


def test_missing_certificate_file_is_a_problem(monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    ((problem, fix),) = [each for each in problems(examine()).items() if "SSL_CERT_FILE" in each[0]]
    assert problem == "The certificates of SSL_CERT_FILE cannot be read: /nowhere/ca.pem: No such file or directory."
    assert "unset it" in fix


def test_secrets_of_the_environment_are_in_no_report(monkeypatch, tmp_path):
    names = ("AZUREML_ENDPOINT_API_KEY", "AZURE_CLIENT_SECRET", "OPENAI_API_KEY", "PROD_KEY", "DATABRICKS_TOKEN")
    for name in names:
        monkeypatch.setenv(name, SECRET)
    monkeypatch.setenv("HTTPS_PROXY", f"http://ada:{SECRET}@proxy.example:8080")
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / SECRET))
    kept = tmp_path / "home" / ".config" / "azml" / "configs"
    kept.mkdir(parents=True)
    (kept / "prod.json").write_text(json.dumps({"_type": "azureml_endpoint", "endpoint_url": f"https://{SECRET}@x.y"}))
    (kept / "damaged.json").write_text(SECRET)
    ours = {"endpoint_url": "https://a.b.inference.ml.azure.com/score", "name": "mine"}
    report = examine(
        [LLMConfig(**ours, key="env:PROD_KEY"), LLMConfig(**{**ours, "name": "typed"}, key=Secret(SECRET))]
    )
    for text in (report.to_text(), report.to_json()):
        assert SECRET not in text
        assert "AZURE_CLIENT_SECRET" in text
        assert "http://***@proxy.example:8080" in text
    assert section(report, "Keys")["config mine"] == "key env:PROD_KEY (set)"
    assert section(report, "Keys")["config typed"].startswith("key ")


def test_home_is_not_named_in_a_report(tmp_path):
    text = examine().to_text()
    assert "~/.config/azml/configs, made when a config is kept" in text
    assert str(tmp_path) not in text


def test_read_only_home_is_told_with_the_way_out(monkeypatch, tmp_path):
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK and real(path, mode))
    ((problem, fix),) = [each for each in problems(examine()).items() if "read-only" in each[0]]
    assert problem.endswith("is read-only, so configs cannot be kept.")
    assert fix == "Set XDG_CONFIG_HOME to a folder that you can write to."
    assert list((tmp_path / "home").iterdir()) == []


def test_kept_configs_and_project_settings_are_named(monkeypatch, tmp_path):
    kept = tmp_path / "home" / ".config" / "azml" / "configs"
    kept.mkdir(parents=True)
    (kept / "prod.json").write_text(
        json.dumps(
            {"_type": "azureml_endpoint", "endpoint_url": "https://a.b.inference.ml.azure.com/score", "key": "entra"}
        )
    )
    (tmp_path / "pyproject.toml").write_text("[tool.azml_magics]\nformat = 'text'\n")
    monkeypatch.chdir(tmp_path)
    report = examine()
    assert section(report, "Files")["kept config"] == "~/.config/azml/configs/prod.json"
    assert section(report, "Files")["project settings"].endswith("pyproject.toml")
    assert "entra" in section(report, "Keys")["config prod"]


def test_command_prints_a_report_and_json(capsys):
    assert command_line.main(["doctor"]) in (0, 1)
    assert capsys.readouterr().out.startswith("Platform\n  azml-magics ")
    status = command_line.main(["doctor", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert document["sections"]["Platform"]["azml-magics"] == azml_magics.__version__
    assert status == (1 if document["problems"] else 0)


def test_it_runs_with_the_base_installation_in_ascii():
    blocked = ("jupyter_core", "ipykernel", "jupyterlab", "azure", "keyring", "pandas", "IPython", "ipywidgets")
    code = (
        f"import sys\nfor name in {blocked!r}: sys.modules[name] = None\n"
        "from azml_magics.__main__ import main\nsys.exit(main(['doctor']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert "Traceback" not in done.stderr
    assert done.stdout.startswith("Platform\n")


def test_version_of_the_command_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit):
        command_line.main(["--version"])
    assert capsys.readouterr().out == f"azml-magics {azml_magics.__version__}\n"
