"""How results look: as text, in a notebook, as a data frame, as a plot."""

import base64
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from consciousness_cluster.extras import require
from consciousness_cluster.pages.svg import element
from consciousness_cluster.reporting.parts import Part, Table, on_console

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
        from consciousness_cluster.files import write_whole

        write_whole(Path(path), self.svg + "\n")
        return Path(path)

    def __repr__(self) -> str:
        return f"<plot: {self._what}; .save('plot.svg') writes it>"

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_html_(self) -> str:
        """As an image: styles and ids of one plot cannot reach another, nor the page."""
        data = base64.b64encode(self.svg.encode("utf-8", "replace")).decode("ascii")
        return element("img", alt=self._what, src=f"data:image/svg+xml;base64,{data}")


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
    return "\n".join(element("p", part) if isinstance(part, str) else _table(part) for part in parts)


def _table(table: Table) -> Markup:
    styles = [WORDS if column in table.words else NUMBER for column in table.head]

    def line(tag: str, cells: Sequence[str]) -> Markup:
        return element("tr", *(element(tag, cell, style=style) for style, cell in zip(styles, cells, strict=True)))

    caption = element("caption", table.title, style="text-align:left")
    return element("table", caption, line("th", table.head), *(line("td", cells) for cells in table.lines))


def frame(lines: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> "pandas.DataFrame":
    """A data frame of these columns, also where there is no line. Needs the extra `[pandas]`."""
    found: pandas.DataFrame = require("pandas", "pandas").DataFrame(lines, columns=list(columns))
    return found
