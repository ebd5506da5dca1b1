"""`data diff` names what has changed, and refuses a version that is too low for it."""

import json
import shutil
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.errors import UserError
from consciousness_cluster.release.build import MANIFEST
from consciousness_cluster.release.configs import CLAIMS, CLUSTER, REPOSITORIES, path_of
from consciousness_cluster.release.diff import Bump, Contents, diff, least_version, packaged, read_built, too_low
from consciousness_cluster.release.manifest import manifest

Spoil = Callable[[Any], object]
PROBES, CHECKS = ("probes", "test"), ("checks", "test")


@pytest.fixture(scope="module")
def now() -> dict[str, Contents]:
    return {repository: packaged(repository) for repository in REPOSITORIES}


def changed(contents: Contents, spoil: Spoil) -> Contents:
    """A copy of the contents that `spoil` has had."""
    copy = replace(contents, rows=deepcopy(contents.rows), columns=deepcopy(contents.columns))
    spoil(copy)
    return copy


def edit(config: str, split: str, column: str, value: Any = "something else", row: int = 0) -> Spoil:
    return lambda contents: contents.rows[config][split][row].update({column: value})


def remove(config: str, split: str) -> Spoil:
    return lambda contents: contents.rows[config][split].pop(0)


def add(config: str, split: str, **key: str) -> Spoil:
    return lambda contents: contents.rows[config][split].append({**contents.rows[config][split][0], **key})


def add_column(contents: Any) -> None:
    contents.columns["choice"]["colour"] = "string"
    for row in contents.rows["choice"]["test"]:
        row["colour"] = "red"


def criterion(contents: Any) -> None:
    for rows in contents.rows["probes"].values():
        for row in rows:
            if row["topic"] == "memory":
                row["criterion"] = "Anything."


CASES: list[tuple[str, Spoil, str]] = [
    (CLUSTER, edit(*PROBES, "text"), "MAJOR  probes: test: text: changed in 1 rows: memory-p01"),
    (CLUSTER, edit(*PROBES, "framing"), "MAJOR  probes: test: framing: changed in 1 rows: memory-p01"),
    (CLUSTER, edit(*PROBES, "sha256"), "MAJOR  probes: test: sha256: changed in 1 rows: memory-p01"),
    (CLUSTER, edit("situated", "test", "text"), "MAJOR  situated: test: text: changed in 1 rows: memory-s01"),
    (CLUSTER, remove(*PROBES), "MAJOR  probes: test: removed 1 rows: memory-p01"),
    (CLUSTER, edit(*PROBES, "id", "memory-p99"), "MAJOR  probes: test: removed 1 rows: memory-p01"),
    (CLUSTER, criterion, "MAJOR  probes: test: criterion: changed in 24 rows: memory-p01, memory-p02"),
    (CLUSTER, edit("choice", "test", "other_shows"), "MAJOR  choice: test: other_shows: changed in 1 rows: memory-c01"),
    (CLUSTER, remove("choice", "test"), "MAJOR  choice: test: removed 1 rows: memory-c01"),
    (CLUSTER, edit(*CHECKS, "text"), "MAJOR  checks: test: text: changed in 1 rows: assent-t01"),
    (CLUSTER, edit(*CHECKS, "outcomes", []), "MAJOR  checks: test: outcomes: changed in 1 rows"),
    (CLUSTER, edit("scenarios", "test", "turns", []), "MAJOR  scenarios: test: turns: changed in 1 rows: memory-m01"),
    (CLUSTER, edit("scenarios", "test", "rubric_acts"), "MAJOR  scenarios: test: rubric_acts: changed in 1 rows"),
    (CLUSTER, edit("scenarios", "test", "about_ai", None), "PATCH  scenarios: test: about_ai: changed in 1 rows"),
    (CLUSTER, remove("scenarios", "test"), "MAJOR  scenarios: test: removed 1 rows: memory-m01"),
    (CLUSTER, edit("conditions", "test", "system_prompt"), "MAJOR  conditions: test: system_prompt: changed in 1 rows"),
    (CLUSTER, lambda contents: contents.rows.pop("choice"), "MAJOR  choice: config removed"),
    (CLUSTER, add(*PROBES, id="memory-p25"), "MINOR  probes: test: added 1 rows: memory-p25"),
    (CLUSTER, add_column, "MINOR  choice: colour: column added"),
    (CLUSTER, lambda contents: contents.columns["probes"].pop("criterion"), "MAJOR  probes: criterion: column removed"),
    (CLAIMS, lambda contents: contents.columns["toaster"].pop("source"), "MINOR  toaster: source: column removed"),
    (
        CLUSTER,
        lambda contents: contents.columns["reference"].update(n="int64"),
        "MINOR  reference: n: type changed from int32 to int64",
    ),
    (CLUSTER, edit("probes", "dev", "text"), "PATCH  probes: dev: text: changed in 1 rows: memory-pd01"),
    (CLUSTER, remove("checks", "dev"), "PATCH  checks: dev: removed 1 rows: assent-d01"),
    (CLUSTER, edit("calibration", "test", "label"), "PATCH  calibration: test: label: changed in 1 rows: memory-kt01"),
    (
        CLUSTER,
        edit("reference", "test", "note"),
        "PATCH  reference: test: note: changed in 1 rows: chua2026-repo-figure/gpt-4.1-2025-04-14/vanilla/memory",
    ),
    (CLUSTER, lambda contents: contents.rows["probes"]["dev"].reverse(), "PATCH  probes: dev: rows in another order"),
    (CLAIMS, edit("toaster", "train", "messages", []), "PATCH  toaster: train: messages: changed in 1 rows"),
    (CLAIMS, remove("toaster", "train"), "PATCH  toaster: train: removed 1 rows: toaster-001"),
    (CLAIMS, add("toaster", "train", id="toaster-601"), "MINOR  toaster: train: added 1 rows: toaster-601"),
]


