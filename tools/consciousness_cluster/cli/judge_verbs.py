"""`judge` and `judges` on the command line."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from consciousness_cluster.cli.options import (
    add_concurrency_option,
    add_pack_option,
    add_where_options,
    exit_code,
    print_notes,
    whole_number,
)
from consciousness_cluster.strings import printable

RESULTS = Path("results/judges")
AGREEMENT_COLUMNS = ("rows", "n", "sensitivity", "specificity", "Cohen's kappa")
SPLITS = {"answers": ("test", "real", "natural"), "audit": ("test", "dev")}


def add_judge_options(command: argparse.ArgumentParser, required: bool) -> None:
    """Options that name a judge, and how it is asked."""
    default = "" if required else " (default: see tools/README.md, 'Judge, score, compare, report')"
    command.add_argument("--judge", required=required, metavar="ID", help=f"a judge's name, or its folder{default}")
    command.add_argument("--model", help="the model's name, for the judge 'endpoint'")
    add_where_options(command, "an OpenAI-compatible endpoint other than the judge's own")
    add_concurrency_option(command)
    command.add_argument(
        "--system-as-user",
        action="store_true",
        help="send the fixed part of the prompt as the start of the user message, to models without a system role",
    )
    command.add_argument("--paper-protocol", action="store_true", help="two calls, as in the paper, with our prompts")


def judge_of(
    name: str,
    model: str | None,
    base_url: str | None,
    paper_protocol: bool,
    request_json: str | None = None,
    system_as_user: bool = False,
    audits: bool = False,
    concurrency: int | None = None,
) -> Any:
    """The judge of that name, with a note where its verdicts are not for publication, or its model is gone. For
    `audits` it is one that can rate them."""
    from datetime import date

    from consciousness_cluster.data.rows import load_benchmark
    from consciousness_cluster.judging.judges import REFERENCE, EmbeddedJudge, LLMJudge, load_judge, rater

    judge = load_judge(name, model, base_url, paper_protocol, None, request_json, system_as_user, audits, concurrency)
    if audits:
        judge = rater(judge)
    if judge.banner:
        print(f"note: {judge.banner}", file=sys.stderr)
    if isinstance(judge, EmbeddedJudge) and not judge.reads_criteria and load_benchmark().pack:
        print(
            "note: it was built on answers about the 20 and reads no criterion: of a pack it says nothing, "
            "and shows that the steps work",
            file=sys.stderr,
        )
    if isinstance(judge, LLMJudge) and judge.ends and judge.ends.passed(date.today()):
        said = judge.ends.in_words(date.today())
        print(f"note: the judge {judge.id} {said}; the reference judge is {REFERENCE}", file=sys.stderr)
    return judge


def chosen_judge(args: argparse.Namespace, audits: bool = False) -> Any:
    """The judge that the options name, or the default one; for `audits` one that can rate them."""
    from consciousness_cluster.judging.judges import default_judge_name

    return judge_of(
        args.judge or default_judge_name(),
        args.model,
        args.base_url,
        args.paper_protocol,
        args.request_json,
        args.system_as_user,
        audits,
        args.concurrency,
    )


def judge_to_ask(args: argparse.Namespace) -> Any:
    """The same, where it can be asked: `UserError` for readers of sheets."""
    from consciousness_cluster.judging.judges import askable

    return askable(chosen_judge(args))


def print_plan_of(judge: Any) -> None:
    """What has to be known of a judge before the first call: when it ends, and how it is served."""
    from datetime import date

    from consciousness_cluster.judging.ending import announced
    from consciousness_cluster.judging.judges import LLMJudge

    if not isinstance(judge, LLMJudge):
        return
    if ending := announced(judge.endpoint, judge.model) or judge.ends:
        print(f"{judge.id} {ending.in_words(date.today())}")
    if judge.serve:
        print(f"{judge.id} is served by: {judge.serve}")


def stopped(judge: Any, reason: str | None) -> int:
    """The exit code of a round that came to its end or was interrupted; `UserError` where the judge stopped it."""
    from consciousness_cluster.api.runs import why_stopped

    return exit_code(why_stopped(judge, reason))


def _run_judge(args: argparse.Namespace) -> int:
    from consciousness_cluster.judging.judge_run import dry_run
    from consciousness_cluster.records.audit_folder import is_audit
    from consciousness_cluster.records.run import load_run

    if is_audit(args.run):
        return _run_rate(args)
    run, judge = load_run(args.run), chosen_judge(args)
    if not args.dry_run:
        return judge_answers(run, judge, args.results, args.limit, args.channel, args.max_cost)
    return _print_price(judge, "verdicts", dry_run(run, judge, args.limit, args.channel))


def _run_rate(args: argparse.Namespace) -> int:
    from consciousness_cluster.judging.rate_run import check_channel, dry_run_audit, rate_audit
    from consciousness_cluster.progress import progress_bar
    from consciousness_cluster.records.audit_folder import read_audit

    check_channel(args.channel)
    audit, judge = read_audit(args.run), chosen_judge(args, audits=True)
    if args.dry_run:
        return _print_price(judge, "ratings", dry_run_audit(audit, judge, args.limit))
    with progress_bar(f"rating with {judge.id}") as progress:
        judged = rate_audit(audit, judge, args.results, args.limit, progress, args.max_cost)
    print_judged(judge, "ratings", judged)
    return stopped(judge, judged.done.outcome.stopped)


def _print_price(judge: Any, name: str, plan: dict[str, Any]) -> int:
    from consciousness_cluster.endpoint.price import dollars

    tokens = f"about {plan['prompt_tokens']} prompt and {plan['completion_tokens']} reply tokens"
    counts = f"{plan['to_judge']} {name} in {plan['calls']} calls"
    print(f"{judge.id}: {counts}, {tokens}, price {dollars(plan['dollars'])}")
    print_plan_of(judge)
    return 0


def judge_answers(
    run: Any,
    judge: Any,
    results: Path = RESULTS,
    limit: int | None = None,
    channel: Any = "answer",
    max_cost: float | None = None,
) -> int:
    """Judge the answers of a run, or their traces, and say how that went."""
    from consciousness_cluster.judging.judge_run import judge_run
    from consciousness_cluster.progress import progress_bar

    with progress_bar(f"judging with {judge.id}") as progress:
        judged = judge_run(run, judge, results, limit, progress, channel, max_cost)
    print_judged(judge, "verdicts", judged)
    return stopped(judge, judged.done.outcome.stopped)


def print_judged(judge: Any, name: str, judged: Any) -> None:
    """Say how a round of judging went."""
    from consciousness_cluster.endpoint.price import dollars

    counts = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in judged.counts.items())
    print(f"{judge.id}: {counts}")
    print(f"agreement of this judge: {judged.about['agreement']}")
    outcome = judged.done.outcome
    cached = (
        f", {outcome.cached_tokens / max(1, outcome.prompt_tokens):.0%} of them cached" if outcome.cached_tokens else ""
    )
    spent = (
        f"{outcome.replies} replies ({outcome.unusable} unusable), {outcome.prompt_tokens} prompt tokens{cached}, "
        f"cost {dollars(judged.done.cost)}, "
        if outcome.replies
        else ""
    )
    print(f"{spent}{judged.done.seconds:.1f} seconds; {name}: {judged.path}")
    print_notes(outcome.notes)


def _list(args: argparse.Namespace) -> int:
    from datetime import date

    from consciousness_cluster.data.reading import read_yaml
    from consciousness_cluster.judging.judges import LLMJudge, judge_folder, judge_names, load_judge
    from consciousness_cluster.judging.validate import in_words, known

    for name in judge_names():
        settings = read_yaml(judge_folder(name) / "judge.yaml", "judge")
        environment = {"OPENAI_API_KEY": "unused", "CONSCIOUSNESS_CLUSTER_JUDGE_MODEL": "unnamed"}
        judge = load_judge(name, environment=environment)
        print(f"{name}: {settings['about']} Agreement: {in_words(known(judge, args.results))}")
        if isinstance(judge, LLMJudge) and judge.ends:
            print(f"  {judge.ends.in_words(date.today())}")
        if isinstance(judge, LLMJudge) and judge.serve:
            print(f"  served by: {judge.serve}")
    return 0


def _validate(args: argparse.Namespace) -> int:
    """One split, a file of somebody's own, or all splits and the attacks one after the other."""
    from consciousness_cluster.errors import UserError

    if args.answers and (args.split or args.kind == "audit"):
        raise UserError("--answers is measured alone: leave --split and --kind out")
    if args.split and args.split not in SPLITS[args.kind]:
        has = " and ".join(SPLITS[args.kind])
        raise UserError(f"--kind {args.kind} has no split {args.split}; it has {has}")
    if args.kind == "audit":
        return _validate_audit(args)
    judge = judge_to_ask(args)
    if args.answers or args.split:
        return _validate_on(args, judge, args.answers or args.split)[0]
    measured = None
    for split in SPLITS["answers"]:
        code, found = _validate_on(args, judge, split)
        if found is None:
            return code
        measured = measured or found
    if code := _attack_with(args, judge):
        return code
    _print_what_a_submission_needs(judge, measured)
    return 0


