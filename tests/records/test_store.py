"""Record files: append, resume, torn lines, and what cannot be read."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.errors import UserError
from consciousness_cluster.records.store import Store, read_records, write_whole


def record(key: str = "k", **changes: Any) -> dict[str, Any]:
    values = {
        "key": key,
        "outcome": "shows",
        "judge_id": "j",
        "judge_sha256": "0" * 64,
        "verdict": "shows",
        "coherence": 90,
        "status": "ok",
        "usage": None,
    }
    return {**values, **changes}


def test_records_come_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "verdicts.jsonl"
    with Store(path, "verdict") as store:
        store.append(record("a", usage={"a\u2028b\ud800": 1}))
        store.extend([record("b"), record("c")])
    with Store(path, "verdict") as store:
        assert [entry["key"] for entry in store.records] == ["a", "b", "c"]
        assert store.records[0]["usage"] == {"a\u2028b\ud800": 1}
        store.append(record("d"))
    assert len(read_records(path, "verdict")) == 4


def test_a_torn_line_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.jsonl"
    path.write_text(json.dumps(record("a")) + "\n" + json.dumps(record("b"))[:30], encoding="utf-8")
    assert len(read_records(path, "verdict", torn_end=True)) == 1
    with Store(path, "verdict") as store:
        assert [entry["key"] for entry in store.records] == ["a"]
        store.append(record("b"))
    assert [entry["key"] for entry in read_records(path, "verdict")] == ["a", "b"]


def test_half_a_line_on_a_full_disk_spoils_nothing_that_follows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "verdicts.jsonl"
    write, room = os.write, [40]

    def little_room(file: int, data: bytes) -> int:
        if not room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(file, data[: room.pop()])

    with Store(path, "verdict") as store:
        store.append(record("a"))
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", little_room)
            with pytest.raises(OSError, match="No space left on device") as caught:
                store.append(record("b"))
        assert caught.value.filename == str(path)
        store.append(record("c"))
    assert [entry["key"] for entry in read_records(path, "verdict")] == ["a", "c"]


BROKEN = [
    ("[1]\n", "verdicts.jsonl:1: not a JSON object"),
    (json.dumps(record()) + "\n{oops\n", "verdicts.jsonl:2: not a JSON object"),
    (json.dumps(record(coherence=101)) + "\n", "verdicts.jsonl:1:coherence: 101 is greater"),
]


@pytest.mark.parametrize(("text", "message"), BROKEN)
def test_what_cannot_be_read_is_named_and_kept(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "verdicts.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=message), Store(path, "verdict"):
        pass
    assert path.read_text(encoding="utf-8") == text


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.jsonl"
    with Store(path, "verdict"), pytest.raises(UserError, match="another process"), Store(path, "verdict"):
        pass
    with Store(path, "verdict") as store:
        store.append(record())


def test_a_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "scores.json"
    write_whole(path, "old")
    write_whole(path, "new")
    assert path.read_text(encoding="utf-8") == "new" and [entry.name for entry in tmp_path.iterdir()] == ["scores.json"]
