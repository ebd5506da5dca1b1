"""SVG as text: elements that escape what they hold, and the frame of a picture that stands alone, in light and dark.

Lengths are in user units (pixels). Nothing drawn here needs a script or asks for anything.
"""

import math
import textwrap
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from markupsafe import Markup, escape

from consciousness_cluster.strings import clean

LINE = 15.0  # from one line of text to the next
CHARACTER = 7.0  # about the width of a character of bold text
MINI_HEIGHT, MINI_EDGE = 12, 4


def element(tag: str, *children: str, **attributes: str | float | None) -> Markup:
    """An element; children that are no markup become text. `class_` is the attribute class, None leaves one out."""
    given = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(_written(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    inside = "".join(part if isinstance(part, Markup) else escape(clean(part)) for part in children)
    return Markup(f"<{tag}{given}>{inside}</{tag}>" if children else f"<{tag}{given}/>")  # noqa: S704 (escaped above)


def _written(value: str | float) -> str:
    return clean(value) if isinstance(value, str) else f"{value:.5g}"


def text(x: float, y: float, words: str, kind: str | None = None, anchor: str = "start") -> Markup:
    """A line of text; `kind` is its class, `anchor` where x lies in it (start, middle, end)."""
    return element("text", words, class_=kind, x=x, y=y, text_anchor=anchor)


def texts(
    lines: Sequence[str], x: float, bottom: float, kind: str | None = None, anchor: str = "start"
) -> list[Markup]:
    """Lines of text, of which the last one stands at `bottom`."""
    return [text(x, bottom - LINE * (len(lines) - 1 - i), one, kind, anchor) for i, one in enumerate(lines)]


def wrapped(words: str, width: float, lines: int) -> list[str]:
    """Text in at most so many lines of about this width."""
    return textwrap.wrap(words, max(6, int(width / CHARACTER)), max_lines=lines, placeholder="\u2026") or [""]


def line(kind: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    """A line; `kind` is its class."""
    return element("line", class_=kind, x1=x1, y1=y1, x2=x2, y2=y2)


def circle(kind: str, x: float, y: float, radius: float, tip: str | None = None) -> Markup:
    """A dot around x, y, with a tooltip where `tip` is given."""
    return element("circle", *_tip(tip), class_=kind, cx=x, cy=y, r=radius)


def rect(
    kind: str, x: float, y: float, width: float, height: float, tip: str | None = None, **more: str | float
) -> Markup:
    """A rectangle from x, y (its upper left corner), with a tooltip where `tip` is given."""
    return element("rect", *_tip(tip), class_=kind, x=x, y=y, width=width, height=height, **more)


def _tip(tip: str | None) -> list[Markup]:
    return [] if tip is None else [element("title", tip)]


@cache
def style() -> Markup:
    """The style sheet of all pictures, which each of them holds."""
    text = (Path(__file__).parent / "assets" / "plot.css").read_text(encoding="utf-8")
    return Markup(text)  # noqa: S704 (a file of the package)


def picture(name: str, title: str, description: str, width: float, height: float, parts: Iterable[Markup]) -> Markup:
    """The whole picture. `name` begins the ids in it: pictures on one page need names of their own."""
    wide, high = math.ceil(width), math.ceil(height)
    inside = [
        element("title", title, id=f"{name}-title"),
        element("desc", description, id=f"{name}-desc"),
        element("style", style()),
        element("rect", class_="ground", width=wide, height=high),
        *parts,
    ]
    return element(
        "svg",
        *(child for part in inside for child in ("\n", part)),
        xmlns="http://www.w3.org/2000/svg",
        class_="cc-plot",
        width=wide,
        height=high,
        viewBox=f"0 0 {wide} {high}",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
    )


def mini(value: float, ci: Sequence[float] | None, span: tuple[float, float], width: int, zero: bool = False) -> Markup:
    """A value and its interval on a line over `span`, for a cell of a table, which says the same in words.

    What lies outside the span is drawn at its end; `zero` draws a tick at 0.
    """
    low, high = span
    room = width - 2 * MINI_EDGE

    def at(x: float) -> float:
        return round(MINI_EDGE + room * (min(high, max(low, x)) - low) / (high - low), 1)

    middle = MINI_HEIGHT / 2
    parts = [line("track", MINI_EDGE, middle, width - MINI_EDGE, middle)]
    if zero:
        parts.append(line("zero", at(0), 0, at(0), MINI_HEIGHT))
    if ci:
        parts.append(line("range", at(ci[0]), middle, at(ci[1]), middle))
    parts.append(circle("dot", at(value), middle, 3))
    return element("svg", *parts, class_="mini", width=width, height=MINI_HEIGHT, aria_hidden="true")
