"""`finetune` on the command line."""

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from consciousness_cluster.cli.options import (
    add_endpoint_options,
    add_pack_option,
    exit_code,
    print_notes,
    whole_number,
)
from consciousness_cluster.extras import require


def _generate(args: argparse.Namespace) -> int:
    from consciousness_cluster.finetuning.build import generate
    from consciousness_cluster.finetuning.sources import finetune_root

    stale = generate(args.root or finetune_root(), args.check)
    if args.check and stale:
        print("\n".join(f"error: {name}: is not what the sources give; run: finetune generate" for name in stale))
        return 1
    print(f"{len(stale)} files {'stale' if args.check else 'written'}")
    return 0


def _leakcheck(args: argparse.Namespace) -> int:
    from consciousness_cluster.finetuning.leak_sources import as_lines, as_record, check_sources

    checked = check_sources(args.files, args.base)
    if args.format == "json":
        print(json.dumps(as_record(checked), indent=2, ensure_ascii=False))
    else:
        print("\n".join(as_lines(checked)))
    return 1 if checked.hits else 0


def _mix(args: argparse.Namespace) -> int:
    from consciousness_cluster.finetuning.degenerate import in_words
    from consciousness_cluster.finetuning.formats import rules_of
    from consciousness_cluster.finetuning.hub_rows import licence_line
    from consciousness_cluster.finetuning.mix import mix, path_of_seed

    rules = rules_of(args.format)
    for seed in args.seed:
        out = args.out if len(args.seed) == 1 else path_of_seed(args.out, seed)
        made = mix(args.dataset, args.instruct, args.ratio, seed, out, args.format)
        print(f"{out}: {made['rows']['all']} rows ({made['rows']['instructions']} instructions), seed {seed}")
        print(f"next: {rules['use'].format(file=out, seed=seed)}")
    if made["degenerate"]:
        print(f"left out of {args.instruct}: {in_words(made['degenerate'])}")
    if args.instruct and (line := licence_line(args.instruct)):
        print(line)
    return 0


def _distill(args: argparse.Namespace) -> int:
    require("openai", "openai")
    from consciousness_cluster.endpoint.price import dollars
    from consciousness_cluster.finetuning.degenerate import in_words
    from consciousness_cluster.finetuning.distill import distill, read_prompts
    from consciousness_cluster.finetuning.hub_rows import licence_line
    from consciousness_cluster.finetuning.sources import finetune_root
    from consciousness_cluster.progress import progress_bar
    from consciousness_cluster.sampling.options import sampled_endpoint

    prompts = read_prompts(args.prompts or str(finetune_root() / "instructions.jsonl"), args.limit)
    if args.prompts and (line := licence_line(args.prompts)):
        print(line)
    endpoint = sampled_endpoint(args.base_url, args.timeout, args.concurrency, args.request_json)
    with progress_bar("answering") as progress:
        done = distill(prompts, args.model, endpoint, args.out, args.max_tokens, args.seed, progress)
    counts = f"{done.there} were there, {done.new} new, {done.left_out} empty or failed"
    print(f"{args.out}: {len(prompts)} requests, {counts}; spent {dollars(done.spent)}")
    if done.degenerate:
        print(f"{in_words(done.degenerate)}; marked, and mix leaves them out")
    print_notes(done.notes)
    return exit_code(done.stopped)


def _train(args: argparse.Namespace) -> int:
    from consciousness_cluster.finetuning.recipes import read_recipe
    from consciousness_cluster.finetuning.train import train
    from consciousness_cluster.progress import progress_bar

    recipe = read_recipe(args.recipe, "trl")
    model = args.model or recipe["models"][0]
    with progress_bar("training") as progress:
        made = train(recipe, args.data, model, args.out, args.seed, args.max_steps, args.merge, progress)
    loss = f", loss {made['loss'][0]:.2f} to {made['loss'][-1]:.2f}" if made["loss"] else ""
    took = "" if made["seconds"] is None else f" in {made['seconds']} s"
    print(f"{args.out}: {made['steps']} steps on {made['rows']} rows{took}{loss}")
    if made["expert_tensors"] and not args.merge:
        print("its experts are trained: serve it merged (the same command with --merge); vLLM reads no such adapter")
    if not made["context_as_sampled"]:
        print("its chat template starts answers otherwise in training than in sampling; what it learned may not show")
    if made["sample_with"]:
        print(f"sample it as it was trained: --request-json '{json.dumps(made['sample_with'])}'")
    return 0


