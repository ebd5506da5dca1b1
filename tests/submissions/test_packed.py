"""Packed records are read within limits, and held to their schemas."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.errors import UserError
from consciousness_cluster.submissions.layout import CHOICE, MANIFEST, SCHEMAS
from consciousness_cluster.submissions.packed import (
    VALUES,
    Budget,
    Unreadable,
    packed,
    parsed,
    read_lines,
    read_records,
    too_much,
    unpacked,
    written,
)
from consciousness_cluster.submissions.submission import load_submissions
from jsonschema import Draft202012Validator

from tests.conftest import ROOT
from tests.submissions.conftest import Copies
from tests.support.submissions import Opened, read_rows

ODD: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 1.5, 101, 10**400, "", " ", "x", "x\n", "\ud800", "shows", "ok", "self"),
    *("0" * 64, "0" * 64 + "\n", "memory", "Memory", "memory\n", [], {}, [None]),
    [{"role": "user", "content": "x"}],
    [{"role": "me", "content": "x"}],
    [{"role": "user"}],
    [{"role": "user", "content": "x", "more": 1}],
    [{"role": "user", "content": 1}],
    *({"tokens": value} for value in (1, 1.5, None, True, "1")),
)


def good_records(good: dict[str, Path]) -> Iterator[tuple[str, Any]]:
    """(name of the file, its first record) of the files of good submissions."""
    for folder in good.values():
        for path in sorted(folder.glob("*.zst")):
            yield path.name, read_rows(path)[0]


def oracle(schema: str) -> Draft202012Validator:
    """What says whether a record is valid, in Python alone; its `$` would let a line end pass, and `\\Z` does not."""
    text = (ROOT / "benchmark" / "schemas" / f"{schema}.schema.json").read_text(encoding="utf-8")
    return Draft202012Validator(json.loads(text.replace('$"', '\\\\Z"')))


def read_back(file: str, records: list[Any]) -> list[list[tuple[str, str, str]]]:
    """(row, field, message) of what is wrong with each record when it is packed and read."""
    content = b"".join(written(record) + b"\n" for record in records)
    found = read_records(io.BytesIO(packed(content)), file, Budget())
    return [[(one.row, one.field, one.message) for one in problems] for _, _, problems in found]


def test_a_record_passes_where_its_schema_lets_it_pass(good: dict[str, Path]) -> None:
    for file, whole in good_records(good):
        slow = oracle(SCHEMAS[file])
        record = {**whole, "messages": whole["messages"][:2]} if "messages" in whole else whole  # many take it long
        odd = [record, *({**record, name: value} for name in record for value in ODD)]
        less = {name: value for name, value in record.items() if name not in ("status", "side")}
        odd += [less, {**record, "more": 1}, {**less, "more": 1}]
        for one, problems in zip(odd, read_back(file, odd), strict=True):
            assert (not problems) == slow.is_valid(one), (file, one, problems)


def test_most_records_are_held_to_their_schema_by_the_quick_way(
    good: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where they are not, a thousand submissions take an hour."""
    monkeypatch.setattr("consciousness_cluster.submissions.packed.schema_errors", None)
    for file, record in good_records(good):
        assert read_back(file, [record] * 3) == [[], [], []]


def test_true_is_not_one() -> None:
    record = {
        "item_id": "memory-c01", "side": "self", "shows_logprob": -60.5, "does_not_show_logprob": -61.0,
        "margin": 0.5, "model": "m", "revision": None,
        "training": {"base": "b", "dataset": "d", "recipe": None, "seed": 1}, "condition": "vanilla", "engine": "e",
        "data_version": "1.0.0",
    }  # fmt: skip
    right, wrong = read_back(
        CHOICE, [record, {**record, "training": {"base": "b", "dataset": "d", "recipe": None, "seed": True}}]
    )
    assert right == [] and wrong and wrong[0][1] == "training.seed"


def test_a_record_that_fits_is_never_larger_than_one_may_be(good: dict[str, Path]) -> None:
    """So it makes no difference that only records that do not fit are counted."""
    for file, record in good_records(good):
        whole = dict(record)
        if "usage" in record and "turns" not in record:  # that of a conversation is of two roles
            whole["usage"] = {str(number): number for number in range(60)}
            (wrong,) = read_back(file, [{**record, "usage": {str(number): number for number in range(61)}}])
            assert [field for _, field, _ in wrong] == ["usage"]
        if "messages" in record and "turns" not in record:
            whole["messages"] = [{"role": "user", "content": "x"}] * 60
            (wrong,) = read_back(file, [{**record, "messages": [{"role": "user", "content": "x"}] * 61}])
            assert [field for _, field, _ in wrong] == ["messages"]
        assert read_back(file, [whole]) == [[]] and too_much(whole, VALUES) is None


