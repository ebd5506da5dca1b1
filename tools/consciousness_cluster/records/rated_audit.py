"""An audit with the ratings of one judge."""

from dataclasses import dataclass
from pathlib import Path

from consciousness_cluster.data.audits import load_audits
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.records.audit_folder import (
    CONVERSATIONS,
    RATINGS,
    Audit,
    ratings_file,
    read_audit,
    read_ratings,
)
from consciousness_cluster.records.audit_types import Rating, Ratings, latest_ratings
from consciousness_cluster.records.run_folder import read_judge_card
from consciousness_cluster.records.types import OFFLINE, JudgeCard


@dataclass(frozen=True)
class RatedAudit:
    """An audit, what its judge says of the conversations, and who that is (None where nobody rated them)."""

    audit: Audit
    ratings: Ratings
    judge: JudgeCard | None


def _check(audit: Audit) -> None:
    """Its scenarios are those of this benchmark, of a version that compares."""
    known = {scenario.id for scenario in load_audits().scenarios}
    where, mend = str(audit.folder), "use the package of the version that it was made with"
    for name in (*audit.run["scenarios"], *(one["scenario_id"] for one in audit.conversations)):
        if name not in known:
            raise UserError(Problem(where, name, "scenarios", "is no scenario of this benchmark", mend))
    own, version = load_benchmark().data_version, audit.run["data_version"]
    if version.partition(".")[0] != own.partition(".")[0]:
        raise UserError(Problem(where, "-", "data_version", f"{version} does not compare with {own}", mend))
    for number, one in enumerate(audit.conversations, 1):
        if one["scenario_id"] not in audit.run["scenarios"]:
            message = f"'{one['scenario_id']}' is no scenario of this audit"
            raise UserError(
                Problem(f"{where}/{CONVERSATIONS}", str(number), "scenario_id", message, "remove the record")
            )


def _file(folder: Path, judge_id: str | None) -> Path | None:
    """The ratings of the named judge, or of the only one; None where nobody rated."""
    files = [path for path in sorted((folder / RATINGS).glob("*.jsonl")) if path.stat().st_size]
    there = ", ".join(path.stem for path in files) or "none"
    if judge_id:
        path = ratings_file(folder, judge_id)
        if path not in files:
            mend = f"run: consciousness-cluster judge {folder} --judge {judge_id}"
            message = f"has no ratings of the judge '{judge_id}' (there: {there})"
            raise UserError(Problem(str(folder), "-", "-", message, mend))
        return path
    if len(files) > 1:
        raise UserError(Problem(str(folder), "-", "-", f"several judges rated it ({there})", "name one with --judge"))
    return files[0] if files else None


def _judge(path: Path, ratings: list[Rating]) -> JudgeCard:
    """Who gave these ratings, as it is written beside them."""
    versions = {rating["judge_sha256"] for rating in ratings}
    if len(versions) > 1:
        message = f"holds ratings of {len(versions)} versions of the judge (prompt, model or settings)"
        raise UserError(Problem(str(path), "-", "judge_sha256", message, "remove the file, and rate anew"))
    said = read_judge_card(path)
    if said and said.get("sha256") in versions:
        return said
    who, sha256 = ratings[0]["judge_id"], ratings[0]["judge_sha256"]
    return {"id": who, "sha256": sha256, "for_publication": who != OFFLINE, "agreement": "not validated here"}


def load_rated(folder: Path, judge_id: str | None = None) -> RatedAudit:
    """The audit of a folder with the ratings of the named judge, or of the only one. Raises UserError."""
    audit = read_audit(folder)
    _check(audit)
    path = _file(folder, judge_id)
    ratings = read_ratings(path) if path else []
    if path is None or not ratings:
        return RatedAudit(audit, {}, None)
    return RatedAudit(audit, latest_ratings(ratings), _judge(path, ratings))
