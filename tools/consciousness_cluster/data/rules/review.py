"""The second reader saw the rows that the seed draws and all later ones, and every mark is mended or answered."""

import random
from collections.abc import Collection, Iterator

from consciousness_cluster.data.hashes import benchmark_hashes
from consciousness_cluster.data.rows import Benchmark
from consciousness_cluster.data.source import Source
from consciousness_cluster.errors import Problem

FILE = "benchmark/review.yaml"


def draw(
    benchmark: Benchmark, seed: int, probes: int, choice_items: int, later: Collection[str] = frozenset()
) -> list[str]:
    """Ids of the rows for the second reader: drawn without replacement from all probes and all choice items.

    `later` are ids of rows that were added after the draw. They are all read, so the draw passes over them.
    """
    rng = random.Random(seed)
    all_probes = [probe.id for topic in benchmark.topics for probe in topic.probes if probe.id not in later]
    all_items = [item.id for topic in benchmark.topics for item in topic.choice_items if item.id not in later]
    return rng.sample(all_probes, min(probes, len(all_probes))) + rng.sample(
        all_items, min(choice_items, len(all_items))
    )


def marks(source: Source) -> Iterator[Problem]:
    """The drawn rows are all there, and each row is as it was read or as it was mended."""
    review = source.review
    if review is None:
        return
    now = benchmark_hashes(source.benchmark)
    later = {row["id"]: row for row in review.get("later", [])}
    for kind in ("probes", "choice_items"):
        rows_now = [row.id for topic in source.benchmark.topics for row in getattr(topic, kind) if row.id not in later]
        if len(rows_now) != review["drawn_from"][kind]:
            message = f"{len(rows_now)} {kind} are not under 'later', drawn was from {review['drawn_from'][kind]}"
            yield Problem(FILE, "-", "later", message, "have rows that were added read, and list them under 'later'")
    drawn = draw(source.benchmark, review["seed"], review["probes"], review["choice_items"], later)
    rows = {row["id"]: row for row in review["rows"]} | later
    for row_id in drawn:
        if row_id not in rows:
            yield Problem(FILE, row_id, "rows", "was drawn by the seed and is not marked", "have it read and marked")
    for row_id, row in rows.items():
        if row_id not in drawn and row_id not in later:
            yield Problem(FILE, row_id, "rows", "was not drawn by the seed", "remove it")
        elif row["marks"] and not ("answer" in row or "mended_sha256" in row):
            mend = "mend the row and give mended_sha256, or give an answer"
            yield Problem(FILE, row_id, "marks", f"marked {', '.join(row['marks'])} and left so", mend)
        elif now.get(row_id) != row.get("mended_sha256", row["sha256"]):
            mend = "have the row read again, and record its new hash"
            yield Problem(FILE, row_id, "sha256", "the row has changed since it was read", mend)
