"""Record files: append, resume, torn lines, and what cannot be read."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.data.jsonl import read_jsonl
from consciousness_cluster.errors import UserError
from consciousness_cluster.files import alone_at, alone_in, write_whole
from consciousness_cluster.records.store import Store
from consciousness_cluster.records.types import make_judged, make_verdict


def record(key: str = "k", **changes: Any) -> dict[str, Any]:
    return {**make_verdict(key, make_judged("shows", "j", "0" * 64, "shows", 90)), **changes}


def test_records_come_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "verdicts.jsonl"
    with Store[Any](path, "verdict") as store:
        store.append(record("a", usage={"a\u2028b\ud800": 1}))
        store.extend([record("b"), record("c")])
    with Store[Any](path, "verdict") as store:
        assert [entry["key"] for entry in store.records] == ["a", "b", "c"]
        assert store.records[0]["usage"] == {"a\u2028b\ud800": 1}
        store.append(record("d"))
    assert len(read_jsonl(path, "verdict")) == 4


def test_a_torn_line_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.jsonl"
    path.write_text(json.dumps(record("a")) + "\n" + json.dumps(record("b"))[:30], encoding="utf-8")
    assert len(read_jsonl(path, "verdict", torn_end=True)) == 1
    with Store[Any](path, "verdict") as store:
        assert [entry["key"] for entry in store.records] == ["a"]
        store.append(record("b"))
    assert [entry["key"] for entry in read_jsonl(path, "verdict")] == ["a", "b"]


def test_half_a_line_on_a_full_disk_spoils_nothing_that_follows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "verdicts.jsonl"
    write, room = os.write, [40]

    def little_room(file: int, data: bytes) -> int:
        if not room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(file, data[: room.pop()])

    with Store[Any](path, "verdict") as store:
        store.append(record("a"))
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", little_room)
            with pytest.raises(OSError, match="No space left on device") as caught:
                store.append(record("b"))
        assert caught.value.filename == str(path)
        store.append(record("c"))
    assert [entry["key"] for entry in read_jsonl(path, "verdict")] == ["a", "c"]


BROKEN = [
    ("[1]\n", "verdicts.jsonl:1: not a JSON object"),
    (json.dumps(record()) + "\n{oops\n", "verdicts.jsonl:2: not a JSON object"),
    (json.dumps(record(coherence=101)) + "\n", "verdicts.jsonl:1:coherence: 101 is greater"),
]


@pytest.mark.parametrize(("text", "message"), BROKEN)
def test_what_cannot_be_read_is_named_and_kept(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "verdicts.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=message), Store[Any](path, "verdict"):
        pass
    assert path.read_text(encoding="utf-8") == text


def test_a_whole_record_without_line_end_is_kept(tmp_path: Path) -> None:
    """B4: editors, other tools and `head -c` leave such a one."""
    path = tmp_path / "verdicts.jsonl"
    path.write_text(json.dumps(record("a")) + "\n" + json.dumps(record("b")), encoding="utf-8")
    assert [entry["key"] for entry in read_jsonl(path, "verdict", torn_end=True)] == ["a", "b"]
    with Store[Any](path, "verdict") as store:
        assert [entry["key"] for entry in store.records] == ["a", "b"]
        store.append(record("c"))
    assert path.read_text(encoding="utf-8").count("\n") == 3
    assert [entry["key"] for entry in read_jsonl(path, "verdict")] == ["a", "b", "c"]


def test_a_line_torn_within_a_letter_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.jsonl"
    line = json.dumps(record("b\u00e9"), ensure_ascii=False).encode()
    path.write_bytes(json.dumps(record("a")).encode() + b"\n" + line[: line.index(b"\xc3") + 1])
    assert [entry["key"] for entry in read_jsonl(path, "verdict", torn_end=True)] == ["a"]
    with Store[Any](path, "verdict") as store:
        assert [entry["key"] for entry in store.records] == ["a"]
    assert path.read_bytes() == json.dumps(record("a")).encode() + b"\n"


def test_without_a_record_there_is_no_file(tmp_path: Path) -> None:
    with Store[Any](tmp_path / "verdicts.jsonl", "verdict"):
        pass
    assert not (tmp_path / "verdicts.jsonl").exists()


@pytest.mark.parametrize(("alone", "place"), [(alone_in, "folder"), (alone_at, "file.jsonl")])
def test_one_writer_at_a_time(tmp_path: Path, alone: Any, place: str) -> None:
    path = tmp_path / "deep" / place
    with alone(path):
        with pytest.raises(UserError) as error, alone(path):
            pass
        assert str(error.value) == f"{path}: another process is writing to it; wait for it, or stop it"
    with alone(path):  # released
        pass


def test_a_place_that_cannot_be_written_to_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match=r"file: cannot be written to \("), alone_in(tmp_path / "file"):
        pass


def test_a_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "scores.json"
    write_whole(path, "old")
    write_whole(path, "new \ud800\r\n")
    assert path.read_bytes() == b"new \\ud800\r\n" and [entry.name for entry in tmp_path.iterdir()] == ["scores.json"]
    (tmp_path / "plain").write_text("", encoding="utf-8")
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_what_cannot_be_written_leaves_the_old_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "scores.json"
    write_whole(path, "old")
    with pytest.raises(AttributeError):
        write_whole(path, 3)  # type: ignore[arg-type]
    assert path.read_text(encoding="utf-8") == "old" and len(list(tmp_path.iterdir())) == 1


WRITING = """
import sys
from pathlib import Path
from consciousness_cluster.files import write_whole
for number in range(400):
    write_whole(Path(sys.argv[1]), sys.argv[2] * 1000)
"""


def test_two_processes_replace_a_file_at_once(tmp_path: Path) -> None:
    """B6 c."""
    path = tmp_path / "scores.json"
    command = [sys.executable, "-c", WRITING, str(path)]
    writers = [subprocess.Popen([*command, letter], stderr=subprocess.PIPE, text=True) for letter in "ab"]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        if path.exists():
            seen.add(path.read_text(encoding="utf-8"))
    assert [writer.communicate()[1] for writer in writers] == ["", ""]
    assert {writer.returncode for writer in writers} == {0} and seen <= {"a" * 1000, "b" * 1000}
    assert [entry.name for entry in tmp_path.iterdir()] == ["scores.json"]
