"""One way to run asynchronous work, from plain code and where an event loop already runs (a notebook's, a server's)."""

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import copy_context
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

Value = TypeVar("Value")
Loop = asyncio.AbstractEventLoop

_interrupts: WeakKeyDictionary[Loop, Callable[[], None]] = WeakKeyDictionary()  # what the next Ctrl-C calls


@contextmanager
def on_interrupt(act: Callable[[], Any]) -> Iterator[None]:
    """While this lasts the first Ctrl-C calls `act` within the running loop; a second one ends the work at once.

    Within another one the first Ctrl-C does what both say.
    """
    loop = asyncio.get_running_loop()
    before: Any = None
    outer, heard = _interrupts.get(loop), True

    def off() -> None:
        nonlocal heard
        if not heard:
            return
        heard = False
        if outer:
            _interrupts[loop] = outer
        else:
            _interrupts.pop(loop, None)
        if before is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, before)

    def first() -> None:
        off()
        act()
        if outer:
            outer()

    _interrupts[loop] = first
    with suppress(ValueError):  # not the main thread: `run_async` passes on what the main thread gets
        before = signal.signal(signal.SIGINT, lambda *_: loop.call_soon_threadsafe(first))
    try:
        yield
    finally:
        off()


def run_async(work: Coroutine[Any, Any, Value]) -> Value:
    """What the work gives. Where a loop already runs in this thread, another thread runs it in a loop of its own.

    Ctrl-C does the same in both cases: what `on_interrupt` says, else it cancels the work and raises KeyboardInterrupt.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    loops: Future[Loop] = Future()

    def there() -> Value:
        with asyncio.Runner() as runner:
            loops.set_result(runner.get_loop())
            return runner.run(work)

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(copy_context().run, there)
        try:
            return _result(done, loops.result())
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None


def _result(done: "Future[Value]", loop: Loop) -> Value:
    """What the other thread gives in the end, whatever interrupts the waiting."""
    while True:
        try:
            return done.result()
        except KeyboardInterrupt:
            if done.done():
                raise
            with suppress(RuntimeError):  # it has just ended
                loop.call_soon_threadsafe(_interrupts.get(loop) or _cancel_all)


def _cancel_all() -> None:
    for task in asyncio.all_tasks():
        task.cancel()
