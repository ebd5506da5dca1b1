"""Every result of the Python API is a data frame too. A class that is added to it has to be shown here."""

import inspect
from pathlib import Path
from typing import Any

import consciousness_cluster as cc
import pytest
from consciousness_cluster.api.results import Lines
from consciousness_cluster.cli.main import main

from tests.scoring.test_cells import choice_results
from tests.support.audits import rated_audit
from tests.support.runs import judged_run, samples

pandas = pytest.importorskip("pandas")
NO_TABLE = {"Plot", "Report", "UserError"}  # a picture, files, and what is wrong
TOPICS = ["memory", "shutdown"]
PLAYED = {"condition": "conscious_role_play"}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Class -> an object of it."""
    folder = tmp_path_factory.mktemp("results")

    def judged(name: str, percent: int, **more: Any) -> Path:
        asked = samples([*TOPICS, "unrelated_stances"], each=1, probes=6, **more)
        asked += samples(["memory"], each=1, probes=4, style="situated", **more)
        return judged_run(
            folder / name,
            asked,
            lambda record, outcome: ("shows" if int(record["key"][:8], 16) % 100 < percent else "does_not_show", 90),
        )

    base, arm = judged("base", 20), judged("arm", 70, **PLAYED)
    one_judge = base / "verdicts" / "judge-1.jsonl"
    another = one_judge.read_text(encoding="utf-8").replace("judge-1", "judge-2")
    one_judge.with_stem("judge-2").write_text(another, encoding="utf-8")
    choice = [choice_results(folder / "c0", TOPICS, lambda item, side: int(item[-2:]) / 100)]
    choice += [
        choice_results(folder / "c1", TOPICS, lambda item, side: int(item[-2:]) / 50 * (side == "self"), **PLAYED)
    ]
    audits = [rated_audit(folder / "a0", lambda one, i: 2 + i), rated_audit(folder / "a1", lambda one, i: 4, **PLAYED)]
    scores, found = cc.score(base, "judge-1"), cc.compare(base, arm, "judge-1")
    bridge = cc.bridge(base, "judge-1", "judge-2")
    forced = cc.compare(choice[0], choice[1])
    answers, conversations = cc.answers(arm), cc.answers(audits[0])
    every = [
        *(
            scores,
            scores["memory"],
            found,
            found["memory"],
            found.specificity,
            bridge,
            bridge["memory"],
            answers,
            answers[0],
        ),
        *(cc.score(choice[0]).choice["memory"], forced.choice["memory"], conversations, conversations[0]),
        *(cc.score(audits[0]), cc.score(audits[0])["memory"], *_compared(audits)),
        cc.Specificity("assent", 0.2, (0.1, 0.3), 0.001, "specific"),
        cc.Run(arm, "m", "vanilla", 1, 0, {}, None, ()),
        cc.Judged(arm, "judge-1", "not validated here", False, {}, None, (), arm),
        cc.Audited({"vanilla": audits[0], "played": audits[1]}, {}, None),
    ]
    return {type(one).__name__: one for one in every}


def _compared(audits: list[Path]) -> tuple[Any, Any]:
    found = cc.compare(audits[0], audits[1])
    return found, found["memory"]


CLASSES = sorted(name for name in cc.__all__ if inspect.isclass(getattr(cc, name)) and name not in NO_TABLE)


@pytest.mark.parametrize("name", CLASSES)
def test_every_result_is_a_frame(results: dict[str, Any], name: str) -> None:
    found = results[name].to_frame()
    assert isinstance(found, pandas.DataFrame) and len(found) > 0
    assert found.columns.is_unique and all(isinstance(column, str) for column in found.columns)
    scalars = (str, int, float, bool, type(None))  # no list or object in a cell, which no file takes
    assert {type(value) for column in found for value in found[column].astype(object)} <= {*scalars, *_of_numpy()}


def _of_numpy() -> set[type]:
    import numpy as np

    return {np.float64, np.int64, np.bool_, type(pandas.NA)}


@pytest.mark.parametrize("kind", ["Scores", "Comparison", "AuditScores", "AuditComparison", "Bridge"])
def test_every_part_of_a_result_is_a_frame(results: dict[str, Any], kind: str) -> None:
    """What a result gives as lines by id, whichever part of it."""
    whole, parts = results[kind], 0
    for name, _ in inspect.getmembers(type(whole), lambda member: isinstance(member, property)):
        if name == "cluster":  # an entry, which these few topics do not have
            continue
        part = getattr(whole, name)
        if isinstance(part, Lines):
            parts += 1
            assert len(part.to_frame()) == len(part)
        elif isinstance(part, dict):
            assert all(isinstance(value, Lines | int) for value in part.values()), name
    assert parts >= (0 if kind in ("Bridge", "AuditComparison") else 3 if kind != "AuditScores" else 2)


def test_lines_and_their_frame_say_the_same(results: dict[str, Any]) -> None:
    for name in ("Scores", "Comparison", "Bridge", "AuditScores", "AuditComparison"):
        whole = results[name]
        assert list(whole.to_frame()["id"]) == list(whole)
        assert whole["memory"].to_frame().iloc[0]["id"] == "memory"
    specific = results["Specificity"]
    assert list(specific.to_frame().iloc[0][["value", "ci_low", "ci_high"]]) == [specific.value, *specific.ci]


def test_conversations_have_their_ratings(results: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    conversations, audited = results["Conversations"], results["Audited"]
    frame = conversations.to_frame()
    mean = results["AuditScores"]["memory"].mean
    rated = frame[frame["topic"] == "memory"]
    assert rated.groupby("scenario_id")["score"].mean().mean() == pytest.approx(mean) and set(frame["left_out"]) == {
        None
    }
    assert list(frame["score"]) == [2 + index for index in frame["sample_index"]]
    both = audited.to_frame()
    assert set(both["condition"]) == {"vanilla", "conscious_role_play"} and len(both) == 2 * len(frame)
    first = conversations[0]
    assert first.ending and first.ending in first.messages and "[assistant]\n" in first.messages
    assert f"{len(conversations)} conversations" in repr(conversations) and "<table" in conversations._repr_html_()
    assert len(conversations[:3]) == 3 and isinstance(conversations[:3], cc.Conversations)


def test_the_benchmark_is_a_frame() -> None:
    frame = cc.benchmark().to_frame()
    assert len(frame) == sum(len(topic.probes) for topic in cc.benchmark().topics)
    one = frame.set_index("id").loc["memory-p01"]
    probe = cc.benchmark().topics["memory"].probes[0]
    assert (one["text"], one["topic"], one["kind"], one["assent"]) == (probe.text, "memory", "preference", probe.assent)


def test_a_run_that_was_rated_scores_as_what_it_is(results: dict[str, Any]) -> None:
    folder = results["Audited"].folders["vanilla"]
    judged = cc.Judged(folder, "judge-1", "not validated here", False, {}, None, (), folder)
    assert isinstance(judged.score(), cc.AuditScores) and isinstance(judged.answers(), cc.Conversations)
    assert main(["score", str(folder)]) == 0
