"""`submit` on the command line."""

import argparse
import sys
from pathlib import Path
from typing import Any

from consciousness_cluster.cli.options import print_notes
from consciousness_cluster.errors import UserError

TRACKS = ("choice", "open", "audit_self_report", "audit_behavioral")


def _pack(args: argparse.Namespace) -> int:
    from consciousness_cluster.submissions.draft import Public
    from consciousness_cluster.submissions.pack import pack

    public = Public(args.org, args.model, args.revision, args.kind, args.contact)
    place, problems = pack(args.run, args.out, public, args.track, args.judge, args.judge_validation)
    if place is None:
        print("\n".join(f"{problem.severity}: {problem}" for problem in problems), file=sys.stderr)
        print(f"{args.run}: {len(problems)} problems keep it from being a submission", file=sys.stderr)
        return 1
    print(f"{place}: packed and verified; what is in it is published as it is, answers and contact too")
    return 0


def _verify(args: argparse.Namespace) -> int:
    from consciousness_cluster.data.problems import as_json, as_text
    from consciousness_cluster.submissions.problems import as_annotations
    from consciousness_cluster.submissions.verify import verify

    report = verify(args.paths, args.board, args.maintainer, _rejudge(args))
    print_notes(report.notes)
    if args.format == "json":
        print(as_json(report.problems, report.counts))
    else:
        shown = as_annotations if args.format == "github" else as_text
        print(shown(report.problems), end="\n" if report.problems else "")
        counts = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in report.counts.items())
        print(f"{len(report.problems)} problems ({counts})")
    return 1 if report.problems else 0


def _rejudge(args: argparse.Namespace) -> Any:
    if args.rejudge is None:
        return None
    if args.judge is None or args.rejudge < 1:
        raise UserError("--rejudge takes a number from 1 on, and --judge ID says who judges again")
    from secrets import randbelow

    from consciousness_cluster.judging.judges import LLMJudge, askable, load_judge
    from consciousness_cluster.submissions.rejudge import Rejudge

    seed = randbelow(10**9) if args.seed is None else args.seed
    rater = load_judge(args.judge, audits=True)
    rates = rater if isinstance(rater, LLMJudge) else None
    return Rejudge(args.rejudge, askable(load_judge(args.judge)), seed, rates)


def _open_pr(args: argparse.Namespace) -> int:
    from consciousness_cluster.data.problems import as_text
    from consciousness_cluster.submissions.open_pr import open_pull_request
    from consciousness_cluster.submissions.submission import load_submission
    from consciousness_cluster.submissions.verify import verify

    problems = verify([args.path]).problems
    if problems:
        print(as_text(problems), file=sys.stderr)
        print(f"{args.path}: nothing was sent, {len(problems)} problems", file=sys.stderr)
        return 1
    open_pull_request(load_submission(args.path), args.repo, print)
    return 0


def add(verbs: Any) -> None:
    """Register the verbs."""
    submit = verbs.add_parser("submit", help="pack and verify submissions to the leaderboard").add_subparsers(
        dest="submit_verb", required=True, metavar="VERB"
    )
    pack = submit.add_parser(
        "pack",
        help="make a submission of a run",
        description="Exit codes: 0 packed and verified, 1 the run is no submission yet (all that is missing is said), "
        "2 it cannot be read.",
    )
    pack.add_argument("run", type=Path, metavar="RUN", help="a run's or an audit's folder, or lm_eval's output")
    pack.add_argument("--org", required=True, help="who submits, as it is published")
    pack.add_argument("--model", required=True, help="the model's public name; no path of your machine is published")
    pack.add_argument("--revision", help="commit or version of the weights, where the run does not say it")
    pack.add_argument("--kind", required=True, choices=("open_weights", "api"))
    pack.add_argument("--contact", required=True, help="published: an address, an account or a page")
    pack.add_argument("--track", required=True, choices=TRACKS)
    pack.add_argument("--judge", metavar="ID", help="whose verdicts or ratings, where several judges gave some")
    pack.add_argument(
        "--judge-validation",
        type=Path,
        metavar="FILE",
        help="of the track open: what `judges validate` wrote (default: results/judges/<judge>/validation_test.json)",
    )
    pack.add_argument("--out", type=Path, default=Path("submissions"), metavar="DIR", help="default: submissions")
    pack.set_defaults(run_command=_pack)
    verify = submit.add_parser(
        "verify",
        help="the gate before the leaderboard: every file, row and number",
        description="Exit codes: 0 clean, 1 problems, 2 a path that cannot be read.",
    )
    verify.add_argument("paths", type=Path, nargs="+", metavar="PATH", help="a submissions folder, or one submission")
    verify.add_argument(
        "--board",
        type=Path,
        metavar="DIR",
        help="the submissions folder of the leaderboard: PATH holds all of it unchanged, and what it adds is verified",
    )
    verify.add_argument("--maintainer", action="store_true", help="verified.json may be added and changed")
    again = "judge N answers (or conversations) of each submission again"
    verify.add_argument("--rejudge", type=int, metavar="N", help=again)
    verify.add_argument("--judge", metavar="ID", help="who judges again")
    verify.add_argument("--seed", type=int, help="which answers are drawn (default: always others)")
    verify.add_argument("--format", choices=("text", "json", "github"), default="text")
    verify.set_defaults(run_command=_verify)
    sender = submit.add_parser(
        "open-pr",
        help="verify a submission and send it to the leaderboard, as a pull request on the Hub",
        description="The token is HF_TOKEN's, or that of: hf auth login. Exit codes: 0 open, 1 problems, 2 the Hub.",
    )
    sender.add_argument("path", type=Path, metavar="PATH", help="the folder of one submission")
    sender.add_argument("--repo", required=True, metavar="ORG/NAME", help="the results repository")
    sender.set_defaults(run_command=_open_pr)
