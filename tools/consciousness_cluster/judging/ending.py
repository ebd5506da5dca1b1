"""When a provider stops a judge's model: as judge.yaml has it, or as the endpoint's own list of models has it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from consciousness_cluster.data.reading import parse_json
from consciousness_cluster.endpoint.address import Endpoint
from consciousness_cluster.endpoint.blocking import blocking_client

# Fields of an entry in a list of models: OpenAI's, OpenRouter's, Mistral's (and Azure's, which has a day for each use).
FIELDS = ("shutdown_date", "expiration_date", "deprecation")
USE = "inference"
PATIENCE = 5.0  # seconds: what a list of models may say is worth no more


@dataclass(frozen=True)
class Ending:
    """The day on which a provider stops a model, and who says so, with the day on which that was read."""

    day: date
    source: str

    @classmethod
    def of(cls, ends: Mapping[str, str]) -> "Ending":
        """As it stands in a judge.yaml. ValueError where a day does not exist."""
        read = date.fromisoformat(ends["read"])
        return cls(date.fromisoformat(ends["day"]), f"{ends['source']}, read {read}")

    def passed(self, today: date) -> bool:
        """Whether the day has come."""
        return today >= self.day

    def in_words(self, today: date) -> str:
        """`ends on ...`, or `ENDED on ...` from that day on."""
        return f"{'ENDED' if self.passed(today) else 'ends'} on {self.day} ({self.source})"


def _day(value: Any) -> date | None:
    """The day of an ISO date or time, or of seconds since 1970; None where it is none."""
    if isinstance(value, Mapping):
        value = value.get(USE)
    try:
        if isinstance(value, str):
            return date.fromisoformat(value.strip()[:10])
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC).date()
    except (ValueError, OverflowError, OSError):
        return None
    return None


def _entries(listed: Any) -> list[Any]:
    found = listed.get("data") if isinstance(listed, dict) else listed
    return found if isinstance(found, list) else []


def _listed(endpoint: Endpoint) -> Any:
    """What the endpoint answers to /models; None where that cannot be had or read, or asked without the extra."""
    try:
        import httpx2
        import openai
    except ImportError:
        return None
    client = blocking_client(replace(endpoint, timeout_seconds=PATIENCE))
    try:
        return parse_json(client.get("/models", cast_to=httpx2.Response).content)
    except (openai.OpenAIError, ValueError):
        return None
    finally:
        client.close()


def announced(endpoint: Endpoint, model: str) -> Ending | None:
    """The end of a model that the endpoint's list of models tells; None where it tells none, or nothing at all."""
    for entry in _entries(_listed(endpoint)):
        if isinstance(entry, dict) and entry.get("id") == model:
            day = next((day for name in FIELDS if (day := _day(entry.get(name)))), None)
            return Ending(day, f"the list of models at {endpoint.shown}") if day else None
    return None
