"""Rate conversations into a file of ratings."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from consciousness_cluster.judging.ask_into import Kind, Progress, Round, ask_into, price_of_calls
from consciousness_cluster.judging.judges import LLMJudge
from consciousness_cluster.judging.rate_all import rate_all
from consciousness_cluster.judging.rating import Assessment, rating_record
from consciousness_cluster.judging.rating_prompt import RatingQuestion, rating_messages
from consciousness_cluster.records.audit_types import Rating, latest_ratings
from consciousness_cluster.records.store import Store

REPLY_TOKENS = 120  # a reason and the rest of the JSON, for estimates
Rated = Round[str, Rating]


def _key(rating: Rating) -> str:
    return rating["key"]


RATINGS: Kind[str, Rating] = Kind("ratings", _key, latest_ratings)


def estimate(judge: LLMJudge, questions: Mapping[str, RatingQuestion]) -> dict[str, Any]:
    """Calls, tokens and price of rating conversations (see `price_of_calls`)."""
    return price_of_calls(judge, [rating_messages(judge.prompts, one) for one in questions.values()], REPLY_TOKENS)


def rate_into(
    judge: LLMJudge,
    questions: Mapping[str, RatingQuestion],
    store: Store[Rating],
    limit: int | None = None,
    progress: Progress = lambda done, total: None,
    max_cost: float | None = None,
) -> Rated:
    """Rate the conversations (by their keys) that have no rating in the store yet (see `ask_into`)."""

    def record(key: str, said: Assessment) -> Rating:
        return rating_record(key, judge.id, judge.sha256, said)

    return ask_into(RATINGS, judge, questions, partial(rate_all, judge), record, store, limit, (), progress, max_cost)
