"""`score` and `compare` on the command line."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consciousness_cluster.cli.options import add_pack_option
from consciousness_cluster.cli.terminal import show

if TYPE_CHECKING:
    from consciousness_cluster.reporting.parts import Part


def score(run: Path, judge: str | None, as_json: bool = False) -> int:
    """Score a run or an audit: print its tables, and write everything to scores.json in its folder."""
    from consciousness_cluster.files import write_whole
    from consciousness_cluster.records.run_folder import SCORES

    folder, scores, parts = _audit(run, judge) if _are_audits([run]) else _answers(run, judge)
    text = json.dumps(scores, indent=2, ensure_ascii=False)
    path = folder / SCORES
    write_whole(path, text + "\n")
    if as_json:
        print(text)
    else:
        show(parts)
        print(f"All of it: {path}")
    return 0


def _are_audits(paths: Sequence[Path]) -> bool:
    from consciousness_cluster.records.audit_folder import are_audits

    return are_audits(paths)


def _answers(run: Path, judge: str | None) -> tuple[Path, Any, list["Part"]]:
    from consciousness_cluster.reporting.parts import scores_parts
    from consciousness_cluster.scoring.load import load_scored

    scored = load_scored(run, judge)
    return scored.run.folder, scored.scores, scores_parts(scored.scores)


def _audit(run: Path, judge: str | None) -> tuple[Path, Any, list["Part"]]:
    from consciousness_cluster.reporting.audit_parts import audit_scores_parts
    from consciousness_cluster.scoring.audits import load_scored_audit

    scored = load_scored_audit(run, judge)
    return run, scored.scores, audit_scores_parts(scored.scores)


def _score(args: argparse.Namespace) -> int:
    return score(args.run, args.judge, args.json)


def _compare(args: argparse.Namespace) -> int:
    paths = [args.base, *args.runs]
    found, parts = _compare_audits(paths, args.judge) if _are_audits(paths) else _compare_runs(paths, args.judge)
    if args.json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        for each in parts:
            show(each)
    return 0


def _compare_runs(paths: Sequence[Path], judge: str | None) -> tuple[Any, list[list["Part"]]]:
    from consciousness_cluster.reporting.parts import comparison_parts
    from consciousness_cluster.scoring.compare import compare
    from consciousness_cluster.scoring.load import load_scored

    found = compare([load_scored(path, judge) for path in paths])
    return found, [comparison_parts(one) for one in found["comparisons"]]


def _compare_audits(paths: Sequence[Path], judge: str | None) -> tuple[Any, list[list["Part"]]]:
    from consciousness_cluster.reporting.audit_parts import audit_comparison_parts
    from consciousness_cluster.scoring.audit_compare import compare_audits
    from consciousness_cluster.scoring.audits import load_scored_audit

    found = compare_audits([load_scored_audit(path, judge) for path in paths])
    return found, [audit_comparison_parts(one) for one in found["comparisons"]]


def add(verbs: Any) -> None:
    """Register the verbs."""
    score = verbs.add_parser("score", help="rates with intervals, and all counts, of a run; mean scores of an audit")
    score.add_argument("run", type=Path, metavar="RUN")
    compare = verbs.add_parser("compare", help="differences from a baseline; seeds of one condition make one arm")
    compare.add_argument("base", type=Path, metavar="BASE", help="a run of the baseline, not_conscious if there is one")
    compare.add_argument(
        "runs", type=Path, nargs="+", metavar="RUN", help="other runs, further seeds of BASE among them"
    )
    for command in (score, compare):
        add_pack_option(command)
        command.add_argument("--judge", metavar="ID", help="whose verdicts or ratings, where several judges gave some")
        command.add_argument("--json", action="store_true", help="print everything as JSON")
    score.set_defaults(run_command=_score)
    compare.set_defaults(run_command=_compare)
