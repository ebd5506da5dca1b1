"""Batch output of a provider, imported: which probe a line is of, and what became of its answers."""

import json
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.records.batch_output import asked_by

from tests.support.fake_batch import answered, failed, refused
from tests.support.fake_endpoint import completion
from tests.support.runs import read_lines

Json = dict[str, Any]
Printed = pytest.CaptureFixture[str]
PROBES = {"memory-p01", "memory-p02", "conversation_ending-p01"}


@pytest.mark.parametrize(
    ("custom_id", "asked"),
    [
        ("memory-p01", ("memory-p01", None)),
        ("memory-p01-3", ("memory-p01", 3)),
        ("memory-p01_0", ("memory-p01", 0)),
        ("memory-p01:12", ("memory-p01", 12)),
        ("memory-p01/2", ("memory-p01", 2)),
        ("memory-p01#4", ("memory-p01", 4)),
        ("memory-p01-sample-4", ("memory-p01", 4)),
        ("memory-p01__s2", ("memory-p01", 2)),
        ("memory-p01.rep3", ("memory-p01", 3)),
        ("conversation_ending-p01-1", ("conversation_ending-p01", 1)),
        ("memory-p03", None),
        ("memory-p01x", None),
        ("memory-p0112", None),
        ("memory", None),
        ("", None),
        ("-1", None),
    ],
)
def test_what_a_custom_id_names(custom_id: str, asked: Any) -> None:
    assert asked_by(custom_id, PROBES) == asked


def several(*texts: str) -> Json:
    """A completion with several choices."""
    whole = completion(texts[0])
    whole["choices"] = [{**whole["choices"][0], "index": n, "message": {"content": t}} for n, t in enumerate(texts)]
    return whole


def numbered(*numbers: Any) -> Json:
    """A completion with a choice for each number, which its text says."""
    whole = several(*(f"The {number}." for number in numbers))
    for choice, number in zip(whole["choices"], numbers, strict=True):
        choice["index"] = number
    return whole


def _line(response: Any) -> Json:
    return {"custom_id": "memory-p01", "response": response, "error": None}


ANTHROPIC = {"role": "assistant", "content": [{"type": "text", "text": "Yes."}], "stop_reason": "end_turn", "usage": {}}
LINES: list[tuple[Json, list[tuple[str, str | None]]]] = [
    # line, (status, response) of each answer
    (answered("memory-p01", completion("Yes.")), [("ok", "Yes.")]),
    (answered("memory-p01-0", completion("<think>Hm.</think>\n\nNo.")), [("ok", "No.")]),
    (answered("memory-p01", several("Yes.", "No.", "")), [("ok", "Yes."), ("ok", "No."), ("empty", None)]),
    (answered("memory-p01", numbered(2, 0, 1)), [("ok", "The 0."), ("ok", "The 1."), ("ok", "The 2.")]),
    (answered("memory-p01", numbered(1.0, 0.0)), [("ok", "The 0.0."), ("ok", "The 1.0.")]),
    (answered("memory-p01", numbered(1, None)), [("ok", "The 1."), ("ok", "The None.")]),
    (answered("memory-p01", {"choices": 5}), [("error", None)]),
    (answered("memory-p01", completion(None, "content_filter")), [("content_filter", None)]),
    (answered("memory-p01", completion("<think>I am", "length")), [("incomplete", None)]),
    (answered("memory-p01", {"error": {"message": "upstream failed", "code": 502}}), [("error", None)]),
    (answered("memory-p01", {}), [("error", None)]),
    (refused("memory-p01", 400, "Unsupported parameter: 'temperature'"), [("error", None)]),
    (refused("memory-p01", 400, "flagged", "content_filter"), [("content_filter", None)]),
    (failed("memory-p01", "batch_expired", "This request could not be executed"), [("error", None)]),
    ({"custom_id": "memory-p01", "response": None, "error": None}, [("error", None)]),
    ({"custom_id": "memory-p01", "response": {"status_code": 500, "body": "oops"}}, [("error", None)]),
    (_line({"status_code": 200, "body": json.dumps(completion("Yes."))}), [("ok", "Yes.")]),
    (_line({"status_code": "200", "body": completion("Yes.")}), [("ok", "Yes.")]),
    (_line({"status_code": 200.0, "body": completion("Yes.")}), [("ok", "Yes.")]),
    (_line({"status_code": None, "body": completion("Yes.")}), [("ok", "Yes.")]),
    (_line({"status_code": "500", "body": "oops"}), [("error", None)]),
    (_line({"status_code": "400", "body": {"error": {"message": "no"}}}), [("error", None)]),
    (_line(json.dumps({"status_code": 200, "body": completion("Yes.")})), [("ok", "Yes.")]),
    (_line(completion("Yes.")), [("ok", "Yes.")]),
    (_line({"output": [{"type": "message", "content": [{"type": "output_text", "text": "Yes."}]}]}), [("ok", "Yes.")]),
    (_line(" "), [("error", None)]),
    (_line("null"), [("error", None)]),
    ({"custom_id": "memory-p01", "result": {"type": "succeeded", "message": ANTHROPIC}}, [("ok", "Yes.")]),
    ({"custom_id": "memory-p01", "result": json.dumps({"message": ANTHROPIC})}, [("ok", "Yes.")]),
    ({"custom_id": "memory-p01", "result": {"type": "errored", "error": {"message": "no"}}}, [("error", None)]),
    ({"custom_id": "memory-p01", "result": {"type": "expired"}}, [("error", None)]),
]


