"""How many calls may be in flight at once, and when the next may start."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

GLANCE = 0.2  # seconds between looks at whether a pause has ended
NARROWER, PAUSE = 0.7, 1.0  # the width shrinks at most once a second: a burst of refusals is one message
REFUSED = 0.1  # a smaller share of refused calls is no sign of too many at once: each waits for itself
WIDER = 4.0  # places that a full round of successes gives back


class Limiter:
    """A gate that narrows when the endpoint asks for fewer calls, and grows back call by call with success."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.width = float(most)
        self._in_flight = 0
        self._not_before = 0.0
        self._since = float("-inf")
        self._succeeded = self._refused = 0
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        """Hold a place while a call is in flight."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._in_flight < max(1, int(self.width)))
            self._in_flight += 1
        try:
            while (wait := self._not_before - time.monotonic()) > 0:
                await asyncio.sleep(min(wait, GLANCE))
            yield
        finally:
            async with self._changed:
                self._in_flight -= 1
                self._changed.notify()

    def succeeded(self) -> None:
        """Widen a little."""
        self._succeeded += 1
        self.width = min(self.most, self.width + WIDER / self.width)

    def too_many(self) -> None:
        """Narrow the gate (never below one call) where more than a few of the latest calls were refused."""
        self._refused += 1
        if time.monotonic() - self._since < PAUSE:
            return
        if self._refused > REFUSED * (self._refused + self._succeeded):
            self.width = max(1.0, self.width * NARROWER)
        self._since, self._succeeded, self._refused = time.monotonic(), 0, 0

    def release(self) -> None:
        """End a pause."""
        self._not_before = 0.0

    def pause(self, seconds: float) -> None:
        """Let no new call start for a while."""
        self._not_before = max(self._not_before, time.monotonic() + seconds)
