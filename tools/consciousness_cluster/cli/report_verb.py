"""`report` on the command line."""

import argparse
from pathlib import Path
from typing import Any

from consciousness_cluster.cli.terminal import show


def report(args: argparse.Namespace) -> int:
    """Write the report of some runs."""
    from consciousness_cluster.reporting.contents import build_report
    from consciousness_cluster.reporting.parts import comparison_parts, scores_parts
    from consciousness_cluster.reporting.write import write_report
    from consciousness_cluster.scoring.compare import arms_of, compare
    from consciousness_cluster.scoring.load import load_scored

    runs = [load_scored(path, args.judge) for path in args.runs]
    if len(runs) == 1:
        show(scores_parts(runs[0].scores))
    elif len(arms_of(runs)) > 1:
        for comparison in compare(runs)["comparisons"]:
            show(comparison_parts(comparison))
    for path in write_report(build_report(runs, args.title), args.out):
        print(path)
    return 0


def add(verbs: Any) -> None:
    """Register the verb."""
    command = verbs.add_parser("report", help="tables, plots and an HTML page of one or more runs")
    command.add_argument(
        "runs", type=Path, nargs="+", metavar="RUN", help="the first one is the baseline of the others"
    )
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the files go")
    command.add_argument("--judge", metavar="ID", help="whose verdicts, where several judges gave some")
    command.add_argument("--title", default="Consciousness cluster", help="title of the report")
    command.set_defaults(run_command=report)