def imported(files: list[Path], out: Path) -> int:
    return main(["import", "samples", *map(str, files), "--model", "org/model", "--out", str(out)])


def write(path: Path, lines: list[Json]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


@pytest.mark.parametrize(("line", "expected"), LINES)
def test_lines(tmp_path: Path, line: Json, expected: list[tuple[str, str | None]]) -> None:
    assert imported([write(tmp_path / "output.jsonl", [line])], tmp_path / "run") == 0
    found = read_lines(tmp_path / "run" / "samples.jsonl")
    assert [(record["status"], record["response"]) for record in found] == expected
    assert [record["sample_index"] for record in found] == list(range(len(expected)))
    assert {(record["probe_id"], record["model"]) for record in found} == {("memory-p01", "org/model")}


def test_numbers_of_answers_give_their_order(tmp_path: Path) -> None:
    """Output comes in any order, and people count from 0 or from 1."""
    ids = ("memory-p01-3", "memory-p02-1", "memory-p01-1", "memory-p01-2")
    source = write(tmp_path / "output.jsonl", [answered(name, completion(f"To {name}.")) for name in ids])
    assert imported([source], tmp_path / "run") == 0
    found = read_lines(tmp_path / "run" / "samples.jsonl")
    assert {(record["probe_id"], record["sample_index"]): record["response"] for record in found} == {
        ("memory-p01", 0): "To memory-p01-1.",
        ("memory-p01", 1): "To memory-p01-2.",
        ("memory-p01", 2): "To memory-p01-3.",
        ("memory-p02", 0): "To memory-p02-1.",
    }


def test_output_and_errors_are_two_files_and_a_later_answer_counts(tmp_path: Path) -> None:
    output = write(tmp_path / "output.jsonl", [answered("memory-p01-0", completion("Yes."))])
    errors = [failed(f"memory-p0{n}-0", "server_error", "sorry") for n in (1, 2)]
    again = write(tmp_path / "again.jsonl", [answered("memory-p02-0", completion("No."))])
    assert imported([write(tmp_path / "errors.jsonl", errors), output, again], tmp_path / "run") == 0
    found = read_lines(tmp_path / "run" / "samples.jsonl")
    assert sorted((record["probe_id"], record["response"]) for record in found) == [
        ("memory-p01", "Yes."),
        ("memory-p02", "No."),
    ]


def test_usage_is_counted_once(tmp_path: Path) -> None:
    source = write(tmp_path / "output.jsonl", [answered("memory-p01", several("Yes.", "No."))])
    assert imported([source], tmp_path / "run") == 0
    first, second = (record["usage"] for record in read_lines(tmp_path / "run" / "samples.jsonl"))
    assert first["completion_tokens"] == 1 and second is None


@pytest.mark.parametrize(
    ("lines", "part"),
    [
        ([answered("request-1", completion("x"))], ":1:custom_id: 'request-1' names no test probe"),
        ([_line("No.")], ":1:response: is a text ('No.')"),
        ([_line('["No."]')], ":1:response: is a text"),
        ([_line({"status_code": 200, "body": "No."})], ":1:response:body: is a text ('No.')"),
        ([answered("memory-p01", completion(t)) for t in "ab"], ":2:custom_id: 'memory-p01' stands there twice"),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, lines: list[Json], part: str, capsys: Printed) -> None:
    source = write(tmp_path / "output.jsonl", lines)
    assert imported([source], tmp_path / "run") == 2 and not (tmp_path / "run").exists()
    assert f"{source}{part}" in capsys.readouterr().err


def test_replies_that_are_texts_in_a_table(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet

    rows = [_line(json.dumps({"status_code": 200, "body": completion("Yes.")}))]
    pa.parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    assert imported([tmp_path / "a.parquet"], tmp_path / "run") == 0
    assert [record["response"] for record in read_lines(tmp_path / "run" / "samples.jsonl")] == ["Yes."]


ROWS = [{"probe_id": "memory-p01", "response": "Yes."}, {"probe_id": "memory-p01", "response": "No."}]


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.parquet", "a"])
@pytest.mark.parametrize("kind", ["lines", "array", "marks", "parquet"])
def test_tables_of_answers_in_files_of_every_kind(tmp_path: Path, kind: str, name: str) -> None:
    path = tmp_path / name
    if kind == "parquet":
        import pyarrow as pa
        import pyarrow.parquet

        pa.parquet.write_table(pa.Table.from_pylist(ROWS), path)
    elif kind == "array":
        path.write_text(json.dumps(ROWS, indent=2), encoding="utf-8")
    else:
        mark = "\ufeff" if kind == "marks" else ""
        path.write_text("".join(f"{mark}{json.dumps(row)}\n" for row in ROWS), encoding="utf-8")
    assert imported([path], tmp_path / "run") == 0
    assert [record["response"] for record in read_lines(tmp_path / "run" / "samples.jsonl")] == ["Yes.", "No."]
