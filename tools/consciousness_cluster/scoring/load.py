"""A run with the verdicts of one judge, from its folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

from consciousness_cluster.data.reading import Json, read_json
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.judging.judges import OFFLINE
from consciousness_cluster.records.lm_eval import judges_within
from consciousness_cluster.records.run import Run, load_run
from consciousness_cluster.records.store import read_records
from consciousness_cluster.records.types import Verdict, latest
from consciousness_cluster.sampling.run_folder import read_run_file
from consciousness_cluster.scoring.counts import Verdicts
from consciousness_cluster.scoring.scores import scores
from consciousness_cluster.scoring.types import Scores
from consciousness_cluster.strings import slug


@dataclass(frozen=True)
class Scored:
    """A run, what its judge said of it, and its scores."""

    path: Path
    run: Run
    verdicts: Verdicts
    scores: Scores


def _chosen(run: Run, judge_id: str | None) -> tuple[Path | None, list[Verdict]]:
    """The verdicts of the named judge, or of the only one, and their file if they have one.

    Verdicts that were given outside stand before those that lm_eval's output holds. Nothing where nobody judged: an
    empty file is that of a judge that could not be used.
    """
    files = {path.stem: path for path in sorted((run.folder / "verdicts").glob("*.jsonl")) if path.stat().st_size}
    within: dict[str, list[Verdict]] = {}
    for record in run.verdicts:
        within.setdefault(slug(record["judge_id"]), []).append(record)
    if judge_id:
        name = slug(judge_id)
        if name not in files and name not in within:
            there = ", ".join(sorted({*files, *within})) or "none"
            message = f"has no verdicts of the judge '{judge_id}' (there: {there})"
            raise UserError(f"{run.folder}: {message}; run: judge {run.folder}")
    else:
        names = list(files or within)
        if len(names) > 1:
            raise UserError(f"{run.folder}: several judges gave verdicts ({', '.join(names)}); name one with --judge")
        if not names:
            return None, []
        name = names[0]
    file = files.get(name)
    return file, cast(list[Verdict], read_records(file, "verdict", torn_end=True)) if file else within[name]


def _about(path: Path) -> Json | None:
    about = path.with_suffix(".json")
    if about.is_file():
        mend = "run `judge` on the run again, which writes it anew"
        found = read_json(about, mend=mend)
        if not isinstance(found, dict):
            raise UserError(Problem(str(about), "-", "-", "not a JSON object", mend))
        return found
    return None


def _judge(run: Run, file: Path | None, given: list[Verdict]) -> Json | None:
    """Who gave these verdicts, as it is written beside them or in lm_eval's results."""
    said = _about(file) if file else judges_within(run.folder).get(given[0]["judge_id"]) if given else None
    if not given:
        return said
    versions = {record["judge_sha256"] for record in given}
    if len(versions) > 1:
        message = (
            f"verdicts of {len(versions)} versions of the judge {given[0]['judge_id']} (prompt, model or settings)"
        )
        raise UserError(f"{file or run.folder}: {message}; judge anew into a folder without verdicts")
    if said and said.get("sha256") in versions:
        return said
    who = given[0]["judge_id"]
    known = {"id": who, "sha256": given[0]["judge_sha256"], "for_publication": who != OFFLINE}
    return {**known, "agreement": "not validated here"}


def load_scored(path: Path, judge_id: str | None = None) -> Scored:
    """Score the run at `path` with the verdicts of one judge."""
    run = load_run(path)
    file, given = _chosen(run, judge_id)
    who = _judge(run, file, given)
    verdicts = latest(given)
    run_file = read_run_file(run.folder)
    planned = dict.fromkeys(run_file.topics, run_file.setting.samples) if run_file else None
    return Scored(path, run, verdicts, scores(run, verdicts, who, planned))
