"""Sample a run: plan, estimate, ask, resume."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consciousness_cluster.data.rows import Topic
from consciousness_cluster.endpoint.caller import INTERRUPTED, Caller, Endpoint, GiveUp
from consciousness_cluster.endpoint.price import Price, price_of, tokens
from consciousness_cluster.errors import UserError
from consciousness_cluster.records.run import SAMPLES
from consciousness_cluster.records.store import Store, read_records
from consciousness_cluster.sampling.plan import Request, Setting, requests
from consciousness_cluster.sampling.sample import TYPICAL_ANSWER, OverBudget, Sampler, Spending

Report = Callable[[Counter[str], float], None]


@dataclass(frozen=True)
class Sampled:
    """What a round of sampling did: statuses of new answers, dollars spent (None: unknown), why it stopped."""

    new: Counter[str]
    there: int
    spent: float | None
    stopped: str | None


def done_keys(store: Store) -> set[str]:
    """Keys with an answer on disk. An error is no answer: it is asked for again."""
    return {record["key"] for record in store.records if record["status"] != "error"}


def estimate(setting: Setting, todo: Sequence[Request], price: Price | None) -> dict[str, Any]:
    """Requests, answers, tokens and price before the first call: typical, and at most (answers at full length)."""
    answers = sum(len(request.indices) for request in todo)
    prompt = sum(tokens(message["content"]) + 8 for request in todo for message in setting.messages(request.probe))
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
    records = read_records(path, "sample", torn_end=True)
    return requests(topics, setting, {record["key"] for record in records if record["status"] != "error"})


async def _sample(endpoint: Endpoint, todo: Sequence[Request], sampler_of: Callable[[Caller], Sampler]) -> str | None:
    try:
        async with Caller(endpoint) as caller:
            await sampler_of(caller).run(todo)
    except GiveUp as reason:
        if str(reason) == INTERRUPTED:
            return INTERRUPTED
        return f"the endpoint {endpoint.shown} cannot be used ({reason})"
    except OverBudget:
        return "the next request could pass --max-cost"
    return None


def sample(
    folder: Path,
    setting: Setting,
    topics: Sequence[Topic],
    endpoint: Endpoint,
    max_cost: float | None = None,
    report: Report = lambda statuses, spent: None,
) -> Sampled:
    """Ask for every answer that the run lacks. `report` gets statuses of answers just written, and dollars so far."""
    price = price_of(setting.model)
    if max_cost is not None and price is None:
        raise UserError(f"--max-cost needs a price, and that of {setting.model} is unknown; see reference/prices.yaml")
    with Store(folder / SAMPLES, "sample") as store:
        there = done_keys(store)
        todo = requests(topics, setting, there)
        spending = Spending(price, max_cost)
        new: Counter[str] = Counter()

        def written(statuses: Counter[str]) -> None:
            new.update(statuses)
            report(statuses, spending.spent)

        stopped = asyncio.run(
            _sample(endpoint, todo, lambda caller: Sampler(caller, setting, store, spending, written))
        )
        return Sampled(new, len(there), spending.spent if price else None, stopped)
