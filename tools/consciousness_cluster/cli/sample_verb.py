"""`sample` on the command line."""

import argparse
import sys
from typing import Any

from consciousness_cluster.cli.options import add_model_options, endpoint, exit_code, print_notes, training
from consciousness_cluster.errors import UserError


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


def sample(args: argparse.Namespace) -> int:
    """Sample, or with --dry-run say what that would cost. Errors are counted in print, not in the exit code."""
    from consciousness_cluster.endpoint.price import dollars, price_of
    from consciousness_cluster.progress import sampling_progress
    from consciousness_cluster.sampling import sample_run as sampling
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
    print_notes(done.notes)
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


def add(verbs: Any) -> None:
    """Register the verb."""
    command = verbs.add_parser("sample", help="sample a model behind OpenAI or any OpenAI-compatible endpoint")
    add_model_options(command)
    command.add_argument(
        "--batch", action="store_true", help="through OpenAI's Batch API: half the price, within a day"
    )
    command.set_defaults(run_command=sample)
