"""What one process took: seconds by the clock, seconds of the processor, and its most memory."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OURS = (sys.executable, "-m", "consciousness_cluster")


@dataclass(frozen=True)
class Took:
    """`begun` is on the clock of time.monotonic; `mb` are megabytes."""

    begun: float
    seconds: float
    cpu: float
    mb: float


def took(command: Sequence[str]) -> Took:
    """Run a command to its end. Raises RuntimeError, with what it printed, where it fails."""
    path = os.pathsep.join(filter(None, (str(ROOT / "tools"), os.environ.get("PYTHONPATH"))))
    begun, most = time.monotonic(), 0.0
    with tempfile.TemporaryFile() as printed:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
        )
        while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
            most = max(most, _peak(process.pid))
            time.sleep(0.02)
        _, status, usage = ended
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            printed.seek(0)
            raise RuntimeError(f"{' '.join(command)}\n{printed.read()[-2000:].decode(errors='replace')}")
    return Took(begun, time.monotonic() - begun, usage.ru_utime + usage.ru_stime, most)


def _peak(pid: int) -> float:
    """The most memory that a process had so far, in MB. (What wait4 says begins with that of the process before it.)"""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    _, _, found = status.partition("VmHWM:")
    return int(found.split()[0]) / 1000 if found else 0.0
