"""Judge into a file: what is there already is not asked again, what comes is written down at once."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from consciousness_cluster.endpoint.price import Price, cost, price_of, tokens
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.judging.ask import Budget, Outcome, judge_all
from consciousness_cluster.judging.judges import Judge, LinearJudge
from consciousness_cluster.judging.prompt import Question, messages
from consciousness_cluster.judging.verdict import Judgement, verdict_record
from consciousness_cluster.records.store import Store
from consciousness_cluster.records.types import Channel, Place, Verdict, latest, make_verdict, place_of

REPLY_TOKENS = 20  # a verdict's JSON, for estimates
Progress = Callable[[int, int], None]


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


@dataclass(frozen=True)
class Done:
    """What a round did: records of all items that are judged by now, how many are new, and how the calls went."""

    records: dict[Place, Verdict]
    new: int
    outcome: Outcome
    seconds: float
    price: Price | None

    @property
    def cost(self) -> float | None:
        """US dollars spent in this round, unusable replies included; None where the price is unknown."""
        return cost(self.price, [self.outcome.usage])


def estimate(judge: Judge, items: Sequence[Item]) -> dict[str, Any]:
    """Calls, tokens and price of judging `items`, before the first call. The price is None where it is unknown."""
    if isinstance(judge, LinearJudge):
        return {"calls": 0, "prompt_tokens": 0, "completion_tokens": 0, "dollars": 0.0}
    prompts = [messages(prompt, item.question) for item in items for prompt in judge.prompts]
    usage = {
        "prompt_tokens": sum(tokens(part["content"]) for prompt in prompts for part in prompt),
        "completion_tokens": REPLY_TOKENS * len(prompts),
    }
    return {"calls": len(prompts), **usage, "dollars": cost(price_of(judge.model), [usage])}


def _check_version(judge: Judge, store: Store[Verdict]) -> None:
    if any(record["judge_sha256"] != judge.sha256 for record in store.records):
        message = f"holds verdicts of another version of the judge {judge.id} (prompt, model or settings)"
        raise UserError(Problem(str(store.path), "-", "-", message, "move the file away to judge anew"))


def answered(records: Iterable[Verdict]) -> set[Place]:
    """What has a verdict. A failed judgement is none, and is asked for again."""
    return {place_of(record) for record in records if record["status"] == "ok"}


def judge_into(
    judge: Judge,
    items: Sequence[Item],
    store: Store[Verdict],
    limit: int | None = None,
    given: Sequence[Verdict] = (),
    progress: Progress = lambda done, total: None,
    max_cost: float | None = None,
) -> Done:
    """Judge the items that have no verdict in the store yet (at most `limit` of them).

    `given` are verdict records from elsewhere; those of this very judge are taken over, so that they cost nothing.
    `progress` is called with how many of the planned items are judged. `max_cost` is in dollars, and for all verdicts
    in the store.
    """
    price = None if isinstance(judge, LinearJudge) else price_of(judge.model)
    if max_cost is not None and price is None:
        raise UserError(f"--max-cost needs a price, and that of {judge.id} is unknown; see reference/prices.yaml")
    started = time.monotonic()
    wanted = {item.place for item in items}
    _check_version(judge, store)
    there = answered(store.records)
    own = latest(record for record in given if record["judge_sha256"] == judge.sha256)
    taken = (answered(own.values()) & wanted) - there
    store.extend(own[place] for place in own if place in taken)
    todo = [item for item in items if item.place not in there | taken][:limit]
    number, done, failures = len(store.records), 0, set(latest(store.records))

    def write(index: int, verdict: Judgement) -> None:
        nonlocal done
        item, done = todo[index], done + 1
        if verdict.status == "ok" or item.place not in failures:  # that it failed again needs no second record
            record = verdict_record(judge.id, judge.sha256, item.outcome, verdict, item.channel)
            store.append(make_verdict(item.key, record))
        progress(done, len(todo))

    progress(0, len(todo))
    before = cost(price, (record["usage"] for record in store.records)) or 0.0
    outcome = judge_all(judge, [item.question for item in todo], write, bool(there), Budget(price, max_cost, before))
    return Done(
        records={place: record for place, record in latest(store.records).items() if place in wanted},
        new=len(store.records) - number,
        outcome=outcome,
        seconds=time.monotonic() - started,
        price=price,
    )
