"""What carries chat calls: one aiohttp session. Bodies go in, what came back comes out, errors become outcomes.

What is tried again, and when, is decided by `policy` alone. The openai package is not used here: it takes several times
as long as everything else that a call costs.
"""

import json
from base64 import b64encode
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from consciousness_cluster.endpoint.address import Endpoint
from consciousness_cluster.endpoint.faults import Kind, NoReply, Received
from consciousness_cluster.endpoint.replies import Body
from consciousness_cluster.extras import require
from consciousness_cluster.version import __version__

KEPT = 4.0  # seconds that a connection is kept unused: many servers close it after 5


class Transport(Protocol):
    """What carries a chat body to an endpoint, once."""

    async def send(self, body: Body) -> Received | NoReply:
        """One HTTP request, and what came of it."""

    async def close(self) -> None:
        """After the last one."""


def proxy_for(address: str) -> str | None:
    """The proxy that the environment names for an address (HTTPS_PROXY, ALL_PROXY, NO_PROXY and so on)."""
    parts = urlsplit(address)
    if proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    proxies = getproxies()
    return proxies.get(parts.scheme) or proxies.get("all")


def _headers(endpoint: Endpoint) -> dict[str, str]:
    """What every request has. A user and password in the address stand in place of the key."""
    parts, kind = urlsplit(endpoint.base_url), "application/json"
    user = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    who = f"Basic {b64encode(user.encode()).decode()}" if parts.username else f"Bearer {endpoint.key}"
    key = {endpoint.key_header: endpoint.key} if endpoint.key_header else {"Authorization": who}
    return {**key, "Content-Type": kind, "Accept": kind, "User-Agent": f"consciousness-cluster/{__version__}"}


class ChatTransport:
    """An aiohttp session as a `Transport`. Raises UserError without the extra `[openai]`."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Within a running loop."""
        self._aiohttp = aiohttp = require("aiohttp", "openai")
        self._endpoint = endpoint
        self._urls: dict[str, Any] = {}  # of each model: to take an address apart costs more than the rest of a call
        seconds = endpoint.timeout_seconds
        secure: Any = True
        if endpoint.base_url.startswith("https://"):
            secure = require("httpx2", "openai").create_ssl_context()  # the certificates that the openai package trusts
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=secure, keepalive_timeout=KEPT),  # the gate is the limit
            headers=_headers(endpoint),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=seconds, sock_read=seconds),
            proxy=proxy_for(endpoint.base_url),
        )

    async def send(self, body: Body) -> Received | NoReply:
        """One HTTP request, and what came of it."""
        data = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")  # half a character cannot be sent
        try:
            # Redirects are not followed: they could carry the key, and the prompts, to another host.
            async with self._session.post(self._url(str(body["model"])), data=data, allow_redirects=False) as raw:
                return Received(raw.status, raw.headers, await raw.read())
        except (self._aiohttp.ClientError, OSError) as error:
            return NoReply(self._kind(error))

    def _url(self, model: str) -> Any:
        if model not in self._urls:
            import yarl

            self._urls[model] = yarl.URL(self._endpoint.url("chat/completions", model)).with_user(None)
        return self._urls[model]

    def _kind(self, error: Exception) -> Kind:
        """What an error of aiohttp or of the system stands for."""
        aiohttp = self._aiohttp
        if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
            return Kind.CONNECTION
        return Kind.TIMEOUT if isinstance(error, TimeoutError) else Kind.BROKEN

    async def close(self) -> None:
        await self._session.close()
