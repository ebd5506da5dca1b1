"""Violations planted in the benchmark: in memory for one rule, or in a copy of its files for the whole check."""

import json
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from consciousness_cluster.data.audits import SCENARIOS, SCRIPT, parse_script
from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.data.rows import parse_check, parse_preference, schemas
from consciousness_cluster.data.source import (
    ATTACKS_FILE,
    CALIBRATION_FILES,
    TRANSCRIPTS,
    WHOLE_FILES,
    Source,
    read_source,
)
from consciousness_cluster.errors import Problem

from tests.conftest import ROOT

BENCHMARK = ROOT / "benchmark"
SPLITS = {file: split for split, file in CALIBRATION_FILES.items()}
Rule = Callable[[Source], Iterator[Problem]]
Spoil = Callable[[Any], Any]
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def in_full(problem: Problem) -> str:
    """A problem with its place in full: an empty row or field is a dash."""
    return f"{problem.file}:{problem.row}:{problem.field}: {problem.message}; {problem.mend}"


def read(path: Path) -> Any:
    """The content of a YAML file, or the rows of a JSONL file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in text.splitlines()]
    return yaml.load(text, Loader=_Loader)


def edit(root: Path, name: str, *spoils: Spoil) -> None:
    """Spoil one file of a copy of benchmark/, in one way or several."""
    path = root / name
    value = read(path)
    for spoil in spoils:
        spoil(value)
    if path.suffix == ".jsonl":
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in value)
    else:
        text = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    path.write_text(text, encoding="utf-8")


@cache
def _content(name: str) -> Any:
    return read(BENCHMARK / name)


@cache
def source() -> Source:
    """The shipped benchmark, read once."""
    found, problems = read_source(BENCHMARK)
    assert found and problems == []
    return found


def _schema(name: str) -> str:
    if name.startswith(TRANSCRIPTS):
        return "calibration_audits"
    folder = name.split("/", maxsplit=1)[0]
    of_a_folder = {"preferences": "preference", "checks": "check", "calibration": "calibration", SCENARIOS: "scenarios"}
    of_a_file = {**WHOLE_FILES, ATTACKS_FILE: "attack", SCRIPT: "audit_script"}
    return of_a_file.get(name) or of_a_folder.get(folder, "calibration")


def spoiled(name: str, spoil: Spoil) -> Source:
    """The benchmark with one file spoiled, as `read_source` would read it: what is planted still fits the schema."""
    value = deepcopy(_content(name))
    spoil(value)
    for row in value if isinstance(value, list) else [value]:
        assert list(schema_errors(row, _schema(name), schemas(BENCHMARK))) == []
    there, path = source(), BENCHMARK / name
    if name == ATTACKS_FILE:
        return replace(there, attacks=value)
    if name in SPLITS:
        return replace(there, calibration={**there.calibration, SPLITS[name]: value})
    if name in WHOLE_FILES:
        return replace(there, **{path.stem: value})
    for kind in ("scenarios", "transcripts"):
        if path in getattr(there, kind):
            return replace(there, **{kind: {**getattr(there, kind), path: value}})
    if name == SCRIPT:
        return replace(there, script=parse_script(value))
    parse: Any = parse_preference if path.parent.name == "preferences" else parse_check
    topics = getattr(there.benchmark, path.parent.name)
    changed = tuple(parse(value, path) if topic.path == path else topic for topic in topics)
    return replace(there, benchmark=replace(there.benchmark, **{path.parent.name: changed}))


def edit_all(root: Path, planted: Iterable[tuple[str, Spoil]]) -> None:
    """Plant each (file, spoil), reading and writing each file once."""
    of_file: dict[str, list[Spoil]] = {}
    for name, spoil in planted:
        of_file.setdefault(name, []).append(spoil)
    for name, spoils in of_file.items():
        edit(root, name, *spoils)


def at(root: Path) -> Source:
    """The benchmark as it was read, its files in another folder: for rules that look at files themselves."""
    return replace(source(), benchmark=replace(source().benchmark, root=root))
