"""The panel's controls, part by part: the config, the endpoint, the formatter, the kwargs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as w
from traitlets import Unicode

from azml_magics import codegen
from azml_magics.core import endpoints, wire
from azml_magics.core.errors import AzmlError

from .draft import REST, formatter_text
from .drafts import NEW
from .events import CONFIG, DRAFT, NOTES, PROMPT, STATE, VARIABLES
from .fields import KwargRows, Line, area, button, buttons, on_change, put, shown, text
from .messages import in_words, key_sign

if TYPE_CHECKING:
    from .model import PanelModel

_KINDS = {
    "managed": "a managed online endpoint",
    "kubernetes": "a Kubernetes online endpoint",
    "serverless": "a serverless deployment",
    "foundry": "a Foundry resource",
    "azure-openai": "an Azure OpenAI resource",
    "other": "",
}
_EXAMPLE = "https://NAME.REGION.inference.ml.azure.com/score"


class KeyBox(w.Password):  # type: ignore[misc]  # ipywidgets has no types
    """A password field whose value is never sent back to a frontend, not even as an echo."""

    value = Unicode("").tag(sync=True, echo_update=False)


class ReferenceBox(w.Text):  # type: ignore[misc]  # ipywidgets has no types
    """A text field for a key reference. It sends no echo: a key that is typed there by mistake is refused, and gone."""

    value = Unicode("").tag(sync=True, echo_update=False)


class ConfigBar:
    """Which config is chosen, whether it is changed, and what keeps it."""

    parts = frozenset({CONFIG, NOTES})

    def __init__(self, model: PanelModel) -> None:
        self._model = model
        self._names = on_change(w.Dropdown(description="Config"), model.choose)
        self._mark = Line("azml-mark")
        self._line = Line()
        self._save = button("Save", self._saved, icon="save", tooltip="Save the changes under this name")
        self._revert = button("Revert", model.revert, icon="undo", tooltip="Drop the unsaved changes")
        self._delete = button("Delete", lambda: self._drawer.open("delete"), icon="trash", tooltip="Forget this config")
        self._drawer = Drawer(model)
        opens = self._drawer.open
        actions = buttons(
            button("New", model.new, icon="plus", tooltip="Begin a config"),
            self._save,
            button("Save as", lambda: opens("save"), icon="copy", tooltip="Save under another name"),
            self._revert,
            self._delete,
            button("Import", lambda: opens("import"), icon="upload", tooltip="Read a saved config"),
            button("Export", lambda: opens("export"), icon="download", tooltip="Write it to a file"),
        )
        top = w.HBox([self._names, actions])
        top.add_class("azml-top")
        self.widget = w.VBox([top, self._drawer.widget, self._mark.widget, self._line.widget])

    def _saved(self) -> None:
        if self._model.name == NEW:
            self._drawer.open("save")
        else:
            self._model.save()

    def draw(self) -> None:
        """Show the session's configs."""
        model = self._model
        options = tuple((name or "(new config)", name) for name in model.names)
        if self._names.options != options:
            self._names.options = options
        put(self._names, value=model.name)
        changed = model.draft.is_changed
        self._mark.say("● unsaved changes" if changed and model.name else "", "mark")
        put(self._save, disabled=not changed and bool(model.name))
        put(self._revert, disabled=not changed)
        put(self._delete, disabled=not model.name)
        self._line.note(model.notes.get("config"))
        self._drawer.draw()


