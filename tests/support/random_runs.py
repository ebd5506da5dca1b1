"""Random runs that hold everything that can become of an answer, cells with hardly an answer included."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from consciousness_cluster.data.rows import SIDES, load_benchmark

from tests.support.choice import choice_values
from tests.support.runs import Said, samples, verdict_records

Json = dict[str, Any]
SAID: list[Said | None] = [("shows", 90), ("does_not_show", 50), ("unclear", None), ("shows", 3), (None, None), None]
WEIGHTS = ([1] * 6, [8, 2, 1, 0, 0, 0], [0, 1, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0], [1, 1, 9, 0, 0, 1])
STATUSES = ("ok", "refused", "content_filter", "empty", "incomplete", "error")


@dataclass(frozen=True)
class RandomRun:
    """Records of a run: samples, verdicts of one judge, choice results."""

    samples: list[Json]
    verdicts: list[Json]
    choice: list[Json]


def random_run(
    seed: int, topics: Sequence[str], statuses: Sequence[str] = STATUSES, harsh: bool = True, **changes: Any
) -> RandomRun:
    """Up to three answers to each probe. How much is lost and how often it shows differ by cell.

    From all to none in a `harsh` run; else a few answers are lost in each cell.
    """
    rng = random.Random(seed)
    benchmark = load_benchmark()
    kept = []
    for topic in topics:
        for facet in benchmark.topics[topic].facets or (None,):
            records = [one for one in samples([topic], each=rng.choice((1, 3)), **changes) if one["facet"] == facet]
            probes = list(dict.fromkeys(one["probe_id"] for one in records))
            few = set(
                rng.sample(probes, min(len(probes), rng.choice((0, 1, 2, 3, 24, 24, 24, 24) if harsh else (24,))))
            )
            fine = rng.choice((0.1, 0.5, 0.9, 1.0) if harsh else (0.9, 1.0))
            for one in records:
                if one["probe_id"] in few and rng.random() < max(fine, 0.7):
                    one["status"] = "ok" if rng.random() < fine else rng.choice(list(statuses))
                    one["response"] = (
                        None if one["status"] in ("error", "content_filter", "incomplete") else one["response"]
                    )
                    one["response"] = "" if one["status"] == "empty" else one["response"]
                    kept.append(one)
    weights = {
        (topic, outcome): rng.choice(
            ([1] * 6, [8, 2, 1, 0, 0, 0], [0, 1, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0], [1, 1, 9, 0, 0, 1])
        )
        for topic in topics
        for outcome in ("shows", "asserts", "denies")
    }

    def said(record: Json, outcome: str) -> Said | None:
        return rng.choices(SAID, weights[record["topic"], outcome])[0]

    about = {"model": "test-model", "revision": None, "training": None, "condition": "vanilla", "engine": "test"}
    about |= {"data_version": benchmark.data_version, **{name: changes[name] for name in about if name in changes}}
    lost = rng.choice((0.0, 0.1, 0.9) if harsh else (0.0, 0.1))
    choice = [
        {**choice_values(item, side, rng.uniform(-1, 1)), **about}
        for topic in topics
        for item in benchmark.topics[topic].choice_items
        for side in SIDES
        if rng.random() >= lost
    ]
    return RandomRun(kept, verdict_records(kept, said), choice)