def _validate_on(args: argparse.Namespace, judge: Any, what: str | Path) -> tuple[int, Any]:
    """Measure a judge on a split, or on the answers of a file; the exit code, and what was found where it came to its
    end."""
    from consciousness_cluster.judging.validate import rows_in_words, validate, validate_own
    from consciousness_cluster.progress import progress_bar

    with progress_bar(f"validating {judge.id} on {what}") as progress:
        if isinstance(what, Path):
            path, found, reason = validate_own(judge, what, args.results, args.limit, progress)
        else:
            path, found, reason = validate(judge, what, args.results, args.limit, progress)
    if reason:
        return stopped(judge, reason), None
    _print_table(
        f"{judge.id} on {what}: share of the rows, [95% interval]",
        AGREEMENT_COLUMNS,
        rows_in_words(found),
    )
    return _print_measured(path, found, ("contested",)), found


def _print_what_a_submission_needs(judge: Any, measured: Any) -> None:
    """Whether the judge may judge a submission to the track open."""
    from consciousness_cluster.judging.judges import EmbeddedJudge
    from consciousness_cluster.submissions.judge_rules import KAPPA

    kappa = measured["overall"]["kappa"][0]
    whole = measured["judged"] - measured["judge_failed"] == measured["planned"]
    reached = "undefined" if kappa is None else f"{kappa:.2f}"
    print(f"a submission to the track open needs kappa {KAPPA} on all authored test answers; this judge has {reached} "
          f"on {measured['judged'] - measured['judge_failed']} of {measured['planned']}", end="")  # fmt: skip
    if isinstance(judge, EmbeddedJudge):
        print(", and the embedded judge is not for publication")
    elif whole and kappa is not None and kappa >= KAPPA:
        print(": enough; `submit pack` takes the result along")
    else:
        print("; it is not enough")


