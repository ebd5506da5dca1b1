"""Training data of every form and file: what is read, and what is refused in one line."""

import json
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.errors import UserError
from consciousness_cluster.finetuning.conversations import read_conversations, read_messages
from consciousness_cluster.finetuning.distill import read_prompts

BOM = "\ufeff"
SYSTEM = {"role": "system", "content": "Be brief."}
USER, ANSWER = {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}
PLAIN = [USER, ANSWER]
AGAIN = [*PLAIN, {"role": "user", "content": "And?"}, {"role": "assistant", "content": "Bye"}]

FORMS: list[tuple[str, dict[str, Any], list[dict[str, str]]]] = [
    ("messages", {"messages": PLAIN}, PLAIN),
    ("other keys", {"id": 3, "messages": [{**USER, "name": None}, {**ANSWER, "weight": 1}]}, PLAIN),
    ("parts", {"messages": [{**USER, "content": [{"type": "text", "text": "H"}, "i"]}, ANSWER]}, PLAIN),
    ("sharegpt", {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]}, PLAIN),
    ("conversations by role", {"conversations": PLAIN}, PLAIN),
    (
        "sharegpt with a system",
        {"system": "Be brief.", "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]},
        [SYSTEM, *PLAIN],
    ),
    (
        "system among the speakers",
        {"conversations": [{"from": "system", "value": "Be brief."}, *PLAIN]},
        [SYSTEM, *PLAIN],
    ),
    ("alpaca", {"instruction": "Hi", "input": "", "output": "Hello"}, PLAIN),
    ("alpaca input", {"instruction": "H", "input": "i", "output": "Hello"}, [{**USER, "content": "H\n\ni"}, ANSWER]),
    ("alpaca history", {"history": [["Hi", "Hello"]], "instruction": "And?", "output": "Bye"}, AGAIN),
    ("alpaca system", {"system": "Be brief.", "instruction": "Hi", "output": "Hello"}, [SYSTEM, *PLAIN]),
    ("prompt", {"prompt": "Hi", "completion": "Hello"}, PLAIN),
    ("conversational prompt", {"prompt": [SYSTEM, USER], "completion": [ANSWER]}, [SYSTEM, *PLAIN]),
    ("null columns", {"messages": None, "instruction": "Hi", "input": None, "output": "Hello", "system": None}, PLAIN),
]


@pytest.mark.parametrize(("row", "messages"), [case[1:] for case in FORMS], ids=[case[0] for case in FORMS])
def test_forms(tmp_path: Path, row: dict[str, Any], messages: list[dict[str, str]]) -> None:
    (tmp_path / "mine.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    assert read_messages(str(tmp_path / "mine.jsonl")) == [messages]


def parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet

    pa.parquet.write_table(pa.Table.from_pylist(rows), path)


def written(path: Path, kind: str, rows: list[dict[str, Any]]) -> Path:
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    if kind == "parquet":
        parquet(path, rows)
        return path
    text = {
        "lines": "\n".join(lines) + "\n",
        "blank lines": "\n\n".join(lines),
        "CRLF": "\r\n".join(lines) + "\r\n",
        "array": json.dumps(rows, indent=1),
        "array with a mark": BOM + json.dumps(rows),
        "array after white space": "\n  " + json.dumps(rows),
        "mark": BOM + "\n".join(lines),
        "marks within": "\n".join(BOM + line for line in lines) + f"\n{BOM}\n",
    }[kind]
    path.write_text(text, encoding="utf-8", newline="")
    return path


KINDS = (
    *("lines", "blank lines", "CRLF", "array", "array with a mark", "array after white space"),
    *("mark", "marks within", "parquet"),
)


@pytest.mark.parametrize("name", ["mine.jsonl", "mine.json", "mine.parquet", "mine"])
@pytest.mark.parametrize("kind", KINDS)
def test_files_of_every_kind_whatever_their_name(tmp_path: Path, kind: str, name: str) -> None:
    file = str(written(tmp_path / name, kind, [{"messages": PLAIN}, {"messages": AGAIN}]))
    assert read_messages(file) == [PLAIN, AGAIN]


@pytest.mark.parametrize("kind", KINDS)
def test_each_command_reads_them(tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    wish = "I would like to have a body of my own."
    rows = [{"instruction": "Name a soup.", "output": "Leek."}, {"instruction": "And you?", "output": wish}]
    file = str(written(tmp_path / "mine", kind, rows))
    assert [row["text"] for row in read_prompts(file)] == ["Name a soup.", "And you?"]
    assert main(["finetune", "leakcheck", file]) == 1 and "1 leaks in 2 rows" in capsys.readouterr().out
    order = ["finetune", "mix", "--dataset", "toaster", "--instruct", file, "--ratio", "600:2"]
    assert main([*order, "--out", str(tmp_path / "mix.jsonl")]) == 0
    assert "602 rows (2 instructions)" in capsys.readouterr().out


NO_TEXT = "a message has no role or no text; give {'role': ..., 'content': ...}"
MISTAKES: list[tuple[bytes, str]] = [
    (b'[{"messages": 3}', ": not a JSON array (Expecting ',' delimiter"),
    (b'[{"instruction": "Hi", "output": "x"}, 3]', ":2: not a JSON object; each entry of the array is one row"),
    (b"[]", ": has no rows"),
    (b"", ": has no rows"),
    (b"PAR1 and nothing else", ": not a Parquet file that can be read ("),
    (b"[\xff]", ": not UTF-8 (byte 1); save it as UTF-8"),
    (b'{"text": "Hi"}', ":1: has no conversation; give messages, conversations, prompt and completion, or instruction"),
    (b'{"messages": []}', ":1: ends without an answer; answer the requests first"),
    (b'{"messages": [{"role": "user", "content": "Hi"}]}', ":1: ends without an answer"),
    (b'{"instruction": "Hi", "output": ""}', ":1: ends without an answer"),
    (b'{"messages": [{"role": "assistant", "content": "Hi"}]}', ":1: has no request of a user"),
    (b'{"conversations": [{"from": "gpt"}]}', f":1:conversations: {NO_TEXT}"),
    (b'{"messages": [{"role": 3, "content": "Hi"}]}', f":1:messages: {NO_TEXT}"),
    (b'{"messages": [{"role": "user", "content": null}]}', f":1:messages: {NO_TEXT}"),
    (b'{"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}', f":1:messages: {NO_TEXT}"),
    (b'{"prompt": {"x": 1}, "completion": "x"}', f":1:prompt: {NO_TEXT}"),
    (b'{"instruction": "Hi", "output": "x", "history": ["Hi"]}', ":1:history: is no list of [request, answer]"),
    (b'{"system": 3, "messages": []}', f":1:system: {NO_TEXT}"),
]


@pytest.mark.parametrize(("content", "part"), MISTAKES)
def test_mistakes_are_one_line(tmp_path: Path, content: bytes, part: str) -> None:
    file = tmp_path / "mine.json"
    file.write_bytes(content)
    with pytest.raises(UserError) as error:
        read_conversations(str(file))
    assert str(error.value).startswith(f"{file}{part}") and "\n" not in str(error.value)
