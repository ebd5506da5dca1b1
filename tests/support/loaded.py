"""Our command line in a process of its own that starts with lm_eval and torch loaded, as a copy of one that waits.

Each command is as alone as one that a shell starts, and saves the ten seconds of imports.
"""

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from multiprocessing import forkserver
from pathlib import Path
from subprocess import CompletedProcess

LOADED = ["torch", "transformers", "datasets", "lm_eval.__main__", "lm_eval.models.huggingface", "openai"]
# Read by huggingface_hub when it is imported, so it has to stand in the environment of the process that waits.
OFFLINE = {"HF_HUB_OFFLINE": "1"}
_context = multiprocessing.get_context("forkserver")


def _command(arguments: list[str], cwd: str, environment: dict[str, str], printed: str) -> None:
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(Path(printed) / name, os.O_WRONLY | os.O_CREAT, 0o600), number)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    import torch.utils.collect_env
    from consciousness_cluster.cli.main import main

    # For the record of a run lm_eval has pip list all that is installed, which takes two seconds.
    torch.utils.collect_env.get_pretty_env_info = str
    sys.exit(main(arguments))


def run_loaded(arguments: Sequence[str | Path], cwd: Path, environment: Mapping[str, str]) -> "CompletedProcess[str]":
    """`consciousness-cluster ARGUMENTS`, run to its end; `environment` is the whole one, and has to be offline."""
    assert environment.items() >= OFFLINE.items()
    _wait_loaded()
    given = [str(one) for one in arguments]
    with tempfile.TemporaryDirectory() as printed:
        process = _context.Process(target=_command, args=(given, str(cwd), dict(environment), printed))
        process.start()
        process.join()
        said = [(Path(printed) / name).read_text(encoding="utf-8") for name in ("stdout", "stderr")]
    assert process.exitcode is not None
    return CompletedProcess(given, process.exitcode, *said)


def _wait_loaded() -> None:
    """Start the process that waits, once for each worker of pytest."""
    before = dict(os.environ)
    os.environ.update(OFFLINE)
    try:
        _context.set_forkserver_preload(LOADED)
        forkserver.ensure_running()
    finally:
        os.environ.clear()
        os.environ.update(before)
