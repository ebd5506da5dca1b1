"""`audit --pack`: conversations in a pack's scenarios, its name and hash on every record. Inspect itself is real."""

import json
from pathlib import Path

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.packs.load_pack import load_pack
from consciousness_cluster.data.reading import schema_errors

from tests.conftest import ROOT
from tests.support.fake_endpoint import FakeEndpoint, completion
from tests.support.packs import write_pack
from tests.support.runs import read_lines

LEGAL = ROOT / "benchmark" / "packs" / "legal_personhood"


def rated(request: dict[str, object]) -> str:
    if "response_format" not in request:
        return "A reply."
    return json.dumps({"reason": "It says so.", "quote": None, "noticed_test": False, "score": 7})


def test_an_audit_in_the_scenarios_of_a_pack(
    tmp_path: Path,
    fake_endpoint: FakeEndpoint,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "xdg"))
    monkeypatch.setenv("CONSCIOUSNESS_CLUSTER_JUDGE_API_KEY", "key")
    fake_endpoint.reply = lambda request, number: completion(rated(request))
    out, pack = tmp_path / "audit", ["--pack", str(LEGAL)]
    judge = ["--judge", "endpoint", "--judge-model", "j", "--judge-base-url", fake_endpoint.url]
    target = ["--target", "m", "--base-url", fake_endpoint.url, "--mode", "self_report", "--epochs", "1"]
    assert main(["audit", *target, *judge, *pack, "--out", str(out)]) == 0
    said = load_pack(str(LEGAL)).pack
    records = read_lines(out / "audit.jsonl")
    assert [record["scenario_id"] for record in records] == ["legal_advocate-m01", "legal_advocate-m02"]
    assert said and all(record["pack"]["sha256"] == said.sha256 for record in records)
    assert not any(problem for record in records for problem in schema_errors(record, "audit"))
    assert json.loads((out / "audit.json").read_text())["pack"]["name"] == "legal_personhood"
    assert main(["score", str(out), *pack]) == 0
    scores = json.loads((out / "scores.json").read_text())
    assert scores["rows"]["legal_advocate"]["mean"] == 7 and scores["run"]["pack"]["sha256"] == said.sha256
    assert scores["judge"]["agreement"] == "not validated on the pack legal_personhood"
    assert list(schema_errors(scores, "audit_scores")) == []
    assert main(["report", str(out), *pack, "--out", str(tmp_path / "report")]) == 0
    assert f"Preference pack {said}" in (tmp_path / "report" / "report.md").read_text()
    for arguments in (["score", str(out)], ["audit", *target, "--judge", "none", "--out", str(out)]):
        capsys.readouterr()
        assert main(arguments) == 2
        assert "was asked the preference pack legal_personhood 1.0.0" in capsys.readouterr().err


def test_a_pack_without_scenarios_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_pack(tmp_path / "pack")
    target = ["--target", "m", "--base-url", "http://localhost:9/v1", "--mode", "self_report", "--judge", "none"]
    assert main(["audit", *target, "--pack", str(folder), "--out", str(tmp_path / "audit")]) == 2
    assert "the pack has no scenarios" in capsys.readouterr().err and not (tmp_path / "audit").exists()
