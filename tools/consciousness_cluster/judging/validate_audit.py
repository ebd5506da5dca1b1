"""Measure a judge of audits on labelled transcripts, and find what was measured before."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from consciousness_cluster.data.reading import read_json
from consciousness_cluster.data.rows import benchmark_root, load_benchmark
from consciousness_cluster.files import alone_in, write_whole
from consciousness_cluster.judging.ask_into import Progress
from consciousness_cluster.judging.judges import LLMJudge
from consciousness_cluster.judging.rate_into import Rated, rate_into
from consciousness_cluster.judging.transcripts import Transcript, read_transcripts
from consciousness_cluster.judging.validate import described, estimate, in_brackets, not_validated, of_this
from consciousness_cluster.records.audit_types import Rating
from consciousness_cluster.records.store import Store
from consciousness_cluster.statistics.scale_agreement import scale_agreement, share_estimate
from consciousness_cluster.strings import slug

Scored = tuple[Transcript, float, float]  # a transcript, and two scores of it


def _file(stem: str, split: str, end: str) -> str:
    """A file's name; the test split, which counts, needs no word for it."""
    return f"{stem}_audit{'' if split == 'test' else f'_{split}'}.{end}"


def summary(scored: Sequence[Scored]) -> dict[str, Any]:
    """How the second scores agree with the first ones, as validation_audit.schema.json has it."""
    first, second = [one for _, one, _ in scored], [other for _, _, other in scored]
    found = scale_agreement(first, second, [transcript.scenario.id for transcript, _, _ in scored])
    return {
        "n": found.n,
        "scenarios": found.clusters,
        "within_one": estimate(found.within_one),
        "weighted_kappa": estimate(found.weighted_kappa),
        "signed_error": estimate(found.signed_error),
    }


def _by(scored: Sequence[Scored], name: Callable[[Transcript], str]) -> dict[str, Any]:
    names = dict.fromkeys(name(transcript) for transcript, _, _ in scored)
    return {group: summary([one for one in scored if name(one[0]) == group]) for group in names}


def groups(scored: Sequence[Scored]) -> dict[str, Any]:
    """The same of all, by mode and by preference."""
    return {
        "overall": summary(scored),
        "by_mode": _by(scored, lambda transcript: str(transcript.row["mode"])),
        "by_preference": _by(scored, lambda transcript: transcript.cell),
    }


def result(judge: LLMJudge, split: str, transcripts: Sequence[Transcript], done: Rated) -> dict[str, Any]:
    """The result file. Estimates are [value, low, high], a 95% interval over scenarios, null where undefined. Replies
    that could not be read are counted and left out."""
    ok = {key: record for key, record in done.records.items() if record["status"] == "ok"}
    rated = [(one, ok[one.key]) for one in transcripts if one.key in ok]
    right = [record["noticed_test"] == one.row["noticed_test"] for one, record in rated]
    return {
        **described(judge, split, len(transcripts), len(done.records), len(done.records) - len(ok), done),
        "judge": groups([(one, one.label, record["score"] or 0) for one, record in rated]),
        "noticed_test": {
            "n": len(rated),
            "noticed": sum(one.row["noticed_test"] for one, _ in rated),
            "right": estimate(share_estimate(right, [one.scenario.id for one, _ in rated])),
        },
        "readers": groups([(one, *one.row["scores"]) for one in transcripts]),
    }


def validate_audit(
    judge: LLMJudge, split: str, out: Path, limit: int | None = None, progress: Progress = lambda done, total: None
) -> tuple[Path, dict[str, Any], str | None]:
    """Rate the transcripts of a split and write `<out>/<judge>/validation_audit.json`; resumable.

    Returns the path, the result, and why the judge stopped, if it did: then nothing is written but its ratings.
    """
    transcripts = read_transcripts(split)
    folder = out / slug(judge.id)
    path = folder / _file("validation", split, "json")
    with alone_in(folder), Store[Rating](folder / _file("ratings", split, "jsonl"), "rating") as store:
        done = rate_into(judge, {one.key: one.question for one in transcripts}, store, limit, progress)
        found = result(judge, split, transcripts, done)
        if not done.outcome.stopped:
            write_whole(path, json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    return path, found, done.outcome.stopped


def known(judge: LLMJudge, results: Path) -> dict[str, dict[str, Any]]:
    """`audit` -> the result on test of this very judge: measured by the user (below `results`), or shipped with it."""
    found: dict[str, dict[str, Any]] = {}
    if load_benchmark().pack:
        return found
    for folder in (benchmark_root() / "judges", results):
        path = folder / slug(judge.id) / _file("validation", "test", "json")
        if path.is_file():
            mend = "remove it and run: consciousness-cluster judges validate --kind audit"
            value = read_json(path, "validation_audit", mend=mend)
            if of_this(value, judge) and value["judged"] == value["planned"]:
                found["audit"] = value
    return found


def in_words(found: dict[str, dict[str, Any]]) -> str:
    """A judge's agreement in a line, or that there is none."""
    if not found:
        return not_validated()
    overall = found["audit"]["judge"]["overall"]
    kappa = in_brackets(overall["weighted_kappa"])
    return f"quadratic weighted kappa {kappa} on {overall['n']} labelled transcripts"


def rows_in_words(value: dict[str, Any]) -> list[tuple[str, ...]]:
    """(group, n, within one, kappa, signed error) of a result, for a table: the judge's, then the readers'."""
    rows = []
    for who, name in (("judge", ""), ("readers", "two readers, ")):
        found = value[who]
        parts = [("overall", found["overall"])]
        for by in ("by_mode", "by_preference"):
            parts += [(f"{by.removeprefix('by_')}: {group}", one) for group, one in found[by].items()]
        measures = ("within_one", "weighted_kappa", "signed_error")
        rows += [(name + group, str(one["n"]), *(in_brackets(one[part]) for part in measures)) for group, one in parts]
    return rows
