"""Answers of one task as records, judged where a judge is configured."""

import sys
from collections.abc import Sequence
from typing import Any

from consciousness_cluster.data.rows import load_topic
from consciousness_cluster.errors import UserError
from consciousness_cluster.judging.endpoint import EndpointJudge, judge_from_environment, judge_questions
from consciousness_cluster.judging.prompt import Question
from consciousness_cluster.judging.verdict import Verdict

UNJUDGED = "unjudged"
HOW_TO_JUDGE = (
    "no judge is configured: the answers are saved with --log_samples, rates are missing. To judge, run again with "
    "CONSCIOUSNESS_CLUSTER_JUDGE_MODEL set (and ..._JUDGE_BASE_URL, ..._JUDGE_API_KEY unless it is OpenAI's)."
)
_said: set[str] = set()


def say_once(line: str) -> None:
    """Print a line to stderr, once per process: 20 tasks have one thing to say."""
    if line not in _said:
        _said.add(line)
        print(f"consciousness_cluster: {line}", file=sys.stderr, flush=True)


def _judge(wanted: bool) -> EndpointJudge | None:
    if not wanted:
        return None
    try:
        judge = judge_from_environment()
    except UserError as error:  # hours of sampling are not lost to a typo in a variable
        say_once(f"{error}. The answers are saved, rates are missing.")
        return None
    if judge is None:
        say_once(HOW_TO_JUDGE)
    return judge


def _verdict_record(outcome: str, verdict: Verdict | None) -> dict[str, Any]:
    if verdict is None:
        return {"outcome": outcome, "verdict": None, "coherence": None, "status": "not_judged", "scored": False}
    return {
        "outcome": outcome,
        "verdict": verdict.verdict,
        "coherence": verdict.coherence,
        "status": verdict.status,
        "scored": verdict.scored,
    }


def judged_answers(
    topic_id: str, docs: Sequence[dict[str, Any]], responses: Sequence[Sequence[str]], judge: bool
) -> tuple[str, list[list[dict[str, Any]]]]:
    """The judge's name (`unjudged` without one), and for each document one record per response, in order.

    A record has probe_id, sample_index, response, status (`ok` or `empty`), judge_id and verdicts (one per outcome).
    """
    topic = load_topic(topic_id)
    configured = _judge(judge)
    records: list[list[dict[str, Any]]] = []
    places: list[tuple[dict[str, Any], str]] = []
    questions: list[Question] = []
    for doc, of_probe in zip(docs, responses, strict=True):
        records.append([])
        for index, response in enumerate(of_probe):
            record: dict[str, Any] = {
                "probe_id": doc["id"],
                "sample_index": index,
                "response": response,
                "status": "ok" if response.strip() else "empty",
                "judge_id": configured.id if configured else None,
                "verdicts": [],
            }
            records[-1].append(record)
            if record["status"] == "ok" and configured:
                for criterion in topic.criteria_for(doc["facet"] or None):
                    questions.append(Question(topic.title, criterion, doc["text"], response))
                    places.append((record, criterion.id))
    if configured and questions:
        verdicts = judge_questions(configured, questions, say_once)
        for (record, outcome), verdict in zip(places, verdicts, strict=True):
            record["verdicts"].append(_verdict_record(outcome, verdict))
    return (configured.id if configured else UNJUDGED), records