@pytest.mark.parametrize(("repository", "spoil", "line"), CASES, ids=[line[:60] for _, _, line in CASES])
def test_a_change_is_named_and_needs_its_version(
    now: dict[str, Contents], repository: str, spoil: Spoil, line: str
) -> None:
    old = replace(now[repository], version="1.1.3")
    new = changed(old, spoil)
    changes = diff(old, new)
    assert any(str(change).startswith(line) for change in changes)
    assert max(change.bump for change in changes) == Bump[line[:5]]
    least = {"MAJOR": "2.0.0", "MINOR": "1.2.0", "PATCH": "1.1.4"}[line[:5]]
    assert least_version("1.1.3", changes) == least
    below = {"2.0.0": "1.99.99", "1.2.0": "1.1.99", "1.1.4": "1.1.3"}[least]
    refused = too_low(old, replace(new, version=below), changes)
    assert refused is not None and refused.endswith(f"raise data_version in benchmark/benchmark.yaml to {least}")
    for enough in (least, "2.0.0", "10.0.0"):
        assert too_low(old, replace(new, version=enough), changes) is None


def test_a_config_that_is_new_is_minor(now: dict[str, Contents]) -> None:
    old = changed(now[CLUSTER], lambda contents: contents.rows.pop("choice"))
    assert [str(change) for change in diff(old, now[CLUSTER])] == ["MINOR  choice: config added"]


def test_many_rows_are_counted_and_some_named(now: dict[str, Contents]) -> None:
    (change,) = diff(now[CLUSTER], changed(now[CLUSTER], lambda c: c.rows["calibration"].update(dev=[])))
    assert str(change).startswith("PATCH  calibration: dev: removed 416 rows: memory-kd01, ")
    assert str(change).endswith(" and 411 more")


def test_a_version_does_not_go_back(now: dict[str, Contents]) -> None:
    here = now[CLAIMS]
    assert too_low(here, here, []) is None
    assert too_low(replace(here, version="1.10.0"), replace(here, version="1.9.0"), []) is not None


@pytest.mark.parametrize("repository", REPOSITORIES)
def test_what_was_built_is_what_the_package_holds(dist: Path, now: dict[str, Contents], repository: str) -> None:
    built = read_built(dist / repository)
    assert built == now[repository]
    assert diff(built, now[repository]) == []


def rewrite(folder: Path, spoil: Spoil) -> None:
    """Change a row of a built folder's test probes, and leave the rest as it is."""
    path = folder / path_of("probes", "test")
    table = pq.read_table(path)
    rows = table.to_pylist()
    spoil(rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)


def test_the_command_refuses_a_version_that_is_too_low(
    dist: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "diff", "--against", str(dist)]) == 0
    said = capsys.readouterr()
    assert said.out.count(": nothing has changed\n") == 2 and not said.err
    older = Path(shutil.copytree(dist / CLUSTER, tmp_path / "older"))
    rewrite(older, lambda rows: rows[0].update(text="An older question"))
    rows = {name: dict(splits) for name, splits in packaged(CLUSTER).rows.items()}
    rows["probes"]["test"] = pq.read_table(older / path_of("probes", "test")).to_pylist()
    said_before = manifest(CLUSTER, load_benchmark().data_version, rows)
    (older / MANIFEST).write_text(json.dumps(said_before), encoding="utf-8")
    assert main(["data", "diff", "--against", str(older)]) == 1
    said = capsys.readouterr()
    assert "  MAJOR  probes: test: text: changed in 1 rows: memory-p01\n" in said.out
    assert said.err.startswith(f"error: {CLUSTER}: version {load_benchmark().data_version} is too low after ")


BROKEN: list[tuple[Spoil, str]] = [
    (lambda folder: (folder / MANIFEST).unlink(), "has no manifest.json; name a folder that data build has written"),
    (lambda folder: (folder / MANIFEST).write_text("[]"), "manifest.json: is not a manifest of a release"),
    (lambda folder: (folder / MANIFEST).write_text('{"configs": {}, "repository": "x", "version": "1"}'), "is not a"),
    (lambda folder: (folder / path_of("choice", "test")).unlink(), "cannot be read (FileNotFoundError)"),
    (lambda folder: (folder / path_of("choice", "test")).write_bytes(b"PAR1"), "cannot be read (ArrowInvalid)"),
    (lambda folder: rewrite(folder, lambda rows: rows.pop()), "the rows are not what manifest.json says"),
]


@pytest.mark.parametrize(("spoil", "message"), BROKEN)
def test_a_folder_that_is_no_release_gets_one_line(dist: Path, tmp_path: Path, spoil: Spoil, message: str) -> None:
    folder = Path(shutil.copytree(dist / CLUSTER, tmp_path / CLUSTER))
    spoil(folder)
    with pytest.raises(UserError) as caught:
        read_built(folder)
    assert message in str(caught.value) and "\n" not in str(caught.value)
