"""Sample a run: plan, estimate, ask, resume."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consciousness_cluster.data.rows import Topic
from consciousness_cluster.endpoint.address import Endpoint
from consciousness_cluster.endpoint.faults import BESIDE, INTERRUPTED, OVER_BUDGET
from consciousness_cluster.endpoint.loop import run_async
from consciousness_cluster.endpoint.price import Price, cost, price_of, prompt_tokens
from consciousness_cluster.errors import UserError
from consciousness_cluster.extras import require
from consciousness_cluster.records.opened import as_read_together
from consciousness_cluster.records.run import settled
from consciousness_cluster.records.run_folder import SAMPLES, RunWriter, Setting, read_samples
from consciousness_cluster.records.store import Store
from consciousness_cluster.records.types import Sample
from consciousness_cluster.sampling.plan import Request, requests
from consciousness_cluster.sampling.sampler import Sampler

if TYPE_CHECKING:
    from consciousness_cluster.endpoint.caller import Caller
    from consciousness_cluster.endpoint.gate import Gate
    from consciousness_cluster.endpoint.spending import Spending

TYPICAL_ANSWER = 200  # tokens, for estimates
Report = Callable[[Counter[str], float], None]


@dataclass(frozen=True)
class Sampled:
    """What a round of sampling did.

    Statuses of new answers, how many were there, dollars that this round spent (None: unknown), why it stopped (None:
    it came to its end), and what was sent in another form than asked for.
    """

    new: Counter[str]
    there: int
    spent: float | None
    stopped: str | None
    notes: list[str]


def done_keys(samples: Iterable[Sample]) -> set[str]:
    """Keys that have an answer. An error is no answer: it is asked for again."""
    return {record["key"] for record in samples if record["status"] != "error"}


def estimate(setting: Setting, todo: Sequence[Request], price: Price | None) -> dict[str, Any]:
    """Requests, answers, tokens and price before the first call: typical, and at most (answers at full length)."""
    answers = sum(len(request.indices) for request in todo)
    prompt = sum(prompt_tokens(setting.messages(request.probe)) for request in todo)
    typical, most = ({"prompt_tokens": prompt, "completion_tokens": answers * length} for length in (
        min(TYPICAL_ANSWER, setting.max_tokens), setting.max_tokens))  # fmt: skip
    return {
        "requests": len(todo),
        "answers": answers,
        "prompt_tokens": prompt,
        "completion_tokens": typical["completion_tokens"],
        "dollars": price.of(typical) if price else None,
        "dollars_at_most": price.of(most) if price else None,
    }


def plan_for(folder: Path, setting: Setting, topics: Sequence[Topic]) -> list[Request]:
    """What is still to be asked for in a run folder, without touching it."""
    path = folder / SAMPLES
    if not path.is_file():
        return requests(topics, setting, ())
    return requests(topics, setting, done_keys(read_samples(path)))


def price_within(model: str, max_cost: float | None) -> Price | None:
    """The price of a model, None where it is unknown. Raises UserError where a limit needs one."""
    price = price_of(model)
    if max_cost is not None and price is None:
        raise UserError(f"--max-cost needs a price, and that of {model} is unknown; see reference/prices.yaml")
    return price


class Sampling:
    """A round of sampling into an open store: what the run lacks, and what became of it."""

    def __init__(
        self,
        store: Store[Sample],
        setting: Setting,
        topics: Sequence[Topic],
        endpoint: Endpoint,
        report: Report = lambda statuses, spent: None,
        learned: Callable[[Mapping[str, str]], None] = lambda sent: None,
    ) -> None:
        """`report` gets statuses of answers just written, and the dollars that the run has cost so far; `learned` what
        is sent in place of what is asked for."""
        require("aiohttp", "openai")
        self.store, self.setting, self.endpoint = store, setting, endpoint
        self.price = price_of(setting.model)
        self.before = cost(self.price, (record["usage"] for record in store.records)) or 0.0
        self._report, self._learned = report, learned
        self._there = done_keys(store.records)
        self._todo = requests(topics, setting, self._there)
        self._number = len(store.records)

    @asynccontextmanager
    async def calls(
        self,
        spending: "Spending",
        written: Callable[[Sequence[Sample]], None] = lambda samples: None,
        gate: "Gate | None" = None,
    ) -> AsyncIterator["Caller"]:
        """Ask for everything; the end of the block waits for it. `written` gets answers as soon as they are on disk."""
        from consciousness_cluster.endpoint.caller import Caller

        def note(samples: Sequence[Sample]) -> None:
            self._report(Counter(str(sample["status"]) for sample in samples), spending.spent)
            written(samples)

        proven = bool(self._there)
        self._caller = Caller(self.endpoint, spending, learned=self._learned, proven=proven, gate=gate)
        async with self._caller as caller:
            sampler = Sampler(caller, self.setting, self.store, note)
            for request in self._todo:
                sampler.start(request, request.indices)
            yield caller

    def done(self) -> Sampled:
        """What came, after the calls."""
        caller, stopped = self._caller, self._caller.stopped
        if stopped not in (None, INTERRUPTED, OVER_BUDGET, BESIDE):
            stopped = f"the endpoint {self.endpoint.shown} cannot be used ({stopped})"
        read = as_read_together(self.store.records)
        return Sampled(
            new=Counter(str(sample["status"]) for sample in read[self._number :]),
            there=len(self._there),
            spent=caller.spending.spent - self.before if self.price else None,
            stopped=stopped,
            notes=[*caller.forms.notes(), *told_of(settled(self.store.records), self.setting.max_tokens)],
        )


def sample(
    folder: RunWriter,
    setting: Setting,
    topics: Sequence[Topic],
    endpoint: Endpoint,
    max_cost: float | None = None,
    report: Report = lambda statuses, spent: None,
    learned: Callable[[Mapping[str, str]], None] = lambda sent: None,
) -> Sampled:
    """Ask for every answer that the run lacks (see `Sampling`).

    `max_cost` is in dollars and for the whole run: what its records say they cost counts. Raises UserError where an
    answer cannot be written.
    """
    price_within(setting.model, max_cost)
    from consciousness_cluster.endpoint.spending import Spending

    with folder.samples() as store:
        sampling = Sampling(store, setting, topics, endpoint, report, learned)

        async def everything() -> None:
            async with sampling.calls(Spending(sampling.price, max_cost, sampling.before)):
                pass

        run_async(everything())
        return sampling.done()


def told_of(samples: Sequence[Sample], max_tokens: int) -> list[str]:
    """What a person should know of the answers of a run: what the token limit did to them."""
    incomplete = sum(sample["status"] == "incomplete" for sample in samples)
    cut = sum(sample["cut"] for sample in samples)
    told = []
    if incomplete:
        why = f"their reasoning ended, at most at {max_tokens} tokens, before an answer began"
        mend = "sample into another folder with a larger --max-tokens"
        told.append(f"{incomplete} of {len(samples)} answers are incomplete: {why}; {mend}")
    if cut:
        told.append(f"{cut} of {len(samples)} answers were cut at {max_tokens} tokens; they count as they stand")
    return told
