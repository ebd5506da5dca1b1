"""Waiting, width and price: the parts of a call that no judge or sampler should see."""

import asyncio
import time
from typing import Any

import pytest
from consciousness_cluster.endpoint.caller import Caller, Endpoint, GiveUp, Unanswered, duration
from consciousness_cluster.endpoint.limiter import Limiter
from consciousness_cluster.endpoint.price import cost, dollars, price_of, tokens

from tests.support.fake_endpoint import FakeEndpoint, verdict


@pytest.mark.parametrize(
    ("text", "seconds"), [("2", 2), ("0.5", 0.5), ("1m30s", 90), ("20ms", 0.02), ("soon", 0), ("-3", 0), ("1h", 3600)]
)
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == pytest.approx(seconds)


def test_the_gate_narrows_and_grows_back(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("consciousness_cluster.endpoint.limiter.time.monotonic", lambda: now[0])
    limiter = Limiter(20)
    for _ in range(50):
        limiter.too_many()
    assert limiter.width == 14, "a burst of refusals narrows it once"
    now[0] += 1
    limiter.too_many()
    assert limiter.width == pytest.approx(9.8)
    for _ in range(10):
        limiter.succeeded()
    assert 13 < limiter.width < 14
    for _ in range(9):
        limiter.succeeded()
    now[0] += 1
    before = limiter.width
    limiter.too_many()
    assert limiter.width == before, "one refused call among many is no sign of too many at once"
    for _ in range(60):
        now[0] += 1
        limiter.too_many()
    assert limiter.width == 1
    for _ in range(1000):
        limiter.succeeded()
    assert limiter.width == 20


def test_no_more_calls_than_the_width() -> None:
    async def work() -> int:
        limiter, now, most = Limiter(3), 0, 0

        async def one() -> None:
            nonlocal now, most
            async with limiter.call():
                now += 1
                most = max(most, now)
                await asyncio.sleep(0.001)
                now -= 1

        await asyncio.gather(*(one() for _ in range(50)))
        return most

    assert asyncio.run(work()) == 3


async def ask(server: FakeEndpoint, calls: int = 1) -> Caller:
    async with Caller(Endpoint(server.url, "k", concurrency=8)) as caller:
        await asyncio.gather(
            *(caller.chat(model="m", messages=[{"role": "user", "content": str(n)}]) for n in range(calls))
        )
        return caller


def test_retry_after_is_heeded(fake_endpoint: FakeEndpoint) -> None:
    slow = (429, {"error": {"message": "slow"}}, {"Retry-After": "1"})
    fake_endpoint.reply = lambda request, number: slow if number == 1 else verdict("shows")
    started = time.monotonic()
    caller = asyncio.run(ask(fake_endpoint))
    assert time.monotonic() - started >= 1 and caller.limiter.width < 8


def test_an_empty_quota_pauses_all_calls(fake_endpoint: FakeEndpoint) -> None:
    headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "700ms"}
    fake_endpoint.reply = lambda request, number: (
        (200, verdict("shows"), headers) if len(fake_endpoint.requests) == 1 else verdict("shows")
    )

    async def two() -> float:
        async with Caller(Endpoint(fake_endpoint.url, "k")) as caller:
            await caller.chat(model="m", messages=[])
            started = time.monotonic()
            await caller.chat(model="m", messages=[])
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
            waiting = asyncio.ensure_future(caller.chat(model="m", messages=[{"role": "user", "content": "0"}]))
            await asyncio.sleep(0.3)
            for call in (caller.chat(model="m", messages=[{"role": "user", "content": "1"}]), waiting):
                with pytest.raises(GiveUp, match="HTTP 401"):
                    await call

    started = time.monotonic()
    asyncio.run(work())
    assert time.monotonic() - started < 5


def test_one_call_that_never_succeeds_is_left_open_while_others_go_on(
    fake_endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consciousness_cluster.endpoint.caller.LONGEST_WAIT", 0.05)
    fake_endpoint.reply = lambda request, number: (
        (500, {"error": {"message": "x"}}) if request["messages"][0]["content"] == "bad" else verdict("shows")
    )

    async def work() -> list[object]:
        async with Caller(Endpoint(fake_endpoint.url, "k")) as caller:

            async def steady() -> int:
                for n in range(60):
                    await caller.chat(model="m", messages=[{"role": "user", "content": str(n)}])
                    await asyncio.sleep(0.01)
                return 60

            bad = caller.chat(model="m", messages=[{"role": "user", "content": "bad"}])
            return list(await asyncio.gather(bad, steady(), return_exceptions=True))

    left_open, done = asyncio.run(work())
    assert isinstance(left_open, Unanswered) and done == 60


def test_prices() -> None:
    price = price_of("gpt-4.1-2025-04-14")
    assert price and price.of({"prompt_tokens": 1_000_000, "completion_tokens": 0, "cached_tokens": 0}) == 2.0
    assert price.of({"prompt_tokens": 1_000_000, "completion_tokens": 500_000, "cached_tokens": 1_000_000}) == 4.5
    mini, batch = price_of("gpt-4.1-mini-2025-04-14"), price_of("gpt-4.1", batch=True)
    assert mini and batch and (mini.input, batch.output) == (0.4, 4.0)
    assert price_of("my-own-model") is None and cost(None, []) is None
    assert cost(price, [None, {"prompt_tokens": 1_000_000, "completion_tokens": 0}]) == 2.0
    assert [dollars(None), dollars(0.01234), dollars(12.3)] == ["unknown", "$0.0123", "$12.30"]
    assert tokens("x" * 9) == 3
