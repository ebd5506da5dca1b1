"""The table of what was measured, for people and for README."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tests.benchmarks.measures import WIDTH, Line
from tests.benchmarks.process import ROOT

MEASURED = Path(__file__).parent / "measured.json"
README = ROOT / "README.md"
BEGIN, END = "<!-- how fast: made by python -m tests.benchmarks -->", "<!-- end of how fast -->"
PACKAGES = ("consciousness-cluster", "aiohttp", "openai", "inspect-ai", "lm-eval", "vllm")
COLUMNS = ("what", "calls", "ratio", "seconds", "whole process, s", "CPU, ms a call", "memory, MB")


def surroundings(load: Sequence[float]) -> dict[str, Any]:
    """The machine, its load before, and the versions."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    machine = f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, Python {platform.python_version()}"
    return {"machine": machine, "load": [round(one, 2) for one in load], "versions": versions}


def document(lines: Sequence[Line], around: Mapping[str, Any]) -> dict[str, Any]:
    """What is written down of one run of the benchmarks."""
    return {**around, "in_flight": WIDTH, "lines": [line.json() for line in lines]}


def _cells(line: Mapping[str, Any]) -> list[str]:
    def number(name: str, digits: int) -> str:
        return f"{line[name]:,.{digits}f}" if name in line else ""

    ratio = f"{line['ratio']:.2f} of {line['against']}" if "ratio" in line else ""
    rest = (("seconds", 2), ("whole", 1), ("cpu_ms", 2), ("mb", 0))
    return [line["what"], number("calls", 0), ratio, *(number(*one) for one in rest)]


def markdown(found: Mapping[str, Any]) -> str:
    """The table with what it was measured on."""
    versions = ", ".join(f"{name} {number}" for name, number in found["versions"].items())
    load = ", ".join(map(str, found["load"]))
    about = f"{found['machine']}; load before {load}; {found['in_flight']} calls in flight; {versions}."
    rows = [COLUMNS, ["---", *["--:"] * (len(COLUMNS) - 1)], *map(_cells, found["lines"])]
    return "\n".join([about, "", *(f"| {' | '.join(row)} |" for row in rows)])


def section(found: Mapping[str, Any]) -> str:
    """What stands between the marks in README."""
    return f"{BEGIN}\n{markdown(found)}\n{END}"


def in_readme(text: str) -> str | None:
    """What README has of it; None where it has no such section."""
    _, mark, rest = text.partition(BEGIN)
    return mark + rest.partition(END)[0] + END if mark else None


def write(found: Mapping[str, Any]) -> None:
    """Keep the run, and put it into README where that has a place for it."""
    MEASURED.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    text = README.read_text(encoding="utf-8")
    if there := in_readme(text):
        README.write_text(text.replace(there, section(found)), encoding="utf-8")
