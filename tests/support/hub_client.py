"""Fresh processes that talk to a fake Hub. The libraries are imported once, and each process is a fork of that one.

They read HF_ENDPOINT when they are imported, so no test process can be pointed at a fake Hub later.
"""

import multiprocessing
import os
import signal
import ssl
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
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
    "consciousness_cluster.release.publish",
    "tests.support.released",  # with what every module of tests imports, which each process would do anew
]
Function = Callable[..., int | None]


@dataclass(frozen=True)
class Done:
    """How a process ended."""

    code: int | None
    out: str
    error: str


@dataclass(frozen=True)
class Running:
    """A process that a test may send signals to."""

    process: BaseProcess
    folder: Path

    def printed(self, part: str) -> str:
        """What it has written so far: "out" or "error"."""
        path = self.folder / part
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def signal(self, number: int) -> None:
        assert self.process.pid
        os.kill(self.process.pid, number)

    def end(self) -> Done:
        """Wait for its end, ten minutes at most."""
        self.process.join(600)
        self.process.kill()
        self.process.join()
        return Done(self.process.exitcode, self.printed("out"), self.printed("error"))


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


def hearing(arguments: list[str]) -> int:
    """The command line, which hears Ctrl-C: a shell starts what runs in the background deaf to it, maybe these tests.

    Nor does it read root certificates, which takes most of its time; fakes have no TLS.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    ssl.SSLContext.load_verify_locations = lambda *_, **__: None  # type: ignore[method-assign,misc]
    from consciousness_cluster.cli.main import main

    return main(arguments)


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
        with self.started(function, *arguments, HF_TOKEN=token, **environment) as running:
            return running.end()

    @contextmanager
    def started(self, function: Function, *arguments: Any, **environment: str) -> Iterator[Running]:
        """The same, while it runs; it is killed in the end."""
        with tempfile.TemporaryDirectory() as name:
            work = (Path(name), function, arguments, environment)
            process = multiprocessing.get_context("forkserver").Process(target=_child, args=work)
            process.start()
            try:
                yield Running(process, Path(name))
            finally:
                process.kill()
                process.join()


@cache
def client() -> Client:
    """The one of this session."""
    return Client()
