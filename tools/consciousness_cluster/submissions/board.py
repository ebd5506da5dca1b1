"""What is on the leaderboard stays as it is: a change may only add to it."""

from collections.abc import Iterator
from pathlib import Path

from consciousness_cluster.errors import Problem
from consciousness_cluster.submissions.check import NOT_YOURS, verified_problems
from consciousness_cluster.submissions.layout import BYTES, VERIFIED
from consciousness_cluster.submissions.problems import Found, problem
from consciousness_cluster.submissions.tree import TOP, open_plain, plain_files
from consciousness_cluster.submissions.zstd import Unreadable

STAYS = "leave what is on the board as it is"
PIECE = 2**20


def _alike(one: Path, other: Path) -> bool:
    with open_plain(one, BYTES) as first, open_plain(other, BYTES) as second:
        while piece := first.read(PIECE):
            if piece != second.read(PIECE):
                return False
        return not second.read(1)


def _changes(there: Path, board: Path, maintainer: bool) -> Iterator[tuple[str, Found]]:
    names, odd = plain_files(there)
    before = plain_files(board)[0]
    yield from odd
    for name in sorted({*names, *before} - {name for name, _ in odd}):
        try:
            same = name in names and name in before and _alike(there / name, board / name)
        except Unreadable as reason:
            yield name, ("-", "-", str(reason), STAYS)
            continue
        if same:
            continue
        if name == VERIFIED and maintainer:
            yield from ((name, found) for found in (verified_problems(there / name) if name in names else ()))
        elif name == VERIFIED:
            yield name, ("-", "-", *NOT_YOURS)
        else:
            what = "was removed from" if name not in names else "was changed in" if name in before else "was added to"
            yield name, ("-", "-", f"{what} a submission that is on the board", STAYS)


def changes(there: Path, board: Path, maintainer: bool) -> list[Problem]:
    """Problems of a submission's folder that is on the board already: it has to be the same, byte for byte.

    A maintainer may add, change and remove verified.json.
    """
    try:
        return [problem(str(there / name), *found) for name, found in _changes(there, board, maintainer)]
    except OSError as error:
        return [problem(str(there), "-", "-", f"cannot be read ({error.strerror})", STAYS)]


def beside(root: Path, board: Path) -> list[Problem]:
    """Problems of what stands beside the submissions: it is the board's own."""
    found = []
    for name in TOP:
        there, before = (folder / name for folder in (root, board))
        if not (there.exists() or before.exists()):
            continue
        try:
            same = there.exists() and before.exists() and _alike(there, before)
        except (OSError, Unreadable):
            same = False
        if not same:
            found.append(problem(str(there), "-", "-", "is not as it is on the board", STAYS))
    return found


def removed(root: Path, board: Path, there: set[Path]) -> list[Problem]:
    """A problem for each submission of the board that is not among `there` any more (both relative to their trees)."""
    before = sorted(path.relative_to(board) for path in board.glob("*/*/*") if path.is_dir())
    message = "was removed: it is on the board"
    return [problem(str(root / path), "-", "-", message, STAYS) for path in before if path not in there]