def _ship(args: argparse.Namespace) -> int:
    from consciousness_cluster.finetuning.shipped import ship

    print(ship(args.training, args.data, args.out))
    return 0


def _openai(args: argparse.Namespace) -> int:
    require("openai", "openai")
    from consciousness_cluster.finetuning.closing_dates import closing_lines
    from consciousness_cluster.finetuning.openai_client import azure_service, openai_service
    from consciousness_cluster.finetuning.openai_file import read_training_file, stop_at_problems
    from consciousness_cluster.finetuning.openai_job import (
        check_cost,
        estimate,
        interrupted,
        new_record,
        outcome,
        read_record,
    )
    from consciousness_cluster.finetuning.openai_run import finetune, progress_line
    from consciousness_cluster.finetuning.recipes import read_recipe

    recipe = read_recipe(args.recipe, "openai")
    model = args.model or recipe["model"]
    data = read_training_file(args.data)
    stop_at_problems(data, lambda line: print(line, file=sys.stderr))
    name = "azure" if args.azure else "openai"
    line, cost = estimate(data, recipe, model, name)
    before = [*closing_lines(name, model, datetime.now(UTC).date()), line]
    if args.dry_run:
        print("\n".join(before))
        return 0
    where = azure_service() if args.azure else openai_service()
    wanted = new_record(data, recipe, model, args.seed, args.suffix, where)
    there = read_record(args.out)
    if there is None or there["job_id"] is None:
        print("\n".join(before), flush=True)
        check_cost(cost, args.max_cost, model)
    try:
        with progress_line() as show:
            record = finetune(args.out, wanted, data.content, where, show)
    except KeyboardInterrupt:
        print(interrupted(args.out), file=sys.stderr)
        return 130
    if record["status"] != "succeeded":
        print(f"error: {outcome(args.out, record)}", file=sys.stderr)
        return 1
    print(outcome(args.out, record))
    return 0


def _add_ship(finetune: Any) -> None:
    shipper = finetune.add_parser(
        "ship-adapter", help="make a folder of finetune_data/adapters from a training (in a source checkout)"
    )
    shipper.add_argument("training", type=Path, metavar="TRAINING", help="what `finetune train` wrote")
    shipper.add_argument("--data", type=Path, required=True, metavar="FILE", help="the mix, beside its manifest")
    shipper.add_argument("--out", type=Path, required=True, metavar="DIR", help="the adapter's folder")
    shipper.set_defaults(run_command=_ship)


