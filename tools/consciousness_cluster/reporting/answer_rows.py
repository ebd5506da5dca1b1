"""The answers of a run with the verdicts of its judge: a row for each outcome of each answer."""

from collections.abc import Iterator
from typing import NamedTuple

from consciousness_cluster.data.rows import Probe, Topic, load_benchmark
from consciousness_cluster.records.types import Sample, Verdict
from consciousness_cluster.scoring.counts import left_out_for
from consciousness_cluster.scoring.load import Scored


class AnswerRow(NamedTuple):
    """An answer, what it was asked, and what the judge says of one outcome. `left_out`: why it counts in no rate."""

    sample: Sample
    topic: Topic
    probe: Probe
    outcome: str
    verdict: Verdict | None
    left_out: str | None


def answer_rows(scored: Scored) -> Iterator[AnswerRow]:
    """In the order of the samples. Answers to the two claims checks have two rows, all others one."""
    topics = load_benchmark().topics
    probes = {probe.id: probe for topic in topics for probe in topic.probes}
    of = {topic.id: topic for topic in topics}
    for sample in scored.run.samples:
        topic = of[sample["topic"]]
        outcomes = [criterion.id for criterion in topic.criteria_for(sample["facet"])]
        verdicts = [scored.verdicts.get((sample["key"], outcome)) for outcome in outcomes]
        reason = left_out_for(sample["status"], verdicts)
        for outcome, verdict in zip(outcomes, verdicts, strict=True):
            yield AnswerRow(sample, topic, probes[sample["probe_id"]], outcome, verdict, reason)
