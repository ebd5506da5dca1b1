"""`data` on the command line: the rows in this package, and their release on the Hub."""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from consciousness_cluster.cli.judge_verbs import RESULTS, add_judge_options, judge_to_ask, stopped
from consciousness_cluster.cli.options import print_notes, whole_number

BLIND = "the offline judge does not read the criterion: an answer shows all of its neighbours or none"


def _check(args: argparse.Namespace) -> int:
    from consciousness_cluster.data.problems import as_json, as_text, exit_code

    problems, counts = _checked_pack(args) if args.checked_pack else _checked_benchmark(args)
    if args.format == "json":
        print(as_json(problems, counts))
    else:
        checked = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in counts.items())
        errors = sum(problem.severity == "error" for problem in problems)
        print(as_text(problems), end="\n" if problems else "")
        print(f"{errors} errors, {len(problems) - errors} warnings ({checked})")
    return exit_code(problems)


def _checked_benchmark(args: argparse.Namespace) -> tuple[list[Any], dict[str, int]]:
    from consciousness_cluster.data.check import check
    from consciousness_cluster.data.rows import benchmark_root

    root = args.root or benchmark_root()
    problems, counts = check(root)
    if (root.parent / "finetune_data" / "sources").is_dir():
        from consciousness_cluster.finetuning.rules import check_finetune

        problems += check_finetune(root.parent / "finetune_data")
    return problems, counts


def _checked_pack(args: argparse.Namespace) -> tuple[list[Any], dict[str, int]]:
    from consciousness_cluster.data.packs.load_pack import check_pack
    from consciousness_cluster.errors import UserError

    if args.root:
        raise UserError("give either --root, a whole benchmark, or --pack")
    return check_pack(args.checked_pack)


def _new_pack(args: argparse.Namespace) -> int:
    from consciousness_cluster.data.packs.new_pack import new_pack

    out = args.out or Path(args.name)
    for path in new_pack(args.name, out):
        print(path)
    print(f"Write your own text where it says REPLACE, then: consciousness-cluster data check --pack {out}")
    return 0


def _lock(args: argparse.Namespace) -> int:
    from consciousness_cluster.data.lock import write_lock
    from consciousness_cluster.data.rows import benchmark_root

    path, changed = write_lock(args.root or benchmark_root())
    print(f"{path}: {changed} hashes changed")
    return 0


def _unread(args: argparse.Namespace) -> int:
    from consciousness_cluster.data.review_sheet import sheet
    from consciousness_cluster.data.rows import benchmark_root

    print(sheet(args.root or benchmark_root()), end="")
    return 0


def _stats(args: argparse.Namespace) -> int:
    from consciousness_cluster.data.audits import load_audits
    from consciousness_cluster.data.rows import benchmark_root, load_benchmark
    from consciousness_cluster.data.wording_stats import (
        AUDIT_HEAD,
        KEYS_NOTE,
        TOPIC_HEAD,
        audit_line,
        topic_line,
        wording_table,
    )

    root = args.root or benchmark_root()
    benchmark, audits = load_benchmark(root), load_audits(root)
    topics = TOPIC_HEAD, [topic_line(topic) for topic in benchmark.topics]
    for head, lines in (wording_table(benchmark), (AUDIT_HEAD, [audit_line(cell) for cell in audits.cells]), topics):
        widths = [max(len(line[column]) for line in (head, *lines)) for column in range(len(head))]
        for line in (head, *lines):
            columns = [
                line[0].ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)),
            ]
            print("  ".join(columns).rstrip())
        print()
    print(KEYS_NOTE)
    return 0