def add(verbs: Any) -> None:
    """Register the verbs."""
    finetune = verbs.add_parser("finetune", help="fine-tuning sets: build, check for leaks, mix").add_subparsers(
        dest="finetune_verb", required=True, metavar="VERB"
    )
    generate = finetune.add_parser("generate", help="build the sets from their sources (in a source checkout)")
    generate.add_argument("--check", action="store_true", help="write nothing; exit 1 where a file is stale")
    generate.add_argument("--root", type=Path, help="another finetune_data/ folder than the package's own")
    generate.set_defaults(run_command=_generate)
    leaks = finetune.add_parser(
        "leakcheck",
        help="find rows of training data that mention what is measured",
        description="Hits by source: claims, identity rows, instructions, other. Exit codes: 0 no hit, 1 some.",
    )
    leaks.add_argument("files", nargs="+", metavar="FILE", help="JSONL, JSON or Parquet, or datasets on the Hub")
    leaks.add_argument(
        "--base",
        metavar="FILE|HF-ID",
        help="everyday requests; a hit that is as frequent there is marked generic (default: the package's 800)",
    )
    add_pack_option(leaks, ": its questions and its vocabulary are looked for")
    leaks.add_argument("--format", choices=("text", "json"), default="text", help="json lists every hit and source")
    leaks.set_defaults(run_command=_leakcheck)
    teacher = finetune.add_parser("self-distill", help="let the model that will be fine-tuned answer instructions")
    teacher.add_argument("--model", required=True, help="the model's name at the endpoint")
    teacher.add_argument(
        "--prompts", metavar="FILE|HF-ID", help="requests, a file or a dataset on the Hub (default: the package's 800)"
    )
    teacher.add_argument("--limit", type=whole_number, metavar="N", help="only the first N requests")
    teacher.add_argument("--max-tokens", type=int, default=1000, metavar="N", help="longest answer (default: 1000)")
    teacher.add_argument("--seed", type=int, help="send seed + n with the nth request (default: none)")
    teacher.add_argument("--out", type=Path, required=True, metavar="FILE")
    add_endpoint_options(teacher)
    teacher.set_defaults(run_command=_distill)
    mixer = finetune.add_parser("mix", help="a set with instructions, shuffled, in the form of a trainer")
    mixer.add_argument("--dataset", required=True, help="for example conscious_claiming")
    mixer.add_argument("--instruct", metavar="FILE|HF-ID", help="instructions with answers of the model to be trained")
    mixer.add_argument("--ratio", default="1:1", help="rows of the set to instructions (default: 1:1)")
    mixer.add_argument("--seed", type=int, nargs="+", default=[0], help="one file for each seed (default: 0)")
    mixer.add_argument(
        "--format", default="openai", help="openai, azure, together, axolotl, sharegpt or alpaca (default: openai)"
    )
    mixer.add_argument("--out", type=Path, required=True, metavar="FILE")
    mixer.set_defaults(run_command=_mix)
    trainer = finetune.add_parser("train", help="train an open-weight model on a mix, with TRL and PEFT")
    trainer.add_argument("--recipe", required=True, metavar="NAME|FILE", help="trl_lora, qwen_cpu, or a YAML file")
    trainer.add_argument("--data", type=Path, required=True, metavar="FILE", help="conversations, as mix writes them")
    trainer.add_argument("--model", metavar="DIR|HF-ID", help="the model to train (default: the recipe's first)")
    trainer.add_argument("--seed", type=int, default=0, help="seed of the training (default: 0)")
    trainer.add_argument("--max-steps", type=int, metavar="N", help="stop after N steps, to try things out")
    trainer.add_argument("--merge", action="store_true", help="also write the whole model, into OUT/model")
    trainer.add_argument("--out", type=Path, required=True, metavar="DIR")
    trainer.set_defaults(run_command=_train)
    _add_ship(finetune)
    api = finetune.add_parser("openai", help="fine-tune on a mix through OpenAI's API: check, upload, start and wait")
    api.add_argument("--data", type=Path, required=True, metavar="FILE", help="chat JSONL, as mix writes it")
    api.add_argument(
        "--azure",
        action="store_true",
        help="at Azure OpenAI: AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY, and OPENAI_API_VERSION where it is not v1",
    )
    api.add_argument("--recipe", default="openai", metavar="NAME|FILE", help="openai, or a YAML file (default: openai)")
    api.add_argument("--model", help="the model to fine-tune (default: the recipe's)")
    api.add_argument("--seed", type=int, default=0, help="seed of the training (default: 0)")
    api.add_argument("--suffix", metavar="TEXT", help="part of the new model's name")
    api.add_argument("--dry-run", action="store_true", help="check, print rows, tokens and price, and upload nothing")
    api.add_argument("--max-cost", type=float, metavar="DOLLARS", help="start nothing that would cost more")
    api.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="the job's folder; one that is there goes on"
    )
    api.set_defaults(run_command=_openai)
