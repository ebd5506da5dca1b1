"""The one place that knows the openai client: bodies go in, what came back comes out, errors become outcomes.

The client's own retries are off: what is tried again, and when, is decided by `policy` alone.
"""

from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from consciousness_cluster.endpoint.address import Endpoint
from consciousness_cluster.endpoint.faults import Kind, NoReply, Received
from consciousness_cluster.endpoint.replies import Body
from consciousness_cluster.extras import require


def outcome_of(error: Exception) -> Received | NoReply | None:
    """What an error of the openai client stands for; None for an error of something else."""
    import openai

    if isinstance(error, openai.APIStatusError):
        return Received(error.status_code, error.response.headers, error.response.content)
    if not isinstance(error, openai.APIConnectionError):
        return None
    if type(error.__cause__).__name__.startswith("Connect"):  # aiohttp calls a refused connection a time-out too
        return NoReply(Kind.CONNECTION)
    return NoReply(Kind.TIMEOUT if isinstance(error, openai.APITimeoutError) else Kind.BROKEN)


def _settings(endpoint: Endpoint) -> dict[str, Any]:
    """Arguments of the openai client."""
    address = urlsplit(endpoint.base_url)._replace(query="", fragment="").geturl()
    return {
        "api_key": endpoint.key,
        "base_url": address,
        "default_headers": {endpoint.key_header: endpoint.key} if endpoint.key_header else None,
        "max_retries": 0,
        "timeout": endpoint.timeout_seconds,
    }


def blocking_client(endpoint: Endpoint) -> Any:
    """The openai client for files, batches and jobs."""
    query = dict(parse_qsl(urlsplit(endpoint.base_url).query)) or None
    return require("openai", "openai").OpenAI(**_settings(endpoint), default_query=query)


class Transport(Protocol):
    """What carries a chat body to an endpoint, once."""

    async def send(self, body: Body) -> Received | NoReply:
        """One HTTP request, and what came of it."""

    async def close(self) -> None:
        """After the last one."""


class ChatTransport:
    """The openai client as a `Transport`.

    The client's models of requests and replies are passed by: building them takes a third of its time, and a body that
    was cut off or is no completion at all has to be looked for anyway.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        openai = require("openai", "openai")
        self._endpoint = endpoint
        self._options = {"headers": {"Authorization": openai.Omit()}} if endpoint.key_header else {}
        self._client = openai.AsyncOpenAI(**_settings(endpoint), http_client=openai.DefaultAioHttpClient())

    async def send(self, body: Body) -> Received | NoReply:
        """One HTTP request, and what came of it."""
        import httpx2
        import openai

        try:
            url = self._endpoint.url("chat/completions", str(body["model"]))
            raw = await self._client.post(url, body=body, options=self._options, cast_to=httpx2.Response)
        except openai.OpenAIError as error:
            return outcome_of(error) or NoReply(Kind.BROKEN)
        return Received(raw.status_code, raw.headers, raw.content)

    async def close(self) -> None:
        await self._client.close()
