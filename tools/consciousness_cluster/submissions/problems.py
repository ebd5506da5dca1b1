"""What verifying found: every problem of a file up to a number, in words that no file can forge."""

from collections.abc import Iterable, Iterator, Sequence

from consciousness_cluster.errors import Problem

Found = tuple[str, str, str, str]  # row, field, message, how to mend it
MOST = 1_000  # problems of one file
REST = ("-", "-", f"has more than {MOST:,} problems; the others are not listed", "mend these first")


def plain(text: str, length: int = 300) -> str:
    """One line of printable characters: paths and values come from whoever submits."""
    shown = text if len(text) <= length else text[: length - 3] + "..."
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in shown
    )


def problem(file: str, row: str, field: str, message: str, mend: str) -> Problem:
    return Problem(plain(file, 1000), plain(row), plain(field, 100), plain(message), plain(mend))


def problems_of(file: str, found: Iterable[Found]) -> Iterator[Problem]:
    """Problems of one file, the first thousand."""
    for number, one in enumerate(found):
        if number == MOST:
            yield problem(file, *REST)
            return
        yield problem(file, *one)


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
