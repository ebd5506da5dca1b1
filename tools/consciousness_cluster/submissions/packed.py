"""Packed records: JSON Lines in one zstd frame, written in one form, and read one by one within limits.

Unpacking goes in small steps, so that a small file cannot fill the memory.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from consciousness_cluster.data.reading import fits, schema_errors
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.extras import require
from consciousness_cluster.submissions.layout import BYTES, MOST_RECORDS, SCHEMAS, Json
from consciousness_cluster.submissions.problems import PACK, problem, whole

LEVEL = 9
WINDOW = 8 * 2**20  # more than LEVEL needs; a frame may ask for gigabytes
STEP = 1024  # bytes read at a time: they unpack to 32 MB at most
PIECE = 2**20
LINE_BYTES = 1_000_000
VALUES, DEPTH = 500, 20  # of a record: no schema of ours allows as many
SHOWN = 20  # problems of one record


class Unreadable(UserError):
    """A file, or a line of one, that is not what it should be; `problem` says why."""

    def __init__(self, message: str, mend: str = PACK) -> None:
        super().__init__(whole(message, mend))


def unreadable(error: OSError) -> Unreadable:
    """What is said of a file that the system does not give."""
    return Unreadable(f"cannot be read ({error.strerror})", "restore it")


class Budget:
    """How many unpacked bytes the files of a submission may still have."""

    def __init__(self, left: int = BYTES) -> None:
        self.left = left

    def spend(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise Unreadable(f"unpacks to more than the {BYTES // 10**6} MB that a submission may have in all")


def packed(data: bytes) -> bytes:
    """One frame with its content's size and checksum: the same bytes for the same data."""
    return bytes(require("zstandard", "submit").ZstdCompressor(level=LEVEL, write_checksum=True).compress(data))


def unpacked(file: BinaryIO, read: Callable[[bytes], object] = lambda data: None) -> Iterator[bytes]:
    """The content, a megabyte or less at a time; `read` gets the packed bytes.

    Raises Unreadable unless it is one whole frame.
    """
    library = require("zstandard", "submit")
    frame = library.ZstdDecompressor(max_window_size=WINDOW).decompressobj()
    while data := _step(file):
        read(data)
        if frame.eof:
            raise Unreadable("has bytes after the end of its zstd frame")
        try:
            piece = frame.decompress(data)
        except library.ZstdError as error:
            raise Unreadable(f"is no zstd file that can be unpacked ({str(error).removeprefix('zstd ')})") from None
        for start in range(0, len(piece), PIECE):
            yield piece[start : start + PIECE]
        if frame.unused_data:
            raise Unreadable("has bytes after the end of its zstd frame")
    if not frame.eof:
        raise Unreadable("is cut off before the end of its zstd frame")


def _step(file: BinaryIO) -> bytes:
    try:
        return file.read(STEP)
    except OSError as error:
        raise unreadable(error) from None


def _lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        *ended, rest = (rest + piece).split(b"\n")
        yield from ended
        if len(rest) > LINE_BYTES:
            break
    if len(rest) > LINE_BYTES:
        raise Unreadable(f"has a row of more than {LINE_BYTES:,} bytes")
    if rest:
        raise Unreadable("has a last row without a line end: it is cut off")


def read_lines(file: BinaryIO, most: int, budget: Budget, digest: Any = None) -> Iterator[tuple[int, bytes]]:
    """(number, line) of a packed file. Raises Unreadable where it breaks off or passes a limit.

    `digest` gets the packed bytes.
    """

    def pieces() -> Iterator[bytes]:
        for piece in unpacked(file, digest.update if digest else lambda data: None):
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


def written(record: Json) -> bytes:
    """A record as its line has it, without the line end. A lone surrogate is a JSON escape, since UTF-8 has none."""
    return _encode(record).encode("utf-8", "backslashreplace")


def parsed(line: bytes) -> Json:
    """The record of a line. Raises Unreadable unless the line is what `written` makes of it.

    So a key that stands twice, or a number that another reader would round, cannot mean two things.
    """
    if len(line) > LINE_BYTES:
        raise Unreadable(f"more than {LINE_BYTES:,} bytes")
    try:
        record = _decode(line.decode("utf-8"))
        again = written(record)
    except (ValueError, RecursionError):
        raise Unreadable("not JSON in UTF-8 with finite numbers") from None
    if not isinstance(record, dict):
        raise Unreadable("not a JSON object")
    if again != line:
        raise Unreadable("not in the form that `submit pack` writes (a key twice, other spacing, other numbers)")
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


def _wrong(row: str, record: Json, schema: str) -> list[Problem]:
    """What the schema has against a record that does not fit it at first sight."""
    if reason := too_much(record, VALUES):
        return [problem(row, "-", reason, f"see benchmark/schemas/{schema}.schema.json")]
    return [problem(row, one.field, one.message, one.mend) for one in schema_errors(record, schema)][:SHOWN]


def read_records(
    file: BinaryIO, name: str, budget: Budget, digest: Any = None
) -> Iterator[tuple[str, Json, list[Problem]]]:
    """(row, record, what is wrong with it) for each line of the file of this name; a line that is no record gives {}.

    Raises Unreadable where the file breaks off or passes a limit. `digest` gets the packed bytes.
    """
    schema = SCHEMAS[name]
    right = fits(schema)
    for number, line in read_lines(file, MOST_RECORDS[name], budget, digest):
        try:
            record = parsed(line)
        except Unreadable as error:
            yield str(number), {}, [problem(str(number), "-", error.problem.message, error.problem.mend)]
        else:
            yield str(number), record, [] if right(record) else _wrong(str(number), record, schema)