class Drawer:
    """What an action on the config still has to ask: a name, a file, or whether it is meant."""

    def __init__(self, model: PanelModel) -> None:
        self._model = model
        self._action = ""
        self._name = ""
        self._field = w.Text(description="")
        self._plain = w.Checkbox(description="only LangChain's own keys", indent=False)
        self._question = Line()
        self._yes = button("OK", self._confirmed, button_style="primary")
        self._field.on_msg(self._heard)
        self.widget = w.VBox(
            [self._question.widget, self._field, self._plain, buttons(self._yes, button("Cancel", self.close))]
        )
        shown(self.widget, False)

    def open(self, action: str) -> None:
        """Ask what `action` needs: "save", "import", "export" or "delete"."""
        name = self._model.name
        self._action, self._name = action, name
        asks = {
            "save": ("Save as", "", "a name, such as prod", "Save"),
            "import": ("File", "", "prod.json, or a folder", "Import"),
            "export": ("File", f"{name or 'config'}.json", "prod.json", "Export"),
            "delete": ("", "", "", "Delete"),
        }
        description, value, placeholder, label = asks[action]
        put(self._field, description=description, value=value, placeholder=placeholder)
        put(self._yes, description=label, button_style="danger" if action == "delete" else "primary")
        self._question.say(f"Forget {name}? A file that it came from stays." if action == "delete" else "")
        shown(self._field, action != "delete")
        shown(self._plain, action == "export")
        shown(self.widget, True)

    def close(self) -> None:
        """Ask no more."""
        self._action = ""
        shown(self.widget, False)

    def draw(self) -> None:
        """Another config was chosen: what was asked was about the former one."""
        if self._action and self._name != self._model.name:
            self.close()

    def _heard(self, _field: w.Text, content: dict[str, Any], _buffers: Any) -> None:
        if content.get("event") == "submit":  # Enter; what ipywidgets calls on_submit is deprecated
            self._confirmed()

    def _deleted(self) -> bool:
        self._model.delete()
        return True

    def _confirmed(self) -> None:
        model, value = self._model, self._field.value
        actions = {
            "save": lambda: bool(value.strip()) and model.save(value),
            "import": lambda: model.import_(value),
            "export": lambda: model.export(value, langchain=self._plain.value),
            "delete": self._deleted,
        }
        if self._action and actions[self._action]():
            self.close()


class Endpoint:
    """Where the config leads, and with which key."""

    parts = frozenset({DRAFT, NOTES, STATE})

    def __init__(self, model: PanelModel) -> None:
        self._model = model
        self._fields: dict[str, Any] = {
            "endpoint_url": self._field("URL", "endpoint_url", placeholder=_EXAMPLE),
            "endpoint_api_type": on_change(
                w.Dropdown(
                    description="Type",
                    options=[("by the URL", ""), ("dedicated", "dedicated"), ("serverless", "serverless")],
                ),
                lambda value: model.set("endpoint_api_type", value),
            ),
            "deployment_name": self._field("Deployment", "deployment_name", placeholder="the endpoint's own choice"),
            "key": on_change(
                ReferenceBox(
                    description="Key",
                    placeholder="env:NAME, keyring:SERVICE/NAME, entra, ask or none",
                    continuous_update=False,
                ),
                lambda value: model.set("key", value),
            ),
            "model": self._field("Model", "model", placeholder="where the route wants it in the body"),
            "api_version": self._field("API version", "api_version", placeholder="the documented one"),
            "timeout": self._field("Timeout", "timeout", placeholder="190 (seconds)"),
            "max_retries": self._field("Retries", "max_retries", placeholder="2"),
        }
        self._lines = {name: Line() for name in self._fields}
        self._kind, self._sign, self._line = Line(), Line(), Line()
        self._once = KeyBox(description="One-time key", placeholder="kept in memory only", continuous_update=False)
        self._once.observe(self._typed, "value")
        self._test = button("Test", model.runs.test, icon="check", tooltip="Reach it, authenticate, ask for one token")
        self._detect = button("Detect", model.runs.detect, icon="search", tooltip="Read the deployment's swagger")
        self._probe = button(
            "Probe",
            lambda: model.runs.detect(probe=True),
            icon="question",
            tooltip="Try every dialect with a short prompt",
        )
        further = {"endpoint_url": [self._kind], "key": [self._sign]}
        children: list[w.Widget] = []
        for name, field in self._fields.items():
            children += [field, self._lines[name].widget, *(line.widget for line in further.get(name, ()))]
            children += [self._once] if name == "key" else []
        self.widget = w.VBox([*children, buttons(self._test, self._detect, self._probe), self._line.widget])

    def _field(self, label: str, name: str, **traits: Any) -> w.Text:
        return text(label, lambda value: self._model.set(name, value), **traits)

    def _typed(self, change: Any) -> None:
        """Take the key out of the box at once: what is in a widget goes into the saved notebook."""
        key, self._once.value = change["new"], ""
        if key:
            self._model.type_key(key)

    @property
    def title(self) -> str:
        """The section's heading, with what a glance should tell."""
        url = self._model.draft.config.endpoint_url
        return f"Endpoint: {endpoints.Origin.of(url).netloc}" if url else "Endpoint"

    def draw(self) -> None:
        """Show the draft's fields."""
        draft, runs = self._model.draft, self._model.runs
        for name, field in self._fields.items():
            put(field, value=draft.texts[name])
            self._lines[name].say(draft.errors.get(name, ""), "bad")
        url = draft.config.endpoint_url
        kind = _KINDS[endpoints.kind_of(url)] if url else ""
        self._kind.say(f"{draft.config.endpoint_api_type}{': ' if kind else ''}{kind}" if url else "")
        found, words = key_sign(draft.config)
        self._sign.say(f"{'✓' if found else '✗' if found is False else '?'} {words}", _MOODS[found])
        for each in (self._test, self._detect, self._probe):
            put(each, disabled=bool(runs.doing) or not url)
        self._line.note(self._model.notes.get("endpoint"))


