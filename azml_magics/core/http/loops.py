"""The network transports of event loops: connections cannot leave their loop, and close with it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from .network import AsyncNetworkTransport

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


class LoopNetworks:
    """One network transport for each event loop that sends requests."""

    def __init__(self) -> None:
        self._loops: dict[asyncio.AbstractEventLoop, tuple[AsyncNetworkTransport, AsyncGenerator[None, None]]] = {}

    async def running(self) -> AsyncNetworkTransport:
        """The transport of the running loop, which closes with it.

        The loop's shutdown of asynchronous generators (asyncio.run, pytest-asyncio, IPython) ends the generator that
        closes the connections. Loops that were closed without it are forgotten here.
        """
        loop = asyncio.get_running_loop()
        known = self._loops.get(loop)
        if known is not None:
            return known[0]
        for closed in [other for other in list(self._loops) if other.is_closed()]:
            self._loops.pop(closed, None)
        network = AsyncNetworkTransport()
        closer = self._close_at_shutdown(loop, network)
        self._loops[loop] = (network, closer)
        await anext(closer)
        return network

    async def aclose(self) -> None:
        """Close the connections of the running loop; those of other loops close with their loops."""
        known = self._loops.get(asyncio.get_running_loop())
        if known is not None:
            await known[1].aclose()

    async def _close_at_shutdown(
        self, loop: asyncio.AbstractEventLoop, network: AsyncNetworkTransport
    ) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            self._loops.pop(loop, None)
            await network.aclose()
