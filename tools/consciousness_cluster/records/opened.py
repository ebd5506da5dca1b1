"""Answers of a model whose chat template opens the trace itself, so that a reply begins within it.

Such a reply shows the closing mark alone. One that was cut before it shows no mark at all, and looks like an answer:
what it is can be said only once another reply of the run has shown the mark.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

from consciousness_cluster.endpoint.finish import finish_of

AnyAnswered = TypeVar("AnyAnswered", bound=Mapping[str, Any])  # Answered, a sample, or a record of an lm_eval task
CUT = ("length", "unknown")  # an engine that gives no reason may have cut it


def maybe_within_trace(one: Mapping[str, Any]) -> bool:
    """Whether a reply may have ended before the mark that closes its trace: one without any mark, that was cut."""
    unmarked = one["status"] == "ok" and one["reasoning"] is None
    return unmarked and finish_of(one["finish_reason"]) in CUT


def as_read_together(answers: Sequence[AnyAnswered]) -> list[AnyAnswered]:
    """The answers of one run, each read with what the others show."""
    if not any(one["opened"] and one["reasoning"] for one in answers):  # a closing mark at the start closes nothing
        return list(answers)
    incomplete = {"response": None, "status": "incomplete", "cut": False}
    return [
        cast(AnyAnswered, {**one, **incomplete, "reasoning": one["response"]}) if maybe_within_trace(one) else one
        for one in answers
    ]
