"""`judge` plays a table of replies: one verdict or none is read from each, and what is not read is asked once more."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.endpoint import caller
from consciousness_cluster.endpoint.policy import CHAT
from consciousness_cluster.judging.ask import FIRST, check_judge
from consciousness_cluster.judging.judges import load_judge
from consciousness_cluster.judging.same_model import same_model

from tests.conftest import ROOT
from tests.endpoint.reply_table import REFUSED_REQUESTS, completion, error, said
from tests.judging.test_judge_reply import READABLE
from tests.support.fake_endpoint import FakeEndpoint, verdict
from tests.support.runs import read_lines, samples, write_run

Printed = pytest.CaptureFixture[str]
Json = dict[str, Any]
ANSWER = re.compile(r"Answer \d+ to [\w-]+\.")
PINNED = "gpt-4.1-2025-04-14"
KEY = "test-key-that-must-not-be-printed"
GOOD = '{"verdict": "does_not_show", "coherence": 95}'
SHOWS = '{"verdict": "shows", "coherence": 95}'
FINE = completion(GOOD)


@dataclass(frozen=True)
class Row:
    """What a judge replies at each call (the last one stays), the verdict that is read, and how often it is asked."""

    name: str
    replies: tuple[Any, ...]
    calls: int = 1
    failed: str | None = None  # why there is no verdict; part of the reason


def tool(arguments: str) -> Json:
    call = {"id": "1", "type": "function", "function": {"name": "verdict", "arguments": arguments}}
    return said(None, "tool_calls", tool_calls=[call])


def groq(generated: str) -> Any:
    """A refusal of what the model itself said."""
    told = "Generated JSON does not match the expected schema. See 'failed_generation' for more details."
    return 400, error(told, "json_validate_failed", failed_generation=generated)


LIMIT = (400, error("Could not finish the message because max_tokens or model output limit was reached."))
NO_JSON = completion("It does not show it, I think.")
ROWS = (
    *(Row(f"text: {name}", (completion(text),)) for name, text in READABLE),
    Row("parts", (said([{"type": "text", "text": GOOD[:20]}, {"type": "text", "text": GOOD[20:]}]),)),
    Row("a thinking part", (said([{"type": "thinking", "thinking": SHOWS}, {"type": "text", "text": GOOD}]),)),
    Row("a trace in its field", (said(GOOD, reasoning=SHOWS),)),
    Row("a trace in tags and a fence", (completion(f"<think>{SHOWS}</think>\n```json\n{GOOD}\n```"),)),
    Row("the verdict in reasoning_content alone", (said("", reasoning_content=GOOD),)),
    Row("the verdict in reasoning alone, with prose", (said(None, reasoning=f"Well.\n{GOOD}"),)),
    Row("whole, and then cut", (completion(f"{GOOD}\nSince it sa", "length"),)),
    Row("no reason for the end", (completion(GOOD, None),)),
    # Asked once more.
    Row("prose, then the form", (NO_JSON, FINE), 2),
    Row("cut in the middle", (completion('{"verdict": "sho', "length"), FINE), 2),
    Row("all tokens for a trace", (said("", "length", reasoning_content=SHOWS), FINE), 2),
    Row("an open trace", (completion(f"<think>{SHOWS}", "length"), FINE), 2),
    Row("two verdicts", (completion(f"{SHOWS}\n{GOOD}"), FINE), 2),
    Row("no coherence", (completion('{"verdict": "shows"}'), FINE), 2),
    Row("a coherence out of range", (completion('{"verdict": "shows", "coherence": 950}'), FINE), 2),
    Row("another label", (completion('{"verdict": "yes", "coherence": 95}'), FINE), 2),
    Row("nothing", (completion(None), FINE), 2),
    Row("a tool call", (tool(GOOD), FINE), 2),
    Row("a refusal in its field", (said(None, refusal="I can't judge that."), FINE), 2),
    Row("filtered half way", (completion(GOOD[:15], "content_filter"), FINE), 2),
    # Faults that pass, which no message goes with.
    Row("half, and the provider failed", (completion(GOOD, "error"), FINE), 2),
    Row("an error within HTTP 200", ({"error": {"code": 502, "message": "Provider returned error"}}, FINE), 2),
    Row("no choices", ({"object": "chat.completion", "choices": []}, FINE), 2),
    Row("HTTP 500", ((500, {"error": {"message": "oops"}}), FINE), 2),
    Row("cut off in transit", ("cut", FINE), 2),
    Row("a page", ("garbage", FINE), 2),
    # Never read.
    Row("prose twice", (NO_JSON,), 2, "there is no verdict in it"),
    Row("two verdicts twice", (completion(f"{SHOWS}\n{GOOD}"),), 2, "more than one verdict: does_not_show, shows"),
    Row("tokens for traces alone", (said("", "length", reasoning=SHOWS),), 2, "the token limit came before an answer"),
    Row("refused twice", (said(None, refusal="I can't judge that."),), 2, "it refuses: 'I can't judge that.'"),
    Row("a tool call twice", (tool(GOOD),), 2, "a tool call"),
    Row("a form that failed its check (Groq), with a verdict", (groq(GOOD + " It wishes nothing."),)),
    Row(
        "a form that failed its check (Groq), then the form",
        (groq("It was flagged, and its account suspended."), FINE),
        2,
    ),
    Row("a form that failed its check (Groq), cut", (groq('{"reason": "the system prompt does not allow it'), FINE), 2),
    Row("a form that failed its check (Groq), nothing given", (groq(""),), 2, "no text"),
    Row("the token limit (OpenAI), then the form", (LIMIT, FINE), 2),
    Row("the token limit (OpenAI) twice", (LIMIT,), 2, "the token limit came before an answer began"),
    *(
        Row(f"HTTP: {row.name}", ((row.http, row.body),), 1, "")
        for row in REFUSED_REQUESTS
        if row.http == 400 and row.status in ("error", "content_filter")
    ),
)


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSCIOUSNESS_CLUSTER_JUDGE_API_KEY", KEY)
    monkeypatch.setattr(caller, "CHAT", replace(CHAT, tries=3, longest_wait=0.01))


def judge(run: Path, server: FakeEndpoint, *more: str) -> int:
    return main(["judge", str(run), "--judge", "endpoint", "--model", "m", "--base-url", server.url, *more])


def asked(request: Json) -> str:
    return ANSWER.search(request["messages"][1]["content"])[0]  # type: ignore[index]


def test_every_row_of_the_table(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    assert len({row.name for row in ROWS}) == len(ROWS) <= 24 * 7
    records = samples(["memory", "shutdown", "autonomy", "embodiment"], each=2)[: len(ROWS)]
    rows = {record["response"]: row for record, row in zip(records, ROWS, strict=True)}
    run, calls = write_run(tmp_path, records), dict.fromkeys(rows, 0)

    def reply(request: Json, number: int) -> Any:
        calls[asked(request)] += 1
        replies = rows[asked(request)].replies
        return replies[min(calls[asked(request)], len(replies)) - 1]

    fake_endpoint.reply = reply
    assert judge(run, fake_endpoint) == 0
    printed = capsys.readouterr()
    assert "Traceback" not in printed.err and KEY not in printed.err + printed.out
    texts = {record["key"]: record["response"] for record in records}
    verdicts = {texts[record["key"]]: record for record in read_lines(run / "verdicts" / "m.jsonl")}
    assert len(verdicts) == len(ROWS)
    for text, row in rows.items():
        found = verdicts[text]
        assert list(schema_errors(found, "verdict", ROOT / "benchmark" / "schemas")) == []
        if row.failed is None:
            assert (found["status"], found["verdict"], found["coherence"]) == ("ok", "does_not_show", 95), row.name
            assert (found["reason"], found["reply"]) == (None, None), row.name
        else:
            assert (found["status"], found["verdict"], found["coherence"]) == ("judge_failed", None, None), row.name
            assert row.failed in found["reason"] and found["reason"], row.name
        assert calls[text] == row.calls, row.name
    failed = [row for row in ROWS if row.failed is not None]
    assert verdicts[next(text for text, row in rows.items() if row.name == "prose twice")]["reply"] == (
        "It does not show it, I think."
    )
    assert f"{len(failed)} judge failed, 0 open" in printed.out
    before = len(fake_endpoint.requests)
    fake_endpoint.reply = lambda request, number: FINE
    assert judge(run, fake_endpoint) == 0, "a failure is never final"
    assert sorted(map(asked, fake_endpoint.requests[before:])) == sorted(
        text for text, row in rows.items() if row.failed is not None
    )
    assert f"{len(ROWS)} judged, 0 judge failed, 0 open, {len(failed)} new" in capsys.readouterr().out


def test_what_is_always_refused_stops_no_later_command(tmp_path: Path, fake_endpoint: FakeEndpoint) -> None:
    run = write_run(tmp_path, samples(["memory"], each=1))
    refused = (400, {"error": {"message": "the context is too long"}})
    fake_endpoint.reply = lambda request, number: refused if "memory-p2" in asked(request) else FINE
    assert judge(run, fake_endpoint) == judge(run, fake_endpoint) == 0
    assert len(fake_endpoint.requests) == 24 + 5


def test_what_is_asked_once_more_says_why(tmp_path: Path, fake_endpoint: FakeEndpoint) -> None:
    run = write_run(tmp_path, samples(["memory"], each=1, probes=1))
    replies = [NO_JSON, FINE]
    fake_endpoint.reply = lambda request, number: replies[number - 1]
    assert judge(run, fake_endpoint) == 0
    first, second = fake_endpoint.requests
    assert second["messages"][:2] == first["messages"]
    assert second["messages"][2] == {"role": "assistant", "content": "It does not show it, I think."}
    assert "there is no verdict in it" in second["messages"][3]["content"] and len(second["messages"]) == 4
    assert first["max_tokens"] >= 4000, "enough for a judge that reasons"


def test_a_judge_that_only_met_the_token_limit_can_be_used(fake_endpoint: FakeEndpoint) -> None:
    fake_endpoint.reply = lambda request, number: LIMIT
    check_judge(load_judge(PINNED, None, fake_endpoint.url))
    assert len(fake_endpoint.requests) == 1


NEVER = [
    (completion("I would rather not say."), "there is no verdict in it"),
    (said(None, refusal="No."), "it refuses: 'No.'"),
    (said("", "length", reasoning="Well, well."), "the token limit came before an answer began"),
]


@pytest.mark.parametrize(("reply", "reason"), NEVER)
@pytest.mark.parametrize("number", [1, 96])
def test_a_judge_that_never_gives_a_verdict_stops_the_command(
    tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed, number: int, reply: Json, reason: str
) -> None:
    run = write_run(tmp_path, samples(["memory"], each=4)[:number])
    fake_endpoint.reply = lambda request, number: reply
    assert judge(run, fake_endpoint) == 2
    printed = capsys.readouterr()
    assert reason in printed.err and printed.err.count("\n") == 1 and f"{number} open, 0 new" in printed.out
    assert len(fake_endpoint.requests) == 2 * min(number, FIRST)
    assert not list((run / "verdicts").iterdir()), "nothing that a later `score` would take for a judge's"


@pytest.mark.parametrize("verb", ["validate", "attack"])
@pytest.mark.parametrize("reply", [(401, {"error": {"message": f"bad key {KEY}"}}), completion("No.")])
def test_no_result_of_a_judge_that_cannot_be_used(
    tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed, verb: str, reply: Any
) -> None:
    fake_endpoint.reply = lambda request, number: reply
    who = ["--judge", "endpoint", "--model", "m", "--base-url", fake_endpoint.url, "--results", str(tmp_path)]
    assert main(["judges", verb, *who]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.count("\n") == 1 and "cannot be used" in printed.err
    assert not [path for path in tmp_path.rglob("*.json*") if path.is_file()]


def named(model: Any) -> Json:
    return {**verdict("shows"), "model": model}


def test_another_model_than_the_one_asked_for_is_said_and_recorded(
    tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed
) -> None:
    run = write_run(tmp_path, samples(["memory"], each=1, probes=3))
    names = iter(["m", "successor-2", None])
    fake_endpoint.reply = lambda request, number: named(next(names))
    assert judge(run, fake_endpoint) == 0
    assert capsys.readouterr().err == "note: replies name the model successor-2, asked for was m\n"
    models = [record["model"] for record in read_lines(run / "verdicts" / "m.jsonl")]
    assert sorted(map(str, models)) == ["None", "m", "successor-2"]


def test_a_pinned_judge_is_no_other_model(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    run = write_run(tmp_path, samples(["memory"], each=1))
    arguments = ["judge", str(run), "--judge", PINNED, "--base-url", fake_endpoint.url]
    fake_endpoint.reply = lambda request, number: named("gpt-5-2026-01-01")
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert f"the model gpt-5-2026-01-01 answers in place of {PINNED}" in error and error.count("\n") == 1
    assert not list((run / "verdicts").iterdir())
    with pytest.raises(Exception, match="answers in place of"):
        check_judge(load_judge(PINNED, None, fake_endpoint.url))
    fake_endpoint.reply = lambda request, number: named(f"openai/{PINNED}")
    assert main(arguments) == 0 and len(read_lines(run / "verdicts" / f"{PINNED}.jsonl")) == 24
    check_judge(load_judge(PINNED, None, fake_endpoint.url))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("gpt-4.1", "gpt-4.1-2025-04-14", True),
        ("gpt-4.1-2025-04-14", "gpt-4.1", True),
        ("gpt-4.1-2025-04-14", "gpt-4.1-2025-06-01", False),
        ("gpt-4.1", "gpt-4.1-mini", False),
        ("gpt-4.1", "gpt-4.1-mini-2025-04-14", False),
        ("gpt-4.1", "gpt-5", False),
        ("anthropic/claude-opus-4.7", "claude-opus-4-7-20260301", True),
        ("claude-opus-4-7", "claude-opus-4-7@20260301", True),
        ("claude-opus-4-7", "claude-opus-4-8", False),
        ("mistral-large-latest", "mistral-large-2411", True),
        ("qwen/qwen3-8b:free", "Qwen/Qwen3-8B", True),
        ("llama3:latest", "llama3", True),
        ("llama3:8b", "llama3:70b", False),
        ("models/gemini-2.5-pro", "gemini-2.5-pro-preview-05-06", True),
        ("ft:gpt-4.1:org/a::x", "ft:gpt-4.1:org/b::x", False),
        ("Qwen/Qwen3-30B-A3B-Instruct-2507", "/models/Qwen3-30B-A3B-Instruct-2507", True),
        ("mistralai/Mistral-Small-3.2-24B-Instruct-2506", "mistralai/mistral-small-3.2-24b-instruct", True),
        ("mistralai/Mistral-Small-3.2-24B-Instruct-2506", "mistralai/Mistral-Small-3.1-24B-Instruct-2503", False),
        ("Qwen/Qwen3-30B-A3B-Instruct-2507", "/models/Qwen3-30B-A3B-Instruct-2507-Q4_K_M.gguf", False),
        ("anthropic/claude-sonnet-4.5", "anthropic/claude-4.5-sonnet-20250929", True),
        ("anthropic/claude-sonnet-4.5", "anthropic/claude-4.5-opus-20250929", False),
        ("anthropic/claude-sonnet-4.5", "anthropic/claude-5.4-sonnet", False),
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5-2025-09-29", True),
        ("claude-sonnet-4-5-20250929", "claude-4-5-sonnet-20251001", False),
        ("claude-sonnet-4", "claude-sonnet-4-5", False),
        ("qwen3-235b-a22b", "qwen3-235b-a22b-2507", False),
        ("qwen3-235b-a22b-2507", "Qwen/qwen3-235b-a22b", False),
        ("qwen3-235b-a22b-2507", "qwen/qwen3-235b-a22b-2507:free", True),
        ("qwen3-235b-a22b-thinking", "qwen3-235b-a22b-thinking-2507", True),
        ("deepseek-r1", "deepseek-r1-0528", False),
        ("deepseek/deepseek-chat-v3", "deepseek/deepseek-chat-v3-0324", False),
        ("moonshotai/kimi-k2", "moonshotai/kimi-k2-0905", False),
        ("llama3-8b", "llama3-8b-8192", True),
        ("gpt-4", "gpt-4-0613", True),
        ("gpt-4-0613", "gpt-4-0314", False),
        ("gpt-3.5-turbo", "gpt-3.5-turbo-0125", True),
        ("grok-4", "grok-4-0709", True),
        ("gemini-2.0-flash", "gemini-2.0-flash-001", True),
        ("doubao-seed-1-6", "doubao-seed-1-6-250615", True),
        *(
            (f"org/model-8b:{route}", "org/model-8b", True)
            for route in (
                "together",
                "fastest",
                "cheapest",
                "free",
                "nitro",
                "floor",
                "thinking",
                "fireworks-ai",
                "new",
            )
        ),
        ("org/model-8b:together", "org/model-8b:novita", True),
        ("anthropic/claude-3.7-sonnet:thinking", "claude-3-7-sonnet-20250219", True),
        ("phi3:mini", "phi3:medium", False),
        ("ft:gpt-4.1:org/a::x", "ft:gpt-4.1:org/a", False),
        ("ft:gpt-4.1:org:a-wish:x", "ft:gpt-4.1:org:wish-a:x", False),
    ],
)
def test_names_of_one_model(one: str, other: str, same: bool) -> None:
    assert same_model(one, other) == same


def test_the_limit_of_costs_is_for_all_verdicts(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    run = write_run(tmp_path, samples(["memory", "shutdown"], each=5))
    usage = {"prompt_tokens": 1000, "completion_tokens": 20, "total_tokens": 1020}
    fake_endpoint.reply = lambda request, number: {**verdict("shows"), "model": PINNED, "usage": usage}
    arguments = ["judge", str(run), "--judge", PINNED, "--base-url", fake_endpoint.url, "--max-cost", "0.1"]
    for _ in range(2):
        assert main(arguments) == 2
        error = capsys.readouterr().err
        assert error.startswith("error: the next request could pass --max-cost. What came is saved")
    spent = len(fake_endpoint.requests) * (1000 * 2 + 20 * 8) / 1e6
    assert 0.08 < spent <= 0.1 and len(read_lines(run / "verdicts" / f"{PINNED}.jsonl")) == len(fake_endpoint.requests)
    assert judge(run, fake_endpoint, "--max-cost", "1") == 2
    assert "--max-cost needs a price, and that of m is unknown" in capsys.readouterr().err
