"""Rows of a packed file: read one by one within limits, and held to the form in which they are written."""

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from consciousness_cluster.submissions import zstd
from consciousness_cluster.submissions.layout import BYTES
from consciousness_cluster.submissions.zstd import Unreadable

Record = dict[str, Any]
ROW_BYTES = 1_000_000
ROW_VALUES, DEPTH = 500, 20


class NotARow(Exception):
    """A line that is no row; the text says why."""


class Budget:
    """How many unpacked bytes the files of a submission may still have."""

    def __init__(self, left: int = BYTES) -> None:
        self.left = left

    def spend(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise Unreadable(f"unpacks to more than the {BYTES // 10**6} MB that a submission may have in all")


def _lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
        if len(rest) > ROW_BYTES:
            break
    if len(rest) > ROW_BYTES:
        raise Unreadable(f"has a row of more than {ROW_BYTES:,} bytes")
    if rest:
        raise Unreadable("has a last row without a line end: it is cut off")


def read_lines(file: BinaryIO, most: int, budget: Budget, digest: Any = None) -> Iterator[tuple[int, bytes]]:
    """(row number, line) of a packed file. Raises Unreadable where it breaks off or passes a limit.

    `digest` gets the packed bytes.
    """

    def pieces() -> Iterator[bytes]:
        for piece in zstd.unpacked(file, digest.update if digest else lambda data: None):
            budget.spend(len(piece))
            yield piece

    for number, line in enumerate(_lines(pieces()), 1):
        if number > most:
            raise Unreadable(f"has more than {most:,} rows")
        yield number, line


def _no_constant(name: str) -> None:
    raise ValueError(name)


_decode = json.JSONDecoder(parse_constant=_no_constant).decode
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def written(record: Record) -> bytes:
    """A record as its line has it, without the line end. A lone surrogate is a JSON escape, since UTF-8 has none."""
    return _encode(record).encode("utf-8", "backslashreplace")


def parsed(line: bytes) -> Record:
    """The record of a line. Raises NotARow unless the line is what `written` makes of it.

    So a key that stands twice, or a number that another reader would round, cannot mean two things.
    """
    if len(line) > ROW_BYTES:
        raise NotARow(f"more than {ROW_BYTES:,} bytes")
    try:
        record = _decode(line.decode("utf-8"))
        again = written(record)
    except (ValueError, RecursionError):
        raise NotARow("not JSON in UTF-8 with finite numbers") from None
    if not isinstance(record, dict):
        raise NotARow("not a JSON object")
    if again != line:
        raise NotARow("not in the form that `submit pack` writes (a key twice, other spacing, other numbers)")
    return record


def values(value: Any) -> Iterator[tuple[int, Any]]:
    """(depth, value) of everything inside of a JSON value, keys too."""
    open_ = [(0, value)]
    while open_:
        depth, inside = open_.pop()
        yield depth, inside
        if isinstance(inside, dict | list):
            open_ += [(depth + 1, part) for part in inside]
            if isinstance(inside, dict):
                open_ += [(depth + 1, part) for part in inside.values()]


def too_much(value: Any, most: int) -> str | None:
    """Why a value is larger than any of ours, and would take long to check; None where it is not."""
    for number, (depth, _) in enumerate(values(value)):
        if depth > DEPTH:
            return "is nested too deep"
        if number > most:
            return f"has more than {most:,} values"
    return None
