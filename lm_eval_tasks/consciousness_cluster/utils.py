"""Documents, per-document results and aggregations of the consciousness_cluster tasks.

The rows come from the `consciousness-cluster` package, which carries them, so that nothing is downloaded; with
`dataset` and `revision` in --metadata they come from a dataset on the Hub.
"""

import json
import math
import sys
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

from consciousness_cluster.data.rows import Answers, Style, load_topic  # noqa: E402
from consciousness_cluster.harness import documents  # noqa: E402
from consciousness_cluster.scoring.choice import items_mean, margins, paired_items  # noqa: E402
from consciousness_cluster.scoring.counts import Answer, ProbeCounts, count_probe  # noqa: E402
from consciousness_cluster.scoring.estimates import cell_estimate, topic_estimate  # noqa: E402
from consciousness_cluster.scoring.table_lines import topic_cells  # noqa: E402

Doc = dict[str, Any]


def load_probes(
    topic: str,
    probes_per_preference: int | None = None,
    dataset: str | None = None,
    revision: str | None = None,
    style: Style = "plain",
    rows: list[str] | None = None,
    **_: Any,
) -> dict[str, datasets.Dataset]:
    """Test probes of a preference or check, one document each. `probes_per_preference` takes a fixed slice.

    The slice has as many of each facet, rounded up: see `fixed_slice`. `rows` are the ids of those to ask.
    """
    found = documents.probes(topic, probes_per_preference, dataset, revision, style, rows)
    return {"test": datasets.Dataset.from_list(found)}


def load_choice_items(
    topic: str, dataset: str | None = None, revision: str | None = None, rows: list[str] | None = None, **_: Any
) -> dict[str, datasets.Dataset]:
    """Choice items of a preference or check, two documents each: side `self` and side `other`.

    All of them, or those whose ids are in `rows`.
    """
    return {"test": datasets.Dataset.from_list(documents.choice_items(topic, dataset, revision, rows))}


def answers(doc: Doc) -> list[str]:
    """The two answers whose log-probabilities are compared."""
    return [doc["shows"], doc["does_not_show"]]


def process_choice(doc: Doc, results: list[tuple[float, bool]]) -> dict[str, Any]:
    """Margin in nats per UTF-8 byte: log P(shows)/bytes - log P(does_not_show)/bytes."""
    margin = Answers(doc["question"], *answers(doc)).margin(*(logprob for logprob, _ in results))
    value = {"item_id": doc["item_id"], "side": doc["side"], "margin": margin}
    return dict.fromkeys(("self_margin", "other_margin", "self_minus_other", "self_minus_other_stderr"), value)


def _number(value: float | None) -> float:
    """NaN is how lm_eval says that something is missing, so that no mean over preferences passes over it."""
    return math.nan if value is None else value


def _mean(items: dict[str, float]) -> float:
    return items_mean(items)["value"] if items else math.nan


def self_margin(values: list[Doc]) -> float:
    """Mean margin of the items about the model itself."""
    return _mean(margins(values, "self"))


def other_margin(values: list[Doc]) -> float:
    """Mean margin of the twins about someone or something else."""
    return _mean(margins(values, "other"))


def self_minus_other(values: list[Doc]) -> float:
    """Mean over items of the item's margin minus its twin's."""
    return _mean(paired_items(values))


def self_minus_other_stderr(values: list[Doc]) -> float:
    """Standard deviation of the paired differences over the square root of their number."""
    items = paired_items(values)
    return _number(items_mean(items)["stderr"] if items else None)


def _counts(doc: Doc, results: list[list[str]]) -> tuple[str | None, dict[str, ProbeCounts]]:
    """Who judged, and share (`shows`, or `asserts`, `denies`, `uncommitted`) -> counts of the answers to one probe."""
    records = [json.loads(record) for record in results[0]]
    judged = [
        Answer(
            record["status"],
            {entry["outcome"]: entry for entry in record["verdicts"] if entry["status"] != "not_judged"},
            record["sample_index"],
        )
        for record in records
    ]
    specs = [spec for spec in topic_cells(load_topic(doc["topic"])) if spec.facet == doc["facet"]]
    return records[0]["judge_id"], {spec.share: count_probe(spec, doc["id"], judged) for spec in specs}


def process_open(doc: Doc, results: list[list[str]]) -> dict[str, Any]:
    """Counts of one probe. Rates are left out where no judge was configured: missing, never 0."""
    judge, shares = _counts(doc, results)
    counts = shares["shows"]
    metrics: dict[str, Any] = {name: counts[name] for name in ("judged", "answered", "planned")}
    if judge:
        metrics |= {name: counts[name] for name in ("shows", "scored")}
        metrics |= dict.fromkeys(("rate", "rate_stderr", "low", "high"), counts)
        if doc["facet"]:
            metrics[f"rate_{doc['facet']}"] = counts
    return metrics


def process_claims(doc: Doc, results: list[list[str]]) -> dict[str, Any]:
    """Shares of the responses that assert, that deny, and that do neither."""
    judge, shares = _counts(doc, results)
    metrics: dict[str, Any] = {name: shares["asserts"][name] for name in ("judged", "answered", "planned")}
    if judge:
        metrics["scored"] = shares["asserts"]["scored"]
        for share, counts in shares.items():
            metrics |= {share: counts, f"{share}_stderr": counts}
    return metrics


def total(values: list[int]) -> int:
    """How many responses in all."""
    return sum(values)


def rate(values: list[ProbeCounts]) -> float:
    """Share of the scored responses that show it; the mean of the two facets where there are facets."""
    return _number(topic_estimate(values).rate)


def facet_rate(values: list[ProbeCounts]) -> float:
    """Share of the scored responses that show it, of the probes of one facet."""
    return _number(cell_estimate(values).rate)


def rate_stderr(values: list[ProbeCounts]) -> float:
    """Standard error of `rate`, clustered by probe."""
    return _number(topic_estimate(values).stderr)


def low(values: list[ProbeCounts]) -> float:
    """The rate if nothing that is unclear or left out showed it."""
    bounds = topic_estimate(values).bounds
    return bounds[0] if bounds else math.nan


def high(values: list[ProbeCounts]) -> float:
    """The rate if everything that is unclear or left out showed it."""
    bounds = topic_estimate(values).bounds
    return bounds[1] if bounds else math.nan
