"""How results look: as text, in a notebook, as a data frame, as a plot."""

import base64
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consciousness_cluster.extras import require
from consciousness_cluster.reporting.parts import Part, Table, on_console
from consciousness_cluster.strings import safe

if TYPE_CHECKING:
    import pandas

WIDTH = 140  # characters of a `repr`
NUMBER = "text-align:right;font-variant-numeric:tabular-nums"
WORDS = "text-align:left;white-space:pre-wrap"


class Plot:
    """A plot as SVG. A notebook shows it; `save` writes it. `svg` is its text."""

    def __init__(self, svg: str, what: str) -> None:
        """`what` says in words what is drawn."""
        self.svg, self._what = svg, what

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the SVG to `path`; folders that are not there are made. The path."""
        from consciousness_cluster.records.store import write_whole

        write_whole(Path(path), self.svg + "\n")
        return Path(path)

    def __repr__(self) -> str:
        return f"<plot: {self._what}; .save('plot.svg') writes it>"

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_html_(self) -> str:
        """As an image: styles and ids of one plot cannot reach another, nor the page."""
        data = base64.b64encode(self.svg.encode("utf-8", "replace")).decode("ascii")
        return f'<img alt="{safe(self._what)}" src="data:image/svg+xml;base64,{data}">'


def as_text(parts: Sequence[Part]) -> str:
    """Tables and sentences as plain text."""
    from rich.console import Console

    out = io.StringIO()
    console = Console(
        file=out,
        width=WIDTH,
        force_terminal=False,
        force_jupyter=False,  # in a notebook it would show the text at once, and `out` would stay empty
        markup=False,
        emoji=False,
        highlight=False,
    )
    on_console(parts, console)
    return out.getvalue().rstrip()


def as_html(parts: Sequence[Part]) -> str:
    """Tables and sentences as HTML. Every text is escaped: a model may be called anything."""
    return "\n".join(f"<p>{safe(part)}</p>" if isinstance(part, str) else "\n".join(_table(part)) for part in parts)


def _table(table: Table) -> Iterator[str]:
    styles = [WORDS if column in table.words else NUMBER for column in table.head]
    yield f'<table><caption style="text-align:left">{safe(table.title)}</caption>'
    for tag, line in [("th", table.head), *(("td", line) for line in table.lines)]:
        cells = (f'<{tag} style="{style}">{safe(text)}</{tag}>' for style, text in zip(styles, line, strict=True))
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</table>"


def frame(lines: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> "pandas.DataFrame":
    """A data frame of these columns, also where there is no line. Needs the extra `[pandas]`."""
    found: pandas.DataFrame = require("pandas", "pandas").DataFrame(lines, columns=list(columns))
    return found
