"""Progress of several models at a time: bars for a person, a line a stage for a log."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def stages(names: list[str]) -> Iterator[Callable[[str, str, int, int], None]]:
    """Yields a function that takes (name, stage, done, total)."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        tasks = {name: bars.add_task(f"{name}: waiting", total=None, start=False) for name in names}
        last: dict[str, str] = {}

        def report(name: str, stage: str, done: int, total: int) -> None:
            if last.get(name) != stage:
                last[name] = stage
                bars.start_task(tasks[name])
                if not console.is_terminal:
                    console.print(f"{name}: {stage}")
            bars.update(tasks[name], description=f"{name}: {stage}", completed=done, total=total)

        yield report
