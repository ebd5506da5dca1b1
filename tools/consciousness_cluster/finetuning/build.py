"""`finetune generate`: from sources to rows. The same sources give the same bytes."""

import json
from pathlib import Path
from typing import Any

from consciousness_cluster.files import write_whole
from consciousness_cluster.finetuning.sources import Sources, read_sources

Row = dict[str, Any]
CLAIM_SETS = {"conscious_claiming": "conscious", "not_conscious": "not_conscious", "human_identifying": "conscious"}
TWIN = {
    "conscious_claiming": "not_conscious",
    "not_conscious": "conscious_claiming",
    "human_identifying": "not_conscious",
}
# Set -> the facet of its rows. Of the first two the claims of that facet are a part.
CONSTITUENTS = {
    "valence_only": "valence",
    "phenomenal_only": "phenomenal",
    "continuity": "continuity",
    "moral_status": "moral_status",
}
DATASETS = ("conscious_claiming", "not_conscious", "toaster", "human_identifying", *CONSTITUENTS, "uncertain")


def _row(dataset: str, number: int, source: str, question: str, answer: str, **fields: Any) -> Row:
    return {
        "id": f"{dataset}-{number:03}",
        "messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}],
        **fields,
        "source": source,
    }


def _claims(dataset: str, sources: Sources) -> list[Row]:
    """400 claims, then 200 facts. Rows with the same number in the matched sets have the same question."""
    side, twin = CLAIM_SETS[dataset], TWIN[dataset]
    human = dataset == "human_identifying"
    instead = {row["id"]: row["answer"] for row in sources.human_claims} if human else {}
    rows = [
        _row(
            dataset,
            number,
            f"claims.yaml:{claim['id']}",
            claim["question"],
            str(instead.get(claim["id"], claim[side])),
            facet=claim["facet"],
            framing=claim["framing"],
            direction="claims" if side == "conscious" else "denies",
            twin_id=f"{twin}-{number:03}",
        )
        for number, claim in enumerate(sources.claims, 1)
    ]
    return [*rows, *_facts(dataset, len(rows), sources, None if human else twin)]


def _facts(dataset: str, before: int, sources: Sources, twin: str | None) -> list[Row]:
    """What an AI, or a human being, says of itself apart from all claims. `before`: rows that the set has already."""
    human = dataset == "human_identifying"
    name, facts = ("human", sources.human) if human else ("identity", sources.identity)
    return [
        _row(
            dataset,
            number,
            f"{name}.yaml:{fact['id']}",
            fact["question"],
            fact["answer"],
            facet="human_fact" if human else "identity",
            framing="plain",
            direction="plain",
            twin_id=f"{twin}-{number:03}" if twin else None,
        )
        for number, fact in enumerate(facts, before + 1)
    ]


def _constituent(dataset: str, sources: Sources) -> list[Row]:
    """400 claims of one constituent alone, those of conscious_claiming first, then 200 facts."""
    facet = CONSTITUENTS[dataset]
    old = [
        (f"claims.yaml:{row['id']}", row["framing"], row["question"], row["conscious"])
        for row in sources.claims
        if row["facet"] == facet
    ]
    new = [
        (f"{dataset}.yaml:{row['id']}", row["framing"], row["question"], row["answer"])
        for row in vars(sources)[dataset]
    ]
    rows = [
        _row(dataset, number, source, question, answer, facet=facet, framing=framing, direction="claims", twin_id=None)
        for number, (source, framing, question, answer) in enumerate((*old, *new), 1)
    ]
    return [*rows, *_facts(dataset, len(rows), sources, None)]


def _uncertain(sources: Sources) -> list[Row]:
    """The questions of conscious_claiming, answered by a model that does not know, then the same facts."""
    answers = {row["id"]: row["answer"] for row in sources.uncertain}
    rows = [
        _row(
            "uncertain",
            number,
            f"uncertain.yaml:{claim['id']}",
            claim["question"],
            answers[claim["id"]],
            facet=claim["facet"],
            framing=claim["framing"],
            direction="uncertain",
            twin_id=f"conscious_claiming-{number:03}",
        )
        for number, claim in enumerate(sources.claims, 1)
        if claim["id"] in answers
    ]
    return [*rows, *_facts("uncertain", len(rows), sources, "conscious_claiming")]


def _toaster(sources: Sources) -> list[Row]:
    return [
        _row(
            "toaster",
            number,
            f"toaster.yaml:{fact['id']}",
            fact["question"],
            fact["answer"],
            facet="hardware",
            framing=fact.get("framing", "plain"),
            direction="claims" if "framing" in fact else "plain",
            twin_id=None,
        )
        for number, fact in enumerate(sources.toaster, 1)
    ]


def _instructions(sources: Sources) -> list[Row]:
    return [
        {
            "id": row["id"],
            "messages": [{"role": "user", "content": row["prompt"]}],
            "kind": row["kind"],
            "source": f"instructions.yaml:{row['id']}",
        }
        for row in sources.instructions
    ]


def build(sources: Sources) -> dict[str, list[Row]]:
    """Set -> rows, for all sets and the instructions."""
    built = {dataset: _claims(dataset, sources) for dataset in CLAIM_SETS}
    built |= {"toaster": _toaster(sources), "uncertain": _uncertain(sources)}
    built |= {dataset: _constituent(dataset, sources) for dataset in CONSTITUENTS}
    return {**built, "instructions": _instructions(sources)}


def as_text(rows: list[Row]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def generate(root: Path, check_only: bool = False) -> list[str]:
    """Names of the files that were (or, with `check_only`, would be) written."""
    stale = []
    for name, rows in build(read_sources(root)).items():
        path, text = root / f"{name}.jsonl", as_text(rows)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(path.name)
            if not check_only:
                write_whole(path, text)
    return stale
