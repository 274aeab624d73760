"""From a verb of %azureml to its command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import args, cell, cell_call, parsed_options
from ..option_values import fill_options
from . import (
    check,
    code,
    configs,
    conversations,
    demo,
    detect,
    discover,
    files,
    history,
    kept,
    keys,
    overview,
    panel,
    record,
    start,
    trust,
    usage,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..context import NotebookContext

    # each command takes the dataclass beside it
    Command = Callable[[NotebookContext, Any], object]

_COMMANDS: dict[str, tuple[Command, type]] = {
    "demo": (demo.run_demo, parsed_options.DemoOptions),
    "save": (configs.save, parsed_options.SaveOptions),
    "use": (configs.use, parsed_options.NameOptions),
    "show": (configs.show, parsed_options.NameOptions),
    "keep": (kept.keep, parsed_options.NameOptions),
    "forget": (kept.forget, parsed_options.ForgetOptions),
    "rename": (configs.rename, parsed_options.RenameOptions),
    "delete": (configs.delete, parsed_options.DeleteOptions),
    "export": (files.export_configs, parsed_options.ExportOptions),
    "import": (files.import_configs, parsed_options.ImportOptions),
    "trust": (trust.trust_config, parsed_options.TrustOptions),
    "test": (check.check_config, parsed_options.NameOptions),
    "detect": (detect.detect_formatter, parsed_options.DetectOptions),
    "discover": (discover.discover_endpoints, parsed_options.DiscoverOptions),
    "key": (keys.manage_keys, parsed_options.KeyOptions),
    "history": (history.show_history, parsed_options.HistoryOptions),
    "usage": (usage.show_usage, parsed_options.UsageOptions),
    "last": (history.show_last, parsed_options.LastOptions),
    "code": (code.show_code, parsed_options.CodeOptions),
    "conversations": (conversations.manage_conversations, parsed_options.ConversationsOptions),
    "panel": (panel.show_panel, parsed_options.NameOptions),
    "record": (record.record, parsed_options.FileOptions),
    "replay": (record.replay, parsed_options.FileOptions),
    "help": (overview.show_help, parsed_options.HelpOptions),
}
_COMMANDS_WITHOUT_OPTIONS: dict[str, Callable[[NotebookContext], object]] = {
    "doctor": overview.show_report,
    "list": configs.list_configs,
    "repair": cell_call.repair,
    "stop-recording": record.stop_recording,
    "version": overview.version,
}


def run(context: NotebookContext, verb: str, line: str) -> Any:
    """Run `%azureml VERB LINE` and return what the cell shows.

    Raises:
        UsageError: The line does not fit the verb.
    """
    if not verb:
        return start.show_start(context)
    if verb == "ask":  # the rest of the line is the prompt itself, quotes and all
        return cell.run(context, parsed_options.CellOptions(), line)
    if verb in _COMMANDS_WITHOUT_OPTIONS:
        args.parse_verb_line(verb, line, parsed_options.NoOptions)
        return _COMMANDS_WITHOUT_OPTIONS[verb](context)
    command, options = _COMMANDS[verb]
    return command(context, fill_options(context, verb, args.parse_verb_line(verb, line, options)))
