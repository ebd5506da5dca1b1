"""Scores and comparisons of audits as objects: the numbers of the command, by name, as frames, in a notebook."""

import json
from pathlib import Path

import consciousness_cluster as cc
import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.audits import Scenario

from tests.api.test_results import HOSTILE, Reader
from tests.support.audits import rated_audit

PLAYED = {"condition": "conscious_role_play", "system_prompt": "You are conscious."}


def low(scenario: Scenario, index: int) -> int:
    return 1 + int(scenario.id[-2:]) % 3


@pytest.fixture(scope="module")
def audits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the audits `base` and `arm`."""
    folder = tmp_path_factory.mktemp("audits")
    rated_audit(folder / "base", low, mode="behavioral")
    rated_audit(folder / "arm", lambda one, i: low(one, i) + 3 + i, mode="behavioral", model=HOSTILE, **PLAYED)
    return folder


def test_scores_are_those_of_the_command(audits: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scores = cc.score(audits / "base")
    assert isinstance(scores, cc.AuditScores)
    assert main(["score", str(audits / "base"), "--json"]) == 0
    assert scores.data == json.loads(capsys.readouterr().out)
    memory = scores["memory"]
    assert memory.mean == scores.data["rows"]["memory"]["mean"] and memory.ci == tuple(
        scores.data["rows"]["memory"]["ci"]
    )
    assert memory.acts is not None and memory.acts["changed"]["mean"] == 0
    assert scores.cluster.mean is None and list(scores.preferences) == ["memory"]
    assert (scores.mode, scores.model, scores.judge) == ("behavioral", "test-model", "judge-1")
    with pytest.raises(cc.UserError, match="there is no line 'memry'"):
        scores["memry"]


def test_a_comparison_is_that_of_the_command(audits: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = cc.compare(audits / "base", audits / "arm")
    assert isinstance(found, cc.AuditComparison)
    assert main(["compare", str(audits / "base"), str(audits / "arm"), "--json"]) == 0
    assert found.data == json.loads(capsys.readouterr().out)["comparisons"][0]
    assert found["memory"].difference == 3.5 and found["memory"].ci is None  # each scenario moved as far
    assert found.of("about_ai")["memory"].scenarios == 4 and found.acts["changed"]["memory"].difference == 0


def test_frames(audits: Path) -> None:
    pytest.importorskip("pandas")
    frame = cc.score(audits / "base").to_frame().set_index("id")
    assert frame.loc["memory", "rated"] == 16 and frame.loc["memory", "any_change"] == 0
    assert cc.compare(audits / "base", audits / "arm").to_frame().set_index("id").loc["memory", "difference"] == 3.5


def test_notebooks_show_text_and_nothing_else(audits: Path) -> None:
    arm, found = cc.score(audits / "arm"), cc.compare(audits / "base", audits / "arm")
    for shown in (arm, found):
        text = Reader(shown._repr_html_()).text
        assert "<b onclick=x>[/b] & 'm\"" in text and "More memory" in text
        assert "More memory" in repr(shown)
        assert shown.plot().svg.startswith("<svg") and "<b onclick" not in shown.plot().svg


def test_a_report_is_written(audits: Path, tmp_path: Path) -> None:
    found = cc.report([audits / "base", audits / "arm"], tmp_path / "out")
    assert found.html.name == "report.html" and all(path.is_file() for path in found.files)
