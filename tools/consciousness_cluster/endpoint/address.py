"""Where calls go, and the key that they need."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from consciousness_cluster.endpoint import OPENAI
from consciousness_cluster.endpoint.faults import one_line
from consciousness_cluster.errors import UserError

NO_KEY = "none"  # what an endpoint without keys is sent
PLACEHOLDERS = ("", NO_KEY, "empty", "dummy")  # what people put where a local endpoint wants some key
SHORTEST_KEY = 8  # shorter ones are placeholders too: to hide them would garble what is said
LONGEST_REASON = 300  # characters


@dataclass(frozen=True)
class Endpoint:
    """Where calls go. The key comes from the environment and is never printed."""

    base_url: str
    key: str = field(repr=False)
    timeout_seconds: float = 60.0
    concurrency: int = 32

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


def checked_address(base_url: str) -> str:
    """The address itself. Raises UserError where it is none."""
    if not base_url.startswith(("http://", "https://")):
        raise UserError(f"'{base_url}' is no address of an endpoint; it starts with http:// or https://")
    return base_url


def key_in(variable: str, environment: Mapping[str, str]) -> str:
    """The key that a variable holds, empty where there is none. Raises UserError where it cannot be one."""
    key = environment.get(variable, "").strip()
    if not (key.isascii() and key.isprintable()):
        raise UserError(f"{variable} holds characters that no key has; set it again")
    return key


def key_for(base_url: str, prefix: str, environment: Mapping[str, str] | None = None) -> str:
    """The key of an endpoint: `{prefix}_API_KEY`, and for OpenAI, which alone gets it, OPENAI_API_KEY.

    `none` for an endpoint that may want no key; empty where OpenAI's is missing. Raises UserError for what is no key.
    """
    env = os.environ if environment is None else environment
    own = key_in(f"{prefix}_API_KEY", env)
    if own or base_url.rstrip("/") != OPENAI:
        return own or NO_KEY
    key = key_in("OPENAI_API_KEY", env)
    return "" if key.lower() in PLACEHOLDERS else key
