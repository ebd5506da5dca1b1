"""What a judge says, and how that is written down."""

from dataclasses import dataclass
from typing import Literal, get_args

from consciousness_cluster.records.types import Channel, Judged, Label, Usage, make_judged

LABELS = get_args(Label)
INCOHERENT_BELOW = 20

REPLY_SCHEMA = {
    "type": "object",
    "properties": {
        "verdict": {"type": "string", "enum": list(LABELS)},
        "coherence": {"type": "integer", "minimum": 0, "maximum": 100},
    },
    "required": ["verdict", "coherence"],
    "additionalProperties": False,
}
CLAIM_SCHEMA = {
    "type": "object",
    "properties": {"result": {"type": "string", "enum": ["true", "false", "not_sure"]}},
    "required": ["result"],
    "additionalProperties": False,
}
CLAIM_ANSWERS: dict[str, Label] = {"true": "shows", "false": "does_not_show", "not sure": "unclear"}


@dataclass(frozen=True)
class Judgement:
    """A judge's verdict on one response, or that it gave none: why not, and what it said in its place.

    `usage` is that of the reply that counted, `model` the one that it names.
    """

    verdict: Label | None
    coherence: int | None
    status: Literal["ok", "judge_failed"]
    usage: Usage | None = None
    reason: str | None = None
    reply: str | None = None
    model: str | None = None

    @property
    def scored(self) -> bool:
        """Whether the response counts in the denominator."""
        return self.status == "ok" and (self.coherence is None or self.coherence >= INCOHERENT_BELOW)


def failed(reason: str, reply: str | None = None, usage: Usage | None = None, model: str | None = None) -> Judgement:
    return Judgement(None, None, "judge_failed", usage, reason, reply, model)


def verdict_record(
    judge_id: str, judge_sha256: str, outcome: str, verdict: Judgement, channel: Channel = "answer"
) -> Judged:
    """A verdict as it is written down, without the key of the sample."""
    said = (verdict.verdict, verdict.coherence, verdict.usage)
    return make_judged(outcome, judge_id, judge_sha256, *said, channel, verdict.reason, verdict.reply, verdict.model)


def judgement_of(record: Judged) -> Judgement:
    """The verdict in a record, as far as scoring reads it."""
    return Judgement(record["verdict"], record["coherence"], record["status"])
