"""Options that several verbs share, and what they mean."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from consciousness_cluster.endpoint import OPENAI
from consciousness_cluster.errors import UserError

PREFIX = "CONSCIOUSNESS_CLUSTER"


def training(args: argparse.Namespace) -> dict[str, Any] | None:
    """What a checkpoint was trained on, as records carry it; None for one that was not."""
    if not args.trained_on:
        if args.recipe or args.training_seed is not None:
            raise UserError("--recipe and --training-seed say how a model was trained: give --trained-on DATASET too")
        return None
    return {"dataset": args.trained_on, "recipe": args.recipe, "seed": args.training_seed}


def endpoint(args: argparse.Namespace) -> Any:
    """The endpoint of the options, with its key from the environment."""
    from consciousness_cluster.endpoint.address import Endpoint, checked_address, key_for

    base_url = checked_address(args.base_url or OPENAI)
    key = key_for(base_url, PREFIX)
    if not key:
        raise UserError(
            f"there is no key: set OPENAI_API_KEY (for another endpoint give --base-url and {PREFIX}_API_KEY)"
        )
    return Endpoint(base_url, key, args.timeout, args.concurrency)


def print_notes(notes: Sequence[str]) -> None:
    """What people should know of the calls that were made, on stderr."""
    for note in notes:
        print(f"note: {note}", file=sys.stderr)


def exit_code(stopped: str | None) -> int:
    """0 where the work came to its end, 130 after Ctrl-C; `UserError` where the endpoint stopped it."""
    if stopped == "interrupted":
        print("interrupted; the same command goes on from there", file=sys.stderr)
        return 130
    if stopped:
        raise UserError(f"{stopped}. What came is saved; the same command goes on from there")
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
