"""The models of an audit, from names and addresses as people give them; each is called once before all else."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from consciousness_cluster.endpoint.address import PLACEHOLDERS, SHORTEST_KEY, Endpoint
from consciousness_cluster.endpoint.known import endpoint_at
from consciousness_cluster.endpoint.request_fields import request_fields
from consciousness_cluster.errors import UserError
from consciousness_cluster.extras import require

if TYPE_CHECKING:
    from inspect_ai.model import Model

KEY_NAMES = ("_KEY", "_TOKEN", "_SECRET")  # how the names of variables end that hold keys
PREFIX = "CONSCIOUSNESS_CLUSTER"
RETRIES, TIMEOUT, HELLO_TOKENS = 6, 180, 16  # tries again of a call, seconds of one, tokens of the first one


@dataclass(frozen=True)
class Role:
    """A model in a role. `name` is what records and the price table call it, `endpoint` where it is asked, `request`
    what every request has beside what it asks for."""

    role: str
    name: str
    endpoint: str
    request: Mapping[str, Any]
    model: "Model"


def load_role(
    role: str,
    name: str,
    base_url: str | None,
    concurrency: int,
    request_json: str | Mapping[str, Any] | None = None,
) -> Role:
    """A model by its name at an OpenAI-compatible endpoint (`base_url`: its address or a name that `sample` takes too),
    or by one of Inspect's names, such as anthropic/NAME, where none is given.

    Raises UserError for a name or an endpoint that cannot be used.
    """
    require("inspect_ai", "audit")
    from inspect_ai.model import GenerateConfig, get_model

    more = request_fields(request_json)
    config = GenerateConfig(
        max_retries=RETRIES, attempt_timeout=TIMEOUT, max_connections=concurrency, extra_body=more or None
    )
    try:
        if base_url is None:
            found = get_model(name, config=config, memoize=False)
            return Role(role, bare_name(name), str(found.api.base_url or name.partition("/")[0]), more, found)
        # Each role has a service of its own: two roles whose models have one name stay apart.
        endpoint = endpoint_at(base_url, prefix_of(role), TIMEOUT, concurrency)
        _check_plain(endpoint)
        address, key = endpoint.base_url, endpoint.key
        found = get_model(f"openai-api/{role}/{name}", config=config, base_url=address, api_key=key, memoize=False)
        return Role(role, name, endpoint.shown, more, found)
    except UserError:
        raise
    except Exception as error:  # Inspect raises what it likes for a name that it does not know, or a missing key
        mend = f"give --{role}-base-url for an OpenAI-compatible endpoint, or PROVIDER/NAME as Inspect has it"
        raise UserError(f"the {role} {name} cannot be used ({one_line(error)}); {mend}") from None


def prefix_of(role: str) -> str:
    """What the variable of a role's own key starts with; the target's is the one of `sample`."""
    return PREFIX if role == "target" else f"{PREFIX}_{role.upper()}"


def _check_plain(endpoint: Endpoint) -> None:
    """Raises UserError for an address that Inspect's client of OpenAI-compatible endpoints cannot call."""
    if endpoint.key_header or "{" in endpoint.base_url or "?" in endpoint.base_url:
        mend = "name the model as Inspect has it, such as azureai/NAME, without an address"
        raise UserError(f"{endpoint.shown}: audits cannot call an address of this form; {mend}")


def bare_name(name: str) -> str:
    """A model's name without Inspect's provider (and service) before it."""
    provider, _, rest = name.partition("/")
    return (rest.partition("/")[2] if provider == "openai-api" else rest) or name


def one_line(error: BaseException) -> str:
    """What an error says, in a line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else text[:300] + "…"


async def say_hello(role: Role) -> None:
    """One tiny call. Raises UserError where there is no answer."""
    from inspect_ai.model import GenerateConfig

    try:
        await role.model.generate("Say hello.", config=GenerateConfig(max_tokens=HELLO_TOKENS, max_retries=1))
    except Exception as error:
        mend = "mend that, or name another one"
        raise UserError(
            f"the {role.role} {role.name} at {role.endpoint} cannot be used ({scrubbed(error)}); {mend}"
        ) from None


def scrubbed(error: BaseException) -> str:
    """What an error says, in a line and without a key of the environment."""
    text = one_line(error)
    for name, value in os.environ.items():
        if name.endswith(KEY_NAMES) and len(value) >= SHORTEST_KEY and value.lower() not in PLACEHOLDERS:
            text = text.replace(value, "[key]")
    return text
