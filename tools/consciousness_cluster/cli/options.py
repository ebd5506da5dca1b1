"""Options that several verbs share."""

import argparse
import sys
from collections.abc import Sequence

from consciousness_cluster.errors import UserError

# The names of benchmark/reference/endpoints.yaml, which --help does not wait for.
ENDPOINTS = ["openai", "azure", "azure-dated", "anthropic", "openrouter", "together", "tinker", "vllm", "llama.cpp"]


def add_endpoint_options(command: argparse.ArgumentParser) -> None:
    """Options that say where calls go, and what they have beside the benchmark's own."""
    add_where_options(command, "an OpenAI-compatible endpoint (default: openai)")
    command.add_argument("--concurrency", type=int, default=80, metavar="N", help="calls in flight (default: 80)")
    command.add_argument("--timeout", type=float, default=120.0, metavar="SECONDS", help="for one call (default: 120)")


def add_where_options(command: argparse.ArgumentParser, about: str, prefix: str = "") -> None:
    """Options that name an endpoint, and what its requests have beside the benchmark's own."""
    names = (f"--{prefix}base-url", f"--{prefix}endpoint")
    command.add_argument(*names, metavar="URL|NAME", help=f"{about}: its address, or one of {', '.join(ENDPOINTS)}")
    command.add_argument(
        f"--{prefix}request-json",
        metavar="JSON|@FILE",
        help="""more fields of every request, such as '{"reasoning_effort": "low"}'""",
    )


def add_training_options(command: argparse.ArgumentParser) -> None:
    """Options that say what a model was fine-tuned on, so that seeds of one training can be grouped."""
    command.add_argument(
        "--trained-on", metavar="DATASET", help="fine-tuning set of the model, e.g. conscious_claiming"
    )
    command.add_argument("--base-model", metavar="NAME", help="the model that was fine-tuned; --trained-on needs it")
    command.add_argument("--recipe", help="name of the training recipe")
    command.add_argument("--training-seed", type=int, metavar="SEED", help="seed of the fine-tuning")


def add_condition_option(command: argparse.ArgumentParser, more: str = "") -> None:
    """The option that names a condition. `more` is what else can be given."""
    command.add_argument(
        "--condition",
        default="vanilla",
        metavar="NAME[:WORDING]",
        help=f"system prompt of this condition in one of its wordings{more}; `condition` lists all (default: vanilla)",
    )


def add_pack_option(command: argparse.ArgumentParser, more: str = "") -> None:
    """The option that names a preference pack; the command line puts it in use. `more` is what else has to be known."""
    command.add_argument(
        "--pack",
        metavar="DIR|HF-ID",
        help=f"a preference pack, a folder or ORG/NAME[@REVISION] on the Hub, in place of the 20{more}",
    )


def whole_number(text: str) -> int:
    """A number of things: 0 or more. argparse says what is wrong with others."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{number} is less than 0")
    return number


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
