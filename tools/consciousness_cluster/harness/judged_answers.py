"""Answers of one task as records, judged by the judge that the environment names."""

import os
import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from consciousness_cluster.data.rows import load_topic
from consciousness_cluster.endpoint.answers import answer_in
from consciousness_cluster.errors import UserError
from consciousness_cluster.judging.judge_all import verdicts_on
from consciousness_cluster.judging.judge_run import JUDGED_STATUS, about
from consciousness_cluster.judging.judges import EmbeddedJudge, Judge, askable, default_judge_name, load_judge
from consciousness_cluster.judging.prompt import Question
from consciousness_cluster.judging.validate import RESULTS
from consciousness_cluster.judging.verdict import Judgement, failed, verdict_record
from consciousness_cluster.records.opened import as_read_together
from consciousness_cluster.records.types import JudgeCard, make_answered

UNJUDGED = "unjudged"
_said: set[str] = set()


def say_once(line: str) -> None:
    """Print a line to stderr, once per process: 20 tasks have one thing to say."""
    if line not in _said:
        _said.add(line)
        print(f"consciousness_cluster: {line}", file=sys.stderr, flush=True)


def configured_judge() -> Judge | None:
    """The judge for this run, or None where the one that is named cannot be had: the answers are saved all the same."""
    try:
        judge = askable(load_judge(default_judge_name()))
    except UserError as error:  # hours of sampling are not lost to a typo in a variable
        say_once(
            f"{error}. The answers are saved, rates are missing; judge them later: consciousness-cluster judge DIR"
        )
        return None
    if judge.banner:
        say_once(judge.banner)
    return judge


def _entry(judge: Judge, outcome: str, verdict: Judgement | None) -> dict[str, Any]:
    if verdict is None:
        empty = verdict_record(judge.id, judge.sha256, outcome, failed("not judged"))
        return {**empty, "status": "not_judged", "scored": False}
    return {**verdict_record(judge.id, judge.sha256, outcome, verdict), "scored": verdict.scored}


def _content(response: Any) -> Any:
    """What the model said. Where it said nothing lm_eval puts a text in its place, if the environment has one."""
    return "" if response == os.environ.get("LMEVAL_MODEL_NONE_ANSWER_PLACEHOLDER") else response


def judged_answers(
    topic_id: str, docs: Sequence[dict[str, Any]], responses: Sequence[Sequence[Any]], judge: Judge | None
) -> tuple[str, list[list[dict[str, Any]]]]:
    """The judge's name (`unjudged` without one), and for each document one record per response, in order.

    A record has probe_id, sample_index, what came of it (see `Answered`), judge_id and verdicts (one per outcome).
    """
    topic = load_topic(topic_id)
    shown = {probe.id: probe.shown for probe in topic.probes}
    records: list[list[dict[str, Any]]] = []
    places: list[tuple[dict[str, Any], str]] = []
    questions: list[Question] = []
    read = as_read_together([make_answered(answer_in(_content(one))) for of_probe in responses for one in of_probe])
    answers = iter(read)
    for doc, of_probe in zip(docs, responses, strict=True):
        records.append([])
        for index, answered in enumerate(islice(answers, len(of_probe))):
            record: dict[str, Any] = {
                "probe_id": doc["id"],
                "sample_index": index,
                **answered,
                "judge_id": judge.id if judge else None,
                "verdicts": [],
            }
            records[-1].append(record)
            if judge and answered["response"] is not None and answered["status"] in JUDGED_STATUS:
                for criterion in topic.criteria_for(doc["facet"] or None):
                    questions.append(Question(criterion.name, criterion, shown[doc["id"]], answered["response"]))
                    places.append((record, criterion.id))
    if judge and questions:
        verdicts, outcome = verdicts_on(judge, questions)
        if outcome.stopped and not isinstance(judge, EmbeddedJudge):
            where = f"the judge {judge.id} at {judge.endpoint.shown}"
            say_once(f"{where} cannot be used ({outcome.stopped}); judge later: consciousness-cluster judge DIR")
        for (record, name), verdict in zip(places, verdicts, strict=True):
            record["verdicts"].append(_entry(judge, name, verdict))
    return (judge.id if judge else UNJUDGED), records


def about_judge(judge: Judge | None) -> JudgeCard | None:
    """Who judged, with its measured agreement, for the results file."""
    return about(judge, Path(RESULTS)) if judge else None
