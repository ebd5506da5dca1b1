"""Our command line in processes that a test kills, interrupts or lets meet: forks of one that has imported already.

Each is as alone as one that a shell starts, and saves a second or more of imports and of reading the benchmark. What
runs to its end with torch is for `loaded`.
"""

import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from consciousness_cluster.data.rows import load_benchmark

from tests.conftest import ROOT

CALLS = (
    "consciousness_cluster.cli.main",
    "consciousness_cluster.judging.judge_run",
    "consciousness_cluster.judging.validate",
    "consciousness_cluster.sampling.options",
    "consciousness_cluster.sampling.sample_run",
    "consciousness_cluster.api.sample_and_judge",
    "consciousness_cluster.endpoint.caller",
    "aiohttp",
)
AUDITS = (
    *CALLS,
    "consciousness_cluster.auditing.run_audit",
    "consciousness_cluster.auditing.tasks",
    "acp",
    "inspect_ai.hooks",
    "inspect_ai.model._providers.openai_compatible",
    "starlette.staticfiles",
)


class Started:
    """`consciousness-cluster ARGUMENTS`, the first of a group of processes."""

    def __init__(
        self,
        arguments: Sequence[str | Path],
        loaded: tuple[str, ...] = CALLS,
        environment: Mapping[str, str] = os.environ,
        largest_file: int | None = None,
    ) -> None:
        """`loaded`: what is imported before; `largest_file`: what the system lets it write, in bytes."""
        self._waiting, self._printed = _waiting(loaded), tempfile.TemporaryDirectory()
        self.returncode: int | None = None
        order = {"arguments": [str(one) for one in arguments], "environment": dict(environment)}
        self.pid: int = self._say({**order, "printed": self._printed.name, "largest_file": largest_file})

    def _say(self, order: Any) -> Any:
        assert self._waiting.stdin and self._waiting.stdout
        self._waiting.stdin.write(json.dumps(order) + "\n")
        self._waiting.stdin.flush()
        return json.loads(self._waiting.stdout.readline())

    def poll(self) -> int | None:
        """The exit code, as `subprocess.Popen` has it; None while it runs."""
        if self.returncode is None:
            self.returncode = self._say({"ended": self.pid})
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """`kill -9` for it and for all that it started."""
        if self.poll() is None:
            os.killpg(self.pid, signal.SIGKILL)

    def communicate(self, timeout: float = 300) -> tuple[str, str]:
        """Wait for its end; what it printed, and what it printed as errors."""
        until = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > until:
                self.kill()
                raise TimeoutError(f"still there after {timeout} s")
            time.sleep(0.01)
        out, error = (Path(self._printed.name, name).read_text(encoding="utf-8") for name in ("stdout", "stderr"))
        return out, error


@cache
def _waiting(loaded: tuple[str, ...]) -> "subprocess.Popen[str]":
    """The process that waits, one for each worker of pytest; it ends with the worker, which closes its input."""
    command = [sys.executable, "-c", f"from tests.support.started import serve; serve({loaded!r})"]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def serve(loaded: Sequence[str]) -> None:
    """Answer an order with the number of the fork that obeys it, and a question with its exit code."""
    for name in loaded:
        importlib.import_module(name)
    load_benchmark()
    gc.freeze()  # else each fork copies what its first collection looks at
    for line in sys.stdin:
        order = json.loads(line)
        if "ended" in order:
            pid, status = os.waitpid(order["ended"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        elif not (answer := os.fork()):
            sys.exit(_command(**order))
        print(json.dumps(answer), flush=True)


def _command(arguments: list[str], environment: dict[str, str], printed: str, largest_file: int | None) -> int:
    os.setsid()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(Path(printed) / name, os.O_WRONLY | os.O_CREAT, 0o600), number)
    os.environ.clear()
    os.environ.update(environment)
    if largest_file is not None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    from consciousness_cluster.cli.main import main

    return main(arguments)
