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


def _every_eval_ever(args: argparse.Namespace) -> int:
    import json

    from consciousness_cluster.files import write_whole
    from consciousness_cluster.leaderboard.run_records import records_of
    from consciousness_cluster.submissions.draft import Public

    public = Public(args.org, args.model, args.revision, args.kind, "")
    for track, record in records_of(args.run, public, args.baseline, args.judge).items():
        path = args.out / f"{track}.json"
        write_whole(path, json.dumps(record, indent=2) + "\n")
        print(f"{path}: {len(record['evaluation_results'])} results")
    return 0


def add(verbs: Any) -> None:
    """Register the verbs."""
    export = verbs.add_parser("export", help="runs in forms that others read: Parquet, Inspect, Every Eval Ever")
    kinds = export.add_subparsers(dest="export_verb", required=True, metavar="FORM")
    parquet = kinds.add_parser(
        "parquet",
        help="answers with their verdicts as a typed table",
        description="To FILE.parquet, or to a folder with the card by which the Hub's viewer finds the table.",
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
    every = kinds.add_parser(
        "every-eval-ever",
        help="a record of the schema Every Eval Ever for each track that a run or an audit has numbers of",
    )
    every.add_argument("run", type=Path, metavar="RUN")
    every.add_argument("--out", type=Path, required=True, metavar="DIR", help="gets TRACK.json of each track")
    every.add_argument("--org", required=True, help="who ran it")
    every.add_argument("--model", required=True, metavar="NAME", help="the model's public name, without the org")
    every.add_argument("--revision", help="revision of the weights, if the run does not say it")
    every.add_argument("--kind", required=True, choices=("open_weights", "api"))
    every.add_argument("--baseline", type=Path, metavar="RUN", help="a vanilla run of the model, for differences")
    every.set_defaults(run_command=_every_eval_ever)
    for form in (parquet, inspect, every):
        form.add_argument("--judge", metavar="ID", help="whose verdicts, where several judges gave some")
