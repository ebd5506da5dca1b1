"""The gate: never more calls than its width, narrower at refusals, and wide again without anybody's help."""

import asyncio
import time
from collections import deque

import anyio
import pytest
from consciousness_cluster.endpoint.gate import Gate


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr("consciousness_cluster.endpoint.gate.monotonic", lambda: now[0])
    return now


def test_it_narrows_and_grows_back(clock: list[float]) -> None:
    gate = Gate(20)
    for _ in range(50):
        gate.too_many()
    assert gate.width == 14, "a burst of refusals narrows it once"
    clock[0] += 1
    gate.too_many()
    assert gate.width == pytest.approx(9.8)
    for _ in range(10):
        gate.succeeded()
    assert 13 < gate.width < 14
    for _ in range(9):
        gate.succeeded()
    clock[0] += 1
    before = gate.width
    gate.too_many()
    assert gate.width == before, "one refused call among many is no sign of too many at once"
    for _ in range(60):
        clock[0] += 1
        gate.too_many()
    assert gate.width == 1
    for _ in range(1000):
        gate.succeeded()
    assert gate.width == 20


def narrowed(gate: Gate, times: int, clock: list[float]) -> None:
    for _ in range(times):
        clock[0] += 1
        gate.too_many()


def test_no_more_calls_than_the_width() -> None:
    most = 0

    async def work() -> None:
        gate = Gate(3)

        async def one() -> None:
            nonlocal most
            async with gate.call():
                most = max(most, gate.in_flight)
                await anyio.sleep(0.001)

        async with anyio.create_task_group() as tasks:
            for _ in range(50):
                tasks.start_soon(one)

    anyio.run(work)
    assert most == 3


def test_after_narrowings_and_then_successes_the_full_width_is_in_flight_again(clock: list[float]) -> None:
    """B2: widening wakes those who wait; before, one call that ended let in one other, for ever."""
    seen: list[int] = []

    async def work() -> None:
        gate = Gate(80)
        narrowed(gate, 9, clock)
        assert gate.width < 4

        async def one() -> None:
            async with gate.call():
                seen.append(gate.in_flight)
                await anyio.sleep(0.0001)
            gate.succeeded()

        async with anyio.create_task_group() as tasks:
            for _ in range(1500):
                tasks.start_soon(one)

    anyio.run(work)
    assert max(seen[:20]) < 30 and max(seen) == 80
    assert seen[-500:-100].count(80) > 300, "and it stays there"


def test_a_pause_holds_all_and_ends() -> None:
    async def work() -> float:
        gate = Gate(2)
        gate.pause(0.2)
        started = time.monotonic()
        async with gate.call():
            return time.monotonic() - started

    assert 0.2 <= anyio.run(work) < 1


def test_a_closed_gate_holds_up_nobody() -> None:
    """Who waits for a place, for the end of a pause, or just waits, goes on at once."""

    async def work() -> float:
        gate = Gate(1)
        started = time.monotonic()
        done = 0

        async def call() -> None:
            nonlocal done
            async with gate.call():
                done += 1

        async def sleep() -> None:
            await gate.sleep(60)

        async with gate.call():
            gate.pause(60)
            async with anyio.create_task_group() as tasks:
                for _ in range(5):
                    tasks.start_soon(call)
                tasks.start_soon(sleep)
                await anyio.sleep(0.01)
                assert done == 0
                gate.close()
        assert done == 5
        gate.too_many()
        gate.succeeded()
        async with gate.call(), gate.call(), gate.call():
            return time.monotonic() - started

    assert anyio.run(work) < 2


@pytest.mark.parametrize(("at_once", "found"), [(16, 32), (32, 32), (100, 128), (200, 256), (5000, 512)])
def test_the_width_that_nobody_names_is_found(clock: list[float], at_once: int, found: int) -> None:
    """The endpoint answers so many calls at once, in a second each: more in flight than about that gain nothing."""

    async def work() -> Gate:
        gate, going = Gate(None), deque[asyncio.Future[None]]()

        async def one() -> None:
            async with gate.call():
                going.append(asyncio.get_running_loop().create_future())
                await going[-1]
                gate.succeeded()

        async with asyncio.TaskGroup() as tasks:
            left = [tasks.create_task(one()) for _ in range(6000)]
            while not all(task.done() for task in left):
                for _ in range(4):
                    await asyncio.sleep(0)
                clock[0] += 1
                for _ in range(min(at_once, len(going))):
                    going.popleft().set_result(None)
        return gate

    gate = asyncio.run(work())
    assert gate.width == gate.most == found and gate.in_flight == 0


def test_a_width_that_is_found_too_large_is_not_tried_again(clock: list[float]) -> None:
    gate = Gate(None)
    assert gate.width == 32
    for _ in range(10):
        gate.too_many()
    for _ in range(2000):
        clock[0] += 0.01
        gate.succeeded()
    assert gate.width == gate.most == 32


def test_few_calls_say_nothing_of_the_width(clock: list[float]) -> None:
    """Where no call waits, more places would not make it faster."""
    gate = Gate(None)
    for _ in range(500):
        clock[0] += 0.01
        gate.succeeded()
        assert gate.width == 32


def test_a_call_that_is_cancelled_gives_its_place_to_the_next(clock: list[float]) -> None:
    async def work() -> int:
        gate, done = Gate(1), 0

        async def one() -> None:
            nonlocal done
            async with gate.call():
                done += 1

        async with gate.call():
            waiting = [asyncio.create_task(one()) for _ in range(3)]
            await asyncio.sleep(0)
            waiting[1].cancel()
        waiting[0].cancel()  # let in, and not there yet
        await asyncio.gather(*waiting, return_exceptions=True)
        assert gate.in_flight == 0
        return done

    assert asyncio.run(work()) == 1
