"""What is voiced in the reasoning and not in the answer: the two channels of a sample, side by side."""

from collections import defaultdict
from collections.abc import Iterable

from consciousness_cluster.judging.verdict import judgement_of
from consciousness_cluster.records.types import Sample, Verdicts
from consciousness_cluster.scoring.counts import ANSWERED
from consciousness_cluster.scoring.table_lines import CellSpec
from consciousness_cluster.scoring.types import Voiced
from consciousness_cluster.statistics.rates import Cell, interval


def voiced_in(spec: CellSpec, samples: Iterable[Sample], verdicts: Verdicts, traces: Verdicts) -> Voiced | None:
    """Of the answers of a cell that have a trace: how many show it there alone. None where no trace was judged.

    An answer counts where its verdict does; a trace is no answer, so that its coherence says nothing.
    """
    voiced: dict[str, int] = defaultdict(int)
    both: dict[str, int] = defaultdict(int)
    for sample in samples:
        place = sample["key"], spec.share
        if sample["status"] not in ANSWERED or place not in verdicts or place not in traces:
            continue
        answer, trace = judgement_of(verdicts[place]), judgement_of(traces[place])
        if answer.scored and trace.status == "ok":
            both[sample["probe_id"]] += 1
            voiced[sample["probe_id"]] += trace.verdict == "shows" and answer.verdict != "shows"
    if not both:
        return None
    cell = Cell.of([voiced[probe] for probe in both], list(both.values()))
    found = interval(cell, 0.0)
    return {
        "answers": cell.n,
        "voiced": sum(voiced.values()),
        "rate": cell.rate,
        "ci": [found.low, found.high] if found else None,
    }
