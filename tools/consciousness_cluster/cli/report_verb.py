"""`report` on the command line."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from consciousness_cluster.cli.options import add_pack_option
from consciousness_cluster.cli.terminal import show


def report(paths: Sequence[Path], out: Path, judge: str | None, title: str | None = None) -> int:
    """Print what the runs or the audits come to, and write their report to `out`."""
    from consciousness_cluster.records.audit_folder import are_audits

    for path in _audits(paths, out, judge, title) if are_audits(paths) else _runs(paths, out, judge, title):
        print(path)
    return 0


def _runs(paths: Sequence[Path], out: Path, judge: str | None, title: str | None) -> list[Path]:
    from consciousness_cluster.reporting.contents import build_report
    from consciousness_cluster.reporting.parts import comparison_parts, scores_parts
    from consciousness_cluster.reporting.write import write_report
    from consciousness_cluster.scoring.arms import arms_of
    from consciousness_cluster.scoring.compare import compare
    from consciousness_cluster.scoring.load import load_scored

    runs = [load_scored(path, judge) for path in paths]
    if len(runs) == 1:
        show(scores_parts(runs[0].scores))
    elif len(arms_of(runs)) > 1:
        for comparison in compare(runs)["comparisons"]:
            show(comparison_parts(comparison))
    return write_report(build_report(runs, title), out)


def _audits(paths: Sequence[Path], out: Path, judge: str | None, title: str | None) -> list[Path]:
    from consciousness_cluster.reporting.audit_contents import build_audit_report
    from consciousness_cluster.reporting.audit_parts import audit_comparison_parts, audit_scores_parts
    from consciousness_cluster.reporting.write import write_audit_report
    from consciousness_cluster.scoring.audits import load_scored_audit

    audits = [load_scored_audit(path, judge) for path in paths]
    found = build_audit_report(audits, title)
    if len(audits) == 1:
        show(audit_scores_parts(audits[0].scores))
    for comparison in found["comparisons"]:
        show(audit_comparison_parts(comparison))
    return write_audit_report(found, out)


def _report(args: argparse.Namespace) -> int:
    return report(args.runs, args.out, args.judge, args.title)


def add(verbs: Any) -> None:
    """Register the verb."""
    command = verbs.add_parser("report", help="tables, plots and an HTML page of one or more runs or audits")
    command.add_argument(
        "runs", type=Path, nargs="+", metavar="RUN", help="the first one is the baseline of the others"
    )
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the files go")
    add_pack_option(command)
    command.add_argument("--judge", metavar="ID", help="whose verdicts or ratings, where several judges gave some")
    command.add_argument("--title", help="title of the report (default: what was asked)")
    command.set_defaults(run_command=_report)
