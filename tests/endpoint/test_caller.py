"""The one caller: what waits, what is tried again, what stops everything, and what no caller should see."""

import asyncio
import json
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from consciousness_cluster.endpoint import caller as calling
from consciousness_cluster.endpoint.address import Endpoint
from consciousness_cluster.endpoint.caller import Caller
from consciousness_cluster.endpoint.faults import Fault, GiveUp, NoReply, Received
from consciousness_cluster.endpoint.policy import CHAT, Patience
from consciousness_cluster.endpoint.replies import Body, Completion
from consciousness_cluster.errors import UserError

from tests.support.fake_endpoint import FakeEndpoint, completion, verdict

KEY = "sk-a-key-of-some-length"
NOWHERE = Endpoint("http://127.0.0.1:9/v1", KEY, concurrency=8)


def said(text: str) -> Body:
    return {"model": "m", "messages": [{"role": "user", "content": text}]}


class Answers:
    """A transport without a network: each body gets what `reply` makes of it, after a moment."""

    def __init__(self, reply: Callable[[Body], Received | NoReply]) -> None:
        self.reply = reply
        self.sent: list[Body] = []

    async def send(self, body: Body) -> Received | NoReply:
        self.sent.append(body)
        await asyncio.sleep(0.001)
        return self.reply(body)

    async def close(self) -> None:
        pass


def ok(body: Body) -> Received:
    reply = completion("Yes.")
    reply["choices"] *= body.get("n", 1)
    return Received(200, {}, json.dumps(reply).encode())


def refusal(reason: str) -> Received:
    return Received(400, {}, json.dumps({"error": {"message": reason}}).encode())


async def ask(server: FakeEndpoint, calls: int = 1) -> Caller:
    async with Caller(Endpoint(server.url, "k", concurrency=8)) as caller:
        await asyncio.gather(*(caller.chat(said(str(n))) for n in range(calls)))
        return caller


def test_retry_after_is_heeded(fake_endpoint: FakeEndpoint) -> None:
    slow = (429, {"error": {"message": "slow"}}, {"Retry-After": "1"})
    fake_endpoint.reply = lambda request, number: slow if number == 1 else verdict("shows")
    started = time.monotonic()
    caller = asyncio.run(ask(fake_endpoint))
    assert time.monotonic() - started >= 1 and caller.gate.width < 8


def test_an_empty_quota_pauses_all_calls(fake_endpoint: FakeEndpoint) -> None:
    headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "700ms"}
    fake_endpoint.reply = lambda request, number: (
        (200, verdict("shows"), headers) if len(fake_endpoint.requests) == 1 else verdict("shows")
    )

    async def two() -> float:
        async with Caller(Endpoint(fake_endpoint.url, "k")) as caller:
            await caller.chat(said("1"))
            started = time.monotonic()
            await caller.chat(said("2"))
            return time.monotonic() - started

    assert asyncio.run(two()) >= 0.6


def test_a_run_that_stops_does_not_sit_out_its_waits(fake_endpoint: FakeEndpoint) -> None:
    def reply(request: dict[str, Any], number: int) -> Any:
        if request["messages"][0]["content"] == "0":
            return 429, {"error": {"message": "slow"}}, {"Retry-After": "60"}
        return 401, {"error": {"message": "no"}}

    fake_endpoint.reply = reply

    async def work() -> None:
        async with Caller(Endpoint(fake_endpoint.url, "k")) as caller:
            waiting = asyncio.ensure_future(caller.chat(said("0")))
            await asyncio.sleep(0.3)
            for call in (caller.chat(said("1")), waiting):
                with pytest.raises(GiveUp, match="HTTP 401"):
                    await call

    started = time.monotonic()
    asyncio.run(work())
    assert time.monotonic() - started < 5


def test_one_call_that_never_succeeds_is_left_open_while_others_go_on(
    fake_endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calling, "CHAT", replace(CHAT, longest_wait=0.05))
    fake_endpoint.reply = lambda request, number: (
        (500, {"error": {"message": "x"}}) if request["messages"][0]["content"] == "bad" else verdict("shows")
    )

    async def work() -> list[object]:
        async with Caller(Endpoint(fake_endpoint.url, "k")) as caller:

            async def steady() -> int:
                for n in range(60):
                    await caller.chat(said(str(n)))
                    await asyncio.sleep(0.01)
                return 60

            return list(await asyncio.gather(caller.chat(said("bad")), steady(), return_exceptions=True))

    left_open, done = asyncio.run(work())
    assert isinstance(left_open, Fault) and str(left_open) == "HTTP 500" and left_open.passing and done == 60


