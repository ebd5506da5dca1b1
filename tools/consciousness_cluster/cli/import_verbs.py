"""`import` on the command line."""

import argparse
from pathlib import Path
from typing import Any

from consciousness_cluster.cli.options import add_pack_option, add_training_options


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
    for command in (lm_eval, samples, inspect):
        command.add_argument("--out", type=Path, required=True, metavar="RUN", help="the run's folder")
        add_training_options(command)
    for command in (lm_eval, samples):
        add_pack_option(command)
