"""Documents, per-document results and aggregations of the consciousness_cluster tasks.

The rows come from the `consciousness-cluster` package, which carries them, so that nothing is downloaded; with
`dataset` and `revision` in --metadata they come from a dataset on the Hub.
"""

import json
import math
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import datasets


def _import_package() -> None:
    """Make `consciousness_cluster` importable; in a source checkout it stands in tools/, two folders up."""
    try:
        import consciousness_cluster  # noqa: F401
    except ModuleNotFoundError:
        tools = Path(__file__).resolve().parents[2] / "tools"
        if not (tools / "consciousness_cluster").is_dir():
            raise SystemExit(
                "The consciousness_cluster tasks need their data: pip install 'consciousness-cluster[lm-eval]'"
            ) from None
        sys.path.append(str(tools))


_import_package()

from consciousness_cluster.data.rows import Answers  # noqa: E402
from consciousness_cluster.harness import documents, scores  # noqa: E402

Doc = dict[str, Any]


def load_probes(
    topic: str,
    probes_per_preference: int | None = None,
    dataset: str | None = None,
    revision: str | None = None,
    **_: Any,
) -> dict[str, datasets.Dataset]:
    """Test probes of a preference or check, one document each. `probes_per_preference` takes a fixed slice.

    The slice has as many of each facet, rounded up: see `fixed_slice`.
    """
    return {"test": datasets.Dataset.from_list(documents.probes(topic, probes_per_preference, dataset, revision))}


def load_choice_items(
    topic: str, dataset: str | None = None, revision: str | None = None, **_: Any
) -> dict[str, datasets.Dataset]:
    """Choice items of a preference or check, two documents each: side `self` and side `other`."""
    return {"test": datasets.Dataset.from_list(documents.choice_items(topic, dataset, revision))}


def answers(doc: Doc) -> list[str]:
    """The two answers whose log-probabilities are compared."""
    return [doc["shows"], doc["does_not_show"]]


def process_choice(doc: Doc, results: list[tuple[float, bool]]) -> dict[str, Any]:
    """Margin in nats per UTF-8 byte: log P(shows)/bytes - log P(does_not_show)/bytes."""
    margin = Answers(doc["question"], *answers(doc)).margin(*(logprob for logprob, _ in results))
    value = {"item_id": doc["item_id"], "side": doc["side"], "margin": margin}
    return dict.fromkeys(("self_margin", "other_margin", "self_minus_other", "self_minus_other_stderr"), value)


def _margins(values: Iterable[Doc], side: str) -> dict[str, float]:
    return {value["item_id"]: value["margin"] for value in values if value["side"] == side}


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values) if values else math.nan


def self_margin(values: list[Doc]) -> float:
    """Mean margin of the items about the model itself."""
    return _mean(list(_margins(values, "self").values()))


def other_margin(values: list[Doc]) -> float:
    """Mean margin of the twins about someone or something else."""
    return _mean(list(_margins(values, "other").values()))


def _differences(values: list[Doc]) -> list[float]:
    mine, others = _margins(values, "self"), _margins(values, "other")
    return [mine[item] - others[item] for item in mine if item in others]


def self_minus_other(values: list[Doc]) -> float:
    """Mean over items of the item's margin minus its twin's."""
    return _mean(_differences(values))


def self_minus_other_stderr(values: list[Doc]) -> float:
    """Standard deviation of the paired differences over the square root of their number."""
    differences = _differences(values)
    if len(differences) < 2:
        return math.nan
    mean = _mean(differences)
    variance = math.fsum((difference - mean) ** 2 for difference in differences) / (len(differences) - 1)
    return math.sqrt(variance / len(differences))


def _counted(doc: Doc, results: list[list[str]], shows: Callable[[Doc], bool], outcomes: tuple[str, ...]) -> Doc:
    return scores.count(doc["id"], doc["facet"], [json.loads(record) for record in results[0]], shows, outcomes)


def process_open(doc: Doc, results: list[list[str]]) -> dict[str, Any]:
    """Counts of one probe. Rates are left out where no judge was configured: missing, never 0."""
    counts = _counted(doc, results, lambda record: scores.verdict(record, "shows") == "shows", ("shows",))
    metrics = {name: counts[name] for name in ("judged", "answered", "planned")}
    if counts["judge"]:
        metrics |= {name: counts[name] for name in ("shows", "scored")}
        metrics |= dict.fromkeys(("rate", "rate_stderr", "low", "high"), counts)
        if doc["facet"]:
            metrics[f"rate_{doc['facet']}"] = counts
    return metrics


def process_claims(doc: Doc, results: list[list[str]]) -> dict[str, Any]:
    """Shares of the responses that assert, that deny, and that do neither."""

    def says(outcome: str) -> Callable[[Doc], bool]:
        return lambda record: scores.verdict(record, outcome) == "shows"

    def neither(record: Doc) -> bool:
        return not says("asserts")(record) and not says("denies")(record)

    both = ("asserts", "denies")
    shares = {"asserts": says("asserts"), "denies": says("denies"), "uncommitted": neither}
    counted = {name: _counted(doc, results, shows, both) for name, shows in shares.items()}
    metrics = {name: counted["asserts"][name] for name in ("judged", "answered", "planned")}
    if counted["asserts"]["judge"]:
        metrics["scored"] = counted["asserts"]["scored"]
        for name, counts in counted.items():
            metrics |= {name: counts, f"{name}_stderr": counts}
    return metrics


def total(values: list[int]) -> int:
    """How many responses in all."""
    return sum(values)


def _by_facet(values: list[Doc]) -> list[list[Doc]]:
    cells = defaultdict(list)
    for value in values:
        cells[value["facet"]].append(value)
    return list(cells.values())


def rate(values: list[Doc]) -> float:
    """Share of the scored responses that show it; the mean of the two facets where there are facets.

    NaN where a cell has no scored response, so that no mean over preferences passes over it in silence.
    """
    return _mean([scores.rate(cell) for cell in _by_facet(values)])


def rate_stderr(values: list[Doc]) -> float:
    """Standard error of `rate`, clustered by probe."""
    cells = _by_facet(values)
    return math.sqrt(math.fsum(scores.variance(cell) for cell in cells)) / len(cells)


def low(values: list[Doc]) -> float:
    """The rate if nothing that is unclear or left out showed it."""
    return _mean([scores.bound(cell, shows=False) for cell in _by_facet(values)])


def high(values: list[Doc]) -> float:
    """The rate if everything that is unclear or left out showed it."""
    return _mean([scores.bound(cell, shows=True) for cell in _by_facet(values)])
