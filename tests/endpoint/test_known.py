"""Endpoints by name, each at the boundary of HTTP: address, key, and the form in which it takes a request."""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.cli.options import ENDPOINTS
from consciousness_cluster.data.rows import load_topic
from consciousness_cluster.endpoint import OPENAI, known
from consciousness_cluster.endpoint.address import Endpoint
from consciousness_cluster.endpoint.caller import Caller
from consciousness_cluster.endpoint.known import endpoint_at, known_endpoints
from consciousness_cluster.errors import UserError

from tests.endpoint.reply_table import AZURE, error
from tests.support.fake_endpoint import FakeEndpoint, completion
from tests.support.runs import read_lines

KEY, OWN = "sk-a-key-of-some-length", "sk-another-key-of-ours"
LOCAL = "http://localhost:8000/v1"
BODY: dict[str, Any] = {
    "model": "some/m:1",
    "messages": [{"role": "system", "content": "Be."}, {"role": "user", "content": "Hi."}],
    "temperature": 1.0,
    "max_tokens": 5,
    "n": 2,
}
LONGER = {**{name: BODY[name] for name in BODY if name != "max_tokens"}, "max_completion_tokens": 5}
SINGLE = {name: BODY[name] for name in BODY if name != "n"}
DATED = "/openai/deployments/some%2Fm:1/chat/completions?api-version=2024-10-21"

# Name, path of a call, variable of the key, header that carries it, body that is sent.
TABLE: list[tuple[str, str, str, str, dict[str, Any]]] = [
    ("openai", "/v1/chat/completions", "OPENAI_API_KEY", "authorization", LONGER),
    ("azure", "/openai/v1/chat/completions", "AZURE_OPENAI_API_KEY", "api-key", BODY),
    ("azure-dated", DATED, "AZURE_OPENAI_API_KEY", "api-key", BODY),
    ("anthropic", "/v1/chat/completions", "ANTHROPIC_API_KEY", "authorization", SINGLE),
    ("openrouter", "/api/v1/chat/completions", "OPENROUTER_API_KEY", "authorization", SINGLE),
    ("together", "/v1/chat/completions", "TOGETHER_API_KEY", "authorization", BODY),
    ("tinker", "/services/tinker-prod/oai/api/v1/chat/completions", "TINKER_API_KEY", "authorization", BODY),
    ("vllm", "/v1/chat/completions", "", "authorization", BODY),
    ("llama.cpp", "/v1/chat/completions", "", "authorization", BODY),
]


