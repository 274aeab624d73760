"""The form below the config bar: the name or file that Save as, Import and Export need, and Delete's confirmation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as w

from .controls import StatusLine, action_button, button_row, set_traits, set_visible

if TYPE_CHECKING:
    from ..model.panel_model import PanelModel


class ConfigForm:
    """Asks for what an action on a config still needs. Hidden while no action is pending."""

    def __init__(self, model: PanelModel) -> None:
        self._model = model
        self._action = ""
        self._name = ""
        self._field = w.Text(description="")
        self._langchain_only = w.Checkbox(description="only LangChain's own keys", indent=False)
        self._question = StatusLine()
        self._ok = action_button("OK", self._confirm, button_style="primary")
        self._field.on_msg(self._handle_message)
        cancel = action_button("Cancel", self.close)
        cancel.add_class("azml-cancel")
        buttons = button_row(self._ok, cancel)
        self.widget = w.VBox([self._question.widget, self._field, self._langchain_only, buttons])
        for name in ("azml-form", "azml-config-form"):
            self.widget.add_class(name)
        set_visible(self.widget, False)

    def open(self, action: str) -> None:
        """Show the form for an action.

        Args:
            action: "save", "import", "export" or "delete".
        """
        name = self._model.name
        self._action, self._name = action, name
        # action -> (label, value, placeholder, text on the button)
        forms = {
            "save": ("Save as", "", "a name, such as prod", "Save"),
            "import": ("File", "", "prod.json, or a folder", "Import"),
            "export": ("File", f"{name or 'config'}.json", "prod.json", "Export"),
            "delete": ("", "", "", "Delete"),
        }
        description, value, placeholder, label = forms[action]
        set_traits(self._field, description=description, value=value, placeholder=placeholder)
        set_traits(self._ok, description=label, button_style="danger" if action == "delete" else "primary")
        question = f"Delete {name} from this session? A file it was imported from is kept."
        self._question.show(question if action == "delete" else "")
        set_visible(self._field, action != "delete")
        set_visible(self._langchain_only, action == "export")
        set_visible(self.widget, True)

    def close(self) -> None:
        """Hide the form and drop the pending action."""
        self._action = ""
        set_visible(self.widget, False)

    def draw(self) -> None:
        """Close the form if another config was chosen: the pending action was about the former one."""
        if self._action and self._name != self._model.name:
            self.close()

    def _handle_message(self, _field: w.Text, content: dict[str, Any], _buffers: Any) -> None:
        if content.get("event") == "submit":  # Enter; on_submit of ipywidgets is deprecated
            self._confirm()

    def _confirm(self) -> None:
        if self._action and self._run_action(self._field.value):
            self.close()

    def _run_action(self, value: str) -> bool:
        """Do what was asked for; return whether it succeeded."""
        model = self._model
        if self._action == "save":
            return bool(value.strip()) and model.save(value)
        if self._action == "import":
            return model.import_(value)
        if self._action == "export":
            return model.export(value, langchain=self._langchain_only.value) is not None
        model.delete()
        return True
