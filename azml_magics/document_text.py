"""The text of a saved document: JSON and YAML as LangChain writes them. Reading a text evaluates nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .core.errors import DocumentError
from .core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping


def dumps(document: Mapping[str, Any], suffix: str = ".json") -> str:
    """Write a document as LangChain does.

    Args:
        document: JSON data.
        suffix: ".json", or anything else for YAML.

    Returns:
        JSON indented by 4 without a final newline, or block-style YAML.
    """
    if suffix == ".json":
        return json.dumps(document, indent=4)
    import yaml

    return str(yaml.dump(dict(document), default_flow_style=False))


def loads(text: str, suffix: str = ".json", source: str = "the document") -> Any:
    """Read what `dumps` has written.

    Args:
        text: The text.
        suffix: ".json", or anything else for YAML.
        source: Where the text comes from, for messages.

    Raises:
        DocumentError: The text is cut off, or is not JSON or YAML.
    """
    if suffix == ".json":
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            is_cut = not text.rstrip().endswith("}")
            raise DocumentError(
                f"{source} is not complete JSON ({one_line(str(error), 100)})",
                remedy="It seems to be cut off: export it again." if is_cut else "Fix it, or export it again.",
            ) from None
    return _yaml(text, source)


def _yaml(text: str, source: str) -> Any:
    import yaml

    class Loader(yaml.SafeLoader):
        """No aliases, which let a small document grow to gigabytes; no dates, which an api_version looks like."""

        yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's name and type
            first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
            for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise yaml.YAMLError("it uses aliases")
            return super().compose_node(parent, index)

        def construct_scalar(self, node: Any) -> Any:
            if node.tag.endswith((":int", ":float")) and ":" in node.value:
                raise yaml.YAMLError(f"{one_line(node.value, 40)!r} needs quotes")  # a number of base 60 in YAML 1.1
            return super().construct_scalar(node)

    try:
        return yaml.load(text, Loader=Loader)  # noqa: S506 - a subclass of SafeLoader
    except Exception as error:  # noqa: BLE001 - PyYAML also raises AttributeError, IndexError, …
        raise DocumentError(
            f"{source} is not plain YAML ({one_line(str(error), 100)})", remedy="Fix it, or export it again."
        ) from None
