"""Tables and sentences on the terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consciousness_cluster.reporting.parts import Part


def show(parts: "Sequence[Part]") -> None:
    """Print the parts, wide enough for a table where the output is a file or a pipe."""
    from rich.console import Console

    from consciousness_cluster.reporting.parts import on_console

    console = Console(markup=False, emoji=False)
    wide = console if console.is_terminal else Console(width=max(console.width, 140), markup=False, emoji=False)
    on_console(parts, wide)
