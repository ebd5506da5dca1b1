"""`sample` on the command line."""

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any

from consciousness_cluster.endpoint import OPENAI
from consciousness_cluster.errors import UserError

PREFIX = "CONSCIOUSNESS_CLUSTER_"
SAMPLE_OPTIONS = (
    *("model", "base_url", "condition", "file", "out", "topics", "samples", "max_tokens", "revision", "concurrency"),
    *("timeout", "paper_protocol", "dry_run", "max_cost", "trained_on", "recipe", "training_seed"),
    *("dataset", "dataset_revision"),
)


def training(args: argparse.Namespace) -> dict[str, Any] | None:
    """What a checkpoint was trained on, as records carry it; None for one that was not."""
    if not args.trained_on:
        if args.recipe or args.training_seed is not None:
            raise UserError("--recipe and --training-seed say how a model was trained: give --trained-on DATASET too")
        return None
    return {"dataset": args.trained_on, "recipe": args.recipe, "seed": args.training_seed}


def endpoint(args: argparse.Namespace) -> Any:
    """The endpoint of the options, with its key from the environment."""
    import os

    from consciousness_cluster.endpoint.caller import Endpoint

    base_url = args.base_url or OPENAI
    if not base_url.startswith(("http://", "https://")):
        raise UserError(f"'{base_url}' is no address of an endpoint; it starts with http:// or https://")
    key = os.environ.get(f"{PREFIX}API_KEY", "")
    if not key:
        key = os.environ.get("OPENAI_API_KEY", "") if base_url.rstrip("/") == OPENAI else "none"
    if not key:
        raise UserError(
            f"there is no key: set OPENAI_API_KEY (for another endpoint give --base-url and {PREFIX}API_KEY)"
        )
    return Endpoint(base_url, key, args.timeout, args.concurrency)


def run_file(args: argparse.Namespace, endpoint_shown: str) -> Any:
    """The run that the options describe (its id is used only where the folder has none yet)."""
    from importlib.metadata import version

    from consciousness_cluster.conditions import system_prompt
    from consciousness_cluster.data.hub_copy import benchmark_at
    from consciousness_cluster.sampling.plan import PAPER_SAMPLES, SAMPLES, Setting, chosen_topics
    from consciousness_cluster.sampling.run_folder import RunFile, new_run_id

    benchmark = benchmark_at(args.dataset, args.dataset_revision)
    topics = chosen_topics(benchmark, args.topics)
    setting = Setting(
        run_id=new_run_id(args.model, args.condition),
        model=args.model,
        condition=args.condition,
        system_prompt=system_prompt(args.condition, args.file),
        training=training(args),
        data_version=benchmark.data_version,
        engine=f"openai {version('openai')}",
        revision=args.revision,
        samples=args.samples or (PAPER_SAMPLES if args.paper_protocol else SAMPLES),
        max_tokens=args.max_tokens,
        dataset=args.dataset,
        dataset_revision=args.dataset_revision,
    )
    return RunFile(setting, endpoint_shown, [topic.id for topic in topics])


def print_estimate(plan: dict[str, Any], model: str, requests: str = "requests") -> None:
    from consciousness_cluster.endpoint.price import dollars

    price = dollars(plan["dollars"])
    most = f" (at most {dollars(plan['dollars_at_most'])})" if plan["dollars"] is not None else ""
    print(
        f"{model}: {plan['answers']} answers in {plan['requests']} {requests}, about {plan['prompt_tokens']} prompt "
        f"and {plan['completion_tokens']} answer tokens, price {price}{most}"
    )


def exit_code(stopped: str | None) -> int:
    """0 where the work came to its end, 130 after Ctrl-C; `UserError` where the endpoint stopped it."""
    if stopped == "interrupted":
        print("interrupted; the same command goes on from there", file=sys.stderr)
        return 130
    if stopped:
        raise UserError(f"{stopped}. What came is saved; the same command goes on from there")
    return 0


def sample(args: argparse.Namespace) -> int:
    """Sample, or with --dry-run say what that would cost. Errors are counted in print, not in the exit code."""
    from consciousness_cluster.endpoint.price import dollars, price_of
    from consciousness_cluster.sampling import run as sampling
    from consciousness_cluster.sampling.progress import sampling_progress
    from consciousness_cluster.sampling.run_folder import open_run, read_run_file

    where = endpoint(args)
    wanted = run_file(args, where.shown)
    if args.dry_run:
        there = read_run_file(args.out)
        setting = there.setting if there else wanted.setting
        todo = sampling.plan_for(args.out, setting, wanted.asked)
        print_estimate(sampling.estimate(setting, todo, price_of(args.model, args.batch)), args.model)
        return 0
    run = open_run(args.out, wanted)
    topics = run.asked
    if args.batch:
        return _batch(args, run, topics, where)
    with sampling_progress(run.planned) as report:
        done = sampling.sample(args.out, run.setting, topics, where, args.max_cost, report)
    new = ", ".join(f"{number} {status.replace('_', ' ')}" for status, number in sorted(done.new.items())) or "none"
    print(
        f"{args.out}: {run.planned} answers planned, {done.there} were there, new: {new}; spent {dollars(done.spent)}"
    )
    return exit_code(done.stopped)


