"""Discovery: what was found, as a sequence of deployments, a table, and configs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, overload

from azml_magics import session as sessions
from azml_magics.compare.data_frame import make_data_frame
from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import ConfigError, UnknownNameError
from azml_magics.core.text import one_line, printable

from .config_places import config_name, free_name, is_same_place, refresh
from .deployment import DETECT, HEADINGS, Deployment
from .formatter_search import find_formatters
from .survey import Problem  # noqa: TC001 - get_type_hints() needs it
from .workspace import Target

_MAX_PROBLEMS = 10  # lines below the table


class Discovery(Sequence[Deployment]):
    """What `discover` found: a sequence of deployments.

    Attributes:
        rows: The deployments and endpoints, by the names of their owners and their own.
        problems: What was refused or failed, one for each request; the rest was found all the same.
        target: What was looked at.
        places: The subscriptions or resource groups that were looked in.
        left_out: How many resources and workspaces were not looked at, because there are too many.
        hint: A line below the table that a front end adds.

    Examples:
        found = azml_magics.discover()
        found.problems
        found.to_pandas()
        config = found.config("gpt-5-mini")
    """

    headings = HEADINGS

    def __init__(
        self,
        rows: Iterable[Deployment],
        problems: Iterable[Problem] = (),
        target: Target | None = None,
        places: Iterable[str] = (),
        left_out: int = 0,
    ) -> None:
        self.rows = tuple(rows)
        self.problems = tuple(problems)
        self.target = target or Target()
        self.places = tuple(places)
        self.left_out = left_out
        self.hint = ""

    @overload
    def __getitem__(self, index: int) -> Deployment: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Deployment, ...]: ...
    def __getitem__(self, index: int | slice) -> Deployment | tuple[Deployment, ...]:
        return self.rows[index]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Deployment]:
        return iter(self.rows)

    # ---- shown as text ----------------------------------------------------------------------------------------------

    def to_text(self) -> str:
        """Return the table and what is to be said of it as text."""
        table = [self.headings, *(row.to_texts() for row in self.rows)] if self.rows else []
        widths = [max(len(line[column]) for line in table) for column in range(len(self.headings))] if table else []
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in table]
        return printable("\n".join([*(line.rstrip() for line in lines), *self.notes()]))

    def notes(self) -> list[str]:
        """Return what is to be said below the table, one line each: problems, and what was left out."""
        lines = [] if self.rows else [*self._say_nothing()]
        if self.rows and self.target.source:
            lines.append(f"Found in {self.target}. Name a subscription to look wider.")
        if self.left_out:
            lines.append(
                f"{self.left_out:,} more resources and workspaces were not looked at. Name a subscription, a resource "
                "group or a workspace."
            )
        lines += [one_line(str(problem)) for problem in self.problems[:_MAX_PROBLEMS]]
        more = len(self.problems) - _MAX_PROBLEMS
        lines += [f"{more} more requests were refused or failed (Discovery.problems)."] if more > 0 else []
        return lines + ([self.hint] if self.hint else [])

    def _say_nothing(self) -> Iterator[str]:
        where = f"{self.target}" + (f": {', '.join(self.places)}" if self.places else "")
        yield f"No endpoint or deployment was found in {where}."
        if self.problems:
            return
        if self.target.project:
            yield "Deploy a model in the project, or look in its resource: name a subscription."
        elif self.target.workspace:
            yield "Deploy a model in the workspace, or name a subscription to look wider."
        elif not self.places:
            yield "Your sign-in sees no subscription: name a tenant, or the URL of a Foundry project."
        else:
            yield "Name another tenant or subscription, or the URL of a Foundry project."

    def __repr__(self) -> str:
        return self.to_text()

    def to_pandas(self) -> Any:
        """Return a pandas DataFrame with one row for each deployment.

        Raises:
            MissingPackageError: pandas is not installed.
        """
        return make_data_frame([row.to_dict() for row in self.rows])

    # ---- configs ----------------------------------------------------------------------------------------------------

    def find(self, name: str) -> Deployment:
        """Return the deployment of that name; OWNER/NAME tells those of the same name apart.

        Raises:
            UnknownNameError: There is none.
            ConfigError: There are several.
        """
        same = self.names(name)
        if not same:
            raise UnknownNameError.of("deployment", name, {row.name for row in self.rows})
        if len(same) > 1:
            which = ", ".join(f"{row.owner}/{row.name}" for row in same)
            raise ConfigError(
                f"There are several deployments named {name!r}",
                remedy=f"Name one of {which}.",
                error_code="several-deployments",
            )
        return same[0]

    def names(self, name: str) -> list[Deployment]:
        """Return the deployments that a name can stand for."""
        return [row for row in self.rows if name in {row.name, f"{row.owner}/{row.name}"}]

    def row_of(self, config: LLMConfig) -> Deployment:
        """Return the deployment that a config was made for.

        Raises:
            UnknownNameError: It is none of these.
        """
        for row in self.rows:
            if row.url and is_same_place((row.url, row.deployment_name), config):
                return row
        raise UnknownNameError.of("deployment", config.name, {row.name for row in self.rows})

    def config(self, which: str | Deployment, *, name: str = "", **changes: Any) -> LLMConfig:
        """Return a config for a deployment.

        Args:
            which: The deployment, or its name.
            name: The name of the config; by default that of the deployment, as configs are named.
            changes: Other fields of the config, such as `key="ask"`.

        Raises:
            UnknownNameError, ConfigError: There is no such deployment, or several; or no prompt can be sent to it.
        """
        row = self.find(which) if isinstance(which, str) else which
        key = self.target.entra_key if row.key == "entra" else row.key
        if not row.url:
            raise ConfigError(f"{row.name} cannot be called: {row.reason_not_askable}", error_code="no-address")
        fields: dict[str, Any] = {
            "name": name or config_name(row.name),
            "endpoint_url": row.url,
            "formatter": "" if row.wire == DETECT else row.wire,
            "deployment_name": row.deployment_name,
            "key": key,
            "headers": row.headers,
        }
        return LLMConfig(**fields | changes)

    def save(
        self,
        *names: str,
        session: sessions.Session | None = None,
        activate: bool = True,
        detect: bool = True,
        **changes: Any,
    ) -> list[LLMConfig]:
        """Save configs in the session.

        Args:
            names: The deployments; by default all that a prompt can be sent to.
            session: The session; by default the process's.
            activate: Whether the first one becomes the active config if there is none.
            detect: Whether to ask a deployment for its formatter if only it can tell. No prompt is sent.
            changes: Fields of all the configs, such as `key="ask"`.

        Returns:
            The configs, with the names they have in the session.

        Raises:
            UnknownNameError, ConfigError: As `config` does; nothing is saved then.
        """
        rows = [self.find(name) for name in names] if names else [row for row in self.rows if row.is_askable]
        session = session or sessions.current()
        taken = {name: session.get(name) for name in session.names()}
        configs = []
        for row in rows:
            config = self.config(row, **changes)
            config = replace(config, name=free_name(config, row, taken))
            if config.name in taken:  # the user's own settings stay
                config = refresh(taken[config.name], config, changes)
            taken[config.name] = config
            configs.append(config)
        if detect:
            configs = find_formatters(configs)
        return [session.save(config.name, config, activate=activate) for config in configs]