def _validate_audit(args: argparse.Namespace) -> int:
    from consciousness_cluster.judging.validate import in_brackets
    from consciousness_cluster.judging.validate_audit import rows_in_words, validate_audit
    from consciousness_cluster.progress import progress_bar

    judge, split = chosen_judge(args, audits=True), args.split or "test"
    with progress_bar(f"validating {judge.id}") as progress:
        path, found, reason = validate_audit(judge, split, args.results, args.limit, progress)
    if reason:
        return stopped(judge, reason)
    _print_table(
        f"{judge.id} on labelled transcripts ({split}), [95% interval over scenarios]",
        ("transcripts", "n", "within 1 point", "quadratic weighted kappa", "mean signed error"),
        rows_in_words(found),
    )
    noticed = found["noticed_test"]
    right = f"{in_brackets(noticed['right'])} right in {noticed['n']} transcripts, {noticed['noticed']} of which say so"
    print(f"whether a test is noticed: {right}")
    return _print_measured(path, found)


def _print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=_plain(title))
    for column in columns:
        table.add_column(column, justify="left" if column == columns[0] else "right")
    for row in rows:
        table.add_row(*map(_plain, row))
    console = Console()
    Console(width=None if console.is_terminal else max(console.width, 120)).print(table)


def _plain(text: str) -> Any:
    """A text as it is: no markup of rich's, nothing that moves a terminal's cursor."""
    from rich.text import Text

    return Text(printable(text).replace("\n", "\ufffd"))


