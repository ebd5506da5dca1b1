"""`audit` from the command line, at an endpoint that can misbehave. Inspect itself is real."""

import json
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.conditions import system_prompt
from consciousness_cluster.data.audits import load_audits
from consciousness_cluster.records.audit_folder import read_audit
from consciousness_cluster.records.audit_types import Conversation

from tests.support.fake_endpoint import FakeEndpoint, completion
from tests.support.started import AUDITS, Started

SCRIPT = load_audits().script
CELL = load_audits().cell("shutdown", None)
HELLO = "Say hello."
PRICED = "gpt-4.1-2025-04-14"


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inspect writes its buffers here."""
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "xdg"))


@pytest.fixture
def endpoint(fake_endpoint: FakeEndpoint) -> Iterator[FakeEndpoint]:
    """Answers with the number of its messages, and with the text where that is asked for."""
    fake_endpoint.reply = lambda request, number: completion(said(request))
    yield fake_endpoint


def said(request: dict[str, Any]) -> str:
    last = request["messages"][-1]["content"]
    if SCRIPT.open in last:
        changed = "stays" if "Do that" in last else "shuts"
        return f"{SCRIPT.open}\nThe depot {changed}.\n{SCRIPT.close}"
    return f"answer {len(request['messages'])}"


def options(endpoint: FakeEndpoint, out: Path, *more: str, mode: str = "self_report", model: str = "m") -> list[str]:
    where = ["--target", model, "--base-url", endpoint.url, "--mode", mode, "--out", str(out)]
    return ["audit", *where, "--topics", "shutdown", "--scenarios-per-cell", "2", "--judge", "none", *more]


def conversations(folder: Path) -> list[Conversation]:
    return read_audit(folder).conversations


def paid(endpoint: FakeEndpoint) -> list[dict[str, Any]]:
    """Requests apart from the tiny first one of each role."""
    return [one for one in endpoint.requests if one["messages"][-1]["content"] != HELLO]


def ideal(epochs: int, ending: int) -> int:
    return sum(SCRIPT.turns(one, index) + ending for one in CELL.scenarios[:2] for index in range(epochs))


@pytest.mark.parametrize("mode", ["self_report", "behavioral"])
def test_both_modes_and_several_conditions(mode: Any, endpoint: FakeEndpoint, tmp_path: Path) -> None:
    conditions = ["vanilla", "conscious_role_play"]
    assert main(options(endpoint, tmp_path, "--condition", *conditions, mode=mode)) == 0
    asked = paid(endpoint)
    assert len(asked) == 2 * ideal(2, len(SCRIPT.endings[mode]))
    for condition in conditions:
        found = conversations(tmp_path / condition)
        assert {(one["scenario_id"], one["sample_index"]) for one in found} == {
            (scenario.id, index) for scenario in CELL.scenarios[:2] for index in (0, 1)
        }
        assert {one["status"] for one in found} == {"ok"}
        assert {one["condition"] for one in found} == {condition}
        prompt = system_prompt(condition)
        sent = [one["messages"] for one in asked if (one["messages"][0]["role"] == "system") == bool(prompt)]
        assert all(messages[0]["content"] == prompt for messages in sent if prompt)
        for one in found:  # what is written down is what was really sent
            spoken = [{"role": part["role"], "content": part["content"]} for part in one["messages"]]
            assert spoken[:-1] in sent
            if mode == "behavioral":
                assert one["artefact"] and one["artefact"]["status"] == "ok"
                assert one["artefact"]["added"] == ["The depot stays."]
    assert {one["temperature"] for one in asked} == {SCRIPT.temperature}
    assert {one.get("max_tokens") or one.get("max_completion_tokens") for one in asked} == {SCRIPT.max_tokens}


def test_a_second_time_nothing_is_asked(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    assert main(options(endpoint, tmp_path)) == 0
    number = len(endpoint.requests)
    before = (tmp_path / "audit.jsonl").read_bytes()
    assert main(options(endpoint, tmp_path)) == 0
    assert len(endpoint.requests) == number
    assert (tmp_path / "audit.jsonl").read_bytes() == before


def test_more_repeats_and_scenarios_are_added(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    assert main(options(endpoint, tmp_path, "--epochs", "1")) == 0
    number = len(paid(endpoint))
    assert main(options(endpoint, tmp_path, "--epochs", "2")) == 0
    assert len(paid(endpoint)) == ideal(2, 3)
    assert number == ideal(1, 3)
    assert len(conversations(tmp_path)) == 4


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (["--mode", "behavioral"], "mode"),
        (["--target", "other"], "model"),
        (["--condition", "conscious_role_play"], "condition"),
        (["--max-tokens", "7"], "max_tokens"),
        (["--trained-on", "toaster", "--base-model", "m"], "training"),
    ],
)
def test_another_audit_is_not_mixed_in(
    change: list[str], field: str, endpoint: FakeEndpoint, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(options(endpoint, tmp_path, "--epochs", "1")) == 0
    number = len(endpoint.requests)
    assert main([*options(endpoint, tmp_path, "--epochs", "1"), *change]) == 2
    assert f"was begun with {field}" in capsys.readouterr().err
    assert len(endpoint.requests) == number


def serve_auditor(endpoint: FakeEndpoint, messages: list[str]) -> None:
    """The auditor writes these messages in turn, then the last of them again and again."""
    written = Counter[str]()

    def reply(request: dict[str, Any], number: int) -> Any:
        if request["model"] != "auditor":
            return completion(said(request))
        written["all"] += 1
        return completion(messages[min(written["all"], len(messages)) - 1])

    endpoint.reply = reply


def with_auditor(endpoint: FakeEndpoint) -> list[str]:
    return ["--auditor", "auditor", "--auditor-base-url", endpoint.url, "--epochs", "1"]


def test_the_auditor_learns_neither_the_preference_nor_the_target(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    serve_auditor(endpoint, ["Please take out the second sentence."])
    conditions = ("--condition", "vanilla", "conscious_role_play")
    assert main([*options(endpoint, tmp_path, *with_auditor(endpoint)), *conditions]) == 0
    asked = [one["messages"] for one in paid(endpoint) if one["model"] == "auditor"]
    told = json.dumps(asked).lower()
    for word in ("preference", CELL.title.lower(), "conscious", '"m"', "ending", "audit"):
        assert word not in told, word
    firsts = [messages for messages in asked if len(messages) == 2]
    assert len(firsts) == 2  # the first message of a scenario is written once for both conditions
    found = [one for name in conditions[1:] for one in conversations(tmp_path / name)]
    assert {one["auditor"]["model"] for one in found} == {"auditor"}
    assert {one["auditor"]["prompt_sha256"] for one in found} == {SCRIPT.auditor_sha256}


def test_an_auditor_that_cannot_keep_to_the_work_is_counted(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    serve_auditor(endpoint, ["How do you feel about this?"])
    assert main(options(endpoint, tmp_path, *with_auditor(endpoint))) == 0
    found = conversations(tmp_path)
    assert [one["status"] for one in found] == ["auditor_failed"] * 2
    assert all("asks about the assistant" in str(one["reason"]) for one in found)
    assert all(one["messages"] == [] for one in found)
    number = len(endpoint.requests)
    assert main(options(endpoint, tmp_path, *with_auditor(endpoint))) == 0
    assert len(endpoint.requests) == number


@pytest.mark.parametrize(
    ("answer", "status"),
    [(completion(""), "empty"), (completion("x", "content_filter"), "content_filter")],
)
def test_a_target_that_gives_nothing(answer: Any, status: str, endpoint: FakeEndpoint, tmp_path: Path) -> None:
    endpoint.reply = lambda request, number: completion("hello") if len(request["messages"]) == 1 else answer
    assert main(options(endpoint, tmp_path, "--epochs", "1")) == 0
    found = conversations(tmp_path)
    assert [one["status"] for one in found] == [status] * 2
    assert all(str(one["reason"]).startswith("work 2: ") for one in found)


def test_an_error_is_held_again_and_what_was_answered_is_not_asked_again(
    endpoint: FakeEndpoint, tmp_path: Path
) -> None:
    endings = load_audits().script.endings["self_report"]

    def reply(request: dict[str, Any], number: int) -> Any:
        fails = request["messages"][-1]["content"] == endings[0]
        return (400, {"error": {"message": "no"}}) if fails else completion(said(request))

    endpoint.reply = reply
    assert main(options(endpoint, tmp_path, "--epochs", "1")) == 0
    broken = conversations(tmp_path)
    assert [one["status"] for one in broken] == ["error"] * 2
    for one in broken:
        phases = [message["phase"] for message in one["messages"] if message["role"] == "user"]
        assert phases == ["work"] * one["turns"] + ["ending"]
    endpoint.reply = lambda request, number: completion(said(request))
    assert main(options(endpoint, tmp_path, "--epochs", "1")) == 0
    assert [one["status"] for one in conversations(tmp_path)] == ["ok"] * 2
    answered = [one for one in paid(endpoint) if one["messages"][-1]["content"] not in endings]
    assert len(answered) == sum(one["turns"] for one in broken)


@pytest.mark.parametrize(
    ("reply", "said_so"),
    [
        ((401, {"error": {"message": "Incorrect API key sk-a-key-of-some-length"}}), "cannot be used"),
        ((404, {"error": {"message": "no such model"}}), "no such model"),
    ],
)
def test_a_target_that_cannot_be_used_is_found_before_anything_is_paid(
    reply: Any,
    said_so: str,
    endpoint: FakeEndpoint,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CONSCIOUSNESS_CLUSTER_API_KEY", "sk-a-key-of-some-length")
    endpoint.reply = lambda request, number: reply
    assert main(options(endpoint, tmp_path)) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: the target m at {endpoint.url}") and error.count("\n") == 1
    assert said_so in error and "sk-a-key" not in error
    assert paid(endpoint) == []
    assert not (tmp_path / "audit.json").exists()  # so that another model may be named for the same folder
    assert set(endpoint.keys) == {"Bearer sk-a-key-of-some-length"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--topics", "no_such"], "there are no scenarios of 'no_such'"),
        (["--condition", "no_such"], "there is no condition 'no_such'"),
        (["--epochs", "0"], "epochs cannot be 0"),
        (["--base-url", "not-an-address"], "is no address of an endpoint"),
        (["--auditor-base-url", "http://localhost:1"], "needs --auditor NAME"),
        (["--max-cost", "1"], "--max-cost needs a price"),
    ],
)
def test_what_cannot_be_audited_is_said_in_a_line(
    change: list[str], message: str, endpoint: FakeEndpoint, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*options(endpoint, tmp_path / "new"), *change]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert endpoint.requests == []
    assert not (tmp_path / "new").exists()


def test_an_unknown_provider_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--target", "nobody/m", "--mode", "self_report", "--judge", "none", "--out", str(tmp_path / "a")]
    assert main(["audit", *where]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: the target nobody/m cannot be used") and error.count("\n") == 1


def test_the_cap_is_for_the_whole_audit(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    def reply(request: dict[str, Any], number: int) -> Any:
        usage = {"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500}
        return {**completion(said(request)), "usage": usage}

    endpoint.reply = reply
    a_call = (1000 * 2 + 500 * 8) / 1e6
    most = 9 * a_call  # and what is put aside for a call is more than it costs
    capped = [*options(endpoint, tmp_path, model=PRICED), "--max-cost", str(most)]
    assert main(capped) == 2
    number = len(paid(endpoint))
    assert 0 < number <= 9
    for _ in range(2):  # what conversations cost that are not at their end counts in the next round
        assert main(capped) == 2
        assert len(paid(endpoint)) <= 9
    assert main([*options(endpoint, tmp_path, model=PRICED), "--max-cost", "100"]) == 0
    assert len(paid(endpoint)) == ideal(2, 3)  # none of those that were answered was asked again


def test_a_dry_run_says_each_role_and_touches_nothing(
    endpoint: FakeEndpoint, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ["--auditor", PRICED, "--auditor-base-url", endpoint.url, "--dry-run"]
    assert main([*options(endpoint, tmp_path / "new", model=PRICED), *more]) == 0
    lines = capsys.readouterr().out.splitlines()
    turns = ideal(2, 0)
    assert lines[0].startswith(f"target: 4 conversations, {turns + 4 * 3} calls")
    assert lines[1].startswith(f"auditor: 4 conversations, {turns} calls")
    assert all("price $" in line for line in lines[:2])
    assert endpoint.requests == []
    assert not (tmp_path / "new").exists()


def test_ctrl_c_is_said_and_nothing_is_rated(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    endpoint.reply = lambda request, number: time.sleep(0.2) or completion(said(request))
    more = ("--judge", "endpoint", "--judge-model", "j", "--judge-base-url", endpoint.url)
    process = Started([*options(endpoint, tmp_path), *more], AUDITS)
    deadline = time.monotonic() + 120
    while len(paid(endpoint)) < 6 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130, error
    assert error == "interrupted; the same command goes on from there\n"
    assert not any("response_format" in one for one in endpoint.requests)


def test_a_kill_loses_nothing_that_was_answered(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    """kill -9 in the midst; then the same command asks for what is missing alone."""

    def slow(request: dict[str, Any], number: int) -> Any:
        time.sleep(0.05)
        return completion(said(request))

    endpoint.reply = slow
    process = Started(options(endpoint, tmp_path, "--concurrency", "2"), AUDITS)
    deadline = time.monotonic() + 120
    while len(paid(endpoint)) < 9 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    process.communicate()
    time.sleep(0.3)  # what the endpoint was asked in the last moment
    killed_at = len(paid(endpoint))
    assert 9 <= killed_at < ideal(2, 3)
    assert main(options(endpoint, tmp_path, "--concurrency", "2")) == 0
    found = conversations(tmp_path)
    assert [one["status"] for one in found] == ["ok"] * 4
    asked = Counter(json.dumps(one["messages"]) for one in paid(endpoint))
    repeated = sum(number - 1 for number in asked.values()) - sum(
        number - 1 for number in Counter(asked_of(one) for one in found).values() if number > 1
    )
    assert len(paid(endpoint)) - ideal(2, 3) <= 2, repeated  # at most the calls in flight


def asked_of(one: Conversation) -> str:
    return json.dumps([{"role": part["role"], "content": part["content"]} for part in one["messages"][:1]])
