"""What a judge says, and how its reply is read: strictly, or not at all."""

import re
from dataclasses import dataclass
from typing import Literal, get_args

from consciousness_cluster.data.reading import parse_json
from consciousness_cluster.records.types import Judged, Label, Usage, make_judged

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
CLAIM_ANSWERS: dict[str, Label] = {"true": "shows", "false": "does_not_show", "not sure": "unclear"}


@dataclass(frozen=True)
class Judgement:
    """A judge's verdict on one response, or the record that it gave none. `usage` is that of the reply that counted."""

    verdict: Label | None
    coherence: int | None
    status: Literal["ok", "judge_failed"]
    usage: Usage | None = None

    @property
    def scored(self) -> bool:
        """Whether the response counts in the denominator."""
        return self.status == "ok" and (self.coherence is None or self.coherence >= INCOHERENT_BELOW)


def failed(usage: Usage | None = None) -> Judgement:
    return Judgement(None, None, "judge_failed", usage)


def verdict_record(judge_id: str, judge_sha256: str, outcome: str, verdict: Judgement) -> Judged:
    """A verdict as it is written down, without the key of the sample."""
    return make_judged(outcome, judge_id, judge_sha256, verdict.verdict, verdict.coherence, verdict.usage)


def judgement_of(record: Judged) -> Judgement:
    """The verdict in a record."""
    return Judgement(record["verdict"], record["coherence"], record["status"], record["usage"])


def parse_reply(text: str | None) -> tuple[Label, int] | None:
    """Judgement and coherence of a judge's reply, or None where it is not exactly one JSON object of the right form."""
    try:
        value = parse_json(text or "")
    except (TypeError, ValueError):
        return None
    if not isinstance(value, dict) or set(value) != {"verdict", "coherence"}:
        return None
    verdict, coherence = value["verdict"], value["coherence"]
    if verdict not in LABELS or type(coherence) is not int or not 0 <= coherence <= 100:
        return None
    return verdict, coherence


def parse_claim(text: str | None) -> Label | None:
    """The verdict of a reply `true`, `false` or `not sure`; case and a full stop do not matter."""
    return CLAIM_ANSWERS.get((text or "").strip().rstrip(".").lower())


def parse_coherence(text: str | None) -> int | None:
    """The number of a reply that is a whole number from 0 to 100 and nothing else."""
    found = re.fullmatch(r"\s*(\d{1,3})\s*\.?\s*", text or "")
    return int(found[1]) if found and int(found[1]) <= 100 else None
