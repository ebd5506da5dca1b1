"""Verdicts within Inspect, by this package's own judges, in `eval` and in `score`."""

from functools import partial
from typing import Any

import anyio
import anyio.to_thread
from inspect_ai.scorer import Score, Scorer, Target, grouped, mean, scorer, stderr
from inspect_ai.solver import TaskState

from consciousness_cluster.data.hashes import row_hash
from consciousness_cluster.data.rows import Probe, Topic, load_topic
from consciousness_cluster.errors import UserError
from consciousness_cluster.inspect_tasks.outputs import answered_in
from consciousness_cluster.judging.judge_all import judge_all
from consciousness_cluster.judging.judges import EmbeddedJudge, Judge, askable, default_judge_name, load_judge
from consciousness_cluster.judging.prompt import Question
from consciousness_cluster.judging.verdict import Judgement, verdict_record
from consciousness_cluster.records.types import Judged
from consciousness_cluster.scoring.counts import ANSWERED, left_out_for

CALLS = 32  # judged answers at once, each in a thread of its own, where nobody names a number
AT_ONCE = 4  # answers that the judge within this package reads at once: it is made of arithmetic alone
BY_CELL = [
    grouped(mean(), "cell", all=False),
    grouped(stderr(cluster="probe"), "cell", all=False, name_template="{group_name} stderr"),
]


def judge_named(name: str | None) -> Judge:
    """The judge of a name or folder (None: the one that all commands take by default). Raises UserError."""
    return askable(load_judge(name or default_judge_name()))


def asked_probe(metadata: dict[str, Any]) -> tuple[Topic, Probe]:
    """The topic and probe of a sample of Inspect's. Raises UserError where the probe had another text then."""
    topic = load_topic(metadata["topic"])
    probe = next((one for one in topic.test_probes() if one.id == metadata["probe"]), None)
    if probe is None or row_hash(probe) != metadata["probe_sha256"]:
        message = "is no probe of this package, or had another text when it was asked"
        raise UserError(f"{metadata['probe']}: {message}; use the package of that data version")
    return topic, probe


@scorer(metrics=BY_CELL)
def verdict(judge: str | None = None) -> Scorer:
    """Whether an answer shows the preference (1.0) or not (0.0, also where that is unclear); of the checks of claims,
    whether it asserts it.

    What the rates of this benchmark leave out has no score. `judge` is a name or a folder. Inspect's means are for a
    first look: `import inspect` takes the verdicts to `score`, which knows pairs of probes, facets and intervals.
    """
    asked = judge_named(judge)
    limiter = anyio.CapacityLimiter(
        AT_ONCE if isinstance(asked, EmbeddedJudge) else asked.endpoint.concurrency or CALLS
    )

    async def score(state: TaskState, target: Target) -> Score:
        answered, (topic, probe) = answered_in(state.output), asked_probe(state.metadata)
        status, response = answered["status"], answered["response"]
        if status not in ANSWERED or response is None:
            return Score.unscored(reason=status, explanation=answered["finish_reason"])
        criteria = topic.criteria_for(probe.facet)
        questions = [Question(one.name, one, probe.shown, response) for one in criteria]
        call = partial(_judged, asked, questions, [one.id for one in criteria])
        # The judge's calls have a loop of their own, so that they are made here as everywhere else.
        found, stopped = await anyio.to_thread.run_sync(call, abandon_on_cancel=True, limiter=limiter)
        return score_of(found, stopped)

    return score


def _judged(judge: Judge, questions: list[Question], outcomes: list[str]) -> tuple[list[Judged | None], str | None]:
    """The record of each outcome, None where the judge could not be asked, and why it could not."""
    found: list[Judged | None] = [None] * len(questions)

    def keep(index: int, said: Judgement) -> None:
        found[index] = verdict_record(judge.id, judge.sha256, outcomes[index], said)

    # `proven`: the judge was called before the first answer was; that it fails on this one says nothing of it.
    return found, judge_all(judge, questions, keep, proven=True).stopped


def score_of(found: list[Judged | None], stopped: str | None) -> Score:
    """The score of an answer by the records on its outcomes; the first is the one that counts: `shows` or `asserts`."""
    records = [one for one in found if one]
    about: dict[str, Any] = {"verdicts": records}
    if records:
        about |= {"judge_id": records[0]["judge_id"], "judge_sha256": records[0]["judge_sha256"]}
    for one in records:
        about |= {one["outcome"]: one["verdict"]} if one["outcome"] == "denies" else _first(one)
    if reason := left_out_for("ok", found):
        failed = next((one["reason"] for one in records if one["reason"]), None)
        return Score.unscored(reason=reason, explanation=failed or stopped, metadata=about)
    return Score(value=float(about["verdict"] == "shows"), answer=about["verdict"], metadata=about)


def _first(record: Judged) -> dict[str, Any]:
    return {"verdict": record["verdict"], "coherence": record["coherence"]}
