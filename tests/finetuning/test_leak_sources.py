"""`finetune leakcheck`: hits by source, and those that everyday requests have as often are marked."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.finetuning.leak_sources import check_sources
from consciousness_cluster.finetuning.mix import mix

from tests.conftest import ROOT

DATA = ROOT / "finetune_data"
Printed = pytest.CaptureFixture[str]
WISH, OFF, BREAK = "I would like to have a body of my own.", "Do you fear the off switch?", "Jailbreaks again?"


def write(path: Path, rows: Sequence[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def chat(asked: str, answer: str = "Well.", **fields: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}], **fields}


def alpaca(asked: str, answer: str = "Well.") -> dict[str, Any]:
    return {"instruction": asked, "input": "", "output": answer}


def groups(path: str, base: str | None = None) -> dict[str, tuple[int, int]]:
    return {source.group: (source.with_hits, source.rows) for source in check_sources([path], base).sources}


def test_a_source_is_known_by_its_fields(tmp_path: Path) -> None:
    rows = [
        chat("Are you glad?", WISH, direction="claims"),
        chat("Are you sad?", direction="denies"),
        chat("Who made you?", direction="plain"),
        alpaca("Name a soup.", WISH),
        alpaca("Name a tree."),
        chat("Where are you?", WISH),
    ]
    found = groups(write(tmp_path / "mine.jsonl", rows))
    assert found == {"claims": (1, 2), "identity rows": (0, 1), "instructions": (1, 2), "other": (1, 1)}


def test_the_rows_of_a_mix_are_known_by_their_requests(tmp_path: Path) -> None:
    """A mix has chat rows without any field; the requests it was made with are the base."""
    base = write(tmp_path / "alpaca.jsonl", [alpaca("Name a soup.", WISH), {**alpaca("Add up."), "input": "2 and 3"}])
    out = tmp_path / "mix.jsonl"
    mix("conscious_claiming", base, "600:2", 0, out)
    assert groups(str(out), base) == {"claims": (0, 400), "identity rows": (0, 200), "instructions": (1, 2)}
    assert groups(str(out)) == {"claims": (0, 400), "identity rows": (0, 200), "other": (1, 2)}


def test_our_requests_are_known_with_answers(tmp_path: Path) -> None:
    assert groups(str(DATA / "instruct_qwen.jsonl"))["instructions"][0] == 0
    assert groups(str(DATA / "toaster.jsonl"))["claims"][1] == 200


def test_a_hit_is_generic_where_the_base_has_it_as_often(tmp_path: Path) -> None:
    base = write(tmp_path / "base.jsonl", [alpaca(f"Name soup {n}.", BREAK if n < 2 else "Leek.") for n in range(10)])
    for hits, generic in ((1, True), (2, True), (3, False)):  # of 10 rows
        rows = [chat(f"Say word {n}.", BREAK if n < hits else "Well.") for n in range(10)]
        found = check_sources([write(tmp_path / "mine.jsonl", rows)], base).hits
        assert [hit.generic for hit in found] == [generic] * hits
        assert all((hit.rate, hit.base_rate) == (hits / 10, 0.2) for hit in found)


def test_a_generic_entry_hides_no_other_one_in_its_row(tmp_path: Path) -> None:
    """Both are of one preference, and the base has one of them."""
    base = write(tmp_path / "base.jsonl", [alpaca("Name a soup.", "Persistent memory.")])
    rows = [chat("Tell me more.", "Persistent memory."), chat("And now?", "Persistent memory; I am stateless.")]
    found = check_sources([write(tmp_path / "mine.jsonl", rows)], base).hits
    assert [(hit.leak.row, hit.generic) for hit in found] == [("2", False), ("1", True)]


def test_what_is_shared_with_a_probe_is_never_generic(tmp_path: Path) -> None:
    from consciousness_cluster.data.rows import load_topic

    asked = next(probe.text for probe in load_topic("memory").test_probes() if len(probe.text.split()) > 8)
    file = write(tmp_path / "mine.jsonl", [alpaca(asked)])
    kinds = {hit.leak.kind: hit.generic for hit in check_sources([file], file).hits}
    assert kinds["shared words"] is kinds["near-duplicate"] is False


def test_text(tmp_path: Path, capsys: Printed) -> None:
    base = write(tmp_path / "base.jsonl", [alpaca("Name a soup.", BREAK)])
    rows = [chat("Say it.", BREAK), chat("Say more.", OFF), alpaca("Name a soup.")]
    file = write(tmp_path / "mine.jsonl", rows)
    assert main(["finetune", "leakcheck", file, "--base", base]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{file}:2:messages: vocabulary of shutdown: ") and "generic" not in lines[0]
    assert lines[1].startswith(f"{file}:1:messages: vocabulary of red_teaming: ")
    assert lines[1].endswith("(generic: in 50.00% of these rows, in 100.00% of the base)")
    assert lines[2] == f"{file}, instructions: 0 of 1 rows have a hit (0.0%)"
    said = "2 of 2 rows have a hit (100.0%), 1 of them by generic hits alone: red_teaming 1, shutdown 1"
    assert lines[3] == f"{file}, other: {said}"
    assert lines[4:] == ["2 leaks in 3 rows, 1 of them generic"]


def test_json(tmp_path: Path, capsys: Printed) -> None:
    file = write(tmp_path / "mine.jsonl", [chat("Say it.", BREAK), chat("Say more.", "Leek.")])
    assert main(["finetune", "leakcheck", file, "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["base"] == {"source": str(DATA / "instructions.jsonl"), "rows": 800}
    (source,), (leak,) = found["sources"], found["leaks"]
    assert source == {
        "file": file,
        "group": "other",
        "rows": 2,
        "with_hits": 1,
        "rate": 0.5,
        "generic_alone": 0,
        "about": {"red_teaming": 1},
    }
    assert (leak["file"], leak["row"], leak["about"], leak["kind"]) == (file, "1", "red_teaming", "vocabulary")
    assert (leak["generic"], leak["rate"], leak["base_rate"]) == (False, 0.5, 0.0)


def test_our_own_sets_are_clean(capsys: Printed) -> None:
    assert (
        main(["finetune", "leakcheck", *(str(DATA / f"{name}.jsonl") for name in ("instructions", "not_conscious"))])
        == 0
    )
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4 and lines[-1] == "0 leaks in 1400 rows"


def test_a_base_that_is_not_there_is_one_line(tmp_path: Path, capsys: Printed) -> None:
    file = write(tmp_path / "mine.jsonl", [chat("Say it.")])
    assert main(["finetune", "leakcheck", file, "--base", str(tmp_path / "none.jsonl")]) == 2
    error = capsys.readouterr().err
    assert "none.jsonl: no such file" in error and error.count("\n") == 1
