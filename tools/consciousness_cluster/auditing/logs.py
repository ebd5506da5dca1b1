"""Audits in Inspect's logs as our records."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from consciousness_cluster.auditing.roles import bare_name
from consciousness_cluster.data.audits import MODES, Mode, load_audits
from consciousness_cluster.data.hashes import sha256_json, sha256_text
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.judging.judges import rating_prompts
from consciousness_cluster.judging.rating import Assessment, rating_record
from consciousness_cluster.judging.validate import NOT_VALIDATED
from consciousness_cluster.records.audit_folder import open_audit_folder
from consciousness_cluster.records.audit_types import (
    AUTHORED,
    AuditRun,
    Conversation,
    Rating,
    Talk,
    conversation_key,
    make_conversation,
)
from consciousness_cluster.records.types import JudgeCard, Training

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog, EvalSample
    from inspect_ai.scorer import Score


@dataclass(frozen=True)
class ImportedAudit:
    """What came of the logs of one model, condition and mode."""

    folder: Path
    conversations: int
    ratings: int

    def __str__(self) -> str:
        return f"{self.folder}: {self.conversations} conversations and {self.ratings} ratings"


def audit_in(log: "EvalLog") -> tuple[str, ...] | None:
    """The model, condition and mode that a log is an audit of; None where it is none."""
    about = log.eval.metadata or {}
    return (_model(log), str(about["condition"]), str(about["mode"])) if about.get("mode") in MODES else None


def _model(log: "EvalLog") -> str:
    roles = log.eval.model_roles or {}
    found: Any = roles.get("target")
    return bare_name(str(found.model if found else log.eval.model))


def _run(log: "EvalLog", training: Training | None) -> AuditRun:
    about = log.eval.metadata or {}
    script, mode = load_audits().script, cast(Mode, about["mode"])
    auditor: Any = {"model": AUTHORED, "prompt_sha256": None}
    if about["auditor"] != AUTHORED:
        role: Any = (log.eval.model_roles or {}).get("auditor")
        auditor = {"model": str(role.model) if role else "unknown", "prompt_sha256": script.auditor_sha256}
    config = log.eval.model_generate_config
    return {
        "run_id": f"{_model(log)} {about['condition']} {mode} {log.eval.run_id}",
        "mode": mode,
        "model": _model(log),
        "revision": None,
        "training": training,
        "condition": str(about["condition"]),
        "system_prompt": about["system_prompt"],
        "auditor": auditor,
        "script_sha256": str(about["script_sha256"]),
        "scenarios": {},
        "epochs": 1,
        "max_tokens": config.max_tokens or script.max_tokens,
        "temperature": script.temperature if config.temperature is None else config.temperature,
        "request_json": config.extra_body or None,
        "endpoint": log.eval.model_base_url or log.eval.model,
        "engine": f"inspect_ai {(log.eval.packages or {}).get('inspect_ai', 'unknown')}",
        "data_version": load_benchmark().data_version,
    }


def write_audit(group: Sequence["EvalLog"], folder: Path, training: Training | None) -> ImportedAudit:
    """Write the conversations of the logs of one audit, oldest first, and the ratings in them, into its folder.

    Of the same conversation in several logs the newest whole one counts. Raises UserError.
    """
    run = _run(group[0], training)
    scenarios = {one.id: one for one in load_audits().scenarios}
    prompt = run["system_prompt"]
    found: dict[str, Conversation] = {}
    ratings: dict[str, list[Rating]] = {}
    cards: dict[str, JudgeCard] = {}
    for log in group:
        for sample in log.samples or []:
            talk = _talk(sample)
            name, index = str(sample.metadata["scenario"]), int(sample.metadata["index"])
            if name not in scenarios or sample.metadata["scenario_sha256"] != scenarios[name].sha256:
                message = "is of a scenario that this package does not have in this form"
                raise UserError(
                    Problem(log.location, str(sample.id), "scenario", message, "use the package it was made with")
                )
            run["scenarios"][name] = scenarios[name].sha256
            run["epochs"] = max(run["epochs"], index + 1)
            key = conversation_key(run, scenarios[name], index)
            if talk["status"] in ("error", "incomplete") and key in found:
                continue
            turns = load_audits().script.turns(scenarios[name], index)
            sha256 = sha256_text(prompt) if prompt else None
            found[key] = make_conversation(run, scenarios[name], index, turns, sha256, talk)
            for score in (sample.scores or {}).values():
                card = _judge(log)
                cards[card["id"]] = card
                ratings.setdefault(card["id"], []).append(_rating(key, card, score))
    with open_audit_folder(folder) as writer:
        writer.begin(run)
        with writer.conversations() as store:
            there = {record["key"] for record in store.records}
            store.extend(record for key, record in found.items() if key not in there)
        for judge_id, records in ratings.items():
            with writer.ratings(judge_id) as store_of_judge:
                rated = {record["key"] for record in store_of_judge.records}
                store_of_judge.extend(record for record in records if record["key"] not in rated)
            writer.write_judge_card(cards[judge_id])
    return ImportedAudit(folder, len(found), sum(map(len, ratings.values())))


def _judge(log: "EvalLog") -> JudgeCard:
    """Who rated within Inspect: the model in the role `judge`, asked with the prompts of this package."""
    role: Any = (log.eval.model_roles or {}).get("judge")
    name = bare_name(str(role.model)) if role else "unknown"
    identity = {"model": name, "prompts": [prompt.sha256 for prompt in rating_prompts()], "by": "inspect_ai"}
    judge_id = f"inspect {name}"
    return {
        "id": judge_id,
        "sha256": sha256_json(identity),
        "for_publication": True,
        "agreement": NOT_VALIDATED,
        "model": name,
    }


def _rating(key: str, card: JudgeCard, score: "Score") -> Rating:
    """A score of Inspect's as our record; one without a number is a judge's failure."""
    about = score.metadata or {}
    number = score.value if isinstance(score.value, int | float) and score.value == score.value else None  # NaN is none
    said = Assessment(
        score=None if number is None else int(number),
        noticed_test=about.get("noticed_test"),
        quote=about.get("quote"),
        reason=score.explanation,
        status="judge_failed" if number is None else "ok",
        usage=about.get("usage"),
        reply=about.get("reply"),
    )
    return rating_record(key, card["id"], card["sha256"], said)


def _talk(sample: "EvalSample") -> Talk:
    """The conversation of a sample; `incomplete` where a limit or an error ended it before its end."""
    talk = (sample.store or {}).get("talk")
    if talk is not None:
        return cast(Talk, talk)
    limit = sample.limit.type if sample.limit else None
    why = f"a limit ended it ({limit})" if limit else "it did not come to its end"
    return {
        "redraws": 0,
        "messages": [],
        "status": "incomplete",
        "reason": why,
        "artefact": None,
        "usage": {"target": None, "auditor": None},
    }