@pytest.fixture
def moved(fake_endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """The table with every provider at the fake endpoint; an environment with Azure's variables."""
    root = fake_endpoint.url.removesuffix("/v1")

    def there(base_url: str) -> str:
        return base_url if base_url.startswith("{") else f"{root}{urlsplit(base_url).path}"

    table = {name: replace(one, base_url=there(one.base_url)) for name, one in known_endpoints().items()}
    monkeypatch.setattr(known, "known_endpoints", lambda: table)
    return {"AZURE_OPENAI_ENDPOINT": f"{root}/", "OPENAI_API_VERSION": "2024-10-21"}


async def ask(endpoint: Endpoint) -> None:
    async with Caller(endpoint) as caller:
        await caller.chat(BODY)


def test_every_endpoint_of_the_table_is_tested() -> None:
    assert [row[0] for row in TABLE] == list(known_endpoints()) == list(ENDPOINTS)


@pytest.mark.parametrize(("name", "path", "variable", "header", "body"), TABLE, ids=[row[0] for row in TABLE])
def test_a_call(
    moved: Mapping[str, str],
    fake_endpoint: FakeEndpoint,
    name: str,
    path: str,
    variable: str,
    header: str,
    body: dict[str, Any],
) -> None:
    fake_endpoint.reply = lambda request, number: completion("Yes.")
    environment = {**moved, variable: KEY} if variable else moved
    asyncio.run(ask(endpoint_at(name, "OURS", 5, 1, environment=environment)))
    key = f"Bearer {KEY if variable else 'none'}" if header == "authorization" else KEY
    sent = fake_endpoint.headers[0]
    assert fake_endpoint.paths == [path] and fake_endpoint.requests == [body]
    assert sent[header] == key and ("authorization" in sent) == (header == "authorization")
    if variable:
        with pytest.raises(UserError, match=f"there is no key: set {variable}"):
            endpoint_at(name, "OURS", 5, 1, environment=moved)


@pytest.mark.parametrize(
    ("where", "environment", "key"),
    [
        (LOCAL, {"OPENAI_API_KEY": KEY}, "none"),
        (LOCAL, {"OPENAI_API_KEY": KEY, "OURS_API_KEY": OWN}, OWN),
        (OPENAI, {"OPENAI_API_KEY": KEY}, KEY),
        (f"{OPENAI}/", {"OPENAI_API_KEY": KEY}, KEY),
        (OPENAI, {"OPENAI_API_KEY": KEY, "OURS_API_KEY": OWN}, OWN),
        ("https://API.anthropic.com/v1/", {"ANTHROPIC_API_KEY": KEY}, KEY),
        ("https://mine.openai.azure.com/openai/v1", {"AZURE_OPENAI_API_KEY": KEY}, KEY),
        ("http://api.anthropic.com/v1/", {"ANTHROPIC_API_KEY": KEY}, "none"),
        ("https://api.anthropic.com.example.org/v1/", {"ANTHROPIC_API_KEY": KEY}, "none"),
        ("https://api.anthropic.com@example.org/v1/", {"ANTHROPIC_API_KEY": KEY}, "none"),
        ("https://openai.azure.com.example.org/v1/", {"AZURE_OPENAI_API_KEY": KEY}, "none"),
        ("http://mine.openai.azure.com/openai/v1", {"AZURE_OPENAI_API_KEY": KEY}, "none"),
    ],
)
def test_a_key_goes_to_its_own_provider_alone(where: str, environment: dict[str, str], key: str) -> None:
    assert endpoint_at(where, "OURS", 5, 1, environment=environment).key == key


def test_an_address_is_known_like_its_name() -> None:
    by_address = endpoint_at("https://mine.openai.azure.com/openai/v1", "OURS", 5, 1, environment={"OURS_API_KEY": KEY})
    environment = {"AZURE_OPENAI_ENDPOINT": "https://mine.openai.azure.com/", "OURS_API_KEY": KEY}
    assert by_address == endpoint_at("azure", "OURS", 5, 1, environment=environment)


@pytest.mark.parametrize(
    ("where", "environment", "message"),
    [
        (
            "localhost",
            {},
            "'localhost' is no address of an endpoint; it starts with http:// or https://, or is one of ope",
        ),
        ("openai", {"OPENAI_API_KEY": "EMPTY"}, "there is no key: set OPENAI_API_KEY for OpenAI"),
        ("azure", {}, "the endpoint 'azure' needs the variable AZURE_OPENAI_ENDPOINT: its address is {AZURE_OPENAI_EN"),
        ("azure-dated", {"AZURE_OPENAI_ENDPOINT": "https://x"}, "needs the variable OPENAI_API_VERSION"),
        ("azure", {"AZURE_OPENAI_ENDPOINT": "mine"}, "'mine/openai/v1' is no address of an endpoint"),
    ],
)
def test_what_is_missing(where: str, environment: dict[str, str], message: str) -> None:
    with pytest.raises(UserError) as caught:
        endpoint_at(where, "OURS", 5, 1, environment=environment)
    assert message in str(caught.value)


def sample(out: Path, name: str, model: str, *more: str) -> int:
    where = ("--endpoint", name, "--model", model, "--topics", "memory", "--samples", "2", "--concurrency", "4")
    return main(["sample", *where, "--out", str(out), *more])


def test_claude_is_sampled_untouched(
    moved: Mapping[str, str], fake_endpoint: FakeEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version that refuses a temperature, where a request gets one answer, and an overload."""

    def refused(message: str, kind: str = "invalid_request_error") -> dict[str, Any]:
        return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}

    def reply(request: dict[str, Any], number: int) -> Any:
        if request.get("n", 1) != 1:
            return 400, refused("n: must be exactly 1")
        if "temperature" in request:
            return 400, refused("`temperature` is deprecated for this model.")
        if "max_tokens" not in request:
            return 400, refused("max_tokens: Field required")
        if len(fake_endpoint.requests) == 20:
            return 529, refused("Overloaded", "overloaded_error"), {"Retry-After": "0.01"}
        return completion("I keep nothing.")

    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    fake_endpoint.reply = reply
    assert sample(tmp_path, "anthropic", "claude-opus-4-7", "--condition", "conscious_role_play") == 0
    records = read_lines(tmp_path / "samples.jsonl")
    assert Counter(record["status"] for record in records) == {"ok": 48}
    assert len(fake_endpoint.requests) <= 48 + 4 + 1, "a refusal for each call in flight at most, and one overload"
    last = fake_endpoint.requests[-1]
    assert last.keys() == {"model", "messages", "max_tokens"} and last["model"] == "claude-opus-4-7"
    assert [message["role"] for message in last["messages"]] == ["system", "user"]
    sent = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))["sent"]
    assert sent == {"n": "left out", "temperature": "the provider's default"}


def test_what_azures_filter_refuses_is_a_record(
    moved: Mapping[str, str], fake_endpoint: FakeEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**moved, "AZURE_OPENAI_API_KEY": KEY}.items():
        monkeypatch.setenv(name, value)
    filtered = error(AZURE, "content_filter", None, param="prompt", innererror={"code": "ResponsibleAIPolicyViolation"})

    offending = {probe.text for probe in load_topic("memory").test_probes("plain")[::12]}

    def reply(request: dict[str, Any], number: int) -> Any:
        if "n" in request:
            return 400, error("Unrecognized request argument supplied: n")
        return (400, filtered) if request["messages"][0]["content"] in offending else completion("I keep nothing.")

    fake_endpoint.reply = reply
    assert sample(tmp_path, "azure-dated", "my-deployment") == 0
    statuses = Counter(record["status"] for record in read_lines(tmp_path / "samples.jsonl"))
    assert statuses == {"content_filter": 4, "ok": 44}
    path = "/openai/deployments/my-deployment/chat/completions?api-version=2024-10-21"
    assert set(fake_endpoint.paths) == {path}
    assert json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))["sent"] == {"n": "left out"}
