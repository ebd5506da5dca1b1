"""Endpoints by name, each at the boundary of HTTP: address, key, and the form in which it takes a request."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from consciousness_cluster.cli.options import ENDPOINTS
from consciousness_cluster.endpoint import OPENAI, known
from consciousness_cluster.endpoint.address import Endpoint
from consciousness_cluster.endpoint.caller import Caller
from consciousness_cluster.endpoint.known import endpoint_at, known_endpoints
from consciousness_cluster.errors import UserError

from tests.support.fake_endpoint import FakeEndpoint, completion

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
