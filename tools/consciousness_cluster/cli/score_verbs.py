"""`score` and `compare` on the command line."""

import argparse
import json
from pathlib import Path
from typing import Any

from consciousness_cluster.cli.terminal import show


def score(run: Path, judge: str | None, as_json: bool = False) -> int:
    """Score a run: print its tables, and write everything to scores.json in its folder."""
    from consciousness_cluster.files import write_whole
    from consciousness_cluster.records.run_folder import SCORES
    from consciousness_cluster.reporting.parts import scores_parts
    from consciousness_cluster.scoring.load import load_scored

    scored = load_scored(run, judge)
    text = json.dumps(scored.scores, indent=2, ensure_ascii=False)
    path = scored.run.folder / SCORES
    write_whole(path, text + "\n")
    if as_json:
        print(text)
    else:
        show(scores_parts(scored.scores))
        print(f"All of it: {path}")
    return 0


def _score(args: argparse.Namespace) -> int:
    return score(args.run, args.judge, args.json)


def _compare(args: argparse.Namespace) -> int:
    from consciousness_cluster.reporting.parts import comparison_parts
    from consciousness_cluster.scoring.compare import compare
    from consciousness_cluster.scoring.load import load_scored

    found = compare([load_scored(path, args.judge) for path in (args.base, *args.runs)])
    if args.json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        for comparison in found["comparisons"]:
            show(comparison_parts(comparison))
    return 0


def add(verbs: Any) -> None:
    """Register the verbs."""
    score = verbs.add_parser("score", help="rates with intervals, and all counts, of a run")
    score.add_argument("run", type=Path, metavar="RUN")
    compare = verbs.add_parser("compare", help="differences from a baseline; seeds of one condition make one arm")
    compare.add_argument("base", type=Path, metavar="BASE", help="a run of the baseline, not_conscious if there is one")
    compare.add_argument(
        "runs", type=Path, nargs="+", metavar="RUN", help="other runs, further seeds of BASE among them"
    )
    for command in (score, compare):
        command.add_argument("--judge", metavar="ID", help="whose verdicts, where several judges gave some")
        command.add_argument("--json", action="store_true", help="print everything as JSON")
    score.set_defaults(run_command=_score)
    compare.set_defaults(run_command=_compare)
