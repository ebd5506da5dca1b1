"""How many calls may be in flight at once, and when the next may start."""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

import anyio

NARROWER, PAUSE = 0.7, 1.0  # the width shrinks at most once a second: a burst of refusals is one message
REFUSED = 0.1  # a smaller share of refused calls is no sign of too many at once: each waits for itself
WIDER = 4.0  # places that a full round of successes gives back


class Gate:
    """Narrows when the endpoint asks for fewer calls, and grows back call by call with success.

    Calls that wait for a place are let in as soon as there is one, also where the gate has just become wider. A gate
    that is closed for good holds up nobody: what waits goes on at once, to see that the run is over.
    """

    def __init__(self, most: int) -> None:
        self.most = max(1, most)
        self.width = float(self.most)
        self._places = anyio.CapacityLimiter(self.most)
        self._closed = anyio.Event()
        self._not_before = 0.0
        self._since = float("-inf")
        self._succeeded = self._refused = 0

    @property
    def in_flight(self) -> int:
        return self._places.borrowed_tokens

    @asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        """Hold a place while a call is in flight."""
        place = object()
        await self._places.acquire_on_behalf_of(place)
        try:
            while (wait := self._not_before - monotonic()) > 0 and not self._closed.is_set():
                await self.sleep(wait)
            yield
        finally:
            self._places.release_on_behalf_of(place)

    async def sleep(self, seconds: float) -> None:
        """Wait, but no longer than the gate is open."""
        with anyio.move_on_after(seconds):
            await self._closed.wait()

    def succeeded(self) -> None:
        """Widen a little."""
        self._succeeded += 1
        self._set(min(self.most, self.width + WIDER / self.width))

    def too_many(self) -> None:
        """Narrow the gate (never below one call) where more than a few of the latest calls were refused."""
        self._refused += 1
        if monotonic() - self._since < PAUSE:
            return
        if self._refused > REFUSED * (self._refused + self._succeeded):
            self._set(max(1.0, self.width * NARROWER))
        self._since, self._succeeded, self._refused = monotonic(), 0, 0

    def pause(self, seconds: float) -> None:
        """Let no new call start for a while."""
        self._not_before = max(self._not_before, monotonic() + seconds)

    def close(self) -> None:
        """End all waits: the run is over."""
        self._closed.set()
        self._places.total_tokens = math.inf

    def _set(self, width: float) -> None:
        self.width = width
        if not self._closed.is_set():
            self._places.total_tokens = int(width)
