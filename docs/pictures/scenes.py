"""The pictures by their names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .cells import DONE, Progress, Streaming
from .panels import PanelScene, SidePanel, Viewer
from .scene import Scene

if TYPE_CHECKING:
    from collections.abc import Mapping

NOTEBOOKS: Final = Path(__file__).parents[2] / "notebooks"

_DEMO: Final = "%load_ext azml_magics\n%azureml demo"
# An endpoint of its own has the same address in every picture, and can be as slow as a picture needs it.
_GUIDE: Final = """
%load_ext azml_magics
import os
from azml_magics.emulator import Emulator
os.environ["GUIDE_KEY"] = "demo"
guide = Emulator(key="demo", port=18765, rate=200).start()
%azureml save guide --url http://127.0.0.1:18765/v1/chat/completions -f openai-chat --key env:GUIDE_KEY
%azureml use guide
city = "Lisbon"
letter = "I was charged twice for my order, please check my card."
"ready"
""".strip()
_TWO: Final = "\n".join(
    (_DEMO, "%azureml save blue --from demo-chat", "%azureml save green --from blue seed=3", "%azureml use green")
)
_RAINY_DAY: Final = "Name three things to do on a rainy day in {city}."
_SUBJECT: Final = "%%azureml --sweep temperature=0,0.7,1.2\nWrite a subject line for the spring newsletter."


def _evaluation() -> tuple[str, ...]:
    """The cells of the tutorial about evaluation, with a real model's recorded responses; the last one is shown."""
    notebook = json.loads((NOTEBOOKS / "14_which_prompt_is_better.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    replay, save, table, second = (
        next(cell for cell in cells if part in cell)
        for part in ("%azureml replay", "%azureml save", "letters = ", "-o second")
    )
    replay = replay.replace("cassettes/", f"{NOTEBOOKS}/cassettes/")
    line, _, prompt = second.partition("\n")
    examples, _, question = prompt.rpartition("\n\n")
    set_up = f"%load_ext azml_magics\n{replay}\n{save}\n{table}\nexamples = {examples!r}"
    return set_up, f"{line.replace(' --baseline $first', '')}\n{{examples}}\n\n{question}"


def _rows() -> tuple[str, ...]:
    """The table of that tutorial, sent to an endpoint that stops to respond; the first cell can be run again."""
    set_up, _ = _evaluation()
    table = set_up[set_up.index("rows = ") : set_up.index("examples = ")]
    again = _GUIDE.replace("guide = Emulator", "guide = globals().get('guide') or Emulator")
    stops = f"from azml_magics.emulator import Fault\nguide.script([None] * {DONE} + [Fault('slow', seconds=600)] * 60)"
    return (
        f"{again}\nguide.rate, guide.latency = 0, 0.3\n{table}\n{stops}",
        "%%azureml --each $letters -o moods\nIn one word, is this review glad or cross? {letter}",
    )


SCENES: Final[Mapping[str, Scene]] = {
    scene.name: scene
    for scene in (
        Streaming("streaming", (_GUIDE.replace("rate=200", "rate=20"), f"%%azureml -o answer\n{_RAINY_DAY}")),
        Scene(
            "cell",
            (
                _DEMO,
                'city = "Lisbon"',
                f'%%azureml -p temperature=0.2 -s "You are a calm guide." -o answer\n{_RAINY_DAY}',
                "answer.usage",
            ),
        ),
        Scene(
            "compare",
            (_TWO, "%%azureml --compare blue,green\nTell me about bicycle repair, in one sentence.", _SUBJECT),
        ),
        Scene("evaluation", _evaluation(), (960, 2600)),
        Progress("rows", _rows(), (900, 2400)),
        PanelScene("panel", (_GUIDE, "%azureml panel"), (1300, 2600), width=1200),
        PanelScene("panel-narrow", (_GUIDE, "%azureml panel"), (1300, 4200), width=280),
        SidePanel("jupyterlab", (_DEMO, 'city = "Lisbon"', f"%%azureml\n{_RAINY_DAY}", _SUBJECT), (1200, 720)),
        Viewer("viewer", (_DEMO, 'city = "Lisbon"', f"%%azureml\n{_RAINY_DAY}", _SUBJECT), (900, 1400)),
    )
}


def file_names() -> set[str]:
    """The files that the scenes become."""
    return {scene.file_name(theme) for scene in SCENES.values() for theme in ("light", "dark")}