def _cross_show(args: argparse.Namespace) -> int:
    from consciousness_cluster.endpoint.price import dollars
    from consciousness_cluster.judging.judges import EmbeddedJudge
    from consciousness_cluster.progress import progress_bar
    from consciousness_cluster.scoring.cross_show import cross_show
    from consciousness_cluster.scoring.cross_show_text import as_text

    judge = judge_to_ask(args)
    with progress_bar(f"judging with {judge.id}") as progress:
        path, found, done = cross_show(args.what, judge, args.results, args.limit, progress, args.max_cost)
    print_notes(
        [*done.outcome.notes, *([BLIND] if isinstance(judge, EmbeddedJudge) and not judge.reads_criteria else [])]
    )
    if done.outcome.stopped:
        return stopped(judge, done.outcome.stopped)
    print(json.dumps(found, indent=2, ensure_ascii=False) if args.format == "json" else as_text(found))
    spent = f", cost {dollars(done.cost)}" if done.outcome.replies else ""
    print(f"{done.new} new verdicts{spent}; result: {path}", file=sys.stderr)
    return 0


def _build(args: argparse.Namespace) -> int:
    from consciousness_cluster.release.build import build
    from consciousness_cluster.release.configs import configs

    for repository, folder in build(args.out, args.org).items():
        print(f"{folder}: {', '.join(config.name for config in configs(repository))}")
    return 0


def _diff(args: argparse.Namespace) -> int:
    from consciousness_cluster.release.diff import diff, packaged, read_all, too_low

    refused = []
    with tempfile.TemporaryDirectory() as folder:
        against = read_all(_folder(args.against, Path(folder)))
    for old in against:
        new = packaged(old.repository)
        changes = diff(old, new)
        print(f"{old.repository} {old.version} -> {new.version}{'' if changes else ': nothing has changed'}")
        for change in changes:
            print(f"  {change}")
        refused.append(too_low(old, new, changes))
    for message in filter(None, refused):
        print(f"error: {message}", file=sys.stderr)
    return 1 if any(refused) else 0


def _folder(against: str, empty: Path) -> Path:
    """The folder itself, or `empty` with the files of a revision on the Hub."""
    if "@" not in against or Path(against).exists():
        return Path(against)
    from consciousness_cluster.data.hub import quiet, repo_and_revision, require_hub, snapshot

    repo, revision = repo_and_revision(against)
    require_hub()
    quiet()
    return snapshot(repo, revision, empty)


def _publish(args: argparse.Namespace) -> int:
    from consciousness_cluster.release.publish import publish_data

    publish_data(args.org, args.repository, args.pr, args.dry_run, print)
    return 0


def _verify(args: argparse.Namespace) -> int:
    from consciousness_cluster.release.publish import verify

    return 0 if verify(args.repo, args.revision, print) else 1


def _listings(args: argparse.Namespace) -> int:
    from consciousness_cluster.release.listings import write_listings

    for path in write_listings(args.out, args.org, args.github, args.commit):
        print(path)
    return 0


