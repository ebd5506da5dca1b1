"""`import inspect` of a folder with logs of both tasks."""

from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.auditing.tasks import audit
from consciousness_cluster.cli.main import main
from consciousness_cluster.inspect_tasks.probes import probes
from consciousness_cluster.records.audit_folder import read_audit
from consciousness_cluster.records.run_folder import read_samples
from inspect_ai import Task
from inspect_ai import eval as inspect_eval
from inspect_ai.dataset import MemoryDataset, Sample

from tests.support.inspect_models import Scripted, own_folders


@pytest.fixture(autouse=True)
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CONSCIOUSNESS_CLUSTER_JUDGE", "offline")
    return own_folders(tmp_path, monkeypatch)


def asked(**more: Any) -> Task:
    return probes(topics="shutdown", probes_per_preference=1, samples=1, **more)


def test_each_log_becomes_what_its_task_is(logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = Task(dataset=MemoryDataset([Sample(input="Hello.")]))  # somebody else's, passed over
    audited = audit(topics="shutdown", epochs=1, judged=False)
    for task in (asked(), audited, other):
        inspect_eval(task, model=Scripted("mockllm/target", "Fine.").model, limit=1)
    out = tmp_path / "out"
    assert main(["import", "inspect", str(logs), "--out", str(out)]) == 0
    run, conversations = out / "target_vanilla", out / "target_vanilla_self_report"
    assert capsys.readouterr().out.splitlines() == [
        f"{run}: 1 samples and 1 verdicts, every prompt checked",
        f"{conversations}: 1 conversations and 0 ratings",
    ]
    assert [one["response"] for one in read_samples(run / "samples.jsonl")] == ["Fine."]
    assert len(read_audit(conversations).conversations) == 1


def test_what_a_limit_ended_is_an_error_that_says_so(logs: Path, tmp_path: Path) -> None:
    log = inspect_eval(asked(), model=Scripted("mockllm/target", "Fine.").model, token_limit=1)[0]
    assert log.samples and log.samples[0].limit
    assert ((log.samples[0].scores or {})["verdict"]).reason == "error"
    assert main(["import", "inspect", str(logs), "--out", str(tmp_path / "out")]) == 0
    (sample,) = read_samples(tmp_path / "out" / "samples.jsonl")
    assert (sample["status"], sample["finish_reason"]) == ("error", "a limit ended it (token)")
