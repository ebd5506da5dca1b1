"""Verify submissions: the gate before the leaderboard. Everything that is wrong is said at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.submissions.board import beside, changes, removed
from consciousness_cluster.submissions.check import check_submission
from consciousness_cluster.submissions.layout import VERDICTS
from consciousness_cluster.submissions.needs import Needs, needs
from consciousness_cluster.submissions.problems import problems_of
from consciousness_cluster.submissions.rejudge import Rejudge
from consciousness_cluster.submissions.tree import read_tree


@dataclass(frozen=True)
class Report:
    """All problems, and how much was looked at."""

    problems: list[Problem]
    counts: dict[str, int]


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
    counts = dict.fromkeys(("submissions", "unchanged", "records"), 0)
    for path in paths:
        folders, found = read_tree(path)
        problems += found
        if board and folders == [path]:
            raise UserError(f"{path}: is one submission; with --board name the whole submissions folder")
        if board:
            problems += removed(path, board, {folder.relative_to(path) for folder in folders})
            problems += beside(path, board)
        if not folders and not found and not board:
            raise UserError(f"{path}: holds no submission; name a folder of submissions, or the folder of one")
        for folder in folders:
            if board and (board / folder.relative_to(path)).is_dir():
                counts["unchanged"] += 1
                problems += changes(folder, board / folder.relative_to(path), maintainer)
                continue
            checked = check_submission(folder, wanted or needs(), maintainer)
            counts["submissions"] += 1
            counts["records"] += checked.records
            problems += checked.problems
            if rejudge and not checked.problems and checked.about and checked.about["track"] == "open":
                problems += problems_of(str(folder / VERDICTS), rejudge.problems(folder))
    if rejudge:
        counts |= {"rejudged": rejudge.asked, "judged_alike": rejudge.alike}
    return Report(problems, counts)
