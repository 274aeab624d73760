"""What tracing costs a call: CPU time of `invoke` without OpenTelemetry, with its API alone, and with an SDK's tracer.

python tracing.py BASE_URL [--calls N]

All ways take turns in one process: the network and the machine are the same for each. `none` has tracing cut out of the
code, `absent` is a process that has not imported OpenTelemetry, `api` one with the API and no provider, `sdk` one that
exports in batches to nowhere.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from typing import TYPE_CHECKING, Any

from clients import PROMPT, our_chat_config
from measuring import report

if TYPE_CHECKING:
    from collections.abc import Callable

_WARM = 20
_MODULE = "opentelemetry.trace"


class Ways:
    """The ways to call, each set up and undone around a single call."""

    def __init__(self, url: str) -> None:
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

        from azml_magics.core import client, preparation
        from azml_magics.core.http import attempt_span, transport

        class Nowhere(SpanExporter):
            def export(self, spans: Any) -> Any:  # noqa: ARG002 - the exporter's signature
                return SpanExportResult.SUCCESS

        self._provider = TracerProvider()
        self._provider.add_span_processor(BatchSpanProcessor(Nowhere()))
        self._trace, self._client = trace, client
        self._preparation, self._transport, self._plain = preparation, transport, attempt_span.SendAttempt
        self._config = our_chat_config(url)

    def none(self) -> float:
        """Tracing cut out of the code."""
        choose, attempt = self._preparation.choose_tracers, self._transport.trace_attempt
        self._preparation.choose_tracers = lambda **_: ()
        self._transport.trace_attempt = self._plain
        try:
            return self._call()
        finally:
            self._preparation.choose_tracers, self._transport.trace_attempt = choose, attempt

    def absent(self) -> float:
        """OpenTelemetry is not imported."""
        module = sys.modules.pop(_MODULE)
        try:
            return self._call()
        finally:
            sys.modules[_MODULE] = module

    def api(self) -> float:
        """OpenTelemetry's API without a provider."""
        return self._call()

    def sdk(self) -> float:
        """A tracer provider that exports in batches."""
        get = self._trace.get_tracer_provider
        self._trace.get_tracer_provider = lambda: self._provider
        try:
            return self._call()
        finally:
            self._trace.get_tracer_provider = get

    def _call(self) -> float:
        """The CPU seconds of one call in this thread."""
        start = time.thread_time()
        self._client.invoke(self._config, PROMPT)
        return time.thread_time() - start


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--calls", type=int, default=2000)
    args = parser.parse_args()
    ways = Ways(args.url)
    works: dict[str, Callable[[], float]] = {
        "none": ways.none,
        "absent": ways.absent,
        "api": ways.api,
        "sdk": ways.sdk,
    }
    taken: dict[str, list[float]] = {name: [] for name in works}
    order, shuffle = list(works), random.Random(0).shuffle
    for number in range(_WARM + args.calls):
        shuffle(order)  # else one way would always come after the slowest, whose work cools the caches
        for name in order:
            seconds = works[name]()
            if number >= _WARM:
                taken[name].append(seconds)
    report(**{name: statistics.median(times) for name, times in taken.items()})


if __name__ == "__main__":
    main()
