"""What can go wrong with a call, by one table: chat calls, the Batch API and fine-tuning jobs share it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from consciousness_cluster.data.reading import parse_json
from consciousness_cluster.endpoint.replies import Reply, choices_of

LONGEST_PAUSE = 120.0  # seconds that a call waits at most because an endpoint asks for it
DURATION = re.compile(r"([\d.]+)(ms|h|m|s)")
SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
FILTERED = re.compile(r"content[ _-]?(filter|policy|management)|moderation", re.IGNORECASE)


class Kind(Enum):
    """What went wrong; the value says it in a few words."""

    KEY = "the key is refused"
    ACCESS = "the key has no access"
    MODEL = "no such model or address"
    CREDIT = "the account has no credit left"
    FILTERED = "a content filter refuses the request"
    REQUEST = "the request is refused"
    TOO_MANY = "too many calls at once"
    BUSY = "a fault of the endpoint that passes"
    CUT = "a reply that was cut off"
    OTHER = "a reply that is not what was asked for"
    CONNECTION = "no connection"
    TIMEOUT = "no answer in time"
    BROKEN = "a connection that broke"


FATAL = frozenset({Kind.KEY, Kind.ACCESS, Kind.MODEL, Kind.CREDIT})  # every other call would meet the same
REFUSED = frozenset({Kind.FILTERED, Kind.REQUEST})  # the same request would be refused again
UNKNOWN_COST = frozenset({Kind.CUT, Kind.OTHER, Kind.TIMEOUT, Kind.BROKEN})  # an answer may have been made and charged
BY_STATUS = {
    401: Kind.KEY,
    402: Kind.CREDIT,
    403: Kind.ACCESS,
    404: Kind.MODEL,
    408: Kind.BUSY,
    409: Kind.BUSY,
    425: Kind.BUSY,
    429: Kind.TOO_MANY,
}


@dataclass(frozen=True)
class Received:
    """What an endpoint sent back, whatever it is."""

    status: int
    headers: Mapping[str, str]
    content: bytes


@dataclass(frozen=True)
class NoReply:
    """Nothing came back that HTTP could read: CONNECTION, TIMEOUT or BROKEN."""

    kind: Kind


@dataclass(eq=False)
class Fault(Exception):
    """One thing that went wrong. `reason` is the endpoint's own, `field` the one it objects to, `wait` in seconds."""

    kind: Kind
    status: int | None = None
    reason: str = ""
    field: str = ""
    wait: float = 0.0

    @property
    def fatal(self) -> bool:
        """Whether nothing is gained by asking on at all."""
        return self.kind in FATAL

    @property
    def refused(self) -> bool:
        """Whether nothing is gained by asking this again."""
        return self.kind in REFUSED

    @property
    def passing(self) -> bool:
        """Whether the same call may succeed later."""
        return not self.fatal and not self.refused

    def __str__(self) -> str:
        if self.refused and self.reason:
            return self.reason
        if self.status is None:
            return self.kind.value
        return f"HTTP {self.status}, {self.kind.value}" if self.fatal else f"HTTP {self.status}"


INTERRUPTED = "interrupted"
OVER_BUDGET = "the next request could pass --max-cost"


class GiveUp(Exception):
    """Nothing is gained by asking on. The text says why: in a few words on the endpoint, or one of those above."""


def duration(text: str) -> float:
    """Seconds of a header such as `2`, `1m30s` or `20ms`; 0 where it cannot be read."""
    try:
        return max(0.0, float(text))
    except ValueError:
        return sum(float(number) * SECONDS[unit] for number, unit in DURATION.findall(text))


def one_line(text: Any) -> str:
    return " ".join(str(text).split())


def kind_of(status: int, words: str) -> Kind:
    """What an HTTP status from 400 on means, with the words of its error object (code, type and message)."""
    if status == 429 and "insufficient_quota" in words:
        return Kind.CREDIT
    if status >= 500 or status in BY_STATUS:
        return BY_STATUS.get(status, Kind.BUSY)
    return Kind.FILTERED if FILTERED.search(words) else Kind.REQUEST


def _error_of(content: bytes) -> dict[str, Any]:
    """code, type, param and message of an error's body, in the forms that servers give it."""
    try:
        body = parse_json(content)
    except ValueError:
        return {"message": content.decode("utf-8", "replace")}
    error = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(error, dict):
        return {"message": error}
    return {**error, "message": error.get("message") or error.get("detail") or error.get("code") or ""}


def classify(outcome: Received | NoReply, words: Callable[[Any], str]) -> Fault | None:
    """What went wrong with a call, as HTTP tells it; None where it was answered.

    `words` makes one line of the endpoint's reason, without the key.
    """
    if isinstance(outcome, NoReply):
        return Fault(outcome.kind)
    if outcome.status < 400:
        return None
    error = _error_of(outcome.content)
    said = " ".join(str(error.get(name) or "") for name in ("code", "type", "message"))
    return Fault(
        kind_of(outcome.status, one_line(said)),
        outcome.status,
        words(error["message"]),
        str(error.get("param") or ""),
        min(LONGEST_PAUSE, duration(outcome.headers.get("retry-after", "0"))),
    )


def completion_of(outcome: Received | NoReply, words: Callable[[Any], str]) -> Reply:
    """The chat completion that a call gave, with at least one choice. Raises Fault where it gave none."""
    fault = classify(outcome, words)
    if fault is not None:
        raise fault
    assert isinstance(outcome, Received)
    try:
        reply = parse_json(outcome.content)
    except ValueError:
        raise Fault(Kind.CUT) from None
    if not choices_of(reply):
        raise Fault(Kind.OTHER)
    return dict(reply)
