"""Ask a judge into a file: what is there already is not asked again, what comes is written down at once."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from consciousness_cluster.endpoint.price import Price, cost, price_of, tokens
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.judging.ask import Asked, Budget, Outcome, Said
from consciousness_cluster.judging.judges import Judge, LinearJudge
from consciousness_cluster.records.store import Store

At = TypeVar("At")  # what a record is on: no two count on one place
Record = TypeVar("Record", bound=Mapping[str, Any])
Progress = Callable[[int, int], None]
Ask = Callable[[Sequence[Asked], Callable[[int, Said], None], bool, Budget], Outcome]


@dataclass(frozen=True)
class Kind(Generic[At, Record]):
    """What records of one kind are called, what each is on, and which of several counts."""

    name: str
    place: Callable[[Record], At]
    latest: Callable[[Sequence[Record]], dict[At, Record]]

    def answered(self, records: Iterable[Record]) -> set[At]:
        """What is answered. A failed record is no answer, and is asked for again."""
        return {self.place(record) for record in records if record["status"] == "ok"}


@dataclass(frozen=True)
class Round(Generic[At, Record]):
    """What a round did: records on all that is answered or failed by now, how many are new, how the calls went."""

    records: dict[At, Record]
    new: int
    outcome: Outcome
    seconds: float
    price: Price | None

    @property
    def cost(self) -> float | None:
        """US dollars spent in this round, unusable replies included; None where the price is unknown."""
        return cost(self.price, [self.outcome.usage])


def price_of_calls(judge: Judge, prompts: Sequence[Sequence[Mapping[str, str]]], reply_tokens: int) -> dict[str, Any]:
    """Calls, tokens and price of some prompts, before the first call. The price is None where it is unknown."""
    if isinstance(judge, LinearJudge):
        return {"calls": 0, "prompt_tokens": 0, "completion_tokens": 0, "dollars": 0.0}
    usage = {
        "prompt_tokens": sum(tokens(part["content"]) for prompt in prompts for part in prompt),
        "completion_tokens": reply_tokens * len(prompts),
    }
    return {"calls": len(prompts), **usage, "dollars": cost(price_of(judge.model), [usage])}


def ask_into(
    kind: Kind[At, Record],
    judge: Judge,
    questions: Mapping[At, Asked],
    ask: Ask[Asked, Said],
    record: Callable[[At, Said], Record],
    store: Store[Record],
    limit: int | None = None,
    given: Sequence[Record] = (),
    progress: Progress = lambda done, total: None,
    max_cost: float | None = None,
) -> Round[At, Record]:
    """Ask the questions that have no answer in the store yet (at most `limit` of them); `record` writes one down.

    `given` are records from elsewhere; those of this very judge are taken over, so that they cost nothing. `progress`
    is called with how many of the planned questions are done. `max_cost` is in dollars, and for all records in the
    store.
    """
    price = None if isinstance(judge, LinearJudge) else price_of(judge.model)
    if max_cost is not None and price is None:
        raise UserError(f"--max-cost needs a price, and that of {judge.id} is unknown; see reference/prices.yaml")
    started = time.monotonic()
    _check_version(kind, judge, store)
    there = kind.answered(store.records)
    own = kind.latest([one for one in given if one["judge_sha256"] == judge.sha256])
    taken = (kind.answered(own.values()) & questions.keys()) - there
    store.extend(own[place] for place in own if place in taken)
    todo = [place for place in questions if place not in there | taken][:limit]
    number, done, failures = len(store.records), 0, set(kind.latest(store.records))

    def write(index: int, said: Said) -> None:
        nonlocal done
        place, done = todo[index], done + 1
        if said.status == "ok" or place not in failures:  # that it failed again needs no second record
            store.append(record(place, said))
        progress(done, len(todo))

    progress(0, len(todo))
    before = cost(price, (one["usage"] for one in store.records)) or 0.0
    outcome = ask([questions[place] for place in todo], write, bool(there), Budget(price, max_cost, before))
    return Round(
        records={place: one for place, one in kind.latest(store.records).items() if place in questions},
        new=len(store.records) - number,
        outcome=outcome,
        seconds=time.monotonic() - started,
        price=price,
    )


def _check_version(kind: Kind[At, Record], judge: Judge, store: Store[Record]) -> None:
    if any(record["judge_sha256"] != judge.sha256 for record in store.records):
        message = f"holds {kind.name} of another version of the judge {judge.id} (prompt, model or settings)"
        raise UserError(Problem(str(store.path), "-", "-", message, "move the file away to judge anew"))
