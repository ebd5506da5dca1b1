"""The one caller: chat completions from an OpenAI-compatible endpoint that may fail in every way that endpoints do."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import ExitStack, nullcontext, suppress
from types import TracebackType
from typing import Any, NoReturn

from consciousness_cluster.endpoint.address import LONGEST_REASON, Endpoint
from consciousness_cluster.endpoint.faults import (
    BESIDE,
    INTERRUPTED,
    OVER_BUDGET,
    UNKNOWN_COST,
    Fault,
    GiveUp,
    Kind,
    Received,
    completion_of,
    one_line,
)
from consciousness_cluster.endpoint.forms import Forms
from consciousness_cluster.endpoint.gate import Gate
from consciousness_cluster.endpoint.loop import on_interrupt
from consciousness_cluster.endpoint.policy import CHAT
from consciousness_cluster.endpoint.refusals import SEVERAL
from consciousness_cluster.endpoint.replies import Body, Completion
from consciousness_cluster.endpoint.spending import OverBudget, Spending
from consciousness_cluster.endpoint.transport import ChatTransport, Transport
from consciousness_cluster.endpoint.waits import LONGEST_PAUSE, duration
from consciousness_cluster.errors import Problem, UserError

EXHAUSTED = 3  # so many calls that failed in all their tries, with no success between, mean that the endpoint is gone
MOST_TEXT = 1_000_000  # characters of an error
REFUSALS = 3  # so many refused requests with no answer before mean that nothing will be answered


class Caller:
    """All calls of one piece of work: `async with Caller(endpoint) as caller: caller.start(one(caller)) ...`

    The end of the block waits for everything that was started; then `stopped` says why the work ended early, if it did.
    A call is tried again as `policy` says, and sent in the form that the endpoint takes; money is put aside when it is
    sent. The whole work stops where a key is refused, the account is empty, every request is refused, nothing gets
    through any more, the money is used up, a person presses Ctrl-C, or something that was started fails: then the calls
    in flight end, so that nothing paid for is lost, and no other is sent.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        spending: Spending | None = None,
        transport: Transport | None = None,
        learned: Callable[[Mapping[str, str]], None] = lambda sent: None,
        proven: bool = False,
        gate: Gate | None = None,
    ) -> None:
        """`learned` is told what is sent in place of what is asked for, whenever there is more of it.

        `proven`: the endpoint has answered such calls before, so that it does not refuse every request. `gate` is that
        of other calls to the same endpoint, where there are any.
        """
        self.endpoint = endpoint
        self.gate = gate or Gate(endpoint.concurrency)
        self.forms = Forms(endpoint.fields, lambda: learned(self.forms.sent()))
        self.spending = spending or Spending(None)
        self.stopped: str | None = None
        self._beside: list[Caller] = []
        self._transport = transport or ChatTransport(endpoint)
        self._proven = proven
        self._reached = False
        self._last_success = -1.0
        self._exhausted = 0
        self._refusals: list[str] = []
        self._error: Exception | None = None

    async def __aenter__(self) -> "Caller":
        self._tasks = asyncio.TaskGroup()
        await self._tasks.__aenter__()
        self._open = ExitStack()
        self._open.enter_context(on_interrupt(lambda: self._halt(INTERRUPTED)))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with suppress(BaseExceptionGroup) if error else nullcontext():  # the error itself goes on, not wrapped
                await self._tasks.__aexit__(kind, error, trace)
        finally:
            self._open.close()
            await self._transport.close()
        if self._error and error is None:
            self._raise(self._error)
        if self._refusals and self._refuses:
            self.stopped = self.stopped or self._refuses_all

    @property
    def ever_succeeded(self) -> bool:
        return self._last_success >= 0

    @property
    def _refuses(self) -> bool:
        """Whether nothing else than refusals ever came."""
        return not (self._proven or self.ever_succeeded)

    @property
    def _refuses_all(self) -> str:
        return f"it refuses every request: {self._refusals[0]}"

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Let some work that makes calls go on beside all other; it may raise GiveUp. What it starts belongs to it."""
        self._tasks.create_task(self._guarded(work))

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except GiveUp:
            pass  # `stopped` says it
        except Exception as error:  # a full disk, or a mistake of ours: in either case nothing more may be paid for
            self._error = self._error or error
            self._halt(type(error).__name__)

    async def chat(self, body: Body) -> Completion:
        """What the endpoint answers. Raises GiveUp, or the Fault that stayed in the end."""
        begun = time.monotonic()
        changes: dict[str, str | None] = {}
        body = self.endpoint.body(body)
        tried = 0
        while True:
            tried += 1
            try:
                return await self._attempt(body, changes)
            except Fault as fault:
                wait = CHAT.wait_after(fault, tried, self._reached)
                if wait is None:
                    self._note(fault, begun, tried)
                    raise
            await self.gate.sleep(wait)

    async def _attempt(self, body: Body, changes: dict[str, str | None]) -> Completion:
        """One try, in as many forms as its refusals suggest. `changes` are those that no answer has confirmed yet."""
        self._go_on()
        async with self.gate.call():
            while True:
                sent = self.forms.fit(body, changes)
                try:
                    found = await self._send(sent)
                except Fault as fault:
                    more = self.forms.changes(sent, fault, changes)
                    if not more:
                        raise
                    changes |= more
                    continue
                self.forms.learn(changes)
                if len(found.answers) < sent.get(SEVERAL, 1):
                    self.forms.one_answer_a_request()
                return found

    async def _send(self, sent: Body) -> Completion:
        """One request, with the money that it can cost put aside meanwhile. Raises GiveUp or Fault."""
        reserved = await self._reserve(sent)
        usage, charged = None, True
        try:
            found = await self._exchange(sent)
            usage = found.usage
        except Fault as fault:
            charged = fault.kind in UNKNOWN_COST
            raise
        finally:
            self.spending.settle(reserved, usage, charged)
        return found

    async def _reserve(self, sent: Body) -> float:
        try:
            reserved = await self.spending.reserve(sent)
        except OverBudget:
            raise GiveUp(self._halt(OVER_BUDGET)) from None
        try:
            self._go_on()  # a wait for money, too, ends when the work does
        except GiveUp:
            self.spending.settle(reserved, None, charged=False)
            raise
        return reserved

    async def _exchange(self, sent: Body) -> Completion:
        outcome = await self._transport.send(sent)
        if isinstance(outcome, Received):
            self._reached = True
            self._heed(outcome.headers)
        try:
            found = completion_of(outcome, self.endpoint.words, sent.get(SEVERAL, 1))
        except Fault as fault:
            if fault.fatal:
                raise GiveUp(self._halt(str(fault))) from None
            if fault.kind is Kind.TOO_MANY:
                self.gate.too_many()
            raise
        self._last_success, self._exhausted = time.monotonic(), 0
        self.gate.succeeded()
        return found

    def _heed(self, headers: Mapping[str, str]) -> None:
        """Let the calls pause where the endpoint says that its quota of requests or tokens is used up."""
        for kind in ("requests", "tokens"):
            if headers.get(f"x-ratelimit-remaining-{kind}") == "0":
                self.gate.pause(min(LONGEST_PAUSE, duration(headers.get(f"x-ratelimit-reset-{kind}", "0"))))

    def _note(self, fault: Fault, begun: float, tries: int) -> None:
        """A call failed for good. Raises GiveUp where that means that all others would."""
        if fault.refused or fault.kind is Kind.OTHER:  # an endpoint that answers is not gone, whatever it says
            self._refusals += [] if fault.kind is Kind.FILTERED else [str(fault)]
            if len(self._refusals) >= REFUSALS and self._refuses:
                raise GiveUp(self._halt(self._refuses_all))
            return
        if fault.kind is Kind.CONNECTION and not self._reached:
            raise GiveUp(self._halt("it cannot be reached"))
        self._exhausted += 1
        halfway = (begun + time.monotonic()) / 2
        if not self.ever_succeeded or (self._last_success < halfway and self._exhausted >= EXHAUSTED):
            raise GiveUp(self._halt(f"{fault} in {tries} tries, and no other call got through meanwhile"))

    def go_beside(self, other: "Caller") -> None:
        """Two works that make one: where either stops early, so does the other."""
        self._beside.append(other)
        other._beside.append(self)

    def stop(self, reason: str) -> str:
        """End the whole work for a reason that its user found: every other call raises GiveUp."""
        return self._halt(reason)

    def _go_on(self) -> None:
        if self.stopped:
            raise GiveUp(self.stopped)

    def _halt(self, reason: str) -> str:
        """End the whole work: every other call raises GiveUp at its next step. The first reason stays."""
        if self.stopped is None:
            self.stopped = reason
            self.gate.close()
            for other in self._beside:
                other._halt(reason if reason in (INTERRUPTED, OVER_BUDGET) else BESIDE)
        return self.stopped

    def _raise(self, error: Exception) -> NoReturn:
        """Say what failed. The error itself leads to it in a traceback, unless its text holds the key."""
        if isinstance(error, UserError):
            raise error
        text = self.endpoint.words(error, MOST_TEXT)
        if isinstance(error, OSError):
            what = f"cannot be written to ({error.strerror or error}), so nothing more was asked for"
            mend = "make room or name another place; the same command goes on from there"
            told = UserError(Problem(str(error.filename or "what came"), "-", "-", what, mend))
        else:
            what = f"stopped by a mistake in this program ({type(error).__name__}: {text[:LONGEST_REASON]})"
            told = UserError(f"{what}; nothing more was asked for, what came before is saved")
        raise told from (error if text == one_line(error) else None)
