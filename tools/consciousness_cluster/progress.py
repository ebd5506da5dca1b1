"""Progress bars on stderr or in a notebook, where a person looks on; stdout stays for results."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any


@contextmanager
def _bars(*texts: str) -> Iterator[Any]:
    """Bars with these texts on both sides of the bar and its count, and the times."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    first, *more = (TextColumn(text, markup=False) for text in texts)
    times = (TimeElapsedColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    columns = (first, BarColumn(), MofNCompleteColumn(), *more, *times)
    seen = console.is_terminal or (console.is_jupyter and find_spec("ipywidgets") is not None)
    with Progress(*columns, console=console, disable=not seen) as bars:
        yield bars


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Yields a function that takes (done, total)."""
    with _bars("{task.description}") as bars:
        task = bars.add_task(what, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


@contextmanager
def sampling_progress(planned: int) -> Iterator[Callable[[Counter[str], float], None]]:
    """Yields a function that takes the statuses of answers just written, and the dollars that the run cost so far."""
    with _bars("sampling", "{task.fields[rate]:.0f}/s  ${task.fields[spent]:.2f}") as bars:
        task = bars.add_task("", total=planned, rate=0.0, spent=0.0)

        def report(statuses: Counter[str], spent: float) -> None:
            bars.update(task, advance=statuses.total(), spent=spent, rate=bars.tasks[0].speed or 0.0)

        yield report
