"""Judge responses into a file of verdicts."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from consciousness_cluster.judging.ask_into import Asking, Kind, Progress, Round, ask_into, price_of_calls
from consciousness_cluster.judging.judge_all import judge_all
from consciousness_cluster.judging.judges import EmbeddedJudge, Judge
from consciousness_cluster.judging.prompt import Question, messages
from consciousness_cluster.judging.verdict import Judgement, verdict_record
from consciousness_cluster.records.store import Store
from consciousness_cluster.records.types import Channel, Place, Verdict, latest, make_verdict, place_of

REPLY_TOKENS = 20  # a verdict's JSON, for estimates
VERDICTS: Kind[Place, Verdict] = Kind("verdicts", place_of, latest)
Done = Round[Place, Verdict]


@dataclass(frozen=True)
class Item:
    """One thing to judge: the key of a sample, which criterion, the question, and what of the sample it is about."""

    key: str
    outcome: str
    question: Question
    channel: Channel = "answer"

    @property
    def place(self) -> Place:
        return self.key, self.outcome, self.channel


def estimate(judge: Judge, items: Sequence[Item]) -> dict[str, Any]:
    """Calls, tokens and price of judging `items` (see `price_of_calls`)."""
    prompts = () if isinstance(judge, EmbeddedJudge) else judge.prompts
    return price_of_calls(judge, [messages(one, item.question) for item in items for one in prompts], REPLY_TOKENS)


def verdicts_into(
    judge: Judge, store: Store[Verdict], progress: Progress = lambda done, total: None
) -> Asking[Place, Verdict]:
    """A round of judging whose items may come one after the other."""
    return Asking(VERDICTS, judge, partial(_record, judge), store, progress)


def _record(judge: Judge, place: Place, said: Judgement) -> Verdict:
    key, outcome, channel = place
    return make_verdict(key, verdict_record(judge.id, judge.sha256, outcome, said, channel))


def judge_into(
    judge: Judge,
    items: Sequence[Item],
    store: Store[Verdict],
    limit: int | None = None,
    given: Sequence[Verdict] = (),
    progress: Progress = lambda done, total: None,
    max_cost: float | None = None,
) -> Done:
    """Judge the items that have no verdict in the store yet (see `ask_into`)."""
    questions = {item.place: item.question for item in items}
    ask, record = partial(judge_all, judge), partial(_record, judge)
    return ask_into(VERDICTS, judge, questions, ask, record, store, limit, given, progress, max_cost)
