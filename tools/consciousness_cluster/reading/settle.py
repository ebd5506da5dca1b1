"""What several readers say of one answer, made into one verdict an outcome."""

from collections.abc import Mapping

from consciousness_cluster.reading.labels import Said
from consciousness_cluster.records.types import Reading

Readings = dict[str, list[Reading]]  # outcome -> what each reader says, in the order of readers
By = Mapping[int, Said]  # reader (1, 2, 3) -> what it says of an answer


def differing(by: By) -> list[str]:
    """The outcomes on which the first two readers differ."""
    if 1 not in by or 2 not in by:
        return []
    return [outcome for outcome, verdict in by[1].verdicts.items() if by[2].verdicts[outcome] != verdict]


def readings(by: By) -> Readings:
    """All readings of an answer. The third reader's count where the first two differ, and nowhere else."""
    differ, found = differing(by), Readings()
    for outcome in by[1].verdicts:
        found[outcome] = [
            {"reader": reader, "verdict": by[reader].verdicts[outcome], "coherence": by[reader].coherence}
            for reader in sorted(by)
            if reader < 3 or outcome in differ
        ]
    return found


def is_settled(by: By, twice: bool) -> bool:
    """Whether all have read an answer who are to read it. `twice`: a second reader is one of them."""
    return 1 in by and (2 in by or not twice) and (3 in by or not differing(by))
