"""`run` on the command line: four steps in one go."""

import argparse
import shlex
from typing import Any

from consciousness_cluster.cli.options import add_model_options

SAMPLE_OPTIONS = (
    *("model", "base_url", "condition", "file", "out", "topics", "samples", "max_tokens", "revision", "concurrency"),
    *("timeout", "paper_protocol", "dry_run", "max_cost", "trained_on", "recipe", "training_seed"),
    *("dataset", "dataset_revision"),
)


def run(args: argparse.Namespace) -> int:
    """Sample, judge, score and report in one go; the steps are printed, so that each can be run again alone."""
    from consciousness_cluster.cli.main import main

    paper = ["--paper-protocol"] if args.paper_protocol else []
    judge = [part for name in ("judge", "judge_model", "judge_base_url") if getattr(args, name)
             for part in (f"--{name.removeprefix('judge_').replace('_', '-')}", getattr(args, name))]  # fmt: skip
    taken = vars(args)
    options: list[str] = []
    for name in SAMPLE_OPTIONS:
        value = taken[name]
        if value is not None and value is not False:
            values = [] if value is True else value if isinstance(value, list) else [value]
            options += [f"--{name.replace('_', '-')}", *map(str, values)]
    steps = [
        ["sample", *options],
        ["judge", str(args.out), *judge, *paper],
        ["score", str(args.out)],
        ["report", str(args.out), "--out", str(args.out / "report")],
    ]
    for number, step in enumerate(steps, 1):
        print(f"{number}/{len(steps)} consciousness-cluster {shlex.join(step)}", flush=True)
        if args.dry_run and number > 1:
            continue
        if code := main(step):
            return code
    return 0


def add(verbs: Any) -> None:
    """Register the verb."""
    whole = verbs.add_parser("run", help="sample, judge, score and report in one go")
    add_model_options(whole)
    whole.add_argument("--judge", metavar="ID", help="a judge's name (default: as for judge)")
    whole.add_argument("--judge-model", help="the model's name, for the judge 'endpoint'")
    whole.add_argument("--judge-base-url", help="the judge's endpoint, if it is another than its own")
    whole.set_defaults(run_command=run)
