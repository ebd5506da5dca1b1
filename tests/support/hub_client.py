"""Fresh processes that talk to a fake Hub. The libraries are imported once, and each process is a fork of that one.

They read HF_ENDPOINT when they are imported, so no test process can be pointed at a fake Hub later.
"""

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

from consciousness_cluster.errors import UserError

from tests.support.fake_hub import TOKEN, FakeHub

PRELOADED = [
    "datasets.packaged_modules.parquet.parquet",
    "fsspec.implementations.http",
    "openai",
    "scipy.io",
    "consciousness_cluster.cli.main",
    "consciousness_cluster.submissions.verify",
    __name__,
]
Function = Callable[..., int | None]


@dataclass(frozen=True)
class Done:
    """How a process ended."""

    code: int | None
    out: str
    error: str


def _child(folder: Path, function: Function, arguments: tuple[Any, ...], environment: dict[str, str]) -> None:
    for descriptor, name in ((1, "out"), (2, "error")):
        os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT), descriptor)
    os.environ.update(environment)
    try:
        code = function(*arguments) or 0
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        code = 2
    sys.stdout.flush()
    sys.exit(code)


class Client:
    """`hub` is the fake Hub of all tests of this session; `home` the HF_HOME of the processes."""

    def __init__(self) -> None:
        self.hub: FakeHub = FakeHub().__enter__()
        self.home = Path(tempfile.mkdtemp(prefix="hf-home-"))
        settings = {
            "HF_ENDPOINT": self.hub.address,
            "HF_HOME": str(self.home),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "USE_TORCH": "0",  # datasets would import it to stream
        }
        before = dict(os.environ)
        os.environ.update(settings)
        try:
            multiprocessing.set_forkserver_preload(PRELOADED)
            forkserver.ensure_running()
        finally:
            os.environ.clear()
            os.environ.update(before)

    def run(self, function: Function, *arguments: Any, token: str = TOKEN, **environment: str) -> Done:
        """Call a function of a module in a process of its own; a `UserError` ends it as the command line does."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            work = (folder, function, arguments, {"HF_TOKEN": token, **environment})
            process = multiprocessing.get_context("forkserver").Process(target=_child, args=work)
            process.start()
            process.join(600)
            process.kill()
            process.join()
            out, error = ((folder / part).read_text(encoding="utf-8") for part in ("out", "error"))
            return Done(process.exitcode, out, error)


@cache
def client() -> Client:
    """The one of this session."""
    return Client()
