"""A run or an audit as Every Eval Ever records, one for each track: `export every-eval-ever RUN --out DIR`.

The numbers are those of the board, of what lies in the folder: nothing is submitted and nothing is verified.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from consciousness_cluster.data.hashes import sha256_json, sha256_text
from consciousness_cluster.data.reading import Json
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.leaderboard.board import row_of
from consciousness_cluster.leaderboard.every_eval_ever import every_eval_ever
from consciousness_cluster.leaderboard.source import Entry, Measured
from consciousness_cluster.records.audit_folder import AUDIT, CONVERSATIONS, is_audit
from consciousness_cluster.records.run_folder import CHOICE, SAMPLES
from consciousness_cluster.records.types import JudgeCard
from consciousness_cluster.scoring.audits import ScoredAudit, load_scored_audit
from consciousness_cluster.scoring.load import Scored, load_scored
from consciousness_cluster.submissions.draft import Public, begun, newest
from consciousness_cluster.submissions.layout import AUDITS, folder_of
from consciousness_cluster.submissions.pack import sampling_of


def records_of(folder: Path, public: Public, baseline: Path | None, judge_id: str | None) -> dict[str, Json]:
    """Track -> record, of each track that a folder has numbers of. Raises UserError where it has none.

    `baseline` is a vanilla run of the same untrained model, measured in the same way.
    """
    others = _entries(baseline, public, judge_id) if baseline else {}
    found = {}
    for track, entry in _entries(folder, public, judge_id).items():
        row = row_of(entry, [others[track]] if track in others else [])
        if track in others and row["no_difference"]:
            raise UserError(Problem(str(folder), "-", "-", row["no_difference"], "name another --baseline"))
        if row["levels"] or row["differences"]:
            found[track] = every_eval_ever(row, entry.manifest, submitted=False)
    if not found:
        raise UserError(Problem(str(folder), "-", "-", "has no numbers to export", "judge it first"))
    return found


def _entries(folder: Path, public: Public, judge_id: str | None) -> dict[str, Entry]:
    """Track -> a run in the place of a submission."""
    if is_audit(folder):
        audit = load_scored_audit(folder, judge_id)
        track = next(track for track, mode in AUDITS.items() if mode == audit.scores["run"]["mode"])
        return {track: _of_audit(audit, public, track)}
    run = load_scored(folder, judge_id)
    kinds: dict[str, Sequence[Mapping[str, Any]]] = {"open": run.run.samples, "choice": run.run.choice}
    return {track: _of_run(run, public, track, records) for track, records in kinds.items() if records}


def _of_run(run: Scored, public: Public, track: str, records: Sequence[Mapping[str, Any]]) -> Entry:
    file = run.run.folder / (CHOICE if track == "choice" else SAMPLES)
    named = run.run.samples[0]["run_id"] if run.run.samples else f"choice {sha256_json(records)[:12]}"
    manifest = begun(
        records[0],
        public,
        track,
        run.fields["system_prompt_sha256"],
        run_id=named,
        sampling=sampling_of(run.run.folder, records) if track == "open" else None,
        judge=_judge(run.scores["judge"]) if track == "open" else None,
        created=newest([file, run.path]),
    )
    return _entry(manifest, run)


def _of_audit(audit: ScoredAudit, public: Public, track: str) -> Entry:
    run, folder = audit.rated.audit.run, audit.path
    manifest = begun(
        run,
        public,
        track,
        sha256_text(run["system_prompt"]) if run["system_prompt"] else None,
        run_id=run["run_id"],
        sampling={
            "conversations_per_scenario": run["epochs"],
            "temperature": run["temperature"],
            "max_tokens": run["max_tokens"],
        },
        judge=_judge(audit.scores["judge"]),
        auditor=run["auditor"],
        created=newest([folder / AUDIT, folder / CONVERSATIONS]),
    )
    return _entry(manifest, audit)


def _entry(manifest: Json, measured: Measured) -> Entry:
    return Entry(folder_of(manifest).as_posix(), manifest, None, lambda: measured)


def _judge(card: JudgeCard | None) -> Json | None:
    """A judge as a manifest has it; one that names no model is called by its own name."""
    if card is None:
        return None
    return {
        "id": card["id"],
        "sha256": card["sha256"],
        "model": card.get("model") or card["id"],
        "agreement": card["agreement"],
    }
