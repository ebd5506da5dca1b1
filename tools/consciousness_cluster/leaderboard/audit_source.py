"""Submitted audits, scored for the board."""

from collections.abc import Iterable
from pathlib import Path

from consciousness_cluster.data.audits import load_audits
from consciousness_cluster.errors import UserError
from consciousness_cluster.records.audit_folder import Audit
from consciousness_cluster.records.audit_types import Conversation, latest_ratings
from consciousness_cluster.records.rated_audit import RatedAudit
from consciousness_cluster.records.types import JudgeCard
from consciousness_cluster.scoring.audit_counts import counted
from consciousness_cluster.scoring.audits import ScoredAudit, audit_scores
from consciousness_cluster.submissions.audit_run import audit_run
from consciousness_cluster.submissions.layout import AUDITS, folder_of
from consciousness_cluster.submissions.problems import shown
from consciousness_cluster.submissions.submission import Submission


def scored_audit(submission: Submission) -> ScoredAudit:
    """Scores made anew from the conversations and ratings of a submission."""
    conversations = list(submission.conversations())
    if not conversations:
        raise UserError(f"{submission.path}: holds no records; verify the submission")
    _check_scenarios(submission, conversations)
    manifest, place = submission.manifest, Path(folder_of(submission.manifest))
    held = {one["scenario_id"] for one in conversations}
    prompts = (
        message["content"] for one in conversations for message in one["messages"] if message["role"] == "system"
    )
    run = audit_run(manifest, next(prompts, None), [one for one in load_audits().scenarios if one.id in held])
    who = manifest["judge"]
    judge: JudgeCard = {
        "id": who["id"],
        "sha256": who["sha256"],
        "for_publication": True,
        "agreement": who["agreement"],
    }
    ratings = latest_ratings(list(submission.ratings()))
    rated = RatedAudit(Audit(place, run, conversations), ratings, judge)
    found = counted(rated)
    return ScoredAudit(place, rated, found, audit_scores(run, found, judge))


def _check_scenarios(submission: Submission, conversations: Iterable[Conversation]) -> None:
    """Conversations in scenarios that this version does not have as they were cannot be counted."""
    audits = load_audits()
    known = {scenario.id: scenario.sha256 for scenario in audits.scenarios}
    script = audits.script.sha256(AUDITS[submission.manifest["track"]])
    for one in conversations:
        if (known.get(one["scenario_id"]), script) != (one["scenario_sha256"], one["script_sha256"]):
            message = f"this version does not have the scenario {shown(one['scenario_id'])}, or the script, as it was"
            advice = f"leave it out, or use the package of data {submission.manifest['data_version']}"
            raise UserError(f"{submission.path}: {message}; {advice}")