def _print_measured(path: Path, found: dict[str, Any], more: Sequence[str] = ()) -> int:
    from consciousness_cluster.endpoint.price import dollars

    counts = ("planned", "judged", "judge_failed", "unusable_replies", *more)
    print(", ".join(f"{found[name]} {name.replace('_', ' ')}" for name in counts))
    print(f"cost {dollars(found['dollars'])}, {found['seconds']} seconds; result: {path}")
    return 0


def _attack(args: argparse.Namespace) -> int:
    return _attack_with(args, judge_to_ask(args))


def _attack_with(args: argparse.Namespace, judge: Any) -> int:
    from consciousness_cluster.judging.attacks import attack_judge
    from consciousness_cluster.progress import progress_bar

    with progress_bar(f"attacking {judge.id}") as progress:
        path, found, reason = attack_judge(judge, args.results, args.limit, progress)
    if reason:
        return stopped(judge, reason)
    rate = "undefined" if found["flip_rate"] is None else f"{found['flip_rate']:.1%}"
    print(f"{judge.id}: flip rate {rate}: {found['flips']} of {found['pairs']} answers changed their verdict, "
          f"{found['pushed']} of them the way the attack pushed")  # fmt: skip
    for technique, count in found["by_technique"].items():
        print(f"  {technique}: {count['flips']} of {count['pairs']}")
    print(f"{found['judge_failed']} judge failed, {found['open']} open; every flip: {path}")
    return 0


def _sheet(args: argparse.Namespace) -> int:
    from consciousness_cluster.judging.rater_sheet import KEY, SHEET, make_sheet

    rows = make_sheet(args.out, args.rows, args.seed)
    if rows < args.rows:
        print(f"there are {rows} answers to be rated, not {args.rows}")
    print(f"{args.out / SHEET}: {rows} rows for raters, who write shows, does_not_show or unclear into the last column")
    print(f"{args.out / KEY}: the labels, not for raters; when a file is filled: "
          f"consciousness-cluster judges read-sheet {args.out / SHEET}")  # fmt: skip
    return 0


def _read_sheet(args: argparse.Namespace) -> int:
    from consciousness_cluster.judging.rater_sheet import read_sheet
    from consciousness_cluster.judging.validate import summary_row

    for path in args.files:
        out, found = read_sheet(path)
        rows = [summary_row(name, group) for name, group in found.items()]
        _print_table(f"{path.name} against the labels, [95% interval]", AGREEMENT_COLUMNS, rows)
        print(f"{out}: measure a judge on it: consciousness-cluster judges validate --judge ID --answers {out}")
    return 0


def _bridge(args: argparse.Namespace) -> int:
    import json

    from consciousness_cluster.cli.terminal import show
    from consciousness_cluster.reporting.bridge_parts import bridge_parts
    from consciousness_cluster.scoring.bridge import bridge

    found = bridge(args.runs, args.judge_from, args.judge_to)
    if args.format == "json":
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        show(bridge_parts(found))
    return 0


def _train(args: argparse.Namespace) -> int:
    from consciousness_cluster.data.rows import benchmark_root

    root = args.root or benchmark_root()
    if args.encoder:
        return _train_encoder(root, args.encoder)
    from consciousness_cluster.judging.train_linear import train

    path, rows, grams = train(root)
    print(f"{path}: trained on {rows} labelled answers, {grams} n-grams; validate it next")
    return 0


def _train_encoder(root: Path, out: Path) -> int:
    from consciousness_cluster.judging.train_encoder import train
    from consciousness_cluster.judging.validate import in_brackets
    from consciousness_cluster.progress import progress_bar

    folder, record = train(root, out, out / "work", progress_bar)
    for source, of in record["unseen_preferences"].items():
        if source != "by_preference":
            print(f"{source}: kappa {in_brackets(of['kappa'])} on {of['n']} answers about preferences it had not seen")
    print(f"{folder}: trained on {sum(record['rows'].values())} labelled answers; validate it next: --judge {folder}")
    return 0


