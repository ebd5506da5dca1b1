"""Where calls go, and the key that they need."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from consciousness_cluster.conditions import without_system
from consciousness_cluster.endpoint.faults import one_line
from consciousness_cluster.endpoint.replies import Body
from consciousness_cluster.errors import UserError

NO_KEY = "none"  # what an endpoint without keys is sent
PLACEHOLDERS = ("", NO_KEY, "empty", "dummy")  # what people put where a local endpoint wants some key
SHORTEST_KEY = 8  # shorter ones are placeholders too: to hide them would garble what is said
LONGEST_REASON = 300  # characters


@dataclass(frozen=True)
class Endpoint:
    """Where calls go. The key comes from the environment and is never printed.

    The address may have a query, and `{model}` in its path. `key_header` carries the key where that is not
    Authorization. Where `concurrency` is None, how many calls may be in flight is found by trying. `fields` are those
    that requests have under another name from the start (None: not at all), and `request` is what every chat request
    has beside what it asks for. With `system_as_user` a system prompt is sent as the start of the first user message.
    """

    base_url: str
    key: str = field(repr=False)
    timeout_seconds: float = 60.0
    concurrency: int | None = None
    key_header: str = ""
    fields: Mapping[str, str | None] = field(default_factory=dict)
    request: Mapping[str, Any] = field(default_factory=dict)
    system_as_user: bool = False

    def url(self, path: str, model: str) -> str:
        """The address of something below the endpoint's own."""
        parts = urlsplit(self.base_url)
        whole = f"{parts.path.rstrip('/')}/{path}".replace("{model}", quote(model, safe=""))
        return urlunsplit((parts.scheme, parts.netloc, whole, parts.query, ""))

    def body(self, body: Body) -> Body:
        """A chat request as it is meant for this endpoint."""
        messages = without_system(body["messages"]) if self.system_as_user else body["messages"]
        return {**body, "messages": messages, **self.request}

    @property
    def shown(self) -> str:
        """The address without user, password and query, which may hold secrets."""
        parts = urlsplit(self.base_url)
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit((parts.scheme, host, parts.path, "", ""))

    def words(self, said: Any, longest: int = LONGEST_REASON) -> str:
        """Something that the endpoint said, in one line, cut short, without the key."""
        text = one_line(said)
        secret = len(self.key) >= SHORTEST_KEY and self.key.lower() not in PLACEHOLDERS
        return (text.replace(self.key, "[key]") if secret else text)[:longest]


def key_in(variable: str, environment: Mapping[str, str]) -> str:
    """The key that a variable holds, empty where there is none. Raises UserError where it cannot be one."""
    key = environment.get(variable, "").strip()
    if not (key.isascii() and key.isprintable()):
        raise UserError(f"{variable} holds characters that no key has; set it again")
    return key
