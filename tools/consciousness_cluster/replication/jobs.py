"""More processes at the same work: on a CPU two models with a core each take less time than one after the other."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from consciousness_cluster.errors import UserError


@contextmanager
def others(number: int, arguments: list[str]) -> Iterator[None]:
    """Run the command `number` times beside this process, which takes its part of the cores too.

    They are waited for in the end, and stopped where this process is. Raises UserError where one of them failed.
    """
    if number:
        os.environ["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // (number + 1)))
    command = [sys.executable, "-m", "consciousness_cluster", *arguments]
    processes = [subprocess.Popen(command) for _ in range(number)]
    try:
        yield
        codes = [process.wait() for process in processes]
    except BaseException:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
        raise
    if failed := [code for code in codes if code]:
        raise UserError(f"{len(failed)} of {number} processes beside this one failed; what they said is above")
