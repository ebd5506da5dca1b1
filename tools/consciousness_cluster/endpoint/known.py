"""Endpoints by name: benchmark/reference/endpoints.yaml says where they are, which key they take and what is known."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from consciousness_cluster.data.reading import read_yaml
from consciousness_cluster.data.rows import benchmark_root
from consciousness_cluster.endpoint.address import NO_KEY, PLACEHOLDERS, Endpoint, key_in
from consciousness_cluster.errors import UserError

DEFAULT = "openai"
VARIABLE = re.compile(r"\{([A-Z_]+)\}")


@dataclass(frozen=True)
class Known:
    """An endpoint of the table (see the schema `endpoints`)."""

    title: str
    base_url: str
    models: str
    note: str
    hosts: tuple[str, ...] = ()
    key: str = ""
    key_header: str = ""
    fields: Mapping[str, str | None] = field(default_factory=dict)

    def owns(self, address: str) -> bool:
        """Whether an address is there: only then it gets the key."""
        own, other = urlsplit(self.base_url), urlsplit(address)
        if other.scheme == "https" and (other.hostname or "").endswith(self.hosts or "/"):
            return True
        return (own.scheme, own.hostname, own.port) == (other.scheme, other.hostname, other.port)


@cache
def known_endpoints() -> dict[str, Known]:
    """The endpoints of the table by their names."""
    table = read_yaml(benchmark_root() / "reference" / "endpoints.yaml", "endpoints")
    return {
        name: Known(**{**entry, "hosts": tuple(entry.get("hosts", ()))}) for name, entry in table["endpoints"].items()
    }


def endpoint_at(
    where: str,
    prefix: str,
    timeout_seconds: float,
    concurrency: int | None,
    request: Mapping[str, Any] | None = None,
    system_as_user: bool = False,
    environment: Mapping[str, str] | None = None,
) -> Endpoint:
    """The endpoint of a name or an address.

    Its key is `{prefix}_API_KEY`, else the variable of the table, which goes to that provider alone. Raises UserError
    where there is none, or no such endpoint.
    """
    env = os.environ if environment is None else environment
    table = known_endpoints()
    entry = table.get(where)
    address = _filled(where, entry.base_url, env) if entry else where
    if not address.startswith(("http://", "https://")):
        known = ", ".join(table)
        raise UserError(
            f"'{address}' is no address of an endpoint; it starts with http:// or https://, or is one of {known}"
        )
    entry = entry or next((one for one in table.values() if one.owns(address)), None)
    return Endpoint(
        base_url=address,
        key=_key(entry, prefix, env),
        timeout_seconds=timeout_seconds,
        concurrency=concurrency,
        key_header=entry.key_header if entry else "",
        fields=entry.fields if entry else {},
        request=request or {},
        system_as_user=system_as_user,
    )


def _key(entry: Known | None, prefix: str, env: Mapping[str, str]) -> str:
    own = key_in(f"{prefix}_API_KEY", env)
    if own or not (entry and entry.key):
        return own or NO_KEY
    key = key_in(entry.key, env)
    if key.lower() in PLACEHOLDERS:
        others = f"for another endpoint give its address, and {prefix}_API_KEY if it wants a key"
        raise UserError(f"there is no key: set {entry.key} for {entry.title} ({others})")
    return key


def _filled(name: str, address: str, env: Mapping[str, str]) -> str:
    """The address with the variables of the environment in it."""

    def value(found: re.Match[str]) -> str:
        text = env.get(found[1], "").strip().rstrip("/")
        if not text:
            raise UserError(f"the endpoint '{name}' needs the variable {found[1]}: its address is {address}")
        return text

    return VARIABLE.sub(value, address)
