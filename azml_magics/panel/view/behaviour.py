"""What stock widgets cannot do: keys, names for screen readers, the focus, and clicks that overtake what was typed.

A script does it in the page, for every view of the panel; without it the panel works with the mouse. Its source is
behaviour.js.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from .controls import set_visible

if TYPE_CHECKING:
    from collections.abc import Callable


class Behaviour:
    """The script, and the two fields by which it waits for the kernel.

    A widget holds back what the user types while the kernel handles an earlier key, but a click is sent at once. So
    the script writes a number into `asked`, and clicks when the kernel has written it into `answered`: by then the
    page has sent everything that was typed before. While a page is new its messages may go through two threads of the
    kernel: so the script also writes the text that was typed last, and asks again while the kernel has not got it.

    Args:
        has_text: Whether a text field of the panel has this text.
    """

    def __init__(self, has_text: Callable[[str], bool]) -> None:
        self._has_text = has_text
        self._asked = w.Text(_dom_classes=("azml-asked",))
        self._answered = w.Label(_dom_classes=("azml-answered",))
        self._asked.observe(self._answer, "value")
        source = Path(__file__).with_name("behaviour.js").read_text("utf-8")
        data = {"text/plain": "", "application/javascript": source}
        script = w.Output(outputs=({"output_type": "display_data", "data": data, "metadata": {}},))
        fields = w.Box([self._asked, self._answered])
        set_visible(fields, False)
        self.widget = w.Box([script, fields], _dom_classes=("azml-script",))

    def _answer(self, change: dict[str, Any]) -> None:
        try:
            token, *texts = json.loads(change["new"])
        except (ValueError, TypeError):  # not written by the script
            return
        self._answered.value = f"{token} {'all' if all(map(self._has_text, texts)) else 'missing'}"
