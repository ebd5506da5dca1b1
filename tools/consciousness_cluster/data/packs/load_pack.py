"""Use a pack: it is found, held to the rules, and asked in place of the 20."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from consciousness_cluster.data.packs.pack_hub import fetched, is_hub_id
from consciousness_cluster.data.packs.pack_rules import errors, placeholders, warnings
from consciousness_cluster.data.packs.pack_source import PackSource, read_pack
from consciousness_cluster.data.rows import Benchmark, using
from consciousness_cluster.errors import Problem, UserError


def _read(where: str) -> tuple[PackSource | None, list[Problem]]:
    """The pack of a folder, or of a dataset repository on the Hub (ORG/NAME, or ORG/NAME@REVISION)."""
    if Path(where).is_dir() or not is_hub_id(where):
        return read_pack(Path(where))
    folder, within = fetched(where)
    return read_pack(folder, within)


def check_pack(where: str) -> tuple[list[Problem], dict[str, int]]:
    """All problems of a pack, sorted, and counts of what was looked at."""
    pack, problems = _read(where)
    counts = dict.fromkeys(("preferences", "probes", "choice_items", "scenarios"), 0)
    if pack:
        benchmark = pack.benchmark
        problems += [*errors(pack), *warnings(pack)]
        counts = {
            "preferences": len(benchmark.preferences),
            "probes": sum(len(topic.probes) for topic in benchmark.topics),
            "choice_items": sum(len(topic.choice_items) for topic in benchmark.topics),
            "scenarios": sum(len(cell.scenarios) for _, cell in pack.source.cells()),
        }
    return sorted(problems, key=lambda problem: (problem.severity, problem)), counts


def load_pack(where: str) -> Benchmark:
    """The rows of a pack. `UserError` for the first thing that keeps it from being asked."""
    pack, problems = _read(where)
    if pack and not problems:
        problems = errors(pack) or list(placeholders(pack))
    for problem in problems:
        more = f" (all {len(problems)}: consciousness-cluster data check --pack {where})" if len(problems) > 1 else ""
        raise UserError(replace(problem, mend=problem.mend + more))
    assert pack
    return pack.benchmark


@contextmanager
def using_pack(where: str) -> Iterator[None]:
    """Within it everything is asked, judged and scored of this pack alone."""
    with using(load_pack(where)):
        yield
