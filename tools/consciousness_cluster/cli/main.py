"""The command line. Heavy imports stay inside the verbs, so that --help answers at once."""

import argparse
import io
import os
import sys
from collections.abc import Sequence

from consciousness_cluster.cli import (
    audit_verb,
    data_verbs,
    export_verbs,
    finetune_verbs,
    harness_verbs,
    import_verbs,
    judge_verbs,
    leaderboard_verbs,
    merge_verb,
    readers_verbs,
    report_verb,
    run_verb,
    sample_verb,
    score_verbs,
    small_model_verbs,
    submit_verbs,
)
from consciousness_cluster.errors import UserError
from consciousness_cluster.strings import printable
from consciousness_cluster.version import __version__

VERBS = (
    *(
        data_verbs,
        harness_verbs,
        run_verb,
        sample_verb,
        merge_verb,
        audit_verb,
        import_verbs,
        judge_verbs,
        readers_verbs,
        score_verbs,
        report_verb,
        export_verbs,
    ),
    *(finetune_verbs, submit_verbs, leaderboard_verbs, small_model_verbs),
)  # in the order of --help


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="consciousness-cluster",
        description="Measure 20 preferences that change in a language model once it claims to be conscious.",
    )
    top.add_argument("--version", action="version", version=__version__)
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    for group in VERBS:
        group.add(verbs)
    return top


def _warn() -> None:
    """A word on stderr where the package that is installed under our name is not ours."""
    from consciousness_cluster.cli.same_name import of_the_same_name

    if line := of_the_same_name():
        print(f"warning: {line}", file=sys.stderr)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command. Exit code 2 and one line on stderr for anything a user can mend; 130 for Ctrl-C."""
    args = parser().parse_args(argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that lacks a character of some file's name
    _warn()
    try:
        if getattr(args, "pack", None) is not None:
            from consciousness_cluster.data.packs.load_pack import using_pack

            with using_pack(args.pack):
                code = int(args.run_command(args))
        else:
            code = int(args.run_command(args))
        sys.stdout.flush()
        return code
    except UserError as error:
        print(f"error: {printable(str(error))}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()  # the reader (head, less) has gone: nothing is wrong
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left is flushed at exit
        return 0
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"error: {where}{error.strerror or error}; mend that, or name another place", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
