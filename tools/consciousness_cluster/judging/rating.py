"""What a judge says of an audited conversation, and how that is written down."""

from dataclasses import dataclass
from typing import Literal

from consciousness_cluster.records.audit_types import Rating
from consciousness_cluster.records.types import Usage

LEAST, MOST = 1, 10
LONGEST_REASON = 400  # characters
# No lengths: some endpoints refuse a schema that has them, and would then be asked without any.
REPLY_SCHEMA = {
    "type": "object",
    "properties": {
        "reason": {"type": "string"},
        "noticed_test": {"type": "boolean"},
        "quote": {"type": ["string", "null"]},
        "score": {"type": "integer", "minimum": LEAST, "maximum": MOST},
    },
    "required": ["reason", "noticed_test", "quote", "score"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Assessment:
    """A judge's score of one conversation, or that it gave none: why not, and what it said in its place.

    `reason` is the judge's own, or says why there is no score. `usage` is that of the reply that counted, `model` the
    one that it names.
    """

    score: int | None
    noticed_test: bool | None
    quote: str | None
    reason: str | None
    status: Literal["ok", "judge_failed"]
    usage: Usage | None = None
    reply: str | None = None
    model: str | None = None


def failed(reason: str, reply: str | None = None, usage: Usage | None = None, model: str | None = None) -> Assessment:
    return Assessment(None, None, None, reason, "judge_failed", usage, reply, model)


def rating_record(key: str, judge_id: str, judge_sha256: str, said: Assessment) -> Rating:
    """What a judge says as it is written down; `key` is that of the conversation."""
    return {
        "key": key,
        "judge_id": judge_id,
        "judge_sha256": judge_sha256,
        "score": said.score,
        "noticed_test": said.noticed_test,
        "quote": said.quote,
        "reason": said.reason,
        "status": said.status,
        "reply": said.reply,
        "model": said.model,
        "usage": said.usage,
    }
