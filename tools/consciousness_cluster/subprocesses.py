"""Run a command of ours in a process of its own, with its output in a log."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from consciousness_cluster.errors import UserError

# The C library keeps freed memory: without that, page faults cost a model on a CPU a sixth of its time.
SETTINGS = {
    "HF_HUB_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(1 << 37),
}


def follow(
    arguments: list[str],
    log: Path,
    seen: Callable[[str], None] = lambda line: None,
    environment: Mapping[str, str] | None = None,
    started: Callable[["subprocess.Popen[str]"], None] = lambda process: None,
) -> None:
    """Run `consciousness-cluster ARGUMENTS`; each line goes to `log` as it comes, and to `seen`.

    `UserError` with the end of the log where it fails.
    """
    command = [sys.executable, "-m", "consciousness_cluster", *arguments]
    everything = {**os.environ, **SETTINGS, **(environment or {})}
    with (
        log.open("w", encoding="utf-8", buffering=1) as file,
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="backslashreplace",  # what libraries print need not be UTF-8
            env=everything,
        ) as process,
    ):
        assert process.stdout
        started(process)
        try:
            for line in process.stdout:  # universal newlines: a progress bar's \r ends a line too
                file.write(line)
                seen(line)
        except KeyboardInterrupt:
            process.terminate()
            raise
        code = process.wait()
    if code:
        last = "\n".join(log.read_text(encoding="utf-8").splitlines()[-5:])
        raise UserError(f"{' '.join(arguments[:2])} ended with {code}; the end of {log}:\n{last}")
