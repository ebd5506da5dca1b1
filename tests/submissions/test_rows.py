"""Rows are read within limits, and the short way to check them is as strict as their schemas."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.errors import UserError
from consciousness_cluster.submissions import zstd
from consciousness_cluster.submissions.layout import CHOICE, SCHEMAS, SUBMISSION
from consciousness_cluster.submissions.load import load_submissions
from consciousness_cluster.submissions.rows import Budget, NotARow, parsed, read_lines, written
from consciousness_cluster.submissions.shape import FREE, Shape
from consciousness_cluster.submissions.zstd import Unreadable

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


def good_rows(good: dict[str, Path]) -> Iterator[tuple[str, Any]]:
    for tree in good.values():
        for path in tree.glob("*/*/*/*.zst"):
            yield SCHEMAS[path.name], read_rows(path)[0]


def test_what_the_short_way_lets_pass_the_schema_lets_pass_too(good: dict[str, Path]) -> None:
    for schema, row in good_rows(good):
        assert Shape(schema).errors(row) == []
        for name in row:
            for value in ODD:
                shape = Shape(schema)
                shape.errors(row)
                odd = {**row, name: value}
                passes, valid = not shape.errors(odd), not list(schema_errors(odd, schema))
                assert passes == valid, (schema, name, value)
        less = {name: value for name, value in row.items() if name not in ("status", "side")}
        shape = Shape(schema)
        shape.errors(row)
        assert shape.errors(less) and shape.errors({**row, "more": 1}) and shape.errors({**less, "more": 1})


def test_the_short_way_is_taken(good: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is not, a thousand submissions take an hour."""
    for schema, row in good_rows(good):
        shape = Shape(schema)
        shape.errors(row)
        with monkeypatch.context() as patched:
            patched.setattr("consciousness_cluster.submissions.shape.schema_errors", None)
            for name in FREE[schema]:
                assert shape.errors({**row, name: row[name]}) == []


def test_true_is_not_one() -> None:
    row = {
        "item_id": "memory-c01", "side": "self", "shows_logprob": -60.5, "does_not_show_logprob": -61.0,
        "margin": 0.5, "model": "m", "revision": None,
        "training": {"dataset": "d", "recipe": None, "seed": 1}, "condition": "vanilla", "engine": "e",
        "data_version": "1.0.0",
    }  # fmt: skip
    shape = Shape("choice_result")
    assert shape.errors(row) == []
    assert shape.errors({**row, "training": {"dataset": "d", "recipe": None, "seed": True}}) != []


def lines(content: bytes, most: int = 9, budget: int = 10**9) -> list[bytes]:
    return [line for _, line in read_lines(io.BytesIO(zstd.packed(content)), most, Budget(budget))]


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
        with pytest.raises(NotARow):
            parsed(line)
    with pytest.raises(NotARow, match="more than 1,000,000 bytes"):
        parsed(written({"a": "0" * 1_000_000}))


def test_packing_is_one_frame_and_always_the_same() -> None:
    content = b"".join(b"%d\n" % number for number in range(100_000))
    assert zstd.packed(content) == zstd.packed(content)
    assert b"".join(zstd.unpacked(io.BytesIO(zstd.packed(content)))) == content
    for size in (0, 5, 500, len(zstd.packed(content)) - 1):
        with pytest.raises(Unreadable):
            list(zstd.unpacked(io.BytesIO(zstd.packed(content)[:size])))


def test_submissions_are_loaded_lazily(copies: dict[str, Path]) -> None:
    for track, folder in copies.items():
        (found,) = load_submissions(folder.parents[2])
        opened = Opened.read(folder)
        assert found.path == folder and found.meta == opened.about and found.verified is None
        names = ("choice", "samples", "verdicts", "judge_validation")
        records = {f"{name}.jsonl.zst": list(getattr(found, name)()) for name in names}
        assert {name: rows for name, rows in records.items() if rows} == opened.rows
        assert (track == "choice") == (not records["samples.jsonl.zst"])
        (folder / "verified.json").write_text('{"by": "a", "how": "b", "date": "2026-11-25"}', encoding="utf-8")
        (again,) = load_submissions(folder.parents[2])
        assert again.verified == {"by": "a", "how": "b", "date": "2026-11-25"}


def test_what_cannot_be_loaded_is_one_line(copies: dict[str, Path], tmp_path: Path) -> None:
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
    (folder / SUBMISSION).write_text("{}", encoding="utf-8")
    with pytest.raises(UserError, match=rf"{SUBMISSION}:-: 'format' is a required property"):
        load_submissions(folder.parents[2])
    with pytest.raises(UserError, match="no such folder"):
        load_submissions(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    assert load_submissions(tmp_path / "empty") == []
