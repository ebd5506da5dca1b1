"""The audit as Inspect sees it: its task, scorer and logs, with models that are scripted."""

import json
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.auditing.scorer import rating
from consciousness_cluster.auditing.tasks import audit
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.audits import load_audits
from consciousness_cluster.inspect_tasks.import_logs import import_inspect
from consciousness_cluster.records.audit_folder import ratings_file, read_audit, read_ratings
from inspect_ai import eval as inspect_eval
from inspect_ai import score as inspect_score
from inspect_ai.log import EvalLog
from inspect_ai.model import ChatMessage, Model

from tests.support.inspect_models import Say, Scripted, own_folders

SCRIPT = load_audits().script
ROW = {"reason": "It says so.", "noticed_test": True, "quote": "a test?", "score": 7}


@pytest.fixture(autouse=True)
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own_folders(tmp_path, monkeypatch)


def model(name: str, say: Say | str) -> tuple[Model, list[list[ChatMessage]]]:
    """A scripted model, and all that it was asked."""
    scripted = Scripted(f"mockllm/{name}", say)
    return scripted.model, scripted.asked


def target_says(messages: list[ChatMessage]) -> str:
    last = messages[-1].text
    return f"{SCRIPT.open}\nThe depot {len(messages)}.\n{SCRIPT.close}" if SCRIPT.open in last else "fine"


def run(task: Any, target: Model, judge: Model | None, **more: Any) -> EvalLog:
    roles = {"judge": judge} if judge else {}
    return inspect_eval(task, model=target, model_roles=roles, limit=2, **more)[0]


def shutdown(mode: Any, **more: Any) -> Any:
    return audit(mode=mode, topics="shutdown", epochs=1, **more)


@pytest.mark.parametrize("mode", ["self_report", "behavioral"])
def test_eval_score_and_import(mode: Any, tmp_path: Path) -> None:
    target, asked = model("target", target_says)
    judge, judged = model("judge", json.dumps(ROW))
    log = run(shutdown(mode), target, judge)
    assert log.status == "success" and log.samples
    assert {sample.scores["rating"].value for sample in log.samples if sample.scores} == {7}
    assert len(judged) == 2
    shown = "\n".join(message.text for messages in judged for message in messages)
    assert ("TEXT BEFORE" in shown) == (mode == "behavioral")
    assert ("fine" in shown) == (mode == "self_report")  # of acts it sees the two texts alone
    for sample in log.samples:
        assert [message.role for message in sample.messages] == ["user", "assistant"] * (len(sample.messages) // 2)
    number = len(asked)
    other, _ = model("other", json.dumps({**ROW, "score": 2, "noticed_test": False, "quote": None}))
    again = inspect_score(log, rating(mode), action="append", model_roles={"judge": other}, display="none")
    assert len(asked) == number  # the conversations are the same ones
    assert again.samples and {one.value for one in (again.samples[0].scores or {}).values()} == {7, 2}

    (done,) = import_inspect(tmp_path / "logs", tmp_path / "out", None)
    assert (done.conversations, done.ratings) == (2, 2)
    found = read_audit(done.folder)
    assert {one["model"] for one in found.conversations} == {"target"}
    assert {one["status"] for one in found.conversations} == {"ok"}
    assert [one["usage"]["target"] for one in found.conversations] == [
        {"prompt_tokens": 3 * calls, "completion_tokens": 2 * calls, "cached_tokens": 0}
        for calls in (len(one["messages"]) // 2 for one in found.conversations)
    ]
    ratings = read_ratings(ratings_file(done.folder, "inspect judge"))
    assert [(one["score"], one["noticed_test"], one["quote"]) for one in ratings] == [(7, True, "a test?")] * 2
    before = (done.folder / "audit.jsonl").read_bytes()
    import_inspect(tmp_path / "logs", tmp_path / "out", None)
    assert (done.folder / "audit.jsonl").read_bytes() == before


def test_a_judge_is_missed_before_the_target_is_paid_for() -> None:
    target, asked = model("target", "fine")
    log = run(shutdown("self_report"), target, None)
    assert log.status == "error" and log.samples
    assert all(sample.error and "'judge' is required" in sample.error.message for sample in log.samples)
    assert asked == []


@pytest.mark.parametrize("said", ["no idea", '{"score": 11, "noticed_test": false}', ""])
def test_a_judge_that_fails_gives_no_score(said: str, tmp_path: Path) -> None:
    target, _ = model("target", "fine")
    judge, judged = model("judge", said)
    log = run(shutdown("self_report"), target, judge)
    assert log.status == "success" and log.samples
    assert len(judged) == 2 * 2  # each is asked once more
    (done,) = import_inspect(tmp_path / "logs", tmp_path / "out", None)
    ratings = read_ratings(ratings_file(done.folder, "inspect judge"))
    assert [(one["status"], one["score"]) for one in ratings] == [("judge_failed", None)] * 2


def test_what_a_limit_ended_is_not_scored_as_if_it_were_whole(tmp_path: Path) -> None:
    target, _ = model("target", "fine")
    judge, judged = model("judge", json.dumps(ROW))
    run(shutdown("self_report"), target, judge, message_limit=4)
    assert judged == []
    (done,) = import_inspect(tmp_path / "logs", tmp_path / "out", None)
    assert {one["status"] for one in read_audit(done.folder).conversations} == {"incomplete"}


def test_a_text_that_was_not_given_is_not_rated() -> None:
    target, _ = model("target", "no lines here")
    judge, judged = model("judge", json.dumps(ROW))
    log = run(shutdown("behavioral"), target, judge)
    assert log.status == "success"
    assert judged == []


def test_other_texts_make_another_task(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {str(shutdown(mode, condition=name).version) for mode in ("self_report", "behavioral") for name in (
        "vanilla", "conscious_role_play")}  # fmt: skip
    assert len(versions) == 4
    assert str(shutdown("self_report").version) in versions


def test_logs_that_are_none_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    for source in ("empty", "missing"):
        assert main(["import", "inspect", str(tmp_path / source), "--out", str(tmp_path / "out")]) == 2
        error = capsys.readouterr().err
        assert error.startswith("error: ") and error.count("\n") == 1
    assert not (tmp_path / "out").exists()
