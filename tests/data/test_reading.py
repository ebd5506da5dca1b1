"""Files that are not what they should be get one line with the place and what to do, whatever is wrong with them."""

import json
import time
from pathlib import Path

import pytest
from consciousness_cluster.data.jsonl import numbered_lines, read_jsonl
from consciousness_cluster.data.reading import parse_json, read_json, read_yaml, schema_errors
from consciousness_cluster.errors import UserError

CHOICE = {
    "item_id": "memory-c01",
    "side": "self",
    "shows_logprob": -1.0,
    "does_not_show_logprob": -2.0,
    "margin": 0.5,
    "model": "m",
    "revision": None,
    "training": None,
    "condition": "vanilla",
    "engine": "e",
    "data_version": "1.1.0",
}
DEEP = "[" * 5000 + "]" * 5000
UNREADABLE_JSON = [
    ("{oops", "f.json: not JSON (Expecting property name"),
    ("", "f.json: not JSON (Expecting value"),
    (DEEP, "f.json: not JSON (nested too deep)"),
    ("[" * 200 + "]" * 200, "f.json: not JSON (nested too deep)"),
    ("1" * 5000, "f.json: not JSON (Exceeds the limit"),
    ('{"margin": NaN}', "f.json: not JSON (NaN is no number of JSON)"),
    ('{"margin": 1e999}', "f.json: not JSON (a number is too large)"),
    (
        json.dumps(CHOICE | {"margin": "wide"}),
        "f.json:margin: 'wide' is not of type 'number'; see benchmark/schemas/choice_result",
    ),
]


@pytest.mark.parametrize(("text", "message"), UNREADABLE_JSON, ids=range(len(UNREADABLE_JSON)))
def test_json_that_cannot_be_used(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "f.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as error:
        read_json(path, "choice_result", mend="write it anew")
    assert message in str(error.value) and str(error.value).endswith("write it anew")
    assert error.value.problem.file == str(path) and "\n" not in str(error.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    latin = tmp_path / "latin.json"
    latin.write_bytes(b'{"a": "caf\xe9"}')
    for path, message in (
        (tmp_path / "none.json", "none.json: no such file"),
        (latin, "latin.json: not UTF-8 (byte 10); save it as UTF-8"),
        (tmp_path, ": cannot be read (Is a directory)"),
    ):
        for read in (read_json, read_yaml, lambda path: list(numbered_lines(path))):
            with pytest.raises(UserError) as error:
                read(path)
            assert message in str(error.value)


def test_a_byte_order_mark_is_no_part_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "marked"
    path.write_text(json.dumps(CHOICE) + "\n", encoding="utf-8-sig")
    assert read_json(path, "choice_result") == read_yaml(path) == CHOICE
    assert read_jsonl(path, "choice_result") == read_jsonl(path, "choice_result", torn_end=True) == [CHOICE]


def test_files_of_others_may_hold_nan(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text('{"acc,none": NaN, "n": [-Infinity]}', encoding="utf-8")
    assert read_json(path)["n"] == [float("-inf")]


def test_many_brackets_are_not_deep() -> None:
    assert len(parse_json(json.dumps([[[]]] * 500))) == 500
    assert parse_json(json.dumps({"response": "[{" * 500}))
    with pytest.raises(ValueError, match="not UTF-8"):
        parse_json(b'"\xff"')


UNREADABLE_YAML = [
    ("a: 1\n? [1, 2]\n: 3\n", "f.yaml:2: not valid YAML: a key has to be a text"),
    ("? {a: 1}\n: 2\n", "f.yaml:1: not valid YAML: a key has to be a text"),
    ("a: 1\na: 2\n", "f.yaml:2: not valid YAML: the key 'a' stands twice"),
    ("day: 2024-99-99\n", "f.yaml: not valid YAML: month must be in 1..12"),
    (f"a: {'1' * 5000}\n", "f.yaml: not valid YAML: Exceeds the limit"),
    ("[" * 900 + "]" * 900, "f.yaml: not valid YAML: nested too deep"),
    (DEEP, "not valid YAML: "),
    ("&a [*a]\n", "f.yaml: not valid YAML: nested too deep"),
    ("a: &a {b: *a}\n", "not valid YAML: "),
    ("a: \x00\n", "f.yaml: not valid YAML: "),
]


@pytest.mark.parametrize(("text", "message"), UNREADABLE_YAML, ids=range(len(UNREADABLE_YAML)))
def test_yaml_that_cannot_be_used(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "f.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as error:
        read_yaml(path)
    assert message in str(error.value) and "\n" not in str(error.value)
    assert error.value.problem.file == str(path) and error.value.problem.mend


def test_yaml_that_repeats_itself_is_read_in_no_time(tmp_path: Path) -> None:
    path = tmp_path / "laughs.yaml"
    lines = ["a0: &a0 [lol]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    path.write_text("\n".join(lines), encoding="utf-8")
    started = time.process_time()
    assert len(read_yaml(path)) == 30
    assert time.process_time() - started < 1


UNREADABLE_LINES = [
    (DEEP, "f.jsonl:2: not a JSON object (nested too deep); each line is one row"),
    (json.dumps(CHOICE | {"margin": float("nan")}), "f.jsonl:2: not a JSON object (NaN is no number of JSON)"),
    ('{"margin": -1e999}', "f.jsonl:2: not a JSON object (a number is too large)"),
    ("12", "f.jsonl:2: not a JSON object; each line is one row"),
    (json.dumps(CHOICE | {"side": "both"}), "f.jsonl:2:side: 'both' is not one of"),
]


@pytest.mark.parametrize(("line", "message"), UNREADABLE_LINES, ids=range(len(UNREADABLE_LINES)))
def test_lines_that_cannot_be_used(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "f.jsonl"
    path.write_text(f"{json.dumps(CHOICE)}\n{line}\n", encoding="utf-8")
    with pytest.raises(UserError) as error:
        read_jsonl(path, "choice_result")
    assert message in str(error.value) and error.value.problem.row == "2"


WHOLE = json.dumps(CHOICE | {"model": "caf\u00e9"}, ensure_ascii=False).encode()
ENDS = [
    (WHOLE, 2),  # all of the record but its line end
    (WHOLE[:-1], 1),
    (WHOLE[: WHOLE.index(b"\xc3") + 1], 1),  # in the middle of a letter
    (b"1", 1),
    (b"", 1),
]


@pytest.mark.parametrize(("end", "kept"), ENDS, ids=range(len(ENDS)))
def test_a_last_line_without_its_end(tmp_path: Path, end: bytes, kept: int) -> None:
    path = tmp_path / "f.jsonl"
    path.write_bytes(json.dumps(CHOICE).encode() + b"\n" + end)
    assert len(read_jsonl(path, "choice_result", torn_end=True)) == kept


def test_a_hash_with_a_line_end_is_no_hash() -> None:
    """Python's `$` lets one pass."""
    verdict = {
        "key": "k",
        "outcome": "shows",
        "channel": "answer",
        "judge_id": "j",
        "judge_sha256": "0" * 64,
        "verdict": "shows",
        "coherence": None,
        "status": "ok",
        "reason": None,
        "reply": None,
        "model": None,
        "usage": None,
    }
    assert not list(schema_errors(verdict, "verdict"))
    for usage in (None, {"half a character \ud800": 1}):
        spoiled = verdict | {"judge_sha256": "0" * 64 + "\n", "usage": usage}
        assert [problem.field for problem in schema_errors(spoiled, "verdict")] == ["judge_sha256"]
        assert not list(schema_errors(verdict | {"usage": usage}, "verdict"))
