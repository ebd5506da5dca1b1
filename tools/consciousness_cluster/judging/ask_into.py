"""Ask a judge into a file: what is there already is not asked again, what comes is written down at once."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from consciousness_cluster.endpoint.price import Price, cost, price_of, tokens
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.judging.ask import Asked, Budget, Outcome, Said, Says
from consciousness_cluster.judging.judges import EmbeddedJudge, Judge
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
    if isinstance(judge, EmbeddedJudge):
        return {"calls": 0, "prompt_tokens": 0, "completion_tokens": 0, "dollars": 0.0}
    usage = {
        "prompt_tokens": sum(tokens(part["content"]) for prompt in prompts for part in prompt),
        "completion_tokens": reply_tokens * len(prompts),
    }
    return {"calls": len(prompts), **usage, "dollars": cost(price_of(judge.model), [usage])}


class Asking(Generic[At, Record]):
    """A round of asking into an open store: what has no answer in it yet, and what is said, written down at once."""

    def __init__(
        self,
        kind: Kind[At, Record],
        judge: Judge,
        record: Callable[[At, Any], Record],
        store: Store[Record],
        progress: Progress = lambda done, total: None,
    ) -> None:
        """`record` makes the record of what was said on a place. `progress` is called with how many of the questions
        that are asked are done."""
        _check_version(kind, judge, store)
        self._kind, self._judge, self._record, self._store, self._progress = kind, judge, record, store, progress
        self._begun = time.monotonic()
        self.price = None if isinstance(judge, EmbeddedJudge) else price_of(judge.model)
        self._there = kind.answered(store.records)
        self._failures = set(kind.latest(store.records))
        self._asked: list[At] = []
        self._number, self._done = len(store.records), 0

    @property
    def proven(self) -> bool:
        """Whether the judge has given answers before."""
        return bool(self._there)

    @property
    def before(self) -> float:
        """Dollars that all records of the store have cost."""
        return cost(self.price, (one["usage"] for one in self._store.records)) or 0.0

    def take(self, given: Sequence[Record], places: Collection[At]) -> None:
        """Take over the records of this very judge from elsewhere, so that they cost nothing."""
        own = self._kind.latest([one for one in given if one["judge_sha256"] == self._judge.sha256])
        taken = (self._kind.answered(own.values()) & set(places)) - self._there
        self._store.extend(own[place] for place in own if place in taken)
        self._there |= taken
        self._number = len(self._store.records)

    def open(self, questions: Mapping[At, Asked], limit: int | None = None) -> list[Asked]:
        """The questions that are still to be asked (at most `limit`), in their order; `write` knows them by it."""
        todo = [place for place in questions if place not in self._there][:limit]
        self._asked += todo
        self._progress(self._done, len(self._asked))
        return [questions[place] for place in todo]

    def write(self, index: int, said: Says) -> None:
        """Write down what was said on the question of this index."""
        place = self._asked[index]
        self._done += 1
        if said.status == "ok" or place not in self._failures:  # that it failed again needs no second record
            self._store.append(self._record(place, said))
        self._progress(self._done, len(self._asked))

    def done(self, outcome: Outcome, places: Collection[At]) -> Round[At, Record]:
        """The round that was, with the records on these places."""
        return Round(
            records={place: one for place, one in self._kind.latest(self._store.records).items() if place in places},
            new=len(self._store.records) - self._number,
            outcome=outcome,
            seconds=time.monotonic() - self._begun,
            price=self.price,
        )


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

    `given` are records from elsewhere, which are taken over. `max_cost` is in dollars, and for all records in the
    store.
    """
    asking = Asking(kind, judge, record, store, progress)
    if max_cost is not None and asking.price is None:
        raise UserError(f"--max-cost needs a price, and that of {judge.id} is unknown; see reference/prices.yaml")
    asking.take(given, questions)
    budget = Budget(asking.price, max_cost, asking.before)
    outcome = ask(asking.open(questions, limit), asking.write, asking.proven, budget)
    return asking.done(outcome, questions)


def _check_version(kind: Kind[At, Record], judge: Judge, store: Store[Record]) -> None:
    if any(record["judge_sha256"] != judge.sha256 for record in store.records):
        message = f"holds {kind.name} of another version of the judge {judge.id} (prompt, model or settings)"
        raise UserError(Problem(str(store.path), "-", "-", message, "move the file away to judge anew"))
