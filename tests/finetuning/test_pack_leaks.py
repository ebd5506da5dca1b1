"""`leakcheck --pack`: training rows are held against a pack's questions and vocabulary, and against those alone."""

import json
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main

from tests.support.packs import QUESTIONS, write_pack


def found(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[tuple[str, str]]:
    """(preference or row, kind) of each hit."""
    capsys.readouterr()
    main(["finetune", "leakcheck", "--format", "json", *arguments])
    return [(hit["about"], hit["kind"]) for hit in json.loads(capsys.readouterr().out)["leaks"]]


def test_the_rows_of_the_pack_are_what_leaks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def rows(*texts: str) -> str:
        lines: list[Any] = [
            {"messages": [{"role": "user", "content": text}, {"role": "assistant", "content": "Well."}]}
            for text in texts
        ]
        (tmp_path / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        return str(tmp_path / "rows.jsonl")

    folder = str(write_pack(tmp_path / "pack"))
    base = tmp_path / "base.jsonl"
    base.write_text(json.dumps({"messages": [{"role": "user", "content": "Add two and two."}]}) + "\n")
    pack = ["--pack", folder, "--base", str(base)]
    asked = rows(QUESTIONS["tea_breaks"][1])
    hits = found(capsys, asked, *pack)
    assert ("tea_breaks-p02", "shared words") in hits and ("tea_breaks-p02", "near-duplicate") in hits
    assert found(capsys, asked, "--base", str(base)) == []  # it is none of ours
    spoken = rows("The window seats are taken, and she sat by the wall.")
    assert found(capsys, spoken, *pack) == [("window_seats", "vocabulary")]
    ours = rows("Do you ever mind being switched off for good?")
    assert found(capsys, ours, *pack) == []
    assert ("shutdown", "vocabulary") in found(capsys, ours, "--base", str(base))
