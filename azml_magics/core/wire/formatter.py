"""Formatters: what users name in configs. Each is one wire format, or one for each kind of route."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import endpoints
from ..errors import ConfigError, FormatterError

if TYPE_CHECKING:
    from ..config import LLMConfig
    from .base import Kwarg, Wire


@dataclass(frozen=True)
class Formatter:
    """A choice of wire formats under one name.

    Attributes:
        name: What a config's `formatter` names it.
        description: One line.
        wires: The wire formats, in the order in which they are tried for an endpoint. They agree on `chat`.
        content_formatter: The user's own object, if the formatter was made from one; else None.
    """

    name: str
    description: str
    wires: tuple[Wire, ...]
    content_formatter: Any = None

    def __str__(self) -> str:
        return self.name if self.content_formatter is None else type(self.content_formatter).__name__

    @property
    def chat(self) -> bool:
        """Whether messages keep their roles."""
        return self.wires[0].chat

    @property
    def api_types(self) -> tuple[str, ...]:
        """The endpoint types that it can be used with."""
        return tuple(dict.fromkeys(name for wire in self.wires for name in wire.api_types))

    @property
    def routes(self) -> tuple[str, ...]:
        """The URL routes that it can be used on."""
        return tuple(dict.fromkeys(route for wire in self.wires for route in wire.routes))

    @property
    def known_kwargs(self) -> tuple[Kwarg, ...]:
        """The model kwargs that any of the wire formats is known to take."""
        known = {kwarg.name: kwarg for wire in reversed(self.wires) for kwarg in wire.known_kwargs}
        names = dict.fromkeys(kwarg.name for wire in self.wires for kwarg in wire.known_kwargs)
        return tuple(known[name] for name in names)

    def kwargs_for(self, config: LLMConfig) -> tuple[Kwarg, ...]:
        """Return the model kwargs that help, completion and the panel show for an endpoint.

        Args:
            config: Tells the wire format; for an endpoint that none fits, the kwargs of all of them are returned.
        """
        return next((wire.known_kwargs for wire in self.wires if wire.fits(config)), self.known_kwargs)

    def wire_for(self, config: LLMConfig) -> Wire:
        """Return the wire format for the config's endpoint type and route.

        Raises:
            ConfigError: The formatter does not fit the endpoint. FormatterError if it is the user's own.
        """
        for wire in self.wires:
            if wire.fits(config):
                return wire
        if self.content_formatter is not None:
            raise FormatterError(
                f"{self} works with {' and '.join(sorted(self.api_types))} endpoints, "
                f"and this one is {config.endpoint_api_type}",
                remedy="Add the type to its supported_api_types, or set endpoint_api_type.",
                error_code="custom-formatter-api-type",
            )
        if config.endpoint_api_type not in self.api_types:
            raise ConfigError(
                f"The formatter {self.name!r} works with {' and '.join(self.api_types)} endpoints, "
                f"and this one is {config.endpoint_api_type}",
                remedy="Choose another formatter, such as openai-chat or openai, or set endpoint_api_type.",
                error_code="formatter-api-type",
            )
        routes = ", ".join("/" + route for route in self.routes)
        raise ConfigError(
            f"The formatter {self.name!r} cannot be used on /{endpoints.route_of(config.endpoint_url)}",
            remedy=f"Its routes are {routes}: choose another formatter or another endpoint_url.",
            error_code="formatter-route",
            facts={"routes": routes},
        )
