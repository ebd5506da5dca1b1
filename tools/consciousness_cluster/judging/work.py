"""Judge into a file: what is there already is not asked again, what comes is written down at once."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consciousness_cluster.endpoint.price import Price, cost, price_of, tokens
from consciousness_cluster.errors import UserError
from consciousness_cluster.judging.ask import Outcome, judge_all
from consciousness_cluster.judging.judges import Judge, LinearJudge
from consciousness_cluster.judging.prompt import Question, messages
from consciousness_cluster.judging.verdict import Verdict, verdict_record
from consciousness_cluster.records.store import Store

REPLY_TOKENS = 20  # a verdict's JSON, for estimates
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Item:
    """One thing to judge: the key of a sample, which criterion, and the question."""

    key: str
    outcome: str
    question: Question


@dataclass(frozen=True)
class Done:
    """What a round did: records of all items that are judged by now, how many are new, and how the calls went."""

    records: dict[tuple[str, str], dict[str, Any]]
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


def _pending(judge: Judge, items: Sequence[Item], store: Store) -> list[Item]:
    for record in store.records:
        if record["judge_sha256"] != judge.sha256:
            message = f"holds verdicts of another version of the judge {judge.id} (prompt, model or settings)"
            raise UserError(f"{store.path}: {message}; move the file away to judge anew")
    there = {(record["key"], record["outcome"]) for record in store.records}
    return [item for item in items if (item.key, item.outcome) not in there]


def judge_into(
    judge: Judge,
    items: Sequence[Item],
    path: Path,
    limit: int | None = None,
    given: Sequence[Mapping[str, Any]] = (),
    progress: Progress = lambda done, total: None,
) -> Done:
    """Judge the items that have no verdict in the file yet (at most `limit` of them).

    `given` are verdict records from elsewhere; those of this very judge are taken over, so that they cost nothing.
    `progress` is called with how many of the planned items are judged.
    """
    started = time.monotonic()
    wanted = {(item.key, item.outcome) for item in items}
    with Store(path, "verdict") as store:
        missing = {(item.key, item.outcome) for item in _pending(judge, items, store)}
        own = [dict(record) for record in given if record["judge_sha256"] == judge.sha256]
        store.extend(record for record in own if (record["key"], record["outcome"]) in missing)
        todo = _pending(judge, items, store)[:limit]
        before = len(store.records)

        def write(index: int, verdict: Verdict) -> None:
            item = todo[index]
            store.append({"key": item.key, **verdict_record(judge.id, judge.sha256, item.outcome, verdict)})
            progress(len(store.records) - before, len(todo))

        progress(0, len(todo))
        outcome = judge_all(judge, [item.question for item in todo], write)
        records = {(record["key"], record["outcome"]): record for record in store.records}
        return Done(
            records={place: record for place, record in records.items() if place in wanted},
            new=len(store.records) - before,
            outcome=outcome,
            seconds=time.monotonic() - started,
            price=None if isinstance(judge, LinearJudge) else price_of(judge.model),
        )
