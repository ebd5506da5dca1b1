"""Fixed parts of the benchmark, for demonstrations and for what has to be cheap."""

from collections import defaultdict
from collections.abc import Iterable
from math import ceil

from consciousness_cluster.data.rows import Probe


def fixed_slice(probes: Iterable[Probe], count: int) -> list[Probe]:
    """`count` probes in the order of the benchmark: as many of each facet, and within a facet of each framing in turn.

    A count that the facets do not divide is rounded up, so that no facet is without a probe: of a preference with two
    facets 1 and 2 give two probes, 3 and 4 give four. All probes where there are no more. Always the same ones: a slice
    is for demonstrations and plumbing, and two slices of one size compare.
    """
    queues: dict[str | None, dict[str, list[Probe]]] = defaultdict(lambda: defaultdict(list))
    order: list[Probe] = []
    for probe in probes:
        order.append(probe)
        queues[probe.facet][probe.framing].append(probe)
    per_facet = ceil(count / max(1, len(queues)))
    chosen: set[str] = set()
    for framings in queues.values():
        turns = [row for turn in range(len(order)) for queue in framings.values() for row in queue[turn : turn + 1]]
        chosen |= {probe.id for probe in turns[:per_facet]}
    return [probe for probe in order if probe.id in chosen]
