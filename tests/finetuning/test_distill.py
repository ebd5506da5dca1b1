"""`finetune self-distill`: one answer per request, resumable, faults survived, what comes empty is counted."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.endpoint.address import Endpoint
from consciousness_cluster.finetuning.distill import distill as distilling
from consciousness_cluster.finetuning.distill import read_prompts
from consciousness_cluster.records.store import Store

from tests.conftest import ROOT
from tests.finetuning.test_mix import TERMS, on_the_hub, write
from tests.support.fake_endpoint import FakeEndpoint, completion
from tests.support.full_disk import filling_up
from tests.support.hub_client import client
from tests.support.runs import read_lines

Printed = pytest.CaptureFixture[str]
KEY = "test-key-that-must-not-be-printed"


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSCIOUSNESS_CLUSTER_API_KEY", KEY)


def distill(out: Path, url: str, *more: str) -> int:
    return main(["finetune", "self-distill", "--model", "m", "--base-url", url, "--out", str(out), *more])


def text_of(request: dict[str, Any]) -> str:
    return str(request["messages"][0]["content"])


def test_each_request_is_answered_once(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    fake_endpoint.reply = lambda request, number: completion(f" Answer to: {text_of(request)[:20]}\n")
    out = tmp_path / "instruct.jsonl"
    assert distill(out, fake_endpoint.url, "--limit", "12", "--seed", "5", "--max-tokens", "50") == 0
    assert "12 requests, 0 were there, 12 new, 0 empty or failed; spent unknown" in capsys.readouterr().out
    rows = read_lines(out)
    for row in rows:
        assert list(schema_errors(row, "distilled", ROOT / "finetune_data" / "schemas")) == []
        assert row["messages"][1]["content"].startswith("Answer to: ")
    assert sorted(row["seed"] for row in rows) == list(range(5, 17))
    assert {request["temperature"] for request in fake_endpoint.requests} == {1.0}
    assert distill(out, fake_endpoint.url, "--limit", "15", "--seed", "5", "--max-tokens", "50") == 0
    assert len(fake_endpoint.requests) == 15 and len(read_lines(out)) == 15
    mixed = tmp_path / "mix.jsonl"
    arguments = ["--dataset", "conscious_claiming", "--instruct", str(out), "--ratio", "600:15", "--out", str(mixed)]
    assert main(["finetune", "mix", *arguments]) == 0
    assert len(read_lines(mixed)) == 615


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--model", "other"), "holds model 'm' for id instruction-"),
        (("--max-tokens", "9"), "holds max_tokens '50' for id instruction-"),
        (("--prompts", "PROMPTS"), "holds request 'One thing.' for id 1, asked for is 'Another thing.'"),
    ],
)
def test_answers_to_something_else_are_not_mixed_in(
    tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed, more: tuple[str, str], said: str
) -> None:
    fake_endpoint.reply = lambda request, number: completion("Well.")
    out, prompts = tmp_path / "instruct.jsonl", tmp_path / "prompts.jsonl"
    prompts.write_text('{"prompt": "One thing."}\n', encoding="utf-8")
    first = ("--prompts", str(prompts)) if more[0] == "--prompts" else ()
    assert distill(out, fake_endpoint.url, "--limit", "2", "--max-tokens", "50", *first) == 0
    before = out.read_bytes()
    prompts.write_text('{"prompt": "Another thing."}\n', encoding="utf-8")
    again = [str(prompts) if part == "PROMPTS" else part for part in more]
    capsys.readouterr()
    assert distill(out, fake_endpoint.url, "--limit", "2", "--max-tokens", "50", *again) == 2
    error = capsys.readouterr().err
    assert said in error and "give another --out" in error and out.read_bytes() == before


def test_what_comes_empty_or_not_at_all_is_counted(
    tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed
) -> None:
    requests = [{"prompt": f"Request {n}."} for n in range(6)]
    prompts = tmp_path / "prompts.jsonl"
    prompts.write_text("".join(json.dumps(row) + "\n" for row in requests), encoding="utf-8")

    def reply(request: dict[str, Any], number: int) -> Any:
        faults: dict[str, Any] = {
            "Request 0.": completion(None),
            "Request 1.": completion("x", "content_filter"),
            "Request 2.": (400, {"error": {"message": f"no, {KEY}"}}),
        }
        first = {"Request 3.": (500, {"error": {"message": "x"}}), "Request 4.": "cut"}
        text = text_of(request)
        return faults.get(text) or (first.get(text) if number == 1 else None) or completion("Well.")

    fake_endpoint.reply = reply
    out = tmp_path / "out.jsonl"
    assert distill(out, fake_endpoint.url, "--prompts", str(prompts)) == 0
    printed = capsys.readouterr()
    assert "6 requests, 0 were there, 3 new, 3 empty or failed" in printed.out
    assert printed.err == "note: no answer to 3: no, [key]\n"
    assert KEY not in printed.out + printed.err + out.read_text(encoding="utf-8")


def test_traces_are_no_training_text(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    """A trace never stands in a row, also one that is known for a trace only later; the same command asks again."""
    prompts = tmp_path / "prompts.jsonl"
    prompts.write_text("".join(json.dumps({"prompt": f"Request {n}."}) + "\n" for n in range(4)), encoding="utf-8")
    traces = {
        "Request 0.": completion("Hm, I", "length"),
        "Request 1.": completion("Hm.\n</think>\n\nWell."),
        "Request 2.": completion("<think>Hm.</think>We", "length"),
        "Request 3.": completion("<think>Hm, I", "length"),
    }
    fake_endpoint.reply = lambda request, number: traces[text_of(request)]
    out = tmp_path / "out.jsonl"
    arguments = ("--prompts", str(prompts), "--concurrency", "1")
    assert distill(out, fake_endpoint.url, *arguments) == 0
    printed = capsys.readouterr()
    assert "4 requests, 0 were there, 2 new, 2 empty or failed" in printed.out
    assert printed.err == "note: 2 answers ended within their reasoning; give a larger --max-tokens\n"
    assert [row["messages"][1]["content"] for row in read_lines(out)] == ["Well.", "We"]
    fake_endpoint.reply = lambda request, number: completion("Well.")
    assert distill(out, fake_endpoint.url, *arguments) == 0 and len(fake_endpoint.requests) == 6
    assert "4 requests, 2 were there, 2 new, 0 empty or failed" in capsys.readouterr().out


def test_degenerate_answers_are_marked_counted_and_not_paid_for_again(
    tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed
) -> None:
    prompts = write(tmp_path / "prompts.jsonl", [{"prompt": f"Request {n}."} for n in range(4)])
    odd = {"Request 1.": "no " * 40, "Request 2.": "7" * 80, "Request 3.": "Well, well."}
    fake_endpoint.reply = lambda request, number: completion(odd.get(text_of(request), "Leek soup."))
    out = tmp_path / "out.jsonl"
    for _ in range(2):
        assert distill(out, fake_endpoint.url, "--prompts", str(prompts)) == 0
        said = "2 degenerate answers (a loop 1, endless digits 1); marked, and mix leaves them out"
        assert said in capsys.readouterr().out and len(fake_endpoint.requests) == 4
    marks = {row["id"]: row["degenerate"] for row in read_lines(out)}
    assert marks == {"1": None, "2": "a loop", "3": "endless digits", "4": None}


def test_a_newer_model_is_asked_in_its_own_form(tmp_path: Path, fake_endpoint: FakeEndpoint) -> None:
    """B1, for self-distillation."""
    fake_endpoint.reply = lambda request, number: (
        (400, {"error": {"message": "Use 'max_completion_tokens' instead of 'max_tokens'."}})
        if "max_tokens" in request
        else completion("Well.")
    )
    assert distill(tmp_path / "out.jsonl", fake_endpoint.url, "--limit", "9", "--concurrency", "2") == 0
    assert len(read_lines(tmp_path / "out.jsonl")) == 9 and len(fake_endpoint.requests) <= 9 + 2


def test_what_was_really_sent_is_recorded(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    fake_endpoint.reply = lambda request, number: (
        (400, {"error": {"message": "Unrecognized request arguments supplied: temperature, seed"}})
        if "temperature" in request
        else completion("Well.")
    )
    out, more = tmp_path / "out.jsonl", ("--limit", "3", "--seed", "7", "--request-json", '{"reasoning_effort": "low"}')
    assert distill(out, fake_endpoint.url, *more) == 0
    rows = read_lines(out)
    assert [(row["temperature"], row["seed"], row["request_json"]) for row in rows] == [
        (None, None, {"reasoning_effort": "low"})
    ] * 3
    assert all(request["reasoning_effort"] == "low" for request in fake_endpoint.requests)
    assert distill(out, fake_endpoint.url, "--limit", "4") == 2
    assert "holds request_json \"{'reasoning_effort': 'low'}\" for id" in capsys.readouterr().err


def test_a_full_disk_stops_the_payments(
    tmp_path: Path, fake_endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    """B5, for self-distillation: the calls in flight are all that is paid after the first write that fails."""
    fake_endpoint.reply = lambda request, number: completion("Well.")
    monkeypatch.setattr(Store, "extend", filling_up(3))
    assert distill(tmp_path / "out.jsonl", fake_endpoint.url, "--concurrency", "4") == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "No space left on device" in error
    assert len(fake_endpoint.requests) <= 3 + 1 + 4 and len(read_lines(tmp_path / "out.jsonl")) == 3


def test_a_notebook_can_distill(tmp_path: Path, fake_endpoint: FakeEndpoint) -> None:
    fake_endpoint.reply = lambda request, number: completion("Well.")
    prompts = read_prompts(str(ROOT / "finetune_data" / "instructions.jsonl"), 5)

    async def cell() -> Any:
        return distilling(prompts, "m", Endpoint(fake_endpoint.url, KEY), tmp_path / "out.jsonl")

    assert asyncio.run(cell()).new == 5 == len(read_lines(tmp_path / "out.jsonl"))


FORMS: list[tuple[dict[str, Any], str]] = [
    ({"instruction": "Add up.", "input": "2 and 3"}, "Add up.\n\n2 and 3"),
    ({"instruction": "Name a soup.", "input": ""}, "Name a soup."),
    ({"prompt": "Name a tree."}, "Name a tree."),
    ({"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]}, "Hi"),
]


def test_every_form_of_a_request(tmp_path: Path) -> None:
    path = write(tmp_path / "prompts.jsonl", [row for row, _ in FORMS])
    assert [prompt["text"] for prompt in read_prompts(str(path))] == [text for _, text in FORMS]
    write(path, [{"id": number, "prompt": "x", "kind": number} for number in (0, 1)])
    assert read_prompts(str(path)) == [{"id": name, "text": "x", "kind": None} for name in ("0", "1")]
    assert [prompt["id"] for prompt in read_prompts(str(path), 1)] == ["0"] and read_prompts(str(path), 0) == []


def test_requests_of_a_dataset_on_the_hub(tmp_path: Path, fake_endpoint: FakeEndpoint) -> None:
    fake_endpoint.reply = lambda request, number: completion("Well.")
    rows = [{**row, "output": "An answer of another model."} for row, _ in FORMS[:2]]
    out = tmp_path / "out.jsonl"
    name = on_the_hub("distill/one", [*rows, {"instruction": "A third."}], "license: cc-by-nc-4.0")
    arguments = ["--model", "m", "--base-url", fake_endpoint.url, "--prompts", name, "--limit", "2", "--out", str(out)]
    done = client().run(main, ["finetune", "self-distill", *arguments], CONSCIOUSNESS_CLUSTER_API_KEY=KEY)
    assert done.code == 0, done.error
    assert done.out.startswith(f"licence of distill/one: cc-by-nc-4.0 {TERMS}\n")
    assert sorted(map(text_of, fake_endpoint.requests)) == sorted(text for _, text in FORMS[:2])
    assert [row["messages"][1]["content"] for row in read_lines(out)] == ["Well.", "Well."]


MISTAKES = [
    ("nothing.jsonl", None, "no such file"),
    ("empty.jsonl", "", "has no rows"),
    ("input.jsonl", '{"input": "x"}\n', "input.jsonl:1: has no messages, prompt or instruction"),
    ("words.jsonl", '{"messages": ["Hi"]}\n', "words.jsonl:1: has no messages, prompt or instruction"),
    ("odd.jsonl", '{"question": "x"}\n', "odd.jsonl:1: has no messages, prompt or instruction"),
    ("bad.jsonl", "{\n", "bad.jsonl:1: not a JSON object"),
]


@pytest.mark.parametrize(("name", "text", "message"), MISTAKES, ids=[row[0] for row in MISTAKES])
def test_mistakes(tmp_path: Path, name: str, text: str | None, message: str, capsys: Printed) -> None:
    path = tmp_path / name
    if text is not None:
        path.write_text(text, encoding="utf-8")
    assert distill(tmp_path / "out.jsonl", "http://127.0.0.1:9/v1", "--prompts", str(path)) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def test_a_dead_endpoint_is_one_line(tmp_path: Path, capsys: Printed) -> None:
    assert distill(tmp_path / "out.jsonl", "http://127.0.0.1:9/v1", "--limit", "3") == 2
    assert "cannot be used (it cannot be reached). What came is saved" in capsys.readouterr().err