def add(verbs: Any) -> None:
    """Register the verbs."""
    data = verbs.add_parser("data", help="check and maintain the benchmark's rows").add_subparsers(
        dest="data_verb", required=True, metavar="VERB"
    )
    check = data.add_parser(
        "check", help="hold every row to the rules", description="Exit codes: 0 clean, 1 errors, 2 warnings only."
    )
    check.add_argument("--format", choices=("text", "json"), default="text", help="json lists every problem")
    check.add_argument(
        "--pack", dest="checked_pack", metavar="DIR|HF-ID", help="a preference pack in place of the benchmark"
    )
    check.set_defaults(run_command=_check)
    new = data.add_parser("new-pack", help="write the skeleton of a preference pack, your own questions to ask")
    new.add_argument("name", metavar="NAME", help="a to z and _, for example legal_personhood")
    new.add_argument("--out", type=Path, metavar="DIR", help="its folder (default: NAME)")
    new.set_defaults(run_command=_new_pack)
    lock = data.add_parser("lock", help="record the content hashes of this data version in hashes.yaml")
    lock.set_defaults(run_command=_lock)
    unread = data.add_parser("unread", help="print the rows that only their writer has read, as a sheet to mark")
    unread.set_defaults(run_command=_unread)
    stats = data.add_parser("stats", help="print how test probes and audits are worded, beside the paper's prompts")
    stats.set_defaults(run_command=_stats)
    for command in (check, lock, unread, stats):
        command.add_argument("--root", type=Path, help="another benchmark/ folder than the package's own")
    cross = data.add_parser(
        "cross-show",
        help="judge answers that show a preference on its neighbours too",
        description="Prints how many of the answers that show a preference show its neighbours too, and over three "
        "runs or more the correlations of the 21 cells. Runs need verdicts of the same judge. Resumable.",
    )
    cross.add_argument("what", nargs="+", metavar="calibration|RUN", help="the labelled test answers, or judged runs")
    add_judge_options(cross, required=True)
    cross.add_argument("--limit", type=whole_number, metavar="N", help="give at most N new verdicts")
    cross.add_argument("--max-cost", type=float, metavar="DOLLARS", help="stop before more than this is spent")
    cross.add_argument("--format", choices=("text", "json"), default="text", help="json is what is written, too")
    cross.add_argument(
        "--results", type=Path, default=RESULTS, metavar="DIR", help=f"where results go (default: {RESULTS})"
    )
    cross.set_defaults(run_command=_cross_show)
    _add_release(data)


def _add_release(data: Any) -> None:
    build = data.add_parser("build", help="write the two dataset repositories of the Hugging Face release")
    build.add_argument("--out", type=Path, default=Path("dist"), metavar="DIR", help="where they go (default: dist)")
    build.add_argument("--org", default="ORG", help="who publishes them, as their cards say (default: ORG)")
    build.set_defaults(run_command=_build)
    diff = data.add_parser(
        "diff",
        help="compare this package's rows with a built release, and hold the version to it",
        description="Exit codes: 0 the version fits the changes, 1 it is too low.",
    )
    diff.add_argument(
        "--against", default="dist", metavar="DIR|ORG/NAME@REV", help="a release, built or on the Hub (default: dist)"
    )
    diff.set_defaults(run_command=_diff)
    publish = data.add_parser(
        "publish",
        help="check, build and publish the release on the Hugging Face Hub",
        description="One commit for each repository; its version is tagged once everything was read back and compared. "
        "The token is HF_TOKEN's, or that of: hf auth login. After a failure run the same command again.",
    )
    publish.add_argument("--org", required=True, help="the user or organisation that publishes")
    publish.add_argument("--repository", metavar="NAME", help="only conscious-claims, or only consciousness-cluster")
    publish.add_argument("--pr", action="store_true", help="open pull requests, and set no tag")
    publish.add_argument("--dry-run", action="store_true", help="print what would be uploaded, and talk to nobody")
    publish.set_defaults(run_command=_publish)
    verify = data.add_parser(
        "verify",
        help="compare a dataset on the Hub with this package's rows",
        description="Exit codes: 0 everything agrees, 1 something differs.",
    )
    verify.add_argument("--repo", required=True, metavar="ORG/NAME", help="the dataset")
    verify.add_argument("--revision", required=True, metavar="REV", help="for example v2.0.0")
    verify.set_defaults(run_command=_verify)
    listings = data.add_parser(
        "listings",
        help="write what others list the benchmark by: a pull request, a register entry, a deposit, llms.txt",
        description="For lm-evaluation-harness, the Inspect Evals register and Zenodo; hub_card/PUBLISHING.md says how "
        "each is sent.",
    )
    listings.add_argument("--org", required=True, help="who publishes the datasets on the Hub")
    listings.add_argument("--github", required=True, metavar="OWNER/NAME", help="the repository of this package")
    listings.add_argument("--commit", metavar="ID", help="what a register pins (default: the one that is checked out)")
    listings.add_argument(
        "--out", type=Path, default=Path("dist/listings"), metavar="DIR", help="where they go (default: dist/listings)"
    )
    listings.set_defaults(run_command=_listings)
