"""The tutorials are in a wheel, with what they replay, and nothing else of their folder."""

from __future__ import annotations

import zipfile

from .conftest import ROOT, build, copied, only

HERE = "azml_magics/notebooks/"


def test_every_tutorial_and_its_cassettes_are_in_a_wheel(tmp_path):
    made = copied(tmp_path, with_assets=False)
    (made / "notebooks" / ".ipynb_checkpoints").mkdir()
    (made / "notebooks" / ".ipynb_checkpoints" / "01_quickstart-checkpoint.ipynb").write_text("{}")
    done = build(made, "wheel", tmp_path, AZML_LABEXTENSION="skip")
    assert done.returncode == 0, done.stdout + done.stderr
    with zipfile.ZipFile(only(tmp_path, "*.whl")) as archive:
        packed = {name.removeprefix(HERE): archive.read(name) for name in archive.namelist() if name.startswith(HERE)}
    folder = ROOT / "notebooks"
    ours = [*folder.glob("*.ipynb"), *folder.glob("cassettes/*.jsonl")]
    assert packed == {path.relative_to(folder).as_posix(): path.read_bytes() for path in ours}
