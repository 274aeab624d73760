"""The text of a saved document: JSON and YAML as LangChain writes them. Reading evaluates nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .core.errors import DocumentError
from .core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping


def dumps(document: Mapping[str, Any], suffix: str = ".json") -> str:
    """The document as LangChain writes it: JSON indented by 4 without a final newline, or block-style YAML."""
    if suffix == ".json":
        return json.dumps(document, indent=4)
    import yaml

    return str(yaml.dump(dict(document), default_flow_style=False))


def loads(text: str, suffix: str = ".json", source: str = "the document") -> Any:
    """What `dumps` wrote; DocumentError where it is cut off or no JSON or YAML."""
    if suffix == ".json":
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            cut = not text.rstrip().endswith("}")
            raise DocumentError(
                f"{source} is not whole JSON ({one_line(str(error), 100)})",
                remedy="It seems cut off: export it again." if cut else "Mend it there, or export it again.",
            ) from None
    return _yaml(text, source)


def _yaml(text: str, source: str) -> Any:
    import yaml

    class Loader(yaml.SafeLoader):
        """Without aliases: a small document of them unfolds to gigabytes. Without dates: api_version looks like one."""

        yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own way of saying it
            first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
            for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise yaml.YAMLError("it uses aliases")
            return super().compose_node(parent, index)

    try:
        return yaml.load(text, Loader=Loader)  # noqa: S506 - a subclass of SafeLoader
    except Exception as error:  # noqa: BLE001 - PyYAML lets its own slips through: AttributeError, IndexError, …
        raise DocumentError(
            f"{source} is no plain YAML ({one_line(str(error), 100)})", remedy="Mend it, or export it again."
        ) from None
