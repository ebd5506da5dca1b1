"""The sampler's progress bar: rate, cost so far and time left, on stderr."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def sampling_progress(planned: int) -> Iterator[Callable[[Counter[str], float], None]]:
    """Yields a function that takes the statuses of answers just written, and the dollars spent so far."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn("sampling"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.0f}/s  ${task.fields[spent]:.2f}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        task = bars.add_task("", total=planned, rate=0.0, spent=0.0)

        def report(statuses: Counter[str], spent: float) -> None:
            bars.update(task, advance=statuses.total(), spent=spent, rate=bars.tasks[0].speed or 0.0)

        yield report
