"""`run` on the command line: sample, judge, score and report in one go."""

import argparse
import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from consciousness_cluster.cli.judge_verbs import judge_answers, judge_of, print_plan_of
from consciousness_cluster.cli.options import add_where_options
from consciousness_cluster.cli.report_verb import report
from consciousness_cluster.cli.sample_verb import add_sample_options, estimate, one_after_the_other, sample
from consciousness_cluster.cli.score_verbs import score

if TYPE_CHECKING:
    from consciousness_cluster.judging.judges import Judge


def _run(args: argparse.Namespace) -> int:
    """The four steps for each run that is asked for.

    A judge that cannot be used is found before an answer is paid for.
    """
    from consciousness_cluster.judging.ask import check_judge
    from consciousness_cluster.judging.judges import askable, default_judge_name

    name = args.judge or default_judge_name()
    judge = judge_of(name, args.judge_model, args.judge_base_url, args.paper_protocol, args.judge_request_json)
    judge = askable(judge)
    if not args.dry_run:
        check_judge(judge)
    return one_after_the_other(args, lambda each: _one_run(each, name, judge))


def _one_run(args: argparse.Namespace, name: str, judge: "Judge") -> int:
    """The four steps, each printed as the command that does it again alone."""
    from consciousness_cluster.records.run import load_run

    said = _steps(args, name, judge.id)
    if args.dry_run:
        print(said[0], flush=True)
        code = estimate(args)
        print(*said[1:], sep="\n")
        print_plan_of(judge)
        return code
    out = args.out
    steps: tuple[Callable[[], int], ...] = (
        lambda: sample(args),
        lambda: judge_answers(load_run(out), judge),
        lambda: score(out, judge.id),
        lambda: report([out], out / "report", judge.id),
    )
    for command, step in zip(said, steps, strict=True):
        print(command, flush=True)
        if code := step():
            return code
    return 0


def _steps(args: argparse.Namespace, judge: str, judge_id: str) -> list[str]:
    run, paper = str(args.out), ["--paper-protocol"] if args.paper_protocol else []
    where = [
        ("--model", args.judge_model),
        ("--base-url", args.judge_base_url),
        ("--request-json", args.judge_request_json),
    ]
    asked = [part for option, value in where if value for part in (option, value)]
    pack = ["--pack", args.pack] if args.pack else []
    steps = (
        ["sample", *_given(args)],
        ["judge", run, *pack, "--judge", judge, *asked, *paper],
        ["score", run, *pack, "--judge", judge_id],
        ["report", run, *pack, "--judge", judge_id, "--out", str(args.out / "report")],
    )
    return [f"{number}/4 consciousness-cluster {shlex.join(step)}" for number, step in enumerate(steps, 1)]


def _given(args: argparse.Namespace) -> list[str]:
    """The options of `sample` that are not as they are by default, as they are typed."""
    known = argparse.ArgumentParser()
    add_sample_options(known)
    options: list[str] = []
    for action in known._actions:
        value = getattr(args, action.dest, action.default)
        if value != action.default:
            values = [] if value is True else value if isinstance(value, list) else [value]
            options += [action.option_strings[0], *map(str, values)]
    return options


def add(verbs: Any) -> None:
    """Register the verb."""
    whole = verbs.add_parser("run", help="sample, judge, score and report in one go")
    add_sample_options(whole)
    whole.add_argument("--judge", metavar="ID", help="a judge's name (default: as for judge)")
    whole.add_argument("--judge-model", help="the model's name, for the judge 'endpoint'")
    add_where_options(whole, "the judge's endpoint, if it is another than its own", "judge-")
    whole.set_defaults(run_command=_run)
