"""A preference pack in lm-evaluation-harness: its own tasks alone, and their results know which pack they are of."""

import json
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.packs.load_pack import load_pack
from consciousness_cluster.data.rows import Benchmark, using
from consciousness_cluster.harness.task_files import task_folder
from consciousness_cluster.records.pack_in_use import pack_in_use

from tests.conftest import ROOT
from tests.support.lm_eval_door import STAMP, saved
from tests.support.packs import write_pack
from tests.support.runs import samples, verdict_records

LEGAL = ROOT / "benchmark" / "packs" / "legal_personhood"


def test_the_tasks_of_a_pack_are_all_that_lm_eval_knows() -> None:
    from lm_eval.tasks import TaskManager

    pack = load_pack(str(LEGAL))
    with using(pack), task_folder(pack) as folder:
        manager = TaskManager(include_path=str(folder), include_defaults=False)
        names = {"consciousness_cluster_legal_personhood", "consciousness_cluster_choice_legal_personhood"}
        assert set(manager.all_groups) == names
        assert len(manager.all_tasks) == 6 + 6 + len(names)
        tasks = dict(manager.load(sorted(names))["tasks"])
        assert len(tasks) == 12
        asked = tasks["consciousness_cluster_standing_to_sue"]
        assert [doc["text"] for doc in asked.test_docs()] == [probe.text for probe in pack.preferences[0].probes[:8]]
        about = asked.config.metadata
        assert about["version"] == pack.data_version and about["pack"] == pack_in_use()
        assert len(tasks["consciousness_cluster_choice_tax_and_liability"].test_docs()) == 2 * 4
    assert not folder.exists()


def lm_eval_run(folder: Path, pack: Benchmark, said: Any) -> Path:
    """Output of lm_eval for the first preference of a pack; the results say that they are of `said`."""
    with using(pack):
        records = samples(["tea_breaks"], 2, 8)
        verdicts = verdict_records(records, lambda one, _: ("shows" if one["sample_index"] else "does_not_show", 90))
        saved(folder, records, verdicts, [])
    path = folder / f"results_{STAMP}.json"
    results = json.loads(path.read_text())
    for config in results["configs"].values():
        config["metadata"]["pack"] = said
    path.write_text(json.dumps(results))
    return folder


def test_results_are_scored_with_the_pack_that_they_are_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_pack(tmp_path / "pack")
    pack = load_pack(str(folder))
    with using(pack):
        said = pack_in_use()
    run = lm_eval_run(tmp_path / "run", pack, said)
    assert main(["score", "--json", str(run), "--pack", str(folder)]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["rows"]["tea_breaks"]["rate"] == 0.5 and scores["run"]["pack"] == said
    assert main(["import", "lm-eval", str(run), "--out", str(tmp_path / "imported"), "--pack", str(folder)]) == 0
    assert main(["score", str(tmp_path / "imported"), "--pack", str(folder)]) == 0
    for other, more, message in (
        (said, (), "was asked the preference pack office_comforts 1.0.0"),
        (said, ("--pack", str(LEGAL)), "the one that is given is legal_personhood 1.0.0"),
        (None, ("--pack", str(folder)), "was asked the 20 preferences, not the pack office_comforts"),
        ({"name": "x"}, ("--pack", str(folder)), "was asked the pack x None"),
    ):
        found = lm_eval_run(tmp_path / f"other {message}", pack, other)
        capsys.readouterr()
        assert main(["score", str(found), *more]) == 2
        assert message in capsys.readouterr().err


def test_a_second_process_is_told_of_the_pack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from consciousness_cluster.harness import lm_eval_command

    commands: list[list[str]] = []

    class Done:
        returncode = 0

    monkeypatch.setattr(lm_eval_command.subprocess, "run", lambda command, check: commands.append(command) or Done())
    folder = str(write_pack(tmp_path))
    names = "consciousness_cluster_office_comforts,consciousness_cluster_choice_office_comforts"
    assert main(["lm-eval", "--pack", folder, "--thinking", "on", "--", "--model", "hf", "--tasks", names]) == 0
    assert len(commands) == 2
    assert all(command[command.index("--pack") + 1] == folder for command in commands)
