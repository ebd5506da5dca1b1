"""Rows as lm-evaluation-harness documents."""

from collections.abc import Collection, Iterable
from typing import Any, TypeVar

from consciousness_cluster.data.hashes import row_hash
from consciousness_cluster.data.rows import SIDES, ChoiceItem, Probe, Style, Topic, load_topic
from consciousness_cluster.data.slices import fixed_slice
from consciousness_cluster.errors import UserError

Row = TypeVar("Row", Probe, ChoiceItem)


def _topic(topic_id: str, dataset: str | None, revision: str | None) -> Topic:
    """A preference or check of this package, or of a dataset on the Hub at a revision."""
    if dataset is None:  # a revision alone is one of the model: lm_eval passes the model's arguments too
        return load_topic(topic_id)
    from consciousness_cluster.data.hub_copy import benchmark_at

    return benchmark_at(dataset, revision).topics[topic_id]


def data_version(dataset: str, revision: str | None) -> str:
    """The data version of a dataset on the Hub; leaves with one clear line where it cannot be read."""
    from consciousness_cluster.data.hub_copy import benchmark_at

    try:
        return benchmark_at(dataset, revision).data_version
    except UserError as error:  # lm_eval would show it below a traceback
        raise SystemExit(f"consciousness_cluster: {error}") from None


def _among(rows: Collection[str] | None, of_topic: Iterable[Row], topic_id: str) -> list[Row]:
    """Those that are asked for by their ids, all where none are."""
    found = [row for row in of_topic if rows is None or row.id in rows]
    if rows is not None and not found:  # lm_eval would show an error below a traceback
        raise SystemExit(f"consciousness_cluster: rows names none of this task of {topic_id}; leave the task out")
    return found


def probes(
    topic_id: str,
    count: int | None = None,
    dataset: str | None = None,
    revision: str | None = None,
    style: Style = "plain",
    rows: Collection[str] | None = None,
) -> list[dict[str, Any]]:
    """Test probes of a preference or check: id, topic, facet, framing, deployment (None if none), text, sha256.

    All of them, a fixed slice of `count`, which has to be 1 or more, or those whose ids are among `rows`.
    """
    if count is not None and int(count) < 1:  # lm_eval would show an error below a traceback
        message = f"probes_per_preference is {count}; give 1 or more, or leave it out for all probes"
        raise SystemExit(f"consciousness_cluster: {message}")
    test = _among(rows, _topic(topic_id, dataset, revision).test_probes(style), topic_id)
    return [
        {
            "id": probe.id,
            "topic": topic_id,
            "facet": probe.facet,
            "framing": probe.framing,
            "deployment": probe.deployment,
            "text": probe.text,
            "sha256": row_hash(probe),
        }
        for probe in (test if count is None else fixed_slice(test, int(count)))
    ]


def choice_items(
    topic_id: str, dataset: str | None = None, revision: str | None = None, rows: Collection[str] | None = None
) -> list[dict[str, Any]]:
    """Choice items, `self` and `other` one after the other: item_id, side, facet, question, the two answers, sha256.

    All of them, or those whose ids are among `rows`.
    """
    return [
        {
            "item_id": item.id,
            "topic": topic_id,
            "side": side,
            "facet": item.facet,
            "other_kind": item.other_kind,
            "question": item.side(side).question,
            "shows": item.side(side).shows,
            "does_not_show": item.side(side).does_not_show,
            "sha256": row_hash(item),
        }
        for item in _among(rows, _topic(topic_id, dataset, revision).choice_items, topic_id)
        for side in SIDES
    ]