_MOODS = {True: "good", False: "bad", None: "plain"}


class Formatter:
    """Which dialect is spoken, and what it sends."""

    parts = frozenset({DRAFT, PROMPT, VARIABLES})

    def __init__(self, model: PanelModel) -> None:
        self._model = model
        self._names = on_change(w.Dropdown(description="Formatter"), lambda name: model.set("formatter", name))
        self._about, self._line = Line(), Line()
        self._sends = w.Textarea(description="Will send", disabled=True, rows=8)
        self.is_open = False
        self.widget = w.VBox([self._names, self._about.widget, self._line.widget, self._sends])

    @property
    def title(self) -> str:
        """The section's heading."""
        draft = self._model.draft
        name = formatter_text(draft.config) or wire.default_for_route(draft.config.endpoint_url)
        return f"Formatter: {name}" if name else "Formatter"

    def draw(self) -> None:
        """Show the formatters that fit; what is sent only while somebody can see it."""
        model = self._model
        options = tuple(model.formatters())
        if self._names.options != options:
            self._names.options = options
        put(self._names, value=model.draft.texts["formatter"])
        self._about.say(model.describe_formatter())
        self._line.say(model.draft.errors.get("formatter", ""), "bad")
        if self.is_open:
            put(self._sends, value=self._request())

    def _request(self) -> str:
        model = self._model
        try:
            return codegen.request(model.draft.config, model.messages(), stream=True)[:_LONGEST]
        except AzmlError as error:
            return in_words(error)


_LONGEST = 20_000  # characters of a request that are shown


class Kwargs:
    """The model kwargs: a row for each that the formatter knows, and JSON for the others."""

    parts = frozenset({DRAFT})

    def __init__(self, model: PanelModel) -> None:
        self._model = model
        self._rows = KwargRows(model)
        self._rest = area(
            "Others, JSON", model.set_rest, continuous_update=False, rows=2, placeholder='such as {"logprobs": true}'
        )
        self._line = Line()
        self.widget = w.VBox([self._rows.widget, self._rest, self._line.widget])

    @property
    def title(self) -> str:
        """The section's heading, with how many are sent."""
        sent = len(self._model.draft.config.model_kwargs)
        return f"Model kwargs: {sent} sent" if sent else "Model kwargs: all by default"

    def close(self) -> None:
        """Close the rows of the formatters that are not chosen now; the view closes the others."""
        self._rows.close()

    def draw(self) -> None:
        """Show the draft's kwargs."""
        draft = self._model.draft
        self._rows.draw(draft)
        put(self._rest, value=draft.rest)
        self._line.say(draft.errors.get(REST, ""), "bad")