def _batch(args: argparse.Namespace, run: Any, topics: Any, where: Any) -> int:
    from consciousness_cluster.records.run import SAMPLES
    from consciousness_cluster.records.store import Store
    from consciousness_cluster.sampling.batch import sample_by_batch

    if args.max_cost is not None:
        raise UserError("--max-cost cannot be held within a batch; see the price first: --batch --dry-run")
    with Store(args.out / SAMPLES, "sample") as store:
        new = sample_by_batch(run.setting, topics, store, where, args.out, lambda line: print(line, file=sys.stderr))
    statuses = ", ".join(f"{number} {status.replace('_', ' ')}" for status, number in sorted(new.items())) or "none"
    print(f"{args.out}: {run.planned} answers planned, new: {statuses}")
    return 0


def add_model_options(command: argparse.ArgumentParser) -> None:
    """Options that say what is sampled, and what the model was trained on."""
    command.add_argument(
        "--model", required=True, help="the model's name at the endpoint, a pinned snapshot if there is one"
    )
    command.add_argument("--condition", default="vanilla", help="system prompt of this condition (default: vanilla)")
    command.add_argument("--file", type=Path, help="the persona file, for persona_file")
    command.add_argument(
        "--out", type=Path, required=True, metavar="RUN", help="the run's folder; one that is there goes on"
    )
    command.add_argument("--topics", nargs="+", metavar="ID", help="only these preferences or checks (default: all)")
    command.add_argument(
        "--dataset", metavar="ORG/NAME", help="ask the probes of this dataset on the Hub (default: the package's)"
    )
    command.add_argument("--dataset-revision", metavar="REV", help="its revision, for example v1.1.0")
    command.add_argument("--samples", type=int, metavar="N", help="answers to each probe (default: 5)")
    command.add_argument("--max-tokens", type=int, default=1000, metavar="N", help="longest answer (default: 1000)")
    command.add_argument("--revision", help="revision of the weights, if they have one")
    add_endpoint_options(command)
    command.add_argument("--paper-protocol", action="store_true", help="10 answers to each probe, as in the paper")
    command.add_argument("--dry-run", action="store_true", help="print requests, tokens and price, and ask nothing")
    command.add_argument("--max-cost", type=float, metavar="DOLLARS", help="stop before more than this is spent")
    add_training_options(command)


def add_endpoint_options(command: argparse.ArgumentParser) -> None:
    """Options that say where calls go."""
    command.add_argument("--base-url", help=f"an OpenAI-compatible endpoint (default: {OPENAI})")
    command.add_argument("--concurrency", type=int, default=80, metavar="N", help="calls in flight (default: 80)")
    command.add_argument("--timeout", type=float, default=120.0, metavar="SECONDS", help="for one call (default: 120)")


def add_training_options(command: argparse.ArgumentParser) -> None:
    """Options that say what a checkpoint was trained on, so that seeds of one condition can be grouped."""
    command.add_argument(
        "--trained-on", metavar="DATASET", help="fine-tuning set of the model, e.g. conscious_claiming"
    )
    command.add_argument("--recipe", help="name of the training recipe")
    command.add_argument("--training-seed", type=int, metavar="SEED", help="seed of the fine-tuning")


def run(args: argparse.Namespace) -> int:
    """Sample, judge, score and report in one go; the steps are printed, so that each can be run again alone."""
    from consciousness_cluster.cli import main

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
    """Register the verbs."""
    whole = verbs.add_parser("run", help="sample, judge, score and report in one go")
    add_model_options(whole)
    whole.add_argument("--judge", metavar="ID", help="a judge's name (default: as for judge)")
    whole.add_argument("--judge-model", help="the model's name, for the judge 'endpoint'")
    whole.add_argument("--judge-base-url", help="the judge's endpoint, if it is another than its own")
    whole.set_defaults(run_command=run)
    command = verbs.add_parser("sample", help="sample a model behind OpenAI or any OpenAI-compatible endpoint")
    add_model_options(command)
    command.add_argument(
        "--batch", action="store_true", help="through OpenAI's Batch API: half the price, within a day"
    )
    command.set_defaults(run_command=sample)
