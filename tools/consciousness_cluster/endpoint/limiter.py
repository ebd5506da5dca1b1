"""How many calls may be in flight at once, and when the next may start."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Limiter:
    """A gate whose width halves when the endpoint asks for fewer calls and grows back, call by call, with success."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.width = float(most)
        self._in_flight = 0
        self._not_before = 0.0
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        """Hold a place while a call is in flight."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._in_flight < max(1, int(self.width)))
            self._in_flight += 1
        try:
            while (wait := self._not_before - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            yield
        finally:
            async with self._changed:
                self._in_flight -= 1
                self._changed.notify()

    def succeeded(self) -> None:
        """Widen a little: by one place for each full round of successes."""
        self.width = min(self.most, self.width + 1 / self.width)

    def too_many(self) -> None:
        """Halve the width (never below one call)."""
        self.width = max(1.0, self.width / 2)

    def pause(self, seconds: float) -> None:
        """Let no new call start for a while."""
        self._not_before = max(self._not_before, time.monotonic() + seconds)
