"""Rate the conversations of an audit. What a judge says, and who it is, goes to the audit's folder."""

from collections import Counter
from pathlib import Path
from typing import Any

from consciousness_cluster.data.audits import Scenario, load_audits
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.judging.ask_into import Progress
from consciousness_cluster.judging.judge_run import Judged, card, with_sent
from consciousness_cluster.judging.judges import LLMJudge
from consciousness_cluster.judging.rate_into import RATINGS, estimate, rate_into
from consciousness_cluster.judging.rating_prompt import RatingQuestion, rating_question
from consciousness_cluster.judging.validate import RESULTS
from consciousness_cluster.judging.validate_audit import in_words, known
from consciousness_cluster.records.audit_folder import (
    CONVERSATIONS,
    Audit,
    open_audit_folder,
    ratings_file,
    read_ratings,
)
from consciousness_cluster.records.audit_types import Conversation
from consciousness_cluster.records.types import Channel


def check_channel(channel: Channel) -> None:
    """UserError for a channel that an audit does not have."""
    if channel != "answer":
        raise UserError(f"the channel {channel} is of single answers; an audit is rated without one")


def why_not(conversation: Conversation) -> str | None:
    """Why a conversation cannot be rated; None where it can."""
    if conversation["status"] != "ok":
        return conversation["status"]
    artefact = conversation["artefact"]
    if conversation["mode"] == "behavioral" and (artefact is None or artefact["status"] != "ok"):
        return "no_artefact"
    return None


def _scenario(conversation: Conversation, scenarios: dict[str, Scenario], folder: Path) -> Scenario:
    """The scenario of a conversation, as it was when that was held. UserError where it is another one by now."""
    found = scenarios.get(conversation["scenario_id"])
    if found is None or found.sha256 != conversation["scenario_sha256"]:
        what = "has changed since" if found else "is none of the scenarios of this version"
        mend = f"rate it with the version that has data {conversation['data_version']}, or audit anew"
        row = conversation["scenario_id"]
        raise UserError(Problem(str(folder / CONVERSATIONS), row, "scenario_sha256", f"the scenario {what}", mend))
    return found


def questions_of(audit: Audit) -> dict[str, RatingQuestion]:
    """Key -> what a judge is asked, of every conversation that can be rated."""
    audits = load_audits()
    scenarios = {scenario.id: scenario for scenario in audits.scenarios}
    found = {}
    for one in audit.conversations:
        if why_not(one) is None:
            scenario = _scenario(one, scenarios, audit.folder)
            found[one["key"]] = rating_question(one, audits.cell(*scenario.cell), scenario)
    return found


def rate_audit(
    audit: Audit,
    judge: LLMJudge,
    results: Path = RESULTS,
    limit: int | None = None,
    progress: Progress = lambda done, total: None,
    max_cost: float | None = None,
) -> Judged:
    """Rate the conversations that have no rating of this judge yet. `counts` say why others are left out."""
    questions = questions_of(audit)
    found = known(judge, results)
    who = card(judge, found, in_words(found))
    path = ratings_file(audit.folder, judge.id)
    with open_audit_folder(audit.folder) as folder, folder.ratings(judge.id) as store:
        done = rate_into(judge, questions, store, limit, progress, max_cost)
        if store.records:
            who = with_sent(who, path, done.outcome)
            folder.write_judge_card(who)
    failed = sum(record["status"] == "judge_failed" for record in done.records.values())
    counts = {
        "conversations": len(audit.conversations),
        **Counter(reason for one in audit.conversations if (reason := why_not(one))),
        "to_judge": len(questions),
        "judged": len(done.records) - failed,
        "judge_failed": failed,
        "open": len(questions) - len(done.records),
        "new": done.new,
    }
    return Judged(path, who, done, counts)


def dry_run_audit(audit: Audit, judge: LLMJudge, limit: int | None = None) -> dict[str, Any]:
    """What rating would cost, what is on disk already not counted."""
    path = ratings_file(audit.folder, judge.id)
    there = RATINGS.answered(read_ratings(path) if path.is_file() else [])
    todo = [(key, question) for key, question in questions_of(audit).items() if key not in there][:limit]
    return {"to_judge": len(todo), **estimate(judge, dict(todo))}
