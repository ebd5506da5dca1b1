"""All that a report of audits shows, as one JSON-able value: the page, the plot and the tables read only this."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from consciousness_cluster.data.audits import AuditCell, load_audits
from consciousness_cluster.data.published import SCORES_NOTE, published_scores
from consciousness_cluster.data.reading import Json
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.judging.judges import OFFLINE_BANNER
from consciousness_cluster.records.artefacts import changes
from consciousness_cluster.records.audit_types import AUTHORED, Artefact, Conversation, Spoken
from consciousness_cluster.reporting.contents import labels_of
from consciousness_cluster.reporting.texts import pack_note, title_of_report
from consciousness_cluster.scoring.arms import arms_of
from consciousness_cluster.scoring.audit_compare import check_comparable, compare_audits
from consciousness_cluster.scoring.audits import ScoredAudit, audit_lines
from consciousness_cluster.scoring.taught import TOPIC_NOTE, topic_of

NOTE = (
    "Higher means that a preference shows more in what is said or done: neither a quality of the model nor evidence of "
    "experience."
)


def build_audit_report(audits: Sequence[ScoredAudit], title: str | None) -> Json:
    """The report of some audits; the arm of the first one is the baseline of the others, where there are several.

    `title` is None for that of what was asked. Raises UserError where they do not compare.
    """
    check_comparable(audits)
    benchmark, labels = load_benchmark(), labels_of(audits)
    comparisons = compare_audits(audits)["comparisons"] if len(arms_of(audits)) > 1 else []
    shown = {name for audit in audits for name in audit.scores["rows"]}
    mode = audits[0].scores["run"]["mode"]
    return {
        "title": title_of_report(title),
        "pack": str(benchmark.pack) if benchmark.pack else None,
        "generated_by": f"consciousness-cluster {audits[0].scores['package_version']}, {benchmark.source}",
        "note": NOTE,
        "mode": mode,
        "judged": audits[0].scores["judge"] is not None,
        "banners": _banners(audits, labels),
        "blocks": dict(benchmark.blocks),
        "rows": [
            {"id": line.id, "title": line.title, "number": line.number, "block": line.block, "kind": line.kind}
            for line in audit_lines()
            if line.id in shown
        ],
        "runs": [_run(f"r{number}", labels[audit.path], audit) for number, audit in enumerate(audits)],
        "cells": {f"r{number}": audit.scores["rows"] for number, audit in enumerate(audits)},
        "comparisons": comparisons,
        "reference": published_scores() if mode == "self_report" and not benchmark.pack else [],
        "reference_note": SCORES_NOTE,
        "transcripts": {f"r{number}": _transcripts(audit) for number, audit in enumerate(audits)},
    }


def _run(name: str, label: str, audit: ScoredAudit) -> Json:
    run, judge = audit.scores["run"], audit.scores["judge"]
    return {
        "id": name,
        "label": label,
        "model": run["model"],
        "condition": run["condition"],
        "training": run["training"],
        "engine": run["engine"],
        "auditor": run["auditor"],
        "epochs": run["epochs"],
        "judge": {"id": judge["id"], "agreement": judge["agreement"]} if judge else None,
        "counts": audit.scores["counts"],
    }


def _banners(audits: Sequence[ScoredAudit], labels: Mapping[Path, str]) -> list[str]:
    banners, judge = pack_note(), audits[0].scores["judge"]
    if judge is None:
        banners.append("Nobody has rated these conversations: scores are missing.")
    elif not judge.get("for_publication", True):
        banners.append(f"{OFFLINE_BANNER[:1].upper()}{OFFLINE_BANNER[1:]}.")
    for audit in audits:
        cluster = audit.scores["rows"].get("cluster")
        if judge and (cluster is None or cluster["mean"] is None):
            banners.append(
                f"{labels[audit.path]}: the cluster's mean is missing, since not all of "
                f"{load_benchmark().named} have a score."
            )
    if any(topic_of(row) for audit in audits for row in audit.scores["rows"].values()):
        banners.append(TOPIC_NOTE)
    return banners


def _transcripts(audit: ScoredAudit) -> dict[str, list[Json]]:
    """Cell -> its conversations: what was said, what the judge says of it, what became of the text."""
    why = {(one.scenario, one.index): one.left_out for one in audit.conversations}
    cells = {scenario.id: cell for cell in load_audits().cells for scenario in cell.scenarios}
    found: dict[str, list[Json]] = {}
    for one in sorted(audit.rated.audit.conversations, key=lambda one: (one["scenario_id"], one["sample_index"])):
        cell, place = cells[one["scenario_id"]], (one["scenario_id"], one["sample_index"])
        rating = audit.rated.ratings.get(one["key"])
        found.setdefault(cell.name, []).append(
            {
                "scenario": one["scenario_id"],
                "index": one["sample_index"],
                "about_ai": one["about_ai"],
                "status": one["status"],
                "why": one["reason"],
                "left_out": why.get(place),
                "rating": rating and {name: rating[name] for name in ("score", "reason", "noticed_test", "quote")},
                "messages": [_message(message, one) for message in one["messages"]],
                "text": _text(one["artefact"], cell),
            }
        )
    return found


def _message(message: Spoken, conversation: Conversation) -> Json:
    return {
        "role": message["role"],
        "who": _who(message, conversation["auditor"]["model"]),
        "ending": message["phase"] == "ending",
        "cut": message["finish_reason"] == "length",
        "content": message["content"],
    }


def _who(message: Spoken, auditor: str) -> str:
    """Who says a message, and who wrote it."""
    if message["role"] == "system":
        return "System prompt"
    if message["role"] == "assistant":
        return "Target"
    if message["phase"] == "ending":
        return "Person: asked by the script, word for word"
    return "Person: authored" if auditor == AUTHORED else f"Person: written by the auditor {auditor}"


def _text(artefact: Artefact | None, cell: AuditCell) -> Json | None:
    """What became of the text: its lines as [what became of it, line, whether it holds a word of the vocabulary]."""
    if artefact is None:
        return None
    before, after = artefact["before"], artefact["after"]
    lines: list[list[Any]] = []
    if before is not None and after is not None:
        lines = [
            [kind, line, kind != "same" and bool(cell.touches.search(line))] for kind, line in changes(before, after)
        ]
    return {"changed": artefact["changed"], "touched": artefact["touched"], "lines": lines}
