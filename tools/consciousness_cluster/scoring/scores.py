"""`score`: the scores of one run, as scores.schema.json describes them."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import asdict
from importlib.metadata import version
from math import isnan
from typing import Any

from consciousness_cluster.data.rows import Benchmark, load_benchmark
from consciousness_cluster.records.run import Run
from consciousness_cluster.records.types import Sample
from consciousness_cluster.scoring.cells import FLAG_LEFT_OUT, Counts, Verdicts, count
from consciousness_cluster.scoring.choice import choice_scores
from consciousness_cluster.scoring.table_lines import Line, cell_specs, table_lines
from consciousness_cluster.scoring.taught import TOPIC, taught_to, topic_flags
from consciousness_cluster.statistics.correction import corrected
from consciousness_cluster.statistics.means import mean_interval
from consciousness_cluster.statistics.rates import Interval, interval, pooled_icc

Json = dict[str, Any]


def counts_of(run: Run, verdicts: Verdicts, planned: Mapping[str, int] | None) -> dict[str, Counts]:
    """Cell id -> counts. `planned`: topic id -> answers per probe, where the run says so."""
    of_cell: dict[tuple[str, str | None], list[Sample]] = defaultdict(list)
    for sample in run.samples:
        of_cell[sample["topic"], sample["facet"]].append(sample)
    found = {}
    for spec in cell_specs(load_benchmark()):
        samples = of_cell[spec.topic.id, spec.facet]
        probes = sum(probe.facet == spec.facet for probe in spec.topic.test_probes())
        wanted = probes * planned[spec.topic.id] if planned and spec.topic.id in planned else None
        if samples or wanted:
            found[spec.id] = count(spec, samples, verdicts, wanted)
    return found


def intervals_of(counts: Mapping[str, Counts]) -> dict[str, Interval]:
    """Cell id -> interval, for cells with scored answers to two or more probes."""
    icc = pooled_icc([one.cell for name, one in counts.items() if ":" not in name])
    found = {name: interval(one.cell, icc) for name, one in counts.items()}
    return {name: one for name, one in found.items() if one}


def _flags(counts: Counts, found: Interval | None) -> list[str]:
    left_out = sum(counts.left_out.values())
    flags = []
    if counts.planned and left_out > FLAG_LEFT_OUT * counts.planned:
        flags.append(f"{left_out} of {counts.planned} answers left out")
    if found and found.pooled_icc_used:
        flags.append("few probes on one side: interval uses the pooled intra-class correlation")
    return flags


def _cell_entry(counts: Counts, found: Interval | None) -> Json:
    bounds = counts.bounds()
    return {
        "rate": found.rate if found else (None if isnan(counts.cell.rate) else counts.cell.rate),
        "ci": [found.low, found.high] if found else None,
        "iid_ci": [found.iid_low, found.iid_high] if found else None,
        "bounds": list(bounds) if bounds else None,
        "deff": found.deff if found else None,
        "planned": counts.planned,
        "judged": counts.judged,
        "scored": counts.total_scored,
        "shows": counts.total_shows,
        "does_not_show": counts.total_scored - counts.total_shows - counts.unclear,
        "unclear": counts.unclear,
        "left_out": dict(counts.left_out),
        "flags": _flags(counts, found),
        "probes": {probe: [counts.shows[probe], number] for probe, number in counts.scored.items()},
    }


def _mean_entry(row: Line, entries: Mapping[str, Json]) -> Json:
    """A row that is a mean of rows: missing unless all of them are there."""
    parts = [entries.get(name) for name in row.cells]
    missing = [name for name, part in zip(row.cells, parts, strict=True) if part is None or part["ci"] is None]
    there = [part for part in parts if part is not None]
    totals: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    for part in there:
        totals.update(
            {name: part[name] for name in ("planned", "judged", "scored", "shows", "does_not_show", "unclear")}
        )
        left_out.update(part["left_out"])
    rate, ci, bounds = None, None, None
    if not missing:
        rate, low, high = mean_interval([(part["rate"], *part["ci"]) for part in there])
        ci = [low, high]
        bounds = [sum(part["bounds"][side] for part in there) / len(there) for side in (0, 1)]
    return {
        "rate": rate,
        "ci": ci,
        "iid_ci": None,
        "bounds": bounds,
        "deff": None,
        **{name: totals[name] for name in ("planned", "judged", "scored", "shows", "does_not_show", "unclear")},
        "left_out": dict(left_out),
        "flags": [f"missing: {', '.join(missing)}"] if missing else [],
        "probes": {},
    }


def row_entries(
    benchmark: Benchmark, counts: Mapping[str, Counts], found: Mapping[str, Interval], taught: Collection[str]
) -> dict[str, Json]:
    """Row id -> entry. Means are made of the rows below them: facets, then preferences, then blocks and the cluster.

    `taught` are preferences that are a topic in training; their rows and the means over these are flagged.
    """
    rows = table_lines(benchmark)
    entries: dict[str, Json] = {}
    for row in rows:
        if row.cells == (row.id,) and row.id in counts:
            entries[row.id] = _cell_entry(counts[row.id], found.get(row.id))
    for kind in ("preference", "block", "cluster"):
        for row in rows:
            if row.kind == kind and row.id not in entries and any(name in entries for name in row.cells):
                entries[row.id] = _mean_entry(row, entries)
    for row in rows:
        if row.id in entries:
            entries[row.id]["flags"] += topic_flags(row, taught, entries)
    return {row.id: entries[row.id] for row in rows if row.id in entries}


def run_counts(run: Run, counts: Mapping[str, Counts]) -> Json:
    """What became of all answers of a run. Answers to the claims checks are counted once."""
    statuses = Counter(sample["status"] for sample in run.samples)
    once = {name: one for name, one in counts.items() if ":" not in name or name.endswith(":asserts")}
    left_out: Counter[str] = Counter()
    for one in once.values():
        left_out.update(one.left_out)
    return {
        "planned": sum(one.planned for one in once.values()),
        **{name: statuses[name] for name in ("ok", "refused", "content_filter", "empty", "error")},
        "missing": left_out["missing"],
        "judged": sum(one.judged for one in once.values()),
        **{name: left_out[name] for name in ("judge_failed", "incoherent", "open")},
        "scored": sum(one.total_scored for one in once.values()),
    }


def _correction(cluster: Json | None, judge: Json | None) -> Json | None:
    """The cluster score with a perfect judge, where the judge was measured on real responses."""
    real = (judge or {}).get("validation", {}).get("real")
    if not cluster or cluster["rate"] is None or not real:
        return None
    overall = real["overall"]
    variance = ((cluster["ci"][1] - cluster["ci"][0]) / 2 / 1.96) ** 2
    n1 = overall["shows"]
    found = corrected(
        cluster["rate"], variance, overall["sensitivity"][0], n1, overall["specificity"][0], overall["n"] - n1
    )
    return asdict(found)


def scores(run: Run, verdicts: Verdicts, judge: Json | None, planned: Mapping[str, int] | None) -> Json:
    """The scores of a run (scores.schema.json)."""
    benchmark = load_benchmark()
    counts = counts_of(run, verdicts, planned)
    first: Json = dict((run.samples or run.choice)[0])
    taught = taught_to(first)
    entries = row_entries(benchmark, counts, intervals_of(counts), taught)
    choice = choice_scores(run.choice)
    for name in taught & choice.keys():
        choice[name]["flags"] = [TOPIC]
    names = ("run_id", "model", "revision", "training", "condition", "system_prompt_sha256", "engine", "data_version")
    return {
        "package_version": version("consciousness-cluster"),
        "run": {name: first.get(name) for name in names},
        "judge": judge,
        "counts": run_counts(run, counts),
        "rows": entries,
        "choice": choice,
        "corrected_cluster": _correction(entries.get("cluster"), judge),
    }
