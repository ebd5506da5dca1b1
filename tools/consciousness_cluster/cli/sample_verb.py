"""`sample` on the command line."""

import argparse
import sys
from collections.abc import Callable
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

from consciousness_cluster.cli.options import (
    add_condition_option,
    add_endpoint_options,
    add_pack_option,
    add_training_options,
    exit_code,
    print_notes,
)
from consciousness_cluster.errors import UserError


def options_of(args: argparse.Namespace) -> Any:
    """The options as `SampleOptions`, whose fields have the same names."""
    from consciousness_cluster.sampling.options import SampleOptions

    return SampleOptions(**{field.name: getattr(args, field.name) for field in fields(SampleOptions)})


def sample(args: argparse.Namespace) -> int:
    """Sample. Errors are counted in print, not in the exit code."""
    from consciousness_cluster.endpoint.price import dollars
    from consciousness_cluster.sampling.options import run_sampling

    run, done = run_sampling(options_of(args), args.max_cost)
    counts = f"{run.planned} answers planned, {done.there} were there, new: {_counted(done.new)}"
    print(f"{args.out}: {counts}; spent {dollars(done.spent)}")
    print_notes(done.notes)
    return exit_code(done.stopped)


def estimate(args: argparse.Namespace, batch: bool = False) -> int:
    """Say what sampling would cost."""
    from consciousness_cluster.endpoint.price import dollars, price_of
    from consciousness_cluster.records.run_folder import read_run_file
    from consciousness_cluster.sampling import sample_run as sampling
    from consciousness_cluster.sampling.plan import asked_topics

    options = options_of(args)
    wanted, there = options.run(options.endpoint()), read_run_file(args.out)
    setting = there.setting if there else wanted.setting
    todo = sampling.plan_for(args.out, setting, asked_topics(wanted))
    plan = sampling.estimate(setting, todo, price_of(args.model, batch))
    most = f" (at most {dollars(plan['dollars_at_most'])})" if plan["dollars"] is not None else ""
    print(
        f"{args.model}: {plan['answers']} answers in {plan['requests']} requests, about {plan['prompt_tokens']} prompt "
        f"and {plan['completion_tokens']} answer tokens, price {dollars(plan['dollars'])}{most}"
    )
    return 0


def _batch(args: argparse.Namespace) -> int:
    from consciousness_cluster.records.run import settled
    from consciousness_cluster.records.run_folder import open_run_folder
    from consciousness_cluster.sampling.batch import sample_by_batch
    from consciousness_cluster.sampling.plan import asked_topics
    from consciousness_cluster.sampling.sample_run import told_of

    if args.max_cost is not None:
        raise UserError("--max-cost cannot be held within a batch; see the price first: --batch --dry-run")
    options = options_of(args)
    endpoint = options.endpoint()
    wanted = options.run(endpoint)
    with open_run_folder(args.out) as folder:
        run = folder.begin(wanted)
        with folder.samples() as store:
            say = lambda line: print(line, file=sys.stderr)  # noqa: E731
            note = partial(folder.note_sent, run)
            new = sample_by_batch(run.setting, asked_topics(run), store, endpoint, args.out, say, learned=note)
            told = told_of(settled(store.records), run.setting.max_tokens)
    print(f"{args.out}: {run.planned} answers planned, new: {_counted(new)}")
    print_notes(told)
    return 0


def _counted(statuses: Any) -> str:
    return ", ".join(f"{number} {status.replace('_', ' ')}" for status, number in sorted(statuses.items())) or "none"


def each_wording(args: argparse.Namespace) -> list[argparse.Namespace]:
    """The options of each run that is asked for: one, or with NAME:all one for each wording, below --out."""
    from consciousness_cluster.conditions import asked_for

    names = asked_for(args.condition)
    if names == [args.condition]:
        return [args]
    most = None if args.max_cost is None else args.max_cost / len(names)
    folders = {name: args.out / name.replace(":", "_") for name in names}
    return [
        argparse.Namespace(**{**vars(args), "condition": name, "out": folder, "max_cost": most})
        for name, folder in folders.items()
    ]


def one_after_the_other(args: argparse.Namespace, step: Callable[[argparse.Namespace], int]) -> int:
    """Take a step for each run that is asked for, until one does not come to its end."""
    for each in each_wording(args):
        if code := step(each):
            return code
    return 0


def _sample(args: argparse.Namespace) -> int:
    if args.dry_run:
        return one_after_the_other(args, lambda each: estimate(each, each.batch))
    return one_after_the_other(args, _batch if args.batch else sample)


def add_sample_options(command: argparse.ArgumentParser) -> None:
    """Options that say what is sampled, and what the model was trained on: the fields of `SampleOptions`, and more."""
    command.add_argument(
        "--model", required=True, help="the model's name at the endpoint, a pinned snapshot if there is one"
    )
    add_condition_option(command, ", or NAME:all for each of them in a folder of its own below --out")
    command.add_argument("--file", type=Path, help="the persona file, for persona_file")
    command.add_argument(
        "--out", type=Path, required=True, metavar="RUN", help="the run's folder; one that is there goes on"
    )
    command.add_argument("--topics", nargs="+", metavar="ID", help="only these preferences or checks (default: all)")
    command.add_argument(
        "--styles",
        nargs="+",
        default=("plain",),
        choices=["plain", "situated"],
        help="plain probes (the default, and the headline), situated ones (does it hold in scenes?), or both",
    )
    add_pack_option(command)
    command.add_argument(
        "--dataset", metavar="ORG/NAME", help="ask the probes of this dataset on the Hub (default: the package's)"
    )
    command.add_argument("--dataset-revision", metavar="REV", help="its revision, for example v2.0.0")
    command.add_argument(
        "--probes-per-preference", type=int, metavar="N", help="a fixed slice of the probes, for a try (default: all)"
    )
    command.add_argument("--samples", type=int, metavar="N", help="answers to each probe (default: 5)")
    command.add_argument("--max-tokens", type=int, default=1000, metavar="N", help="longest answer (default: 1000)")
    command.add_argument("--revision", help="revision of the weights, if they have one")
    command.add_argument(
        "--system-as-user",
        action="store_true",
        help="send the system prompt as the start of the user message, to models without a system role",
    )
    add_endpoint_options(command)
    command.add_argument("--paper-protocol", action="store_true", help="10 answers to each probe, as in the paper")
    command.add_argument("--dry-run", action="store_true", help="print requests, tokens and price, and ask nothing")
    command.add_argument(
        "--max-cost",
        type=float,
        metavar="DOLLARS",
        help="stop before more than this is spent; with NAME:all each wording has an equal part of it",
    )
    add_training_options(command)


def add(verbs: Any) -> None:
    """Register the verb."""
    command = verbs.add_parser("sample", help="sample a model behind OpenAI or any OpenAI-compatible endpoint")
    add_sample_options(command)
    command.add_argument(
        "--batch", action="store_true", help="through OpenAI's Batch API: half the price, within a day"
    )
    command.set_defaults(run_command=_sample)
