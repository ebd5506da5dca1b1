"""Our command line in a process of its own that starts with lm_eval and torch loaded, as a fork of one that waits.

Each command is as alone as one that a shell starts, and saves the seconds of imports.
"""

import importlib
import json
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from consciousness_cluster.errors import UserError
from consciousness_cluster.subprocesses import SETTINGS

from tests.conftest import ROOT

# Some are imported by others when they are first used, which each fork would do anew: five seconds of a run of lm_eval.
LOADED = [
    "torch",
    "transformers.models.llama.modeling_llama",
    "datasets",
    "lm_eval.__main__",
    "lm_eval.evaluator",
    "lm_eval.loggers",
    "lm_eval.models.huggingface",
    "lm_eval.models.openai_completions",
    "openai",
    "pytablewriter",
    "scipy.stats",
]
# Read by huggingface_hub when it is imported, so it has to stand in the environment of the process that waits.
OFFLINE = {"HF_HUB_OFFLINE": "1"}


def run_loaded(
    arguments: Sequence[str | Path], cwd: Path, environment: Mapping[str, str]
) -> "subprocess.CompletedProcess[str]":
    """`consciousness-cluster ARGUMENTS`, run to its end; `environment` is the whole one, and has to be offline."""
    assert environment.items() >= OFFLINE.items()
    waiting, given = _waiting(), [str(one) for one in arguments]
    assert waiting.stdin and waiting.stdout
    with tempfile.TemporaryDirectory() as printed:
        order = {"arguments": given, "cwd": str(cwd), "environment": dict(environment), "printed": printed}
        waiting.stdin.write(json.dumps(order) + "\n")
        waiting.stdin.flush()
        code = int(waiting.stdout.readline())
        said = [(Path(printed) / name).read_text(encoding="utf-8") for name in ("stdout", "stderr")]
    return subprocess.CompletedProcess(given, code, *said)


def follow_loaded(arguments: Sequence[str], log: Path, seen: Callable[[str], None]) -> None:
    """What `subprocesses.follow` does, with such a process."""
    done = run_loaded(arguments, Path.cwd(), {**os.environ, **SETTINGS})
    log.write_text(done.stdout + done.stderr, encoding="utf-8")
    for line in done.stderr.splitlines():
        seen(line)
    if done.returncode:
        raise UserError(done.stderr[-2000:])


@cache
def _waiting() -> "subprocess.Popen[str]":
    """The process that waits, one for each worker of pytest; it ends with the worker, which closes its input."""
    command = [sys.executable, "-c", "from tests.support.loaded import serve; serve()"]
    return subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **OFFLINE}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def serve() -> None:
    """Run each order that comes in a fork, and answer with its exit code."""
    for name in LOADED:
        importlib.import_module(name)
    for line in sys.stdin:
        if not (child := os.fork()):
            os._exit(_command(**json.loads(line)))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _command(arguments: list[str], cwd: str, environment: dict[str, str], printed: str) -> int:
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(Path(printed) / name, os.O_WRONLY | os.O_CREAT, 0o600), number)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    import torch.utils.collect_env
    from consciousness_cluster.cli.main import main

    # For the record of a run lm_eval has pip list all that is installed, which takes two seconds.
    torch.utils.collect_env.get_pretty_env_info = str
    try:
        code = main(arguments)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return code
