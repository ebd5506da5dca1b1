"""Problems of submissions: all of a file up to a number, in words that no file can forge."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from consciousness_cluster.errors import Problem

MOST = 1_000  # problems of one file
PACK = "pack the run again"


def problem(row: str, field: str, message: str, mend: str) -> Problem:
    """A problem of the file that is looked at; `of_file` puts in which one that is."""
    return Problem("", row, field, message, mend)


def whole(message: str, mend: str) -> Problem:
    """A problem of the file as a whole."""
    return problem("-", "-", message, mend)


def _plain(text: str, length: int = 300) -> str:
    """One line of printable characters: paths and values come from whoever submits."""
    shown = text if len(text) <= length else text[: length - 3] + "..."
    if shown.isprintable():
        return shown
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in shown
    )


def of_file(file: Path, problems: Iterable[Problem]) -> Iterator[Problem]:
    """The problems of one file, or of one folder: the first thousand, each in plain words."""
    name = _plain(str(file), 1000)
    for number, one in enumerate(problems):
        if number == MOST:
            message = f"has more than {MOST:,} problems; the others are not listed"
            yield replace(whole(message, "mend these first"), file=name)
            return
        row, field = _plain(one.row), _plain(one.field, 100)
        yield Problem(name, row, field, _plain(one.message), _plain(one.mend), one.severity)


def _escaped(text: str, more: str = "") -> str:
    for character in "%\r\n" + more:
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def as_annotations(problems: Sequence[Problem]) -> str:
    """One GitHub workflow command a problem, which marks the file in the pull request."""
    lines = []
    for one in problems:
        line = one.row if one.row.isascii() and one.row.isdigit() else "1"
        message = f"{one.row}:{one.field}: {one.message}; {one.mend}"
        lines.append(f"::error file={_escaped(one.file, ':,')},line={line}::{_escaped(message)}")
    return "\n".join(lines)


def shown(value: Any) -> str:
    """A value of a file in a message, cut short."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def some(places: list[str]) -> str:
    """The first of many places."""
    return ", ".join(places[:3]) + (", ..." if len(places) > 3 else "")


def unlike(row: str, record: Mapping[str, Any], shared: Mapping[str, Any]) -> Iterator[Problem]:
    """A problem for each field that differs from what submission.json says of the whole submission, and for a record of
    a preference pack: submissions are of the 20 alone."""
    if "pack" in record:
        yield problem(
            row, "pack", f"is of the preference pack {shown(record['pack']['name'])}", "submit a run of the 20"
        )
    for name, value in shared.items():
        if record[name] != value:
            yield problem(row, name, f"is {shown(record[name])}, submission.json says {shown(value)}", PACK)
