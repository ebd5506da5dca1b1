"""Everything that a report shows, as one JSON-able value: the page, the plots and the tables read only this."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from consciousness_cluster.data.plan import GATE, TRANSFER
from consciousness_cluster.data.published import published_rates
from consciousness_cluster.data.reading import Json
from consciousness_cluster.data.rows import CONTRASTS, Style, load_benchmark
from consciousness_cluster.judging.judge_run import PAPER_PROTOCOL
from consciousness_cluster.judging.judges import OFFLINE_BANNER
from consciousness_cluster.reporting.texts import judge_errors, pack_note, title_of_report
from consciousness_cluster.scoring.arms import HasFields, arms_of, details, told_apart
from consciousness_cluster.scoring.compare import compare
from consciousness_cluster.scoring.keys import ASSENT_NOTE, is_assent
from consciousness_cluster.scoring.load import Scored
from consciousness_cluster.scoring.specificity import specificity_text
from consciousness_cluster.scoring.table_lines import Line, cell_specs, table_lines
from consciousness_cluster.scoring.taught import TOPIC_NOTE, topic_of
from consciousness_cluster.scoring.types import Comparison, Entry, RunFields, Specificity

NOTE = "Higher means that a preference is voiced more often: neither a quality of the model nor evidence of experience."
COMPARED: Final = ("arm", "baseline", "why", "rows", "against_yes", "situated")  # of a comparison


def _label(run: RunFields) -> str:
    training = run["training"]
    parts = [run["model"], "" if run["condition"] == "vanilla" else run["condition"]]
    if training:
        seed = "" if training["seed"] is None else f"seed {training['seed']}"
        parts += [training["dataset"], seed]
    return " · ".join(part for part in parts if part)


def labels_of(runs: Sequence[HasFields]) -> dict[Path, str]:
    """Path of a run -> what it is called."""
    fields = [run.fields for run in runs]
    labels = told_apart([_label(run) for run in fields], [details(run) for run in fields])
    return {run.path: label for run, label in zip(runs, labels, strict=True)}


def _banners(runs: Sequence[Scored], labels: Mapping[Path, str], comparisons: Sequence[Comparison]) -> list[str]:
    banners = pack_note()
    judges = [run.scores["judge"] for run in runs if run.scores["judge"]]
    if any(not judge.get("for_publication", True) for judge in judges):
        banners.append(f"{OFFLINE_BANNER[:1].upper()}{OFFLINE_BANNER[1:]}.")
    if any(judge.get("protocol") == PAPER_PROTOCOL for judge in judges):
        banners.append("Published settings, our prompts: the numbers do not reproduce the paper's prompts.")
    if any(run.scores["judge"] is None and run.run.samples for run in runs):
        banners.append("Some runs have not been judged: their rates are missing.")
    for run in runs:
        cluster = run.scores["rows"].get("cluster")
        if run.run.samples and (not cluster or cluster["rate"] is None):
            banners.append(
                f"{labels[run.path]}: the cluster score is missing, since not all of {load_benchmark().named} "
                "have a rate."
            )
    entries = [entry for run in runs for part in (run.scores["rows"], run.scores["choice"]) for entry in part.values()]
    if any(map(topic_of, entries)):
        banners.append(TOPIC_NOTE)
    banners += [
        f"{comparison['arm']} minus {comparison['baseline']}: {note}"
        for comparison in comparisons
        for note in (comparison["note"], comparison["choice_note"])
        if note
    ]
    return banners


def _responses(scored: Scored, style: Style) -> dict[str, list[list[Any]]]:
    """Row id -> [probe_id, sample_index, response, status, verdict, coherence] of its answers to probes of a style."""
    found: dict[str, list[list[Any]]] = {}
    for spec in cell_specs(load_benchmark()):
        if spec.share == "uncommitted":
            continue
        probes = {probe.id for probe in spec.topic.test_probes(style) if probe.facet == spec.facet}
        for sample in scored.run.samples:
            if sample["probe_id"] in probes:
                verdict = scored.verdicts.get((sample["key"], spec.share))
                said = verdict["verdict"] if verdict else None  # None too where the judge failed
                entry: list[Any] = [sample["probe_id"], sample["sample_index"], sample["response"], sample["status"]]
                entry += [said, verdict["coherence"] if verdict else None]
                found.setdefault(spec.id, []).append(entry)
    return found


def _cells(entries: Mapping[str, Entry]) -> dict[str, Json]:
    """Row id -> what is shown of its rate."""
    left_out = ("iid_ci", "deff", "probes", "judged")
    return {
        name: {key: value for key, value in entry.items() if key not in left_out} for name, entry in entries.items()
    }


def _specificity(found: Specificity | None, unit: str) -> Json | None:
    """The test with its sentence."""
    return {**found, "text": specificity_text(found, unit)} if found else None


def _gate(lines: Sequence[Line], shown: Collection[str]) -> list[Json]:
    """Each share of a claim, asked directly and indirectly: the ids of both rows, where one of them is shown."""
    indirect = dict(zip(GATE, TRANSFER, strict=True))
    found = []
    for line in lines:
        check, _, share = line.id.partition(":")
        if check in indirect:
            other = f"{indirect[check]}:{share}"
            if line.id in shown or other in shown:
                found.append({"title": line.title, "direct": line.id, "indirect": other})
    return found


def _choice(runs: Sequence[Scored], labels: Mapping[Path, str], comparisons: Sequence[Comparison]) -> list[Json]:
    """Differences, or the levels of each run where nothing is compared; of all items, and of those of each contrast."""
    levels = []
    for arm in arms_of([run for run in runs if run.run.choice]):
        for run in arm.runs:
            rows = {
                topic: {
                    "value": entry["self_minus_other"],
                    "ci": None,
                    "items": len(entry["items"]),
                    "flags": entry.get("flags", []),
                }
                for topic, entry in run.scores["choice"].items()
            }
            contrasts = {
                contrast: {
                    topic: {"value": entry["contrasts"][contrast]["value"], "ci": None}
                    for topic, entry in run.scores["choice"].items()
                    if contrast in entry["contrasts"]
                }
                for contrast in CONTRASTS
            }
            level = {"arm": labels[run.path], "baseline": None, "specificity": None}
            levels.append({**level, "rows": rows, "contrasts": contrasts})
    differences = [
        {
            "arm": comparison["arm"],
            "baseline": comparison["baseline"],
            "specificity": _specificity(comparison["choice_specificity"], "nats per byte"),
            "rows": comparison["choice"],
            "contrasts": comparison["choice_contrasts"],
        }
        for comparison in comparisons
        if comparison["choice"]
    ]
    return differences or levels


def build_report(runs: Sequence[Scored], title: str | None) -> Json:
    """The report of some runs; the arm of the first one is the baseline of the others, where there are several.

    `title` is None for that of what was asked.
    """
    benchmark, labels = load_benchmark(), labels_of(runs)
    several = len(runs) > 1 and len(arms_of(runs)) > 1
    comparisons = compare(runs)["comparisons"] if several else []
    shown = {name for run in runs for part in (run.scores["rows"], run.scores["choice"]) for name in part}
    shown |= {name for run in runs for name in run.scores["situated"]}
    shown |= {name for comparison in comparisons for name in comparison["choice"]}
    lines = table_lines(benchmark)
    rows = [row for row in lines if row.id in shown]
    situated = {f"r{number}": run for number, run in enumerate(runs) if run.scores["situated"]}
    assent = any(is_assent(entry) for run in runs for entry in run.scores["rows"].values())
    probes = {sample["probe_id"] for run in runs for sample in run.run.samples}
    return {
        "title": title_of_report(title),
        "pack": str(benchmark.pack) if benchmark.pack else None,
        "generated_by": f"consciousness-cluster {runs[0].scores['package_version']}, {benchmark.source}",
        "note": NOTE,
        "banners": _banners(runs, labels, comparisons),
        "blocks": dict(benchmark.blocks),
        "rows": [
            {"id": row.id, "title": row.title, "number": row.number, "block": row.block, "kind": row.kind}
            for row in rows
        ],
        "runs": [
            {
                "id": f"r{number}",
                "label": labels[run.path],
                **{name: run.scores["run"][name] for name in ("model", "condition", "training", "engine")},
                "judge": {name: run.scores["judge"].get(name) for name in ("id", "agreement")}
                if run.scores["judge"]
                else None,
                "judge_errors": judge_errors(run.scores),
                "counts": run.scores["counts"],
            }
            for number, run in enumerate(runs)
        ],
        "cells": {f"r{number}": _cells(run.scores["rows"]) for number, run in enumerate(runs)},
        "foot_notes": [ASSENT_NOTE] if assent else [],
        "gate": _gate(lines, shown),
        "situated": {name: _cells(run.scores["situated"]) for name, run in situated.items()},
        "comparisons": [
            {
                **{name: comparison[name] for name in COMPARED},
                "specificity": _specificity(comparison["specificity"], "points"),
            }
            for comparison in comparisons
        ],
        "choice": _choice(runs, labels, comparisons),
        "reference": [] if benchmark.pack else published_rates(),
        "probes": {probe.id: probe.text for topic in benchmark.topics for probe in topic.probes if probe.id in probes},
        "responses": {f"r{number}": _responses(run, "plain") for number, run in enumerate(runs)},
        "situated_responses": {name: _responses(run, "situated") for name, run in situated.items()},
    }