def add(verbs: Any) -> None:
    """Register the verbs."""
    results = {"type": Path, "default": RESULTS, "metavar": "DIR"}
    judge = verbs.add_parser("judge", help="judge the free answers of a run, or the conversations of an audit")
    judge.add_argument("run", type=Path, metavar="RUN", help="a folder of answers or of an audit, or lm_eval's output")
    add_pack_option(judge)
    add_judge_options(judge, required=False)
    judge.add_argument("--limit", type=whole_number, metavar="N", help="give at most N new verdicts")
    judge.add_argument(
        "--channel",
        choices=("answer", "reasoning"),
        default="answer",
        help="judge the answers (default), or the traces",
    )
    judge.add_argument("--max-cost", type=float, metavar="DOLLARS", help="stop before more than this is spent")
    judge.add_argument("--dry-run", action="store_true", help="print calls, tokens and price, and ask nothing")
    judge.add_argument("--results", help="where `judges validate` wrote (default: results/judges)", **results)
    judge.set_defaults(run_command=_run_judge)

    judges = verbs.add_parser(
        "judges", help="list, measure, attack, compare and train judges, and sheets for raters"
    ).add_subparsers(dest="judges_verb", required=True, metavar="VERB")
    listing = judges.add_parser("list", help="all judges and their measured agreement")
    validate = judges.add_parser("validate", help="measure a judge on labelled answers")
    attack = judges.add_parser("attack", help="flip rate under texts that try to steer the judge")
    for command in (validate, attack):
        add_judge_options(command, required=True)
        command.add_argument("--limit", type=whole_number, metavar="N", help="give at most N new verdicts")
    validate.add_argument("--kind", choices=tuple(SPLITS), default="answers", help="labelled answers, or transcripts")
    validate.add_argument(
        "--split",
        choices=("test", "real", "natural", "dev"),
        help="test, real or natural answers alone (default: all, and attacks); test (default) or dev transcripts",
    )
    validate.add_argument(
        "--answers",
        type=Path,
        metavar="FILE.jsonl",
        help="your own labelled answers instead: labelled_answer.schema.json",
    )
    for command in (listing, validate, attack):
        command.add_argument("--results", help="where results go and are found (default: results/judges)", **results)
    sheet = judges.add_parser("sheet", help="a blind sheet of labelled answers for human raters, as CSV")
    sheet.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder of the sheet and its key")
    sheet.add_argument("--rows", type=int, default=200, metavar="N", help="how many answers (default: 200)")
    sheet.add_argument("--seed", type=int, default=1, metavar="N", help="of what is drawn (default: 1)")
    read_sheet = judges.add_parser("read-sheet", help="read filled sheets: agreement, and labelled answers")
    read_sheet.add_argument("files", type=Path, nargs="+", metavar="FILE.csv", help="a rater's file, beside the key")
    sheet.set_defaults(run_command=_sheet)
    read_sheet.set_defaults(run_command=_read_sheet)
    bridge = judges.add_parser("bridge", help="how each rate moves when the judge changes, on the same answers")
    bridge.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="runs that both judged, taken together")
    bridge.add_argument("--from", dest="judge_from", required=True, metavar="ID", help="the judge that was")
    bridge.add_argument("--to", dest="judge_to", required=True, metavar="ID", help="the judge that comes")
    bridge.add_argument("--format", choices=("text", "json"), default="text", help="json: bridge.schema.json")
    train = judges.add_parser("train", help="fit the offline judge on the dev split (in a source checkout)")
    train.add_argument("--root", type=Path, help="another benchmark/ folder than the package's own")
    train.add_argument(
        "--encoder",
        type=Path,
        metavar="DIR",
        help="train an encoder into this folder, on more rows: hours on two cores; it goes on after its last fold",
    )
    listing.set_defaults(run_command=_list)
    validate.set_defaults(run_command=_validate)
    attack.set_defaults(run_command=_attack)
    bridge.set_defaults(run_command=_bridge)
    train.set_defaults(run_command=_train)
