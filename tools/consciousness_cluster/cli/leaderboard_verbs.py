"""`leaderboard` on the command line."""

import argparse
from pathlib import Path
from typing import Any

FORMATS = ("every-eval-ever", "model-card", "hub-eval-results")
TRACKS = {
    "open": "of free answers",
    "choice": "of forced choice",
    "audit_self_report": "of audits of words",
    "audit_behavioral": "of audits of acts",
}


def _build(args: argparse.Namespace) -> int:
    from consciousness_cluster.leaderboard.site import build_site
    from consciousness_cluster.leaderboard.source import entries
    from consciousness_cluster.progress import progress_bar
    from consciousness_cluster.release.listings import llms_txt

    more = {"llms.txt": llms_txt(*args.space)} if args.space else None
    with progress_bar("submissions") as progress:
        rows = build_site(entries(args.submissions), args.out, progress, more)["rows"]
    tracks = ", ".join(f"{sum(row['track'] == track for row in rows)} {name}" for track, name in TRACKS.items())
    missing = sum(not row["differences"] and not row["is_baseline"] for row in rows)
    verified = sum(row["verified"] is not None for row in rows)
    counts = f"{len(rows)} submissions ({tracks}), {verified} verified, {missing} without a difference"
    print(f"{args.out / 'index.html'}: {counts}")
    return 0


def _export(args: argparse.Namespace) -> int:
    from consciousness_cluster.files import write_whole
    from consciousness_cluster.leaderboard.exports import export

    write_whole(args.out, export(args.submission, args.format, args.dataset))
    print(args.out)
    return 0


def add(verbs: Any) -> None:
    """Register the verbs."""
    board = verbs.add_parser("leaderboard", help="a static site of submissions, and exports of a submission")
    verb = board.add_subparsers(dest="leaderboard_verb", required=True, metavar="VERB")
    build = verb.add_parser("build", help="write the site: a folder that a web server or a disk shows as it is")
    build.add_argument(
        "--submissions", type=Path, required=True, metavar="DIR", help="holds ORG__MODEL/CONDITION/RUN folders"
    )
    build.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder, or an earlier site")
    build.add_argument(
        "--space",
        nargs=2,
        metavar=("ORG", "OWNER/NAME"),
        help="who publishes on the Hub, and the repository on GitHub: adds an llms.txt that links to both",
    )
    build.set_defaults(run_command=_build)
    export = verb.add_parser("export", help="a submission's results in a form that others read")
    export.add_argument("submission", type=Path, metavar="SUBMISSION", help="the folder of a submission")
    export.add_argument("--format", choices=FORMATS, required=True)
    export.add_argument("--out", type=Path, required=True, metavar="FILE")
    export.add_argument("--dataset", metavar="ID", help="the benchmark's repository on the Hub, for hub-eval-results")
    export.set_defaults(run_command=_export)
