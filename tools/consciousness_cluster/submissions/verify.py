"""Verify submissions: the gate before the leaderboard. Everything that is wrong is said at once.

What is on the leaderboard stays as it is: a change may only add to it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.submissions.check import NOT_YOURS, check_submission, verified_problems
from consciousness_cluster.submissions.judge_rules import AGAIN, by_readers
from consciousness_cluster.submissions.layout import AUDITS, BYTES, RATINGS, VERDICTS, VERIFIED
from consciousness_cluster.submissions.needs import Needs, needs
from consciousness_cluster.submissions.packed import Unreadable, unreadable
from consciousness_cluster.submissions.problems import of_file, whole
from consciousness_cluster.submissions.rejudge import Rejudge
from consciousness_cluster.submissions.tree import TOP, open_plain, plain_files, read_tree

STAYS = "leave what is on the board as it is"
PIECE = 2**20


@dataclass(frozen=True)
class Report:
    """All problems, how much was looked at, and what is to be known of submissions that are fine."""

    problems: list[Problem]
    counts: dict[str, int]
    notes: list[str]


def _alike(one: Path, other: Path) -> bool:
    """Whether two files have the same bytes. Raises Unreadable."""
    with open_plain(one, BYTES) as first, open_plain(other, BYTES) as second:
        try:
            while piece := first.read(PIECE):
                if piece != second.read(PIECE):
                    return False
            return not second.read(1)
        except OSError as error:
            raise unreadable(error) from None


def _changes(there: Path, board: Path, maintainer: bool) -> Iterator[tuple[str, list[Problem]]]:
    names, odd = plain_files(there)
    before, _ = plain_files(board)
    yield from ((name, [one]) for name, one in odd.items())
    for name in sorted({*names, *before} - odd.keys()):
        try:
            same = name in names and name in before and _alike(there / name, board / name)
        except Unreadable as error:
            yield name, [whole(error.problem.message, STAYS)]
            continue
        if same:
            continue
        if name == VERIFIED and maintainer:
            yield name, verified_problems(there / name) if name in names else []
        elif name == VERIFIED:
            yield name, [NOT_YOURS]
        else:
            what = "was removed from" if name not in names else "was changed in" if name in before else "was added to"
            yield name, [whole(f"{what} a submission that is on the board", STAYS)]


def _changed(there: Path, board: Path, maintainer: bool) -> list[Problem]:
    """Problems of a submission's folder that is on the board already: it has to be the same, byte for byte.

    A maintainer may add, change and remove verified.json.
    """
    try:
        found = list(_changes(there, board, maintainer))
    except Unreadable as error:
        found = [("", [whole(error.problem.message, STAYS)])]
    return [one for name, problems in found for one in of_file(there / name, problems)]


def _beside(root: Path, board: Path) -> Iterator[Problem]:
    """Problems of what stands beside the submissions: it is the board's own."""
    for name in TOP:
        there, before = (folder / name for folder in (root, board))
        if not (there.exists() or before.exists()):
            continue
        try:
            same = there.exists() and before.exists() and _alike(there, before)
        except (OSError, Unreadable):
            same = False
        if not same:
            yield from of_file(there, [whole("is not as it is on the board", STAYS)])


def _removed(root: Path, board: Path, there: set[Path]) -> Iterator[Problem]:
    """A problem for each submission of the board that is not among `there` any more (both relative to their trees)."""
    for path in sorted(path.relative_to(board) for path in board.glob("*/*/*") if path.is_dir()):
        if path not in there:
            yield from of_file(root / path, [whole("was removed: it is on the board", STAYS)])


def verify(
    paths: Sequence[Path],
    board: Path | None = None,
    maintainer: bool = False,
    rejudge: Rejudge | None = None,
    wanted: Needs | None = None,
) -> Report:
    """Verify all submissions at `paths`: trees of them, or folders of one.

    With `board`, the submissions as they are on the leaderboard, the one path is a tree that holds all of these
    unchanged, and only what it adds is verified. `wanted` is what a submission needs, this data version's own by
    default. Raises UserError where a path is no folder.
    """
    if board and (len(paths) != 1 or not board.is_dir()):
        raise UserError(f"{board}: the board is a folder, and one PATH is compared with it")
    problems: list[Problem] = []
    notes: list[str] = []
    counts = dict.fromkeys(("submissions", "unchanged", "records"), 0)
    for path in paths:
        folders, found = read_tree(path)
        problems += found
        if board and folders == [path]:
            raise UserError(f"{path}: is one submission; with --board name the whole submissions folder")
        if board:
            problems += _removed(path, board, {folder.relative_to(path) for folder in folders})
            problems += _beside(path, board)
        if not folders and not found and not board:
            raise UserError(f"{path}: holds no submission; name a folder of submissions, or the folder of one")
        for folder in folders:
            if board and (board / folder.relative_to(path)).is_dir():
                counts["unchanged"] += 1
                problems += _changed(folder, board / folder.relative_to(path), maintainer)
                continue
            checked = check_submission(folder, wanted or needs(), maintainer)
            counts["submissions"] += 1
            counts["records"] += checked.records
            problems += checked.problems
            judge = checked.manifest["judge"] if checked.manifest and not checked.problems else None
            if by_readers(judge):
                notes.append(f"{folder}: {AGAIN}")
            elif rejudge and judge:
                file = RATINGS if checked.manifest and checked.manifest["track"] in AUDITS else VERDICTS
                problems += of_file(folder / file, rejudge.problems(folder))
    if rejudge:
        counts |= {"rejudged": rejudge.asked, "judged_alike": rejudge.alike}
    return Report(problems, counts, notes)
