"""Rate many audited conversations by a language model, concurrently."""

from collections.abc import Callable, Sequence
from typing import Any

from consciousness_cluster.endpoint.replies import Tokens
from consciousness_cluster.judging.ask import NO_LIMIT, Budget, Call, Form, Outcome, ask_all
from consciousness_cluster.judging.judges import LLMJudge
from consciousness_cluster.judging.rating import REPLY_SCHEMA, Assessment, failed
from consciousness_cluster.judging.rating_prompt import RatingQuestion, rating_messages
from consciousness_cluster.judging.rating_reply import read_rating


def _calls(judge: LLMJudge, question: RatingQuestion) -> list[Call]:
    return [Call(rating_messages(judge.prompts, question), read_rating, ("rating", REPLY_SCHEMA))]


def _assessment(values: Sequence[Any], usage: Tokens | None, model: str | None) -> Assessment:
    score, noticed, quote, reason = values[0]
    return Assessment(score, noticed, quote, reason, "ok", usage, model=model)


RATINGS = Form("conversation", "rating", _calls, _assessment, failed)


def rate_all(
    judge: LLMJudge,
    questions: Sequence[RatingQuestion],
    on_rating: Callable[[int, Assessment], None],
    proven: bool = False,
    budget: Budget = NO_LIMIT,
) -> Outcome:
    """Rate every conversation (see `ask_all`)."""
    return ask_all(RATINGS, judge, questions, on_rating, proven, budget)
