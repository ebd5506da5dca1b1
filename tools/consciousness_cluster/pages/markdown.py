"""Tables in Markdown."""

import re
from collections.abc import Callable, Iterable, Sequence

MISSING = "missing"
_MARKUP = re.compile(r"[\\`*~|$]|(?<![^\W_])_|_(?![^\W_])")  # an underscore within a word is one


def _plain(value: object) -> str:
    return " ".join(str(value).split()).replace("&", "&amp;").replace("<", "&lt;")


def md_cell(value: object) -> str:
    """Text in a Markdown table, without markup of its own: a model may be called anything."""
    return _MARKUP.sub(r"\\\g<0>", _plain(value)).replace("](", "]\\(")


def md_own(value: object) -> str:
    """Text of the project's own in a Markdown table: its markup stays, but no HTML."""
    return _plain(value).replace("|", "\\|")


def md_table(
    head: Sequence[str], rows: Iterable[Sequence[object]], cell: Callable[[object], str] = md_cell
) -> list[str]:
    """The lines of a table; `cell` writes what stands in it. Columns of numbers alone stand to the right."""
    body = [list(row) for row in rows]
    columns = [[row[i] for row in body] for i in range(len(head))]
    right = [any(map(_is_number, column)) and all(_is_number(one) or one == "" for one in column) for column in columns]
    lines = [f"| {' | '.join(map(cell, row))} |" for row in [head, *body]]
    return [lines[0], f"|{''.join('--:|' if one else '---|' for one in right)}", *lines[1:]]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)
