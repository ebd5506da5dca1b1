"""Asynchronous work from plain code and from inside a running loop: the same results, and the same Ctrl-C."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any

import pytest
from consciousness_cluster.endpoint.loop import on_interrupt, run_async

Run = Callable[[Coroutine[Any, Any, Any]], Any]
SETTING: ContextVar[str] = ContextVar("SETTING", default="none")


def inside(work: Coroutine[Any, Any, Any]) -> Any:
    """As in a cell of a notebook, where a loop runs already."""

    async def cell() -> Any:
        return run_async(work)

    return asyncio.new_event_loop().run_until_complete(cell())


def press_after(seconds: float) -> None:
    threading.Timer(seconds, lambda: os.kill(os.getpid(), signal.SIGINT)).start()


@pytest.fixture(autouse=True)
def hearing() -> Any:
    """A shell starts what runs in the background deaf to Ctrl-C, and the tests may be such."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


both = pytest.mark.parametrize("run", [run_async, inside])


@both
def test_values_and_errors_come_back(run: Run) -> None:
    async def work(value: int) -> int:
        await asyncio.sleep(0)
        return 10 // value

    assert run(work(3)) == 3
    with pytest.raises(ZeroDivisionError):
        run(work(0))


@both
def test_context_variables_are_those_of_the_caller(run: Run) -> None:
    async def work() -> str:
        return SETTING.get()

    token = SETTING.set("mine")
    assert run(work()) == "mine"
    SETTING.reset(token)


@both
def test_the_first_ctrl_c_asks_the_work_to_end(run: Run) -> None:
    async def work() -> str:
        asked = asyncio.Event()
        with on_interrupt(asked.set):
            press_after(0.05)
            await asyncio.wait_for(asked.wait(), 10)
        await asyncio.sleep(0.05)
        return "ended in order"

    assert run(work()) == "ended in order"


@both
@pytest.mark.parametrize("hears", [True, False])
def test_the_next_ctrl_c_ends_it(run: Run, hears: bool) -> None:
    async def work() -> None:
        if hears:
            with on_interrupt(lambda: press_after(0.05)):
                press_after(0.05)
                await asyncio.sleep(10)
        press_after(0.05)
        await asyncio.sleep(10)

    with pytest.raises(KeyboardInterrupt):
        run(work())


@both
def test_the_first_ctrl_c_does_what_an_inner_and_an_outer_one_say(run: Run) -> None:
    """And the second one ends the work at once, also where the inner block has ended meanwhile."""
    heard: list[str] = []

    async def work() -> None:
        with on_interrupt(lambda: heard.append("outer")):
            with on_interrupt(lambda: heard.append("inner")):
                press_after(0.01)
                while not heard:
                    await asyncio.sleep(0.005)
            press_after(0.01)
            await asyncio.sleep(20)

    with pytest.raises(KeyboardInterrupt):
        run(work())
    assert heard == ["inner", "outer"]