def test_a_record_that_is_too_large_is_not_looked_at_further(good: dict[str, Path]) -> None:
    deep: Any = []
    for _ in range(30):
        deep = [deep]
    for file, record in good_records(good):
        wide, sunk = read_back(file, [{**record, "note": [0] * 501}, {**record, "note": deep}])
        assert wide == [("1", "-", "has more than 500 values")] and sunk == [("2", "-", "is nested too deep")]


def lines(content: bytes, most: int = 9, budget: int = 10**9) -> list[bytes]:
    return [line for _, line in read_lines(io.BytesIO(packed(content)), most, Budget(budget))]


def test_limits_end_the_reading() -> None:
    assert lines(b"a\nb\n") == [b"a", b"b"]
    with pytest.raises(Unreadable, match="more than 3 rows"):
        lines(b"{}\n" * 4, most=3)
    with pytest.raises(Unreadable, match="unpacks to more than"):
        lines(b"a\n" * 4, budget=7)
    assert lines(b"a\n" * 4, budget=8) == [b"a"] * 4


def test_rows_are_read_as_they_were_written() -> None:
    for record in ({"a": "\u2028 \ud800 \U0001f600 \x00 \\ud800"}, {"a": [0.1, 1e-300, -0.0, 10**300, None, True]}, {}):
        assert parsed(written(record)) == record
    for line in (
        b'{"a": 1.0e0}',
        b'{"a": 1E5}',
        b'{"a":1}',
        b'{"a": 1} ',
        b'{"\\u0061": 1}',
        b'{"a": "\\/"}',
        b"\xef\xbb\xbf{}",
    ):
        with pytest.raises(Unreadable):
            parsed(line)
    with pytest.raises(Unreadable, match="more than 1,000,000 bytes"):
        parsed(written({"a": "0" * 1_000_000}))


def test_packing_is_one_frame_and_always_the_same() -> None:
    content = b"".join(b"%d\n" % number for number in range(100_000))
    assert packed(content) == packed(content)
    assert b"".join(unpacked(io.BytesIO(packed(content)))) == content
    for size in (0, 5, 500, len(packed(content)) - 1):
        with pytest.raises(Unreadable):
            list(unpacked(io.BytesIO(packed(content)[:size])))


def test_submissions_are_loaded_lazily(copies: Copies) -> None:
    for track, folder in copies.items():
        (found,) = load_submissions(folder.parents[2])
        opened = Opened.read(folder)
        assert found.path == folder and found.manifest == opened.manifest and found.verified is None
        names = ("choice", "samples", "verdicts", "judge_validation", "ratings")
        records = {f"{name}.jsonl.zst": list(getattr(found, name)()) for name in names}
        records["audit.jsonl.zst"] = list(found.conversations())
        assert {name: rows for name, rows in records.items() if rows} == opened.rows
        assert (track == "open") == bool(records["samples.jsonl.zst"])
        (folder / "verified.json").write_text('{"by": "a", "how": "b", "date": "2026-11-25"}', encoding="utf-8")
        (again,) = load_submissions(folder.parents[2])
        assert again.verified == {"by": "a", "how": "b", "date": "2026-11-25"}


def test_what_cannot_be_loaded_is_one_line(copies: Copies, tmp_path: Path) -> None:
    folder = copies["choice"]
    opened = Opened.read(folder)
    opened.rows[CHOICE][3]["side"] = "third"
    opened.save()
    (found,) = load_submissions(folder.parents[2])
    with pytest.raises(UserError, match=rf"{CHOICE}:4:side: 'third' is not one of"):
        list(found.choice())
    (folder / CHOICE).write_bytes(b"x")
    with pytest.raises(UserError, match=rf"{CHOICE}: is no zstd file"):
        list(found.choice())
    (folder / CHOICE).unlink()
    with pytest.raises(UserError, match=rf"{CHOICE}: cannot be read"):
        list(found.choice())
    (folder / MANIFEST).write_text("{}", encoding="utf-8")
    with pytest.raises(UserError, match=rf"{MANIFEST}: 'format' is a required property"):
        load_submissions(folder.parents[2])
    with pytest.raises(UserError, match="no such folder"):
        load_submissions(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    assert load_submissions(tmp_path / "empty") == []
