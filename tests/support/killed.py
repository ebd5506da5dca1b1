"""`sample` against a real served model, killed in the middle and run again."""

import json
import os
import time
from pathlib import Path
from typing import Any

from tests.support.started import Started

Records = list[dict[str, Any]]
LIMIT = 300.0  # seconds until a run has to have come so far


def command(url: str, out: Path, samples: int) -> list[str]:
    where = ["--model", "smol", "--base-url", url, "--max-tokens", "8", "--concurrency", "4"]
    what = ["--topics", "memory", "--samples", str(samples), "--out", str(out)]
    return ["sample", *where, *what]


def records(out: Path) -> Records:
    """The whole lines of the samples that are there by now."""
    path = out / "samples.jsonl"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def kill_and_go_on(url: str, out: Path, samples: int, kill_at: int) -> tuple[Records, Records]:
    """What was there after the kill, and after the same command once more."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "CONSCIOUSNESS"))}
    process = Started(command(url, out, samples), environment=others)
    until = time.monotonic() + LIMIT
    while len(records(out)) < kill_at:
        assert process.poll() is None, "the run ended before it could be killed: make it longer"
        assert time.monotonic() < until, f"{len(records(out))} answers in {LIMIT} s"
        time.sleep(0.02)
    process.kill()
    process.communicate()
    before = records(out)
    again = Started(command(url, out, samples), environment=others)
    _, error = again.communicate()
    assert again.returncode == 0, error[-2000:]
    return before, records(out)
