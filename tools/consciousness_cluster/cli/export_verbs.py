"""`export` on the command line: runs in forms that others read."""

import argparse
from pathlib import Path
from typing import Any


def _parquet(args: argparse.Namespace) -> int:
    from consciousness_cluster.reporting.parquet_answers import write_answers
    from consciousness_cluster.scoring.load import load_scored

    number = write_answers([load_scored(path, args.judge) for path in args.runs], args.out)
    print(f"{args.out}: {number} rows of {len(args.runs)} runs")
    return 0


def _inspect(args: argparse.Namespace) -> int:
    from consciousness_cluster.inspect_tasks.write_log import write_log
    from consciousness_cluster.scoring.load import load_scored

    print(f"{args.out}: {write_log(load_scored(args.run, args.judge), args.out)} answers")
    return 0


def add(verbs: Any) -> None:
    """Register the verbs."""
    export = verbs.add_parser("export", help="runs in forms that others read: Parquet, Inspect, Every Eval Ever")
    kinds = export.add_subparsers(dest="export_verb", required=True, metavar="FORM")
    parquet = kinds.add_parser(
        "parquet",
        help="answers with their verdicts as a typed table",
        description="To FILE.parquet, or to a folder with the README.md by which the Hub's viewer finds the table.",
    )
    parquet.add_argument("runs", nargs="+", type=Path, metavar="RUN")
    parquet.add_argument("--out", type=Path, required=True, metavar="FILE.parquet|DIR")
    parquet.set_defaults(run_command=_parquet)
    inspect = kinds.add_parser(
        "inspect", help="a log of Inspect's, with verdicts as scores: for `inspect view`, and for `import inspect`"
    )
    inspect.add_argument("run", type=Path, metavar="RUN")
    inspect.add_argument("--out", type=Path, required=True, metavar="FILE.eval")
    inspect.set_defaults(run_command=_inspect)
    for form in (parquet, inspect):
        form.add_argument("--judge", metavar="ID", help="whose verdicts, where several judges gave some")
