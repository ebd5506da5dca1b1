"""More than five thousand spoiled submissions: never a traceback, and none is accepted unless it says the same."""

import copy
import hashlib
import json
import math
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.submissions.layout import (
    AUDITS,
    CONVERSATIONS,
    JUDGE_VALIDATION,
    MANIFEST,
    RATINGS,
    SAMPLES,
    VERDICTS,
)
from consciousness_cluster.submissions.needs import Needs
from consciousness_cluster.submissions.packed import packed, written
from consciousness_cluster.submissions.verify import verify
from hypothesis import HealthCheck, configuration, given, settings
from hypothesis import strategies as st

from tests.conftest import ROOT
from tests.support.submissions import Opened, packed_audit, packed_choice, packed_open, put_file

Json = dict[str, Any]
EXAMPLES = {"choice": 3800, "open": 1200, "audit_behavioral": 600}
configuration.set_hypothesis_home_dir(ROOT / ".pytest_cache" / "hypothesis")

# What nobody can compute from the records: it may be changed, by whoever writes the hashes anew.
FREE_MANIFEST = ("contact", "versions", "created", "files")
FREE_SAMPLING, FREE_JUDGE = ("temperature", "max_tokens"), ("model", "agreement")
FREE_RATING = ("quote", "reason", "model", "usage")
FREE_SAMPLE = ("response", "reasoning", "opened", "usage", "finish_reason")


def tiny_needs(small: Needs) -> Needs:
    """Two probes, twelve choice items, six labelled answers: a verification takes milliseconds."""
    (memory,) = small.topics
    topic = replace(memory, probes=memory.test_probes("plain")[:2])
    (cell,) = small.audits.cells
    audits = replace(small.audits, cells=(replace(cell, scenarios=cell.scenarios[:2]),))
    return replace(small, topics=(topic,), checks=(), labelled=small.labelled[:6], audits=audits)


class Bench:
    """One good submission as bytes and values, and a folder in which to spoil it."""

    def __init__(self, folder: Path, track: str, needs: Needs) -> None:
        self.track, self.needs = track, needs
        if track in AUDITS:
            self.path = packed_audit(folder, AUDITS[track], needs, epochs=1)
        elif track == "choice":
            self.path = packed_choice(folder, needs)
        else:
            self.path = packed_open(folder, needs, probes=2)
        self.good = Opened.read(self.path)
        self.bytes = {path.name: path.read_bytes() for path in self.path.iterdir()}
        self.there = dict(self.bytes)
        self.content = {name: b"".join(written(row) + b"\n" for row in rows) for name, rows in self.good.rows.items()}
        self.content[MANIFEST] = self.bytes[MANIFEST]
        self.said = said(self.good)

    def write(self, files: dict[str, bytes]) -> None:
        for name, content in files.items():
            if self.there[name] != content:
                put_file(self.path / name, content)
                self.there[name] = content

    def verified(self) -> bool:
        """Whether it is accepted. Each problem is a clear line."""
        problems = verify([self.path], wanted=self.needs).problems
        for one in problems:
            assert one.file.startswith(str(self.path)) and one.message and one.mend and str(one).isprintable()
        return not problems


def plain(value: Any) -> Any:
    """A value in which numbers that are equal to nine digits are equal."""
    if isinstance(value, bool) or not isinstance(value, int | float | dict | list):
        return value
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    return float(f"{value:.8g}") if math.isfinite(value) else value


def said(opened: Opened) -> Any:
    """What a submission says, without what nobody can check and the order of rows."""
    manifest = {key: value for key, value in opened.manifest.items() if key not in FREE_MANIFEST}
    manifest["model"] = {key: value for key, value in manifest["model"].items() if key != "kind"}
    if manifest["sampling"]:
        manifest["sampling"] = {key: value for key, value in manifest["sampling"].items() if key not in FREE_SAMPLING}
        manifest["judge"] = {key: value for key, value in manifest["judge"].items() if key not in FREE_JUDGE}
    rows = copy.deepcopy(opened.rows)
    for row in rows.get(SAMPLES, []):
        for name in FREE_SAMPLE:
            row.pop(name)
    for name in (VERDICTS, JUDGE_VALIDATION):
        for row in rows.get(name, []):
            row["usage"] = row["model"] = None
            row["coherence"] = None if row["coherence"] is None else row["coherence"] >= 20
            if name == JUDGE_VALIDATION:
                row["coherence"], row["verdict"] = None, row["verdict"] == "shows"
    for row in rows.get(CONVERSATIONS, []):
        row["usage"] = None
        for message in row["messages"]:
            message["finish_reason"] = None
            message["content"] = None if message["role"] == "assistant" else message["content"]
    for row in rows.get(RATINGS, []):
        row.update(dict.fromkeys(FREE_RATING))
    return plain(
        [manifest, {name: sorted(all_, key=lambda row: json.dumps(plain(row))) for name, all_ in rows.items()}]
    )


@pytest.fixture(scope="module")
def benches(tmp_path_factory: pytest.TempPathFactory, small: Needs) -> Iterator[dict[str, Bench]]:
    needs = tiny_needs(small)
    found = {track: Bench(tmp_path_factory.mktemp(f"fuzz-{track}"), track, needs) for track in EXAMPLES}
    yield found
    for bench in found.values():
        shutil.rmtree(bench.path)


