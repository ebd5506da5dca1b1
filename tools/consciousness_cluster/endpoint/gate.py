"""How many calls may be in flight at once, and when the next may start."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from time import monotonic

NARROWER, PAUSE = 0.7, 1.0  # the width shrinks at most once a second: a burst of refusals is one message
REFUSED = 0.1  # a smaller share of refused calls is no sign of too many at once: each waits for itself
WIDER = 4.0  # places that a full round of successes gives back
FIRST, LAST = 32, 512  # widths that are tried where nobody names one
FASTER = 1.15  # times as many calls a second: what makes twice the width worth it
ROUNDS = 2  # so many rounds of calls that are not faster say that the endpoint has no more to give


class Gate:
    """Narrows when the endpoint asks for fewer calls, and grows back call by call with success.

    Where nobody names the most calls in flight (`most` is None) it is found: the width doubles as long as more calls a
    second get through for it, and nothing is refused. Calls that wait for a place are let in in their order, as soon as
    there is one, also where the gate has just become wider. A gate that is closed for good holds up nobody: what waits
    goes on at once, to see that the run is over.
    """

    def __init__(self, most: int | None) -> None:
        self.most = FIRST if most is None else max(1, most)
        self.width = float(self.most)
        self.in_flight = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._closed = asyncio.Event()
        self._not_before = 0.0
        self._since = float("-inf")
        self._succeeded = self._refused = 0
        self._probe = _Probe() if most is None else None

    @asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        """Hold a place while a call is in flight."""
        await self._enter()
        try:
            while (wait := self._not_before - monotonic()) > 0 and not self._closed.is_set():
                await self.sleep(wait)
            yield
        finally:
            self._leave()

    async def _enter(self) -> None:
        if not self._waiting and self._free:
            self.in_flight += 1
            return
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():  # it was let in, and is no longer there
                self._leave()
            raise

    def _leave(self) -> None:
        self.in_flight -= 1
        self._let_in()

    @property
    def _free(self) -> bool:
        return self.in_flight < int(self.width) or self._closed.is_set()

    def _let_in(self) -> None:
        while self._waiting and self._free:
            place = self._waiting.popleft()
            if not place.done():
                self.in_flight += 1
                place.set_result(None)

    async def sleep(self, seconds: float) -> None:
        """Wait, but no longer than the gate is open."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closed.wait()

    def succeeded(self) -> None:
        """Widen a little."""
        self._succeeded += 1
        if self._probe:
            self._try_wider(self._probe)
        elif self.width < self.most:
            self._set(min(self.most, self.width + WIDER / self.width))

    def _try_wider(self, probe: "_Probe") -> None:
        """Once as many calls as the gate is wide have got through: double it, or know that this is enough."""
        rate = probe.rate_of(self.most, full=bool(self._waiting))
        if rate is None:
            return
        if rate >= FASTER * probe.best:
            probe.best, probe.slow = rate, 0
            if self.most < LAST:
                self.most *= 2
            else:
                self._probe = None
        else:
            probe.slow += 1
            if probe.slow >= ROUNDS:
                self._probe, self.most = None, self.most // 2
        self._set(self.most)

    def too_many(self) -> None:
        """Narrow the gate (never below one call) where more than a few of the latest calls were refused."""
        self._refused += 1
        if monotonic() - self._since < PAUSE:
            return
        if self._refused > REFUSED * (self._refused + self._succeeded):
            self._probe = None
            self._set(max(1.0, self.width * NARROWER))
        self._since, self._succeeded, self._refused = monotonic(), 0, 0

    def pause(self, seconds: float) -> None:
        """Let no new call start for a while."""
        self._not_before = max(self._not_before, monotonic() + seconds)

    def close(self) -> None:
        """End all waits: the run is over."""
        self._closed.set()
        self._let_in()

    def _set(self, width: float) -> None:
        self.width = width
        self._let_in()


class _Probe:
    """Calls a second in rounds of as many calls as the gate is wide; only while others wait does a round say much."""

    def __init__(self) -> None:
        self.best, self.slow = 0.0, 0
        self._begun, self._number = monotonic(), 0

    def rate_of(self, width: int, full: bool) -> float | None:
        """One more call got through: what the round that it ends says, if it ends one."""
        self._number += 1
        if full and self._number < width:
            return None
        rate = self._number / max(1e-9, monotonic() - self._begun)
        self._begun, self._number = monotonic(), 0
        return rate if full else None
