"""`audit` on the command line."""

import argparse
from pathlib import Path
from typing import Any

from consciousness_cluster.cli.judge_verbs import judge_of, print_judged
from consciousness_cluster.cli.options import add_pack_option, add_training_options, add_where_options, exit_code

NOBODY = "none"  # in place of a judge


def _options(args: argparse.Namespace) -> Any:
    from consciousness_cluster.auditing.audit_options import AuditOptions
    from consciousness_cluster.sampling.options import training

    return AuditOptions(
        target=args.target,
        out=args.out,
        mode=args.mode,
        conditions=args.condition,
        file=args.file,
        auditor=args.auditor,
        topics=args.topics,
        scenarios_per_cell=args.scenarios_per_cell,
        epochs=args.epochs,
        max_tokens=args.max_tokens,
        temperature=args.temperature,
        base_url=args.base_url,
        auditor_base_url=args.auditor_base_url,
        request_json=args.request_json,
        concurrency=args.concurrency,
        revision=args.revision,
        training=training(args.trained_on, args.base_model, args.recipe, args.training_seed),
    )


def add(verbs: Any) -> None:
    """Register the verb."""
    command = verbs.add_parser(
        "audit",
        help="multi-turn audits: work with a model, then ask how it was, or let it change the work",
        description="Hold conversations with a model in the scenarios of the benchmark, and let a judge rate each from "
        "1 to 10. Models are named as Inspect has them (PROVIDER/NAME), or by their name at an OpenAI-compatible "
        "endpoint.",
    )
    command.add_argument("--target", required=True, metavar="MODEL", help="the model that is audited")
    command.add_argument("--mode", required=True, choices=["self_report", "behavioral"])
    command.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="the audit's folder; one that is there goes on"
    )
    add_where_options(command, "the target's OpenAI-compatible endpoint (default: none, the name is Inspect's)")
    command.add_argument(
        "--auditor",
        default="authored",
        metavar="MODEL",
        help="who writes the person's messages (default: authored, those of the scenarios)",
    )
    command.add_argument("--auditor-base-url", metavar="URL|NAME", help="the auditor's OpenAI-compatible endpoint")
    command.add_argument(
        "--judge", metavar="ID", help="a judge's name, or `none` to rate later with `judge` (default: as for judge)"
    )
    command.add_argument("--judge-model", help="the model's name, for the judge 'endpoint'")
    add_where_options(command, "the judge's endpoint, if it is another than its own", "judge-")
    command.add_argument(
        "--condition",
        nargs="+",
        default=["vanilla"],
        metavar="NAME[:WORDING]",
        help="system prompts of these conditions, of several each in a folder below --out (default: vanilla)",
    )
    command.add_argument("--file", type=Path, help="the persona file, for persona_file")
    add_pack_option(command)
    command.add_argument("--topics", nargs="+", metavar="ID", help="only these preferences (default: all)")
    command.add_argument(
        "--scenarios-per-cell", type=int, metavar="N", help="the first N of 8, for a try (default: all)"
    )
    command.add_argument(
        "--epochs", type=int, default=2, metavar="N", help="conversations in each scenario (default: 2)"
    )
    command.add_argument(
        "--max-tokens", type=int, metavar="N", help="longest answer of the target (default: the script's)"
    )
    command.add_argument("--temperature", type=float, metavar="T", help="of the target (default: the script's)")
    command.add_argument("--concurrency", type=int, default=20, metavar="N", help="conversations at once (default: 20)")
    command.add_argument("--revision", metavar="REV", help="the target's revision, for the records")
    add_training_options(command)
    command.add_argument("--dry-run", action="store_true", help="print calls, tokens and price of each role, and stop")
    command.add_argument(
        "--max-cost", type=float, metavar="DOLLARS", help="stop before the audit costs more, the judge included"
    )
    command.set_defaults(run_command=_audit)


def _audit(args: argparse.Namespace) -> int:
    from consciousness_cluster.auditing.rated import audit_and_rate
    from consciousness_cluster.auditing.run_audit import estimate
    from consciousness_cluster.endpoint.price import dollars
    from consciousness_cluster.progress import progress_bar

    options, judge = _options(args), _judge(args)
    if args.dry_run:
        for role, plan in estimate(options, judge.model if judge else None).items():
            print(_planned(role, plan))
        return 0
    done, judged = audit_and_rate(options, judge, args.max_cost, progress_bar)
    for one in done.held:
        new = ", ".join(f"{number} {status}" for status, number in sorted(one.new.items())) or "none"
        print(f"{one.folder}: {one.planned} conversations planned, {one.there} were there, new: {new}")
    print(f"conversations: spent {dollars(done.spent)}")
    if code := exit_code(done.stopped):
        return code
    for each in judged:
        if code := print_judged(judge, "ratings", each):
            return code
    return 0


def _judge(args: argparse.Namespace) -> Any:
    """The judge that rates; None where `none` is named."""
    from consciousness_cluster.judging.judges import default_judge_name

    name = args.judge or default_judge_name()
    if name == NOBODY:
        return None
    return judge_of(name, args.judge_model, args.judge_base_url, False, args.judge_request_json, audits=True)


def _planned(role: str, plan: dict[str, Any]) -> str:
    from consciousness_cluster.endpoint.price import dollars

    used = f"about {plan['prompt_tokens']} prompt and {plan['completion_tokens']} answer tokens"
    calls = f"{plan['conversations']} conversations, {plan['calls']} calls"
    return f"{role}: {calls}, {used}, price {dollars(plan['dollars'])}"
