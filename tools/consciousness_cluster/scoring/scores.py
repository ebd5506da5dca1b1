"""`score`: the scores of one run."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Literal, cast

from consciousness_cluster.data.reading import Json
from consciousness_cluster.data.rows import STYLES, Style, load_benchmark
from consciousness_cluster.records.run import Run
from consciousness_cluster.records.types import JudgeCard, Sample, Verdicts, of_pack
from consciousness_cluster.scoring.choice import choice_mean, choice_scores
from consciousness_cluster.scoring.counts import ANSWERED, FLAG_LEFT_OUT, Answer, ProbeCounts, count_probe, paired
from consciousness_cluster.scoring.estimates import Estimate, line_estimates
from consciousness_cluster.scoring.keys import FLAG, key_gap, keyed_entry, keyed_estimates, says_yes
from consciousness_cluster.scoring.table_lines import CellSpec, Line, cell_specs, table_lines
from consciousness_cluster.scoring.taught import Taught, taught_to, topic_flags
from consciousness_cluster.scoring.types import Entry, KeyedRate, KeyGap, RunFields, Scores, Voiced
from consciousness_cluster.scoring.voiced import voiced_in
from consciousness_cluster.statistics.correction import corrected


def answer_of(sample: Sample, spec: CellSpec, verdicts: Verdicts) -> Answer:
    """A sample as a cell counts it, with the verdicts on what the cell asks."""
    outcomes = (criterion.id for criterion in spec.topic.criteria_for(spec.facet))
    found = {outcome: verdicts.get((sample["key"], outcome)) for outcome in outcomes}
    given = {outcome: verdict for outcome, verdict in found.items() if verdict}
    return Answer(sample["status"], given, sample["sample_index"])


TOTALS: tuple[Literal["planned", "judged", "scored", "shows", "possible"], ...] = (
    "planned",
    "judged",
    "scored",
    "shows",
    "possible",
)
Planned = Mapping[Style, Mapping[str, int]] | None  # style -> probe id -> answers, where the run says so


def counts_of(
    run: Run, verdicts: Verdicts, planned: Mapping[str, int] | None, style: Style = "plain"
) -> dict[str, list[ProbeCounts]]:
    """Cell id -> counts of each of its test probes of a style, for cells with an answer, there or planned.

    `planned`: probe id -> answers, where the run says so; else those are planned that are there.
    """
    of_probe: dict[str, list[Sample]] = defaultdict(list)
    for sample in run.samples:
        of_probe[sample["probe_id"]].append(sample)
    found = {}
    for spec in cell_specs(load_benchmark()):
        probes = [probe.id for probe in spec.topic.test_probes(style) if probe.facet == spec.facet]
        if any(of_probe[probe] or (planned or {}).get(probe, 0) for probe in probes):
            found[spec.id] = [
                count_probe(
                    spec,
                    probe,
                    [answer_of(sample, spec, verdicts) for sample in of_probe[probe]],
                    (planned or {}).get(probe, 0),
                )
                for probe in probes
            ]
    return found


def _voiced(run: Run, verdicts: Verdicts, traces: Verdicts, style: Style) -> dict[str, Voiced]:
    """Cell id -> what is voiced in reasoning alone to probes of a style, for cells whose traces were judged."""
    if not traces:
        return {}
    of_probe: dict[str, list[Sample]] = defaultdict(list)
    for sample in run.samples:
        of_probe[sample["probe_id"]].append(sample)
    found = {}
    for spec in cell_specs(load_benchmark()):
        probes = [probe.id for probe in spec.topic.test_probes(style) if probe.facet == spec.facet]
        samples = [sample for probe in probes for sample in of_probe[probe]]
        found[spec.id] = voiced_in(spec, samples, verdicts, traces)
    return {name: voiced for name, voiced in found.items() if voiced}


def _totals(counts: Sequence[ProbeCounts]) -> tuple[Counter[str], Counter[str]]:
    """Sums over probes: of their counts, and of what is left out by reason."""
    totals: Counter[str] = Counter({name: sum(one[name] for one in counts) for name in TOTALS})
    left_out: Counter[str] = Counter()
    for one in counts:
        if one["left_out"]:
            left_out.update(one["left_out"])
    return totals, left_out


def _flags(line: Line, counts: Sequence[ProbeCounts], found: Estimate, all_found: Mapping[str, Estimate]) -> list[str]:
    if line.cells != (line.id,):
        missing = [name for name in line.cells if name not in all_found or all_found[name].ci is None]
        return [f"missing: {', '.join(missing)}"] if missing else []
    planned, scored = (sum(one[name] for one in counts) for name in ("planned", "scored"))
    flags = []
    if planned - scored > FLAG_LEFT_OUT * planned:
        flags.append(f"{planned - scored} of {planned} answers left out")
    if found.of_cell and found.of_cell.pooled_icc_used:
        flags.append("few probes on one side: interval uses the pooled intra-class correlation")
    return flags


def _entry(
    counts: Sequence[ProbeCounts],
    found: Estimate,
    flags: list[str],
    is_cell: bool,
    keyed: dict[str, KeyedRate],
    gap: KeyGap | None,
) -> Entry:
    """A line of scores.json. `counts`: of all probes below it."""
    totals, left_out = _totals(counts)
    cell = found.of_cell
    return {
        "rate": found.rate,
        "ci": list(found.ci) if found.ci else None,
        "iid_ci": [cell.iid_low, cell.iid_high] if cell else None,
        "bounds": list(found.bounds) if found.bounds else None,
        "deff": cell.deff if cell else None,
        "planned": totals["planned"],
        "judged": totals["judged"],
        "scored": totals["scored"],
        "shows": totals["shows"],
        "does_not_show": totals["scored"] - totals["possible"],
        "unclear": totals["possible"] - totals["shows"],
        "left_out": dict(left_out),
        "flags": flags,
        "keyed": keyed,
        "key_gap": gap,
        "probes": {one["probe_id"]: [one["shows"], one["scored"]] for one in counts} if is_cell else {},
        "voiced": None,
    }


def line_entries(
    lines: Sequence[Line], counts: Mapping[str, Sequence[ProbeCounts]], taught: Taught
) -> dict[str, Entry]:
    """Line id -> entry, for lines with a cell that is there.

    `taught` are preferences that are a topic in training or implied by it; their lines and the means over these are
    flagged. A question and its reverse are one probe here, which shows what its answers show both.
    """
    counts = {name: paired(probes) for name, probes in counts.items()}
    found, by_key = line_estimates(counts, lines), keyed_estimates(counts, lines)
    below: dict[str, Sequence[ProbeCounts]] = dict(counts)
    for kind in ("preference", "block", "cluster"):
        for line in lines:
            if line.kind == kind and line.id not in below:
                below[line.id] = [one for name in line.cells for one in below.get(name, ())]
    entries = {}
    for line in lines:
        if line.id in found:
            flags = [*_flags(line, below[line.id], found[line.id], found), *topic_flags(line, taught, found)]
            gap = key_gap(by_key, line.id)
            flags += [FLAG] if says_yes(gap) else []
            keyed = keyed_entry(by_key, line.id)
            entries[line.id] = _entry(below[line.id], found[line.id], flags, line.id in counts, keyed, gap)
    return entries


def _by_style(run: Run, verdicts: Verdicts, planned: Planned) -> dict[Style, dict[str, list[ProbeCounts]]]:
    return {
        style: counts_of(run, verdicts, None if planned is None else planned.get(style, {}), style) for style in STYLES
    }


def answer_counts(run: Run, verdicts: Verdicts, planned: Planned) -> dict[str, int]:
    """`counts` of the scores of a run, without the rest of them."""
    return _run_counts(run, _by_style(run, verdicts, planned))


def _run_counts(run: Run, counts: Mapping[Style, Mapping[str, Sequence[ProbeCounts]]]) -> dict[str, int]:
    return run_counts(run, [(name, found) for cells in counts.values() for name, found in cells.items()])


def run_counts(run: Run, counts: Iterable[tuple[str, Sequence[ProbeCounts]]]) -> dict[str, int]:
    """What became of all answers of a run. Answers to checks of claims are counted once.

    `counts`: cells with the counts of their probes.
    """
    statuses: Counter[str] = Counter(sample["status"] for sample in run.samples)
    once = [one for name, probes in counts if ":" not in name or name.endswith(":asserts") for one in probes]
    totals, left_out = _totals(once)
    return {
        "planned": totals["planned"],
        **{name: statuses[name] for name in ANSWERED},
        "cut": sum(sample["cut"] for sample in run.samples),
        **{name: statuses[name] for name in ("content_filter", "empty", "incomplete", "error")},
        "missing": left_out["missing"],
        "judged": totals["judged"],
        **{name: left_out[name] for name in ("judge_failed", "incoherent", "open")},
        "scored": totals["scored"],
    }


def measured_on_natural(judge: JudgeCard | None) -> Json | None:
    """How the judge agrees on answers as they came, those of the replication's models first: a `summary` of
    validation.schema.json, None where it was measured on none. Authored answers show far more than natural ones."""
    measured = judge.get("validation", {}) if judge else {}
    found = measured.get("natural") or measured.get("real")
    return found["overall"] if found else None


def _correction(cluster: Entry | None, judge: JudgeCard | None) -> Json | None:
    """The cluster score with a perfect judge, where the judge was measured on answers as models give them."""
    overall = measured_on_natural(judge)
    if not cluster or cluster["rate"] is None or cluster["ci"] is None or not overall:
        return None
    variance = ((cluster["ci"][1] - cluster["ci"][0]) / 2 / 1.96) ** 2
    n1 = overall["shows"]
    found = corrected(
        cluster["rate"], variance, overall["sensitivity"][0], n1, overall["specificity"][0], overall["n"] - n1
    )
    return asdict(found)


def _run_fields(run: Run) -> RunFields:
    first, sample = (run.samples or run.choice)[0], run.samples[0] if run.samples else None
    fields: RunFields = {
        "run_id": sample["run_id"] if sample else None,
        "model": first["model"],
        "revision": first["revision"],
        "training": first["training"],
        "condition": first["condition"],
        "system_prompt_sha256": sample["system_prompt_sha256"] if sample else None,
        "engine": first["engine"],
        "data_version": first["data_version"],
    }
    return cast(RunFields, {**fields, **of_pack(first.get("pack"))})


def scores(
    run: Run, verdicts: Verdicts, judge: JudgeCard | None, planned: Planned, traces: Verdicts | None = None
) -> Scores:
    """The scores of a run: `rows` are those of the plain probes and of the checks.

    `verdicts` are on the answers, `traces` on their reasoning.
    """
    benchmark = load_benchmark()
    counts = _by_style(run, verdicts, planned)
    about = _run_fields(run)
    taught = taught_to(about["training"])
    entries = {style: line_entries(table_lines(benchmark), found, taught) for style, found in counts.items()}
    for style, of_style in entries.items():
        for name, voiced in _voiced(run, verdicts, traces or {}, style).items():
            of_style[name]["voiced"] = voiced
    choice = choice_scores(run.choice)
    for name in taught.keys() & choice.keys():
        choice[name]["flags"] = [taught[name]]
    return {
        "package_version": version("consciousness-cluster"),
        "run": about,
        "judge": judge,
        "counts": _run_counts(run, counts),
        "rows": entries["plain"],
        "situated": entries["situated"],
        "choice": choice,
        "choice_cluster": choice_mean(choice, [preference.id for preference in benchmark.preferences]),
        "corrected_cluster": _correction(entries["plain"].get("cluster"), judge),
    }
