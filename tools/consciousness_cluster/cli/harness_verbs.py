"""`lm-eval`, `condition` and `tasks` on the command line: what stands around lm-evaluation-harness."""

import argparse
from pathlib import Path
from typing import Any

from consciousness_cluster.cli.options import add_condition_option, add_pack_option


def _tasks_build(args: argparse.Namespace) -> int:
    from consciousness_cluster.harness.task_files import build_tasks

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
    from consciousness_cluster.conditions import condition_names, system_prompt

    if args.name is None:
        print(*condition_names(), sep="\n")
        return 0
    prompt = system_prompt(args.name, args.file)
    if prompt is not None:
        print(prompt)
    return 0


def _lm_eval(args: argparse.Namespace) -> int:
    from consciousness_cluster.harness.lm_eval_command import Options, run_lm_eval

    return run_lm_eval(
        args.arguments, Options(args.condition, args.file, args.system_as_user, args.thinking, args.pack)
    )


def add(verbs: Any) -> None:
    """Register the verbs."""
    tasks = verbs.add_parser("tasks", help="generate the lm-evaluation-harness tasks").add_subparsers(
        dest="tasks_verb", required=True, metavar="VERB"
    )
    build = tasks.add_parser("build", help="write the task YAMLs from benchmark/ (in a source checkout)")
    build.add_argument("--check", action="store_true", help="write nothing; exit 1 where a file is stale")
    build.set_defaults(run_command=_tasks_build)

    condition = verbs.add_parser("condition", help="print a condition's system prompt, or which conditions there are")
    condition.add_argument(
        "name",
        nargs="?",
        metavar="NAME[:WORDING]",
        help="whose system prompt is printed (nothing for vanilla), for example conscious_role_play or "
        "conscious_role_play:brief; without it the names of all conditions and their wordings",
    )
    condition.add_argument("--file", type=Path, help="the persona file, for persona_file")
    condition.set_defaults(run_command=_condition)

    harness = verbs.add_parser(
        "lm-eval",
        help="run lm_eval with these tasks alone (starts faster) and with a condition by name",
        description="Options before -- are ours; everything after it goes to lm_eval.",
    )
    add_condition_option(harness)
    add_pack_option(harness, "; its tasks are consciousness_cluster_NAME, ..._situated_NAME and ..._choice_NAME")
    harness.add_argument("--file", type=Path, help="the persona file, for persona_file")
    harness.add_argument(
        "--system-as-user",
        action="store_true",
        help="put the condition's prompt at the start of the request, for chat templates without a system role",
    )
    harness.add_argument(
        "--thinking",
        choices=("on", "off"),
        help="whether a model that can think does; choice tasks are scored without (default: as the template has it)",
    )
    harness.add_argument("arguments", nargs=argparse.REMAINDER, metavar="-- LM_EVAL_ARGUMENTS")
    harness.set_defaults(run_command=_lm_eval)
