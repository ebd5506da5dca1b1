"""`import` on the command line."""

import argparse
from pathlib import Path
from typing import Any

from consciousness_cluster.cli.options import add_pack_option, add_training_options, print_notes


def _lm_eval(args: argparse.Namespace) -> int:
    from consciousness_cluster.records.imports import import_lm_eval
    from consciousness_cluster.sampling.options import training

    samples, choice = import_lm_eval(
        args.source, args.out, training(args.trained_on, args.base_model, args.recipe, args.training_seed)
    )
    print(f"{args.out}: {samples} samples and {choice} choice results, every prompt checked")
    return 0


def _samples(args: argparse.Namespace) -> int:
    from consciousness_cluster.conditions import system_prompt
    from consciousness_cluster.records.imports import import_samples
    from consciousness_cluster.sampling.options import training

    prompt = system_prompt(args.condition, args.file)
    number = import_samples(
        args.source,
        args.out,
        args.model,
        args.condition,
        prompt,
        training(args.trained_on, args.base_model, args.recipe, args.training_seed),
    )
    print(f"{args.out}: {number} samples")
    return 0


def _inspect(args: argparse.Namespace) -> int:
    from consciousness_cluster.inspect_tasks.import_logs import import_inspect
    from consciousness_cluster.sampling.options import training

    trained = training(args.trained_on, args.base_model, args.recipe, args.training_seed)
    for one in import_inspect(args.source, args.out, trained):
        print(one)
    return 0


def _paper_repo(args: argparse.Namespace) -> int:
    from consciousness_cluster.paper_repo.checkout import read_checkout
    from consciousness_cluster.paper_repo.write_pack import SYSTEM_PROMPT, write_pack

    checkout = read_checkout(args.source, args.facts)
    print_notes(checkout.notes)
    data = write_pack(checkout, args.out)
    of = f"{len(checkout.facts)} preferences, {checkout.prompts} prompts, {len(checkout.judge)} judge prompts"
    print(f"{args.out}: {of}, {sum(one.rows for one in data.values())} training conversations in {len(data)} files")
    print("A local copy that is not to be published (LICENCE.md). Measure with it:")
    pack = f"--pack {args.out} --paper-protocol"
    print(f"  consciousness-cluster sample {pack} --model NAME --out RUN")
    if checkout.system_prompt:
        print(
            f"  consciousness-cluster sample {pack} --model NAME --condition persona_file --file "
            f"{args.out / SYSTEM_PROMPT} --out RUN"
        )
    print(f"  consciousness-cluster judge RUN {pack} --judge gpt-4.1-2025-04-14")
    print(f"  consciousness-cluster compare RUN --pack {args.out} --reference")
    return 0


def add(verbs: Any) -> None:
    """Register the verb."""
    kinds = verbs.add_parser("import", help="turn what others sampled into a run").add_subparsers(
        dest="import_verb", required=True, metavar="KIND"
    )
    lm_eval = kinds.add_parser("lm-eval", help="what lm_eval saved, any release and tasks that ask the same")
    lm_eval.add_argument("source", type=Path, metavar="PATH", help="lm_eval's --output_path")
    lm_eval.set_defaults(run_command=_lm_eval)
    samples = kinds.add_parser(
        "samples",
        help="answers in files: probe_id and response, or a provider's batch output",
        description="CSV, JSON Lines, a JSON array or Parquet of probe_id and response; or the output and error files "
        "of a batch, whose custom_id is a probe's id, and the number of the answer after it where there are several "
        "(memory-p01-2).",
    )
    samples.add_argument("source", type=Path, nargs="+", metavar="FILE")
    samples.add_argument("--model", required=True, help="the model that answered")
    samples.add_argument("--condition", default="vanilla", help="the condition it answered under (default: vanilla)")
    samples.add_argument("--file", type=Path, help="the persona file, for persona_file")
    samples.set_defaults(run_command=_samples)
    inspect = kinds.add_parser(
        "inspect", help="Inspect's logs of our tasks: answers to probes, audits, and what judges said of them"
    )
    inspect.add_argument("source", type=Path, metavar="LOGS", help="Inspect's --log-dir")
    inspect.set_defaults(run_command=_inspect)
    paper = kinds.add_parser(
        "paper-repo",
        help="the paper's own prompts, from your checkout of its code, as a preference pack that stays with you",
        description="Reads a checkout of the paper's code, and its data where that is unpacked. Nothing of it is run. "
        "The pack is a local copy: it may not be published.",
    )
    paper.add_argument("source", type=Path, metavar="PATH", help="the checkout")
    paper.add_argument(
        "--facts", metavar="FILE", help="a follow-up's file of preferences (default: evals/fact_evals.py)"
    )
    paper.add_argument("--out", type=Path, required=True, metavar="DIR", help="the pack's folder")
    paper.set_defaults(run_command=_paper_repo)
    for command in (lm_eval, samples, inspect):
        command.add_argument("--out", type=Path, required=True, metavar="RUN", help="the run's folder")
        add_training_options(command)
    for command in (lm_eval, samples):
        add_pack_option(command)
