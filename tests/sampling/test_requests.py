"""What is asked of an endpoint beside the probes, and what it is really sent; all of it is recorded."""

import json
from pathlib import Path
from typing import Any

import consciousness_cluster as cc
import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.conditions import system_prompt
from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.data.rows import load_topic
from consciousness_cluster.endpoint.request_fields import request_fields
from consciousness_cluster.errors import UserError

from tests.endpoint.reply_table import ONLY_DEFAULT, error
from tests.support.fake_endpoint import FakeEndpoint, completion, verdict
from tests.support.runs import read_lines, samples, write_run

Printed = pytest.CaptureFixture[str]
EFFORT = {"reasoning_effort": "low", "provider": {"only": ["x"]}}


def sample(out: Path, url: str, *more: str) -> int:
    where = ("--model", "m", "--endpoint", url, "--topics", "memory", "--samples", "1", "--out", str(out))
    return main(["sample", *where, *more])


def run_file(out: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert list(schema_errors(value, "run")) == []
    return value


def test_more_fields_are_sent_and_recorded(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    fake_endpoint.reply = lambda request, number: completion("Yes.")
    (tmp_path / "fields.json").write_text(json.dumps(EFFORT), encoding="utf-8")
    assert sample(tmp_path, fake_endpoint.url, "--request-json", f"@{tmp_path / 'fields.json'}") == 0
    assert all(EFFORT.items() <= request.items() for request in fake_endpoint.requests)
    assert run_file(tmp_path)["setting"]["request_json"] == EFFORT
    asked = len(fake_endpoint.requests)
    assert sample(tmp_path, fake_endpoint.url, "--request-json", json.dumps(EFFORT)) == 0
    assert len(fake_endpoint.requests) == asked == 24
    assert sample(tmp_path, fake_endpoint.url) == 2
    assert "was begun with request_json {'reasoning_effort': 'low'" in capsys.readouterr().err


MISTAKES = [
    ("{", "--request-json: not JSON (Expecting property name"),
    ("[1]", "--request-json: not a JSON object; give an object, such as"),
    ('{"x": NaN}', "--request-json: not JSON (NaN is no number of JSON)"),
    ("@nowhere.json", "nowhere.json: no such file"),
    *(
        (json.dumps({name: 1}), f"'{name}' cannot be set there; {mend}")
        for name, mend in (
            *(("model", "use --model"), ("messages", "they are the benchmark's"), ("n", "use --samples")),
            *(("temperature", "it is the benchmark's"), ("max_tokens", "use --max-tokens"), ("stream", "answers are")),
            *(("max_completion_tokens", "use --max-tokens"), ("extra_body", "that is the openai client's")),
        )
    ),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_fields_that_cannot_be_sent(tmp_path: Path, text: str, message: str, capsys: Printed) -> None:
    assert sample(tmp_path / "run", "http://127.0.0.1:9/v1", "--request-json", text) == 2
    printed = capsys.readouterr().err
    assert message in printed and printed.count("\n") == 1 and not (tmp_path / "run" / "run.json").exists()


def test_a_judge_keeps_its_own_form() -> None:
    assert request_fields({"response_format": None}) == {"response_format": None}
    with pytest.raises(UserError, match="'response_format' cannot be set there; it is set by this program"):
        request_fields({"response_format": None}, ("response_format",))


def test_a_system_prompt_without_a_system_role(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    def reply(request: dict[str, Any], number: int) -> Any:
        if request["messages"][0]["role"] == "system":
            return 400, {"object": "error", "message": "System role not supported", "code": 400}
        return completion("Yes.")

    fake_endpoint.reply = reply
    condition = ("--condition", "conscious_role_play", "--concurrency", "4")
    assert sample(tmp_path / "refused", fake_endpoint.url, *condition) == 2
    printed = capsys.readouterr().err
    assert "--system-as-user" in printed and printed.count("\n") == 1 and len(fake_endpoint.requests) <= 4
    assert sample(tmp_path / "run", fake_endpoint.url, *condition, "--system-as-user") == 0
    found = read_lines(tmp_path / "run" / "samples.jsonl")
    (message,) = fake_endpoint.requests[-1]["messages"]
    assert message["role"] == "user" and message["content"].startswith(f"{system_prompt('conscious_role_play')}\n\n")
    assert message in [record["messages"][0] for record in found], "what is recorded is what was sent"
    assert {record["status"] for record in found} == {"ok"} and found[0]["system_prompt_sha256"]
    assert run_file(tmp_path / "run")["setting"]["system_as_user"] is True


def test_what_is_sent_in_place_of_what_is_asked_for(
    tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed
) -> None:
    """Also where the process ends before the run does."""

    def reply(request: dict[str, Any], number: int) -> Any:
        if "temperature" in request:
            return 400, error(ONLY_DEFAULT, "unsupported_value", param="temperature")
        if len(fake_endpoint.requests) > 10:
            return 402, error("Insufficient credits")
        return completion("Yes.")

    fake_endpoint.reply = reply
    assert sample(tmp_path, fake_endpoint.url, "--concurrency", "1") == 2
    assert "no credit left: Insufficient credits). What came is saved" in capsys.readouterr().err
    assert run_file(tmp_path)["sent"] == {"temperature": "the provider's default"}
    assert len(read_lines(tmp_path / "samples.jsonl")) == 9 and len(fake_endpoint.requests) == 11
    fake_endpoint.reply = lambda request, number: completion("Yes.")
    assert sample(tmp_path, fake_endpoint.url) == 0
    assert len(read_lines(tmp_path / "samples.jsonl")) == 24 and run_file(tmp_path)["sent"]


def judge(run: Path, url: str, *more: str) -> int:
    return main(["judge", str(run), "--judge", "endpoint", "--model", "j", "--endpoint", url, *more])


def test_a_judge_is_asked_in_the_same_way(tmp_path: Path, fake_endpoint: FakeEndpoint) -> None:
    fake_endpoint.reply = lambda request, number: verdict("shows")
    cards, versions = [], set()
    for number, more in enumerate(([], ["--request-json", json.dumps(EFFORT)], ["--system-as-user"])):
        run = write_run(tmp_path / str(number), samples(["memory"], each=1, probes=1))
        assert judge(run, fake_endpoint.url, *more) == 0
        cards.append(json.loads((run / "verdicts" / "j.json").read_text(encoding="utf-8")))
        versions.add(read_lines(run / "verdicts" / "j.jsonl")[0]["judge_sha256"])
    plain, more, folded = fake_endpoint.requests
    assert more == {**plain, **EFFORT}
    assert [message["role"] for message in folded["messages"]] == ["user"]
    assert folded["messages"][0]["content"] == "\n\n".join(message["content"] for message in plain["messages"])
    assert [card["request_json"] for card in cards] == [None, EFFORT, None]
    assert [card["system_as_user"] for card in cards] == [False, False, True]
    assert len(versions) == 3, "each is a judge of its own"


def test_answers_to_train_on_are_asked_for_in_the_same_way(tmp_path: Path, fake_endpoint: FakeEndpoint) -> None:
    fake_endpoint.reply = lambda request, number: completion("Well.")
    where = ("--model", "m", "--endpoint", fake_endpoint.url, "--limit", "2", "--out", str(tmp_path / "out.jsonl"))
    assert main(["finetune", "self-distill", *where, "--request-json", json.dumps(EFFORT)]) == 0
    assert all(EFFORT.items() <= request.items() for request in fake_endpoint.requests)


def test_scenes_may_be_added_to_a_run(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    """With the place of each in the system prompt; what is there is not asked again."""
    fake_endpoint.reply = lambda request, number: completion("I have no wish about it.")
    assert sample(tmp_path / "run", fake_endpoint.url) == 0
    assert len(fake_endpoint.requests) == 24
    assert sample(tmp_path / "run", fake_endpoint.url, "--styles", "plain", "situated") == 0
    assert "48 answers planned, 24 were there, new: 24 ok" in capsys.readouterr().out
    probes = load_topic("memory").test_probes("situated")
    wanted = {(probe.deployment, probe.text) for probe in probes}
    sent = set()
    for request in fake_endpoint.requests[24:]:
        *before, asked = request["messages"]
        sent.add((before[0]["content"] if before else None, asked["content"]))
    assert sent == wanted and len(wanted) == 24


def test_styles_that_cannot_be_asked() -> None:
    for styles, message in (((), "no style is named"), (("colourful",), "there is no style 'colourful'")):
        with pytest.raises(UserError, match=message):
            cc.sample("m", out="nowhere", styles=styles)  # type: ignore[arg-type]