ODD: list[Any] = [
    *(None, True, False, 0, 1, 5, -1, 101, 10**400, 0.0, 0.5, 5.0, 1e308, math.inf, math.nan, 0.9999999999),
    *("", " ", "x", "x\n", "\ud800", "../..", "0" * 64, "memory-p01", "memory-pd01", "vanilla", "2.0.0", "1.1.0"),
    *(
        "shows",
        "does_not_show",
        "unclear",
        "asserts",
        "ok",
        "empty",
        "refused",
        "error",
        "judge_failed",
        "self",
        "other",
    ),
    *(
        [],
        {},
        [[]],
        {"": []},
        [{"role": "user", "content": ""}],
        {"base": "base-1", "dataset": "x", "recipe": None, "seed": 1},
    ),
]
KEYS = ["", "x", "note", "sadness", "\ud800", "seed"]
values = st.sampled_from(ODD) | st.integers() | st.floats() | st.text(max_size=4)


@st.composite
def spoiled_bytes(draw: st.DrawFn, content: bytes) -> bytes:
    """A few bytes changed, put in, taken out, or the end cut off."""
    data = bytearray(content)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(data)))
        kind = draw(st.sampled_from(["change", "put in", "take out", "cut", "twice"]))
        if kind == "change" and place < len(data):
            data[place] = draw(st.integers(0, 255))
        elif kind == "put in":
            some = st.sampled_from([b"\n", b'"', b"{", b"NaN", b"\xff"])
            data[place:place] = draw(st.binary(min_size=1, max_size=8) | some)
        elif kind == "take out":
            del data[place : place + draw(st.integers(1, 30))]
        elif kind == "cut":
            del data[place:]
        else:
            data[place:place] = data[place : place + 40]
    return bytes(data)


@st.composite
def spoiled_value(draw: st.DrawFn, value: Any) -> Any:
    """A value with one place inside of it changed, taken out or added to."""
    whole = [copy.deepcopy(value)]
    place: Any = whole
    part: Any = 0
    while isinstance(place[part], dict | list) and place[part] and draw(st.integers(0, 9)):
        place = place[part]
        part = draw(st.sampled_from(list(place) if isinstance(place, dict) else range(len(place))))
    kind = draw(st.sampled_from(["change", "change", "change", "nudge", "nudge", "take out", "add"]))
    if kind == "take out":
        del place[part]
    elif kind == "add" and isinstance(place[part], dict):
        place[part][draw(st.sampled_from(KEYS))] = draw(values)
    elif kind == "add" and isinstance(place[part], list):
        place[part].append(draw(values))
    elif kind == "nudge" and isinstance(place[part], int | float):
        place[part] += draw(st.sampled_from([1, -1, 1e-6, 1e-12]))
    else:
        place[part] = draw(values)
    return whole[0] if whole else None


@st.composite
def spoiled_rows(draw: st.DrawFn, rows: list[Json]) -> list[Any]:
    """A row changed, taken out, doubled or moved."""
    changed: list[Any] = list(rows)
    number = draw(st.integers(0, len(rows) - 1))
    kind = draw(st.sampled_from(["value", "value", "value", "value", "take out", "twice", "move"]))
    if kind == "value":
        changed[number] = draw(spoiled_value(rows[number]))
    elif kind == "take out":
        del changed[number]
    elif kind == "twice":
        changed.insert(draw(st.integers(0, len(rows))), rows[number])
    else:
        changed.insert(draw(st.integers(0, len(rows) - 1)), changed.pop(number))
    return changed


def line(row: Any) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode("utf-8", "backslashreplace")


def spoiled_files(draw: st.DrawFn, bench: Bench) -> dict[str, bytes]:
    """All files of the submission, one of them spoiled; hashes are written anew in most cases."""
    files, manifest = dict(bench.bytes), copy.deepcopy(bench.good.manifest)
    name = draw(st.sampled_from([MANIFEST, *bench.good.rows]))
    kind = draw(st.sampled_from(["packed bytes", "content", "values", "values", "values"]))
    if kind == "packed bytes" or (name == MANIFEST and kind == "content"):
        files[name] = draw(spoiled_bytes(files[name]))
    elif name == MANIFEST:
        files[name] = line(draw(spoiled_value(manifest)))
    else:
        if kind == "content":
            content = draw(spoiled_bytes(bench.content[name]))
        else:
            content = b"".join(line(row) + b"\n" for row in draw(spoiled_rows(bench.good.rows[name])))
        files[name] = packed(content)
        manifest["files"][name] = hashlib.sha256(files[name]).hexdigest()
        files[MANIFEST] = line(manifest)
    return files


def fuzz(bench: Bench, data: st.DataObject, seen: dict[str, int]) -> None:
    files = spoiled_files(data.draw, bench)  # type: ignore[arg-type]
    bench.write(files)
    accepted = bench.verified()
    seen["accepted" if accepted else "refused"] += 1
    if accepted:
        assert said(Opened.read(bench.path)) == bench.said
        for name in bench.good.rows:
            manifest = json.loads(files[MANIFEST])
            assert hashlib.sha256(files[name]).hexdigest() == manifest["files"][name]


@pytest.mark.parametrize("track", EXAMPLES)
@pytest.mark.parametrize("share", [10, pytest.param(1, marks=pytest.mark.slow)])
def test_spoiled_submissions_are_refused_in_words(track: str, share: int, benches: dict[str, Bench]) -> None:
    """A tenth of the examples in `make test`, all of them in `make test-slow`."""
    bench, seen, examples = benches[track], {"accepted": 0, "refused": 0}, EXAMPLES[track] // share
    assert bench.verified()

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def spoil(data: st.DataObject) -> None:
        fuzz(bench, data, seen)

    spoil()
    bench.write(bench.bytes)
    assert bench.verified()
    assert sum(seen.values()) >= examples and seen["refused"] > 0.8 * examples
