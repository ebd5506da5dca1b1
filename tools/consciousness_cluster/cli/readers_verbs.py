"""`readers` on the command line."""

import argparse
import sys
from pathlib import Path
from typing import Any

from consciousness_cluster.cli.options import whole_number

READERS = {1: "a first reader", 2: "a second reader, who has read none of the first ones", 3: "a third reader"}


def _sheets(args: argparse.Namespace) -> int:
    from consciousness_cluster.reading.make_sheets import make_sheets

    given = {name: getattr(args, name) for name in ("judge", "batch", "known", "second", "seed")}
    made = make_sheets(args.out, args.runs, args.limit, **given)
    print(f"{made.new} answers on {len(made.names)} new sheets; {made.before} answers of these runs were shown before")
    if made.names:
        print(f"for readers: {args.out / 'sheets'}, not for readers: {args.out / 'key'}")
        print(f"when they are read: consciousness-cluster readers take {args.out}")
    return 0


def _take(args: argparse.Namespace) -> int:
    from consciousness_cluster.judging.validate import in_words
    from consciousness_cluster.reading.take_labels import take_labels

    taken = take_labels(args.folder)
    for problem in taken.problems:
        print(f"error: {problem}", file=sys.stderr)
    for reader, words in READERS.items():
        names = [*(key.batch for key in taken.unread if key.reader == reader), *(taken.third if reader == 3 else [])]
        if names:
            print(f"still to be read by {words}: {', '.join(names)}")
    if taken.agreement is None:
        print(f"nothing was taken in: {len(taken.problems)} problems in the replies", file=sys.stderr)
        return 1
    for one in taken.runs:
        print(f"{one.run.folder}: {one.labelled} of {one.answers} answers have a label")
    print(f"agreement of these readers: {in_words({'readers': taken.agreement})}")
    return 1 if taken.problems else 0


def add(verbs: Any) -> None:
    """Register the verbs."""
    readers = verbs.add_parser(
        "readers", help="have answers labelled by readers who do not know which model answered"
    ).add_subparsers(dest="readers_verb", required=True, metavar="VERB")
    sheets = readers.add_parser(
        "sheets",
        help="make sheets of the answers of some runs that nobody has read yet",
        description="Settings are those that the folder was begun with; runs may be added to it.",
    )
    sheets.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="a run's folder, or lm_eval's output")
    sheets.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder of the sheets")
    sheets.add_argument("--judge", metavar="ID", help="a judge of kind readers (default: readers-2026-12)")
    sheets.add_argument("--batch", type=int, metavar="N", help="rows of a sheet, at most (default: 40)")
    sheets.add_argument("--known", type=int, metavar="N", help="authored rows among them (default: 5)")
    sheets.add_argument("--second", type=float, metavar="SHARE", help="answers read twice, a share (default: 0.25)")
    sheets.add_argument("--seed", type=int, metavar="N", help="of all that is drawn (default: 1)")
    sheets.add_argument("--limit", type=whole_number, metavar="N", help="show at most N answers, drawn at random")
    sheets.set_defaults(run_command=_sheets)
    take = readers.add_parser(
        "take",
        help="check what readers replied, and write their verdicts into the runs",
        description="Exit codes: 0 taken in, 1 replies to mend or to read anew (all are said), 2 no sheets.",
    )
    take.add_argument("folder", type=Path, metavar="DIR", help="the folder of the sheets")
    take.set_defaults(run_command=_take)
