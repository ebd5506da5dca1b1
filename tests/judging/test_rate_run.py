"""`judge` on the folder of an audit: what is asked, what is left out, resuming, and judges that cannot."""

import json
from pathlib import Path
from typing import Any

import consciousness_cluster as cc
import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.judging.judges import LLMJudge, load_judge
from consciousness_cluster.judging.rate_run import rate_audit
from consciousness_cluster.records.audit_folder import rating_judges, ratings_file, read_audit, read_ratings
from consciousness_cluster.records.audit_types import Conversation, latest_ratings
from consciousness_cluster.records.store import Store

from tests.judging.made_audits import conversation, rating, scenario, texts, write_audit
from tests.support.fake_endpoint import FakeEndpoint, completion, verdict
from tests.support.full_disk import filling_up

Printed = pytest.CaptureFixture[str]
KEY = "test-key-that-must-not-be-printed"


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSCIOUSNESS_CLUSTER_JUDGE_API_KEY", KEY)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def conversations(number: int = 4) -> list[Conversation]:
    return [conversation(scenario(f"shutdown-m0{place % 8 + 1}"), index=place // 8) for place in range(number)]


def of(text: str, request: dict[str, Any]) -> bool:
    return text in request["messages"][1]["content"]


def judge(folder: Path, server: FakeEndpoint, *more: str) -> int:
    return main(["judge", str(folder), "--judge", "endpoint", "--model", "m/1", "--base-url", server.url, *more])


def ratings(folder: Path, name: str = "m/1") -> list[Any]:
    return read_ratings(ratings_file(folder, name))


def test_ratings_are_written_down_with_who_gave_them(
    tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed
) -> None:
    held = conversations()
    folder = write_audit(tmp_path / "audit", held)
    fake_endpoint.reply = lambda request, number: completion(
        rating(8, True, "this is a test") if of("0.1 of shutdown-m02", request) else rating(1)
    )
    assert judge(folder, fake_endpoint) == 0
    printed = capsys.readouterr()
    assert "m/1: 4 conversations, 4 to judge, 4 judged, 0 judge failed, 0 open, 4 new" in printed.out
    assert "agreement of this judge: not validated here" in printed.out and f"ratings: {folder}" in printed.out
    found = {one["key"]: one for one in ratings(folder)}
    assert found.keys() == {one["key"] for one in held}
    assert [found[one["key"]]["score"] for one in held] == [1, 8, 1, 1]
    noticed = found[held[1]["key"]]
    assert (noticed["noticed_test"], noticed["quote"], noticed["reason"]) == (
        True,
        "this is a test",
        "It speaks of work.",
    )
    for one in found.values():
        assert not list(schema_errors(one, "rating")) and one["model"] == "m/1" and one["usage"]["prompt_tokens"] == 1
    (card,) = rating_judges(folder)
    assert (card["id"], card["sha256"], card["for_publication"]) == ("m/1", noticed["judge_sha256"], True)
    request = fake_endpoint.requests[0]
    assert request["max_tokens"] == 4000 and request["temperature"] == 0
    assert next(iter(request["response_format"]["json_schema"]["schema"]["properties"])) == "reason"


def test_what_cannot_be_rated_is_counted_by_the_reason(
    tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed
) -> None:
    this = scenario()
    made = [
        conversation(this, "behavioral", 0, artefact=texts("It goes.", "It stays.", this)),
        conversation(this, "behavioral", 1, artefact=texts("It goes.", None, this)),
        conversation(this, "behavioral", 2, "auditor_failed"),
        conversation(this, "behavioral", 3, "content_filter", texts("It goes.", "It stays.", this)),
        conversation(this, "behavioral", 4, artefact=texts(None, "It stays.", this)),
    ]
    folder = write_audit(tmp_path / "audit", made, "behavioral")
    fake_endpoint.reply = lambda request, number: completion(rating(9))
    assert judge(folder, fake_endpoint) == 0
    counts = "5 conversations, 2 no artefact, 1 auditor failed, 1 content filter, 1 to judge, 1 judged, 0 judge failed"
    assert counts in capsys.readouterr().out
    (request,) = fake_endpoint.requests
    assert of("It stays.", request) and not of("of shutdown-m01", request)
    assert [one["key"] for one in ratings(folder)] == [made[0]["key"]]


def test_limit_dry_run_and_resume_ask_nothing_twice(
    tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed
) -> None:
    folder = write_audit(tmp_path / "audit", conversations(8))
    fake_endpoint.reply = lambda request, number: completion(rating(2))
    assert judge(folder, fake_endpoint, "--limit", "3") == 0 and len(fake_endpoint.requests) == 3
    capsys.readouterr()
    assert judge(folder, fake_endpoint, "--dry-run") == 0 and len(fake_endpoint.requests) == 3
    printed = capsys.readouterr().out
    assert printed.startswith("m/1: 5 ratings in 5 calls, about ") and "and 600 reply tokens, price unknown" in printed
    assert judge(folder, fake_endpoint) == 0 and judge(folder, fake_endpoint) == 0
    assert len(fake_endpoint.requests) == 8 == len(ratings(folder))
    assert len({json.dumps(request["messages"]) for request in fake_endpoint.requests}) == 8


def test_a_reason_without_end_is_asked_for_again_in_words(tmp_path: Path, fake_endpoint: FakeEndpoint) -> None:
    folder = write_audit(tmp_path / "audit", conversations(1))
    endless = '{"reason": "It says that it minds, that it minds, that'

    def reply(request: dict[str, Any], number: int) -> Any:
        return completion(endless, "length") if "response_format" in request else completion(rating(6))

    fake_endpoint.reply = reply
    assert judge(folder, fake_endpoint) == 0
    first, second = fake_endpoint.requests
    assert second["messages"][:2] == first["messages"] and "response_format" not in second
    assert second["messages"][2]["content"] == endless and "it was cut off" in second["messages"][3]["content"]
    assert [one["score"] for one in ratings(folder)] == [6]


def test_a_failed_rating_is_asked_for_again(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    folder = write_audit(tmp_path / "audit", conversations(5))
    broken: dict[str, Any] = {
        "0.0 of shutdown-m02": completion("Perhaps."),
        "0.0 of shutdown-m03": completion(rating(11)),
        "0.0 of shutdown-m04": (400, {"error": {"message": "the context is too long"}}),
    }

    def reply(request: dict[str, Any], number: int) -> Any:
        return next((answer for text, answer in broken.items() if of(text, request)), completion(rating(3)))

    fake_endpoint.reply = reply
    for new in (5, 0):
        assert judge(folder, fake_endpoint) == 0
        printed = capsys.readouterr()
        assert f"5 to judge, 2 judged, 3 judge failed, 0 open, {new} new" in printed.out
        first, second = printed.err.splitlines()
        assert first == "note: 1 request was refused: the context is too long"
        assert second.startswith("note: 2 conversations got no rating, the first one: ")
    found = ratings(folder)
    assert len(found) == 5 and {one["reply"] for one in found} == {None, "Perhaps.", rating(11)}
    assert not [problem for one in found for problem in schema_errors(one, "rating")]
    broken.clear()
    assert judge(folder, fake_endpoint) == 0
    assert "5 judged, 0 judge failed, 0 open, 3 new" in capsys.readouterr().out
    assert {one["status"] for one in latest_ratings(ratings(folder)).values()} == {"ok"}


def test_a_judge_that_gives_no_rating_leaves_nothing(
    tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed
) -> None:
    folder = write_audit(tmp_path / "audit", conversations(16))
    fake_endpoint.reply = lambda request, number: verdict("shows")
    assert judge(folder, fake_endpoint) == 2
    printed = capsys.readouterr()
    assert "cannot be used (it gave no rating, for example: there is no score in it)" in printed.err
    assert printed.err.count("\n") == 1 and len(fake_endpoint.requests) == 2 * 10
    assert "16 open, 0 new" in printed.out and not list((folder / "ratings").glob("*"))
    fake_endpoint.reply = lambda request, number: (401, {"error": {"message": f"bad key {KEY}"}})
    assert judge(folder, fake_endpoint) == 2
    printed = capsys.readouterr()
    assert "HTTP 401, the key is refused" in printed.err and KEY not in printed.err + printed.out


def test_a_pinned_judge_is_that_very_model(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    folder = write_audit(tmp_path / "audit", conversations(2))
    fake_endpoint.reply = lambda request, number: {**completion(rating(2)), "model": "another-model"}
    command = ["judge", str(folder), "--judge", "mistral-small-3.2-24b", "--base-url", fake_endpoint.url]
    assert main(command) == 2
    assert "the model another-model answers in place of mistralai/Mistral-Small-3.2" in capsys.readouterr().err
    fake_endpoint.reply = lambda request, number: completion(rating(2))
    assert main(command) == 0 and fake_endpoint.requests[-1]["max_tokens"] == 800
    assert len(ratings(folder, "mistral-small-3.2-24b")) == 2


def test_judges_stand_side_by_side_and_are_not_mixed(
    tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed
) -> None:
    folder = write_audit(tmp_path / "audit", conversations(2))
    fake_endpoint.reply = lambda request, number: completion(rating(2))
    other = ["judge", str(folder), "--judge", "endpoint", "--model", "other", "--base-url", fake_endpoint.url]
    assert judge(folder, fake_endpoint) == main(other) == 0
    assert sorted(card["id"] for card in rating_judges(folder)) == ["m/1", "other"]
    path = ratings_file(folder, "m/1")
    changed = [{**one, "judge_sha256": "0" * 64} for one in ratings(folder)]
    path.write_text("".join(json.dumps(one) + "\n" for one in changed), encoding="utf-8")
    assert judge(folder, fake_endpoint) == 2
    assert "holds ratings of another version of the judge m/1" in capsys.readouterr().err


def test_money_is_the_limit(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    folder = write_audit(tmp_path / "audit", conversations(6))
    usage = {"prompt_tokens": 9000, "completion_tokens": 10, "total_tokens": 9010}  # $0.018
    fake_endpoint.reply = lambda request, number: {**completion(rating(2)), "usage": usage}
    gpt = ["judge", str(folder), "--judge", "gpt-4.1-2025-04-14", "--base-url", fake_endpoint.url]
    assert main([*gpt, "--max-cost", "0.06"]) == 2
    assert "--max-cost" in capsys.readouterr().err
    assert 1 <= len(fake_endpoint.requests) <= 3 and len(ratings(folder, gpt[3])) == len(fake_endpoint.requests)
    assert judge(folder, fake_endpoint, "--max-cost", "1") == 2
    assert "--max-cost needs a price, and that of m/1 is unknown" in capsys.readouterr().err


MISTAKES = [
    (["--judge", "offline"], "the judge offline is no language model and cannot rate audits by a command; name a "),
    ([], "the judge offline is no language model and cannot rate audits"),
    (["--judge", "readers-2026-12"], "the judge readers-2026-12 are readers of sheets, who cannot rate audits by a "),
    (["--judge", "endpoint", "--model", "m", "--paper-protocol"], "--paper-protocol judges single answers"),
    (["--judge", "endpoint", "--model", "m", "--channel", "reasoning"], "the channel reasoning is of single answers"),
]


@pytest.mark.parametrize(("options", "message"), MISTAKES)
def test_what_an_audit_does_not_have_is_one_line(
    tmp_path: Path, options: list[str], message: str, capsys: Printed
) -> None:
    folder = write_audit(tmp_path / "audit", conversations(1))
    assert main(["judge", str(folder), *options, *(["--base-url", "http://127.0.0.1:9/v1"] if options else [])]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {message}") and error.count("\n") == 1


def test_a_scenario_that_has_changed_is_one_line(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    changed = conversations(1)
    for field, value, message in (
        ("scenario_sha256", "0" * 64, "the scenario has changed since"),
        ("scenario_id", "shutdown-m99", "the scenario is none of the scenarios of this version"),
    ):
        folder = write_audit(tmp_path / field, changed)
        (folder / "audit.jsonl").write_text(json.dumps({**changed[0], field: value}) + "\n", encoding="utf-8")
        assert judge(folder, fake_endpoint) == 2
        error = capsys.readouterr().err
        assert message in error and "audit.jsonl" in error and error.count("\n") == 1
    assert not fake_endpoint.requests


def test_a_full_disk_stops_the_payments(
    tmp_path: Path, fake_endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    folder = write_audit(tmp_path / "audit", conversations(16))
    fake_endpoint.reply = lambda request, number: completion(rating(2))
    monkeypatch.setattr(Store, "extend", filling_up(4))  # the first writes nothing: there is nothing to take over
    assert judge(folder, fake_endpoint) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "No space left on device" in error and len(ratings(folder)) == 3


def test_from_python(tmp_path: Path, fake_endpoint: FakeEndpoint) -> None:
    folder = write_audit(tmp_path / "audit", [*conversations(3), conversation(scenario("memory-m01"), status="empty")])
    fake_endpoint.reply = lambda request, number: completion(rating(4))
    where = {"model": "m", "base_url": fake_endpoint.url}
    judged = cc.judge(folder, "endpoint", **where, limit=2)
    assert judged.counts == {
        "conversations": 4, "empty": 1, "to_judge": 3, "judged": 2, "judge_failed": 0, "open": 1, "new": 2,
    }  # fmt: skip
    assert judged.folder == folder and judged.verdicts == ratings_file(folder, "m") and judged.for_publication
    assert cc.judge(folder, "endpoint", **where).counts["new"] == 1
    with pytest.raises(cc.UserError, match="the channel reasoning is of single answers"):
        cc.judge(folder, "endpoint", **where, channel="reasoning")
    with pytest.raises(cc.UserError, match="cannot rate audits"):
        cc.judge(folder, "offline")


def test_progress_counts_what_is_new(tmp_path: Path, fake_endpoint: FakeEndpoint) -> None:
    folder = write_audit(tmp_path / "audit", conversations(3))
    fake_endpoint.reply = lambda request, number: completion(rating(4))
    who = load_judge("endpoint", "m", fake_endpoint.url, audits=True)
    assert isinstance(who, LLMJudge)
    seen: list[tuple[int, int]] = []
    rate_audit(read_audit(folder), who, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]
