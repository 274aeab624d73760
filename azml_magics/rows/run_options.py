"""RunOptions: how fast a run goes, when it stops, and where its journal is."""

from dataclasses import dataclass, replace
from pathlib import Path

from ..core.errors import UsageError

DEFAULT_CONCURRENCY = 16
GIVE_UP_AFTER = 900.0  # seconds; a new instance of a language model takes 12 to 18 minutes to load


@dataclass(frozen=True)
class RunOptions:
    """The limits and the journal of a run.

    Attributes:
        concurrency: The most requests at a time.
        rpm: The most requests per minute, None for no limit.
        tpm: The most tokens per minute, None for no limit.
        max_tokens_total: Stop starting rows after so many tokens, None for no limit.
        journal: The file that keeps responses; on a dask cluster a folder.
        retry_failed: Whether to send rows again that have an error in the journal.
        give_up_after: Seconds without a success after which an overloaded endpoint ends the run.

    Raises:
        UsageError: A number is out of range, or retry_failed is given without a journal.
    """

    concurrency: int = DEFAULT_CONCURRENCY
    rpm: float | None = None
    tpm: float | None = None
    max_tokens_total: int | None = None
    journal: str | Path | None = None
    retry_failed: bool = False
    give_up_after: float = GIVE_UP_AFTER

    def __post_init__(self) -> None:
        for name, count in (("concurrency", self.concurrency), ("max_tokens_total", self.max_tokens_total)):
            if count is not None and (not isinstance(count, int) or count < 1):
                raise UsageError(f"{name} takes a whole number of at least 1, not {count!r}")
        for name, rate in (("rpm", self.rpm), ("tpm", self.tpm)):
            if rate is not None and not rate > 0:
                raise UsageError(f"{name} takes a number above 0, not {rate!r}")
        if self.retry_failed and self.journal is None:
            raise UsageError(
                "Failed rows can be sent again only with the journal of their run",
                remedy="Name it with journal.",
                error_code="no-journal",
            )

    def share_among(self, workers: int) -> "RunOptions":
        """Return the options of one of `workers`, which share the limits per minute equally."""
        rpm, tpm = (limit and limit / workers for limit in (self.rpm, self.tpm))
        return replace(self, rpm=rpm, tpm=tpm)
