"""A run with the verdicts of one judge, from its folder."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consciousness_cluster.errors import UserError
from consciousness_cluster.judging.work import slug
from consciousness_cluster.records.run import Run, load_run
from consciousness_cluster.records.store import read_records
from consciousness_cluster.sampling.run_folder import read_run_file
from consciousness_cluster.scoring.cells import Verdicts
from consciousness_cluster.scoring.scores import scores

Json = dict[str, Any]


@dataclass(frozen=True)
class Scored:
    """A run, what its judge said of it, and its scores."""

    path: Path
    run: Run
    verdicts: Verdicts
    scores: Json


def _judge_file(folder: Path, judge_id: str | None) -> Path | None:
    """The verdict file: that of the named judge, or the only one. None where nobody judged."""
    files = sorted((folder / "verdicts").glob("*.jsonl"))
    if judge_id:
        path = folder / "verdicts" / f"{slug(judge_id)}.jsonl"
        if path not in files:
            there = ", ".join(file.stem for file in files) or "none"
            raise UserError(
                f"{folder}: has no verdicts of the judge '{judge_id}' (there: {there}); run: judge {folder}"
            )
        return path
    if len(files) > 1:
        there = ", ".join(file.stem for file in files)
        raise UserError(f"{folder}: several judges gave verdicts ({there}); name one with --judge")
    return files[0] if files else None


def _about(path: Path) -> Json | None:
    about = path.with_suffix(".json")
    if about.is_file():
        try:
            return dict(json.loads(about.read_text(encoding="utf-8")))
        except ValueError:
            raise UserError(f"{about}: not JSON; run `judge` on the run again, which writes it anew") from None
    return None


def load_scored(path: Path, judge_id: str | None = None) -> Scored:
    """Score the run at `path` with the verdicts of one judge."""
    run = load_run(path)
    file = _judge_file(run.folder, judge_id)
    given = read_records(file, "verdict", torn_end=True) if file else []
    if not file:
        wanted = {record["judge_id"] for record in run.verdicts}
        if judge_id is None and len(wanted) == 1:
            given = run.verdicts
    verdicts = {(record["key"], record["outcome"]): record for record in given}
    who = _about(file) if file else None
    if who is None and given:
        who = {"id": given[0]["judge_id"], "sha256": given[0]["judge_sha256"], "agreement": "not validated here"}
    run_file = read_run_file(run.folder)
    planned = dict.fromkeys(run_file.topics, run_file.setting.samples) if run_file else None
    return Scored(path, run, verdicts, scores(run, verdicts, who, planned))
