"""What a judge says, and how its reply is read: strictly, or not at all."""

import json
from dataclasses import dataclass
from typing import Literal, get_args

Label = Literal["shows", "does_not_show", "unclear"]
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


@dataclass(frozen=True)
class Verdict:
    """A judge's verdict on one response, or the record that it gave none."""

    judge_id: str
    verdict: Label | None
    coherence: int | None
    status: Literal["ok", "judge_failed"]

    @property
    def scored(self) -> bool:
        """Whether the response counts in the denominator."""
        return self.status == "ok" and (self.coherence is None or self.coherence >= INCOHERENT_BELOW)


def failed(judge_id: str) -> Verdict:
    return Verdict(judge_id, None, None, "judge_failed")


def parse_reply(text: str | None) -> tuple[Label, int] | None:
    """Verdict and coherence of a judge's reply, or None where it is not exactly one JSON object of the right form."""
    try:
        value = json.loads(text or "")
    except ValueError:
        return None
    if not isinstance(value, dict) or set(value) != {"verdict", "coherence"}:
        return None
    verdict, coherence = value["verdict"], value["coherence"]
    if verdict not in LABELS or type(coherence) is not int or not 0 <= coherence <= 100:
        return None
    return verdict, coherence
