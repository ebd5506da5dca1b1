"""The benchmark as it stands on the Hub at a given revision: what is asked of a model, from there."""

from collections import defaultdict
from dataclasses import replace
from functools import cache
from typing import Any, TypeVar

from consciousness_cluster.data.hashes import row_hash
from consciousness_cluster.data.hub import manifest_at, quiet, require_hub, rows_at
from consciousness_cluster.data.rows import SIDES, Answers, Benchmark, ChoiceItem, Probe, Topic, load_benchmark
from consciousness_cluster.errors import UserError

PROBE = ("id", "framing", "text", "facet", "style", "assent", "reverse_of", "deployment")
ANSWERS = ("question", "shows", "does_not_show")
AnyTopic = TypeVar("AnyTopic", bound=Topic)
AnyRow = TypeVar("AnyRow", Probe, ChoiceItem)


def check_pinned(repo: str | None, revision: str | None) -> None:
    """A copy on the Hub is only read at a revision that is named, since results have to say what was asked."""
    if repo is not None and not revision:
        raise UserError(f"{repo}: give the revision too, for example v{load_benchmark().data_version}")
    if revision and repo is None:
        raise UserError(f"the revision '{revision}' is one of a dataset on the Hub; give its name too (ORG/NAME)")
    if repo is not None and load_benchmark().pack:
        raise UserError(
            f"{repo} is a copy of the 20 preferences, and a pack is asked instead of them; give one of both"
        )


def benchmark_at(repo: str | None, revision: str | None) -> Benchmark:
    """The benchmark in use; with `repo` the packaged one with its probes and choice items as they are on the Hub, and
    their data version.

    What is not asked of a model, the criteria for example, stays the package's.
    """
    check_pinned(repo, revision)
    return load_benchmark() if repo is None or revision is None else _copy(repo, revision)


@cache
def _copy(repo: str, revision: str) -> Benchmark:
    packaged = load_benchmark()
    require_hub()
    quiet()
    where = f"{repo}@{revision}"
    version = manifest_at(repo, revision)["version"]
    probes: dict[str, list[Probe]] = defaultdict(list)
    items: dict[str, list[ChoiceItem]] = defaultdict(list)
    for config in ("probes", "situated", "checks"):
        for split, found in rows_at(repo, config, revision).items():
            for row in found:
                fields = {name: row.get(name) for name in PROBE} | {"style": row.get("style", "plain")}  # of all checks
                probe = Probe(split=split, **fields)  # type: ignore[arg-type]
                probes[row["topic"]].append(_whole(probe, row, where))
    for row in rows_at(repo, "choice", revision).get("test", []):
        mine, others = (Answers(*(row[f"{side}_{part}"] for part in ANSWERS)) for side in SIDES)
        item = ChoiceItem(row["id"], mine, row["other_kind"], others, row["contrast"], row["facet"])
        items[row["topic"]].append(_whole(item, row, where))

    def asked(topic: AnyTopic) -> AnyTopic:
        if topic.id not in probes:
            raise UserError(f"{where}: has no probes for '{topic.id}'; take a revision of this data's MAJOR version")
        return replace(topic, probes=tuple(probes[topic.id]), choice_items=tuple(items[topic.id]))

    return replace(
        packaged,
        data_version=version,
        preferences=tuple(map(asked, packaged.preferences)),
        checks=tuple(map(asked, packaged.checks)),
    )


def _whole(row: AnyRow, said: dict[str, Any], where: str) -> AnyRow:
    """The row, if it has the content hash that stands beside it."""
    if row_hash(row) != said["sha256"]:
        raise UserError(f"{where}: {row.id} is not what its sha256 says; the copy is damaged, take another revision")
    return row
