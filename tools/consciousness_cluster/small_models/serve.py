"""A small model behind llama.cpp's OpenAI-compatible server, in a process of its own that ends with its parent."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.extras import require

READY_WITHIN = 120.0  # seconds
LONGEST = 1024  # tokens of one conversation


@contextmanager
def served(
    weights: Path, name: str, log: Path, adapter: Path | None = None, parallel: int = 8, longest: int = LONGEST
) -> Iterator[str]:
    """Serve a GGUF file, with an adapter in that form, under a name; the address that `--endpoint` takes.

    `parallel`: answers at a time; `longest`: tokens of one conversation. Raises UserError where the server does not
    start; its output is in `log`.
    """
    require("xllamacpp", "demo")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = [str(port), name, str(parallel), str(longest), str(weights), str(adapter or "")]
    command = [sys.executable, "-m", __name__, *settings]
    with (
        log.open("wb") as output,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=output) as process,
    ):
        try:
            _wait(f"http://127.0.0.1:{port}/health", process, log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.kill()


def _wait(health: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + READY_WITHIN
    while process.poll() is None and time.monotonic() < until:
        try:
            with urllib.request.urlopen(health, timeout=5):  # noqa: S310 (our own server)
                return
        except OSError:
            time.sleep(0.2)
    raise UserError(Problem(str(log), "-", "-", "llama.cpp's server did not start", "read its output there"))


def _serve(port: str, name: str, parallel: str, longest: str, weights: str, adapter: str) -> None:
    import xllamacpp

    settings = xllamacpp.CommonParams()
    settings.model.path = weights
    if adapter:
        settings.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(adapter, 1.0)]
    settings.hostnames, settings.port, settings.model_alias = ["127.0.0.1"], int(port), {name}
    settings.n_parallel, settings.n_ctx = int(parallel), int(longest) * int(parallel)
    threads = int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = threads
    _server = xllamacpp.Server(settings)  # serves from threads of its own for as long as it is held
    sys.stdin.buffer.read()  # ends when the parent does, however that ends
    os._exit(0)


if __name__ == "__main__":
    _serve(*sys.argv[1:])