def test_after_429s_the_calls_in_flight_come_back_to_the_full_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """B2, through the whole caller: 200 refusals, then only successes."""
    monkeypatch.setattr(calling, "CHAT", Patience(20, 0.001, 0.002))
    monkeypatch.setattr("consciousness_cluster.endpoint.gate.PAUSE", 0.0)
    in_flight: list[int] = []

    async def work() -> None:
        slow = Received(429, {}, b"{}")
        transport = Answers(lambda body: slow if len(transport.sent) <= 200 else ok(body))
        async with Caller(replace(NOWHERE, concurrency=40), transport=transport) as caller:

            async def one(number: int) -> None:
                await caller.chat(said(str(number)))
                in_flight.append(caller.gate.in_flight)

            for number in range(1500):
                caller.start(one(number))

    asyncio.run(work())
    assert len(in_flight) == 1500 and in_flight[0] < 10
    assert in_flight[-400:-60].count(40) > 300, "each that ends lets in the next one"


def test_a_form_is_learned_once_and_from_an_answer() -> None:
    """Refused fields are left out for all later calls as soon as a body without them was answered."""

    def reply(body: Body) -> Received:
        if "temperature" in body:
            return refusal("'temperature' does not support 0 with this model.")
        return refusal("Use 'max_completion_tokens' instead.") if "max_tokens" in body else ok(body)

    async def work() -> tuple[Caller, Answers]:
        transport = Answers(reply)
        async with Caller(NOWHERE, transport=transport) as caller:
            for number in range(3):
                await caller.chat({**said(str(number)), "temperature": 0, "max_tokens": 5})
        return caller, transport

    caller, transport = asyncio.run(work())
    assert len(transport.sent) == 3 + 1 + 1
    assert transport.sent[-1] == {**said("2"), "max_completion_tokens": 5}
    assert caller.forms.notes() == [
        "max_tokens is sent as max_completion_tokens",
        "temperature is the provider's default",
    ]


def test_a_refusal_that_no_other_form_mends_teaches_nothing() -> None:
    """A text that is too long for a model is refused in every form: the others are sent as before."""

    def reply(body: Body) -> Received:
        long = body["messages"][0]["content"] == "long"
        return refusal("max_tokens: the context is too long") if long else ok(body)

    async def work() -> Caller:
        async with Caller(NOWHERE, transport=Answers(reply)) as caller:
            await caller.chat({**said("short"), "max_tokens": 5, "n": 2})
            with pytest.raises(Fault, match="too long"):
                await caller.chat({**said("long"), "max_tokens": 5, "n": 2})
        return caller

    caller = asyncio.run(work())
    assert caller.forms.changed == {} and caller.stopped is None


@pytest.mark.parametrize("number", [1, 2, 5])
def test_an_endpoint_that_refuses_everything_stops_the_work(number: int) -> None:
    async def work() -> Caller:
        async with Caller(NOWHERE, transport=Answers(lambda body: refusal("no such setting"))) as caller:

            async def one(text: str) -> None:
                try:
                    await caller.chat(said(text))
                except Fault as fault:
                    assert fault.refused

            for n in range(number):
                caller.start(one(str(n)))
        return caller

    assert asyncio.run(work()).stopped == "it refuses every request: no such setting"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(28, "No space left on device", "/a/file"), "/a/file: cannot be written to (No space left on device)"),
        (OSError("odd"), "cannot be written to (odd)"),
        (ValueError(f"Bearer {KEY}"), "stopped by a mistake in this program (ValueError: Bearer [key])"),
        (KeyError("x"), "stopped by a mistake in this program (KeyError: 'x')"),
        (UserError("one line"), "one line"),
    ],
)
def test_what_fails_in_one_task_stops_the_payments(error: Exception, message: str) -> None:
    """B5: the calls in flight end and are written down, no other is sent, and one line says why."""
    written: list[Completion | None] = []
    transport = Answers(ok)

    async def work() -> None:
        async with Caller(NOWHERE, transport=transport) as caller:

            async def one(number: int) -> None:
                reply = await caller.chat(said(str(number)))
                if len(written) == 3:
                    written.append(None)
                    raise error
                written.append(reply)

            for number in range(100):
                caller.start(one(number))

    with pytest.raises(UserError) as caught:
        asyncio.run(work())
    assert message in str(caught.value) and "\n" not in str(caught.value)
    assert KEY not in "".join(traceback.format_exception(caught.value)), "nor in what led to it"
    assert len(transport.sent) == len(written) <= 4 + NOWHERE.concurrency


def test_an_error_of_the_block_itself_passes_through_as_it_is() -> None:
    async def work() -> None:
        async with Caller(NOWHERE, transport=Answers(ok)):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        asyncio.run(work())
