"""A reader who wrote none of the rows saw each of them, and every mark is mended or answered."""

from collections.abc import Iterator

from consciousness_cluster.data.source import Source
from consciousness_cluster.errors import Problem

FILE = "benchmark/review.yaml"
MEND = "have it read: consciousness-cluster data unread"


def marks(source: Source) -> Iterator[Problem]:
    """Each row is as it was last read, each mark is mended or answered, and what is recorded is there."""
    if source.review is None:
        return
    now, read = source.row_hashes(), source.review["read"]
    for row_id, sha256 in now.items():
        if row_id not in read:
            yield Problem(FILE, row_id, "read", "was not read", MEND)
        elif read[row_id] != sha256:
            yield Problem(FILE, row_id, "read", "the row has changed since it was read", MEND)
    for entry in source.review["marked"]:
        if entry["mended"] == ("answer" in entry):
            message = f"marked {', '.join(entry['marks'])}, " + (
                "mended and answered" if entry["mended"] else "and left so"
            )
            yield Problem(FILE, entry["id"], "marked", message, "mend the row, or say in `answer` why it stays")
    for row_id in dict.fromkeys([*read, *(entry["id"] for entry in source.review["marked"])]):
        if row_id not in now:
            yield Problem(FILE, row_id, "read", "there is no such row", "remove the entry")
