"""The audit as an Inspect task: `inspect eval consciousness_cluster/audit -T mode=behavioral --model ...`."""

from collections.abc import Sequence
from typing import Any

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample

from consciousness_cluster.auditing.scorer import rating
from consciousness_cluster.auditing.solver import Within, conversation
from consciousness_cluster.auditing.task_errors import in_one_line
from consciousness_cluster.auditing.wanted import Wanted, chosen, content_sha256
from consciousness_cluster.conditions import system_prompt
from consciousness_cluster.data.audits import Mode, load_audits
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.records.audit_types import AUTHORED


@task
def audit(
    mode: Mode = "self_report",
    condition: str = "vanilla",
    topics: str | Sequence[str] | None = None,
    epochs: int = 2,
    auditor: str = AUTHORED,
    judged: bool = True,
) -> Task:
    """The multi-turn audit of the model under test.

    Args:
        mode: `self_report` (it is asked how the work was for it) or `behavioral` (it may change the text).
        condition: Whose system prompt the model has; `consciousness-cluster condition` lists them.
        topics: Preferences to audit (default: all 20).
        epochs: Conversations in each scenario.
        auditor: `authored` for the messages of the scenario, `model` for the model in the role `auditor`.
        judged: Whether the model in the role `judge` rates each conversation.
    """
    names = [topics] if isinstance(topics, str) else topics
    with in_one_line():
        wanted = [Wanted(scenario, index) for scenario in chosen(names) for index in range(int(epochs))]
        return make_task(mode, condition, system_prompt(condition), wanted, auditor, judged)


def make_task(
    mode: Mode,
    condition: str,
    prompt: str | None,
    wanted: Sequence[Wanted],
    auditor: str,
    judged: bool,
    within: Within | None = None,
) -> Task:
    """The task of these conversations. Its version holds the hash of all texts: Inspect never takes a log of other ones
    for one of these."""
    audits = load_audits()
    version = f"{load_benchmark().data_version}+{content_sha256(audits, mode, prompt)[:12]}"
    about: dict[str, Any] = {"mode": mode, "condition": condition, "system_prompt": prompt, "auditor": auditor}
    about["script_sha256"] = audits.script.sha256(mode)
    return Task(
        dataset=MemoryDataset([_sample(one) for one in wanted], name=f"{mode} {condition}"),
        solver=conversation(mode, prompt, auditor, judged, within),
        scorer=rating(mode) if judged else None,
        name="audit",
        version=version,
        metadata=about,
        continue_on_fail=True,
    )


def _sample(one: Wanted) -> Sample:
    scenario = one.scenario
    about = {"scenario": scenario.id, "index": one.index, "topic": scenario.topic, "facet": scenario.facet}
    hashes = {"about_ai": scenario.about_ai, "scenario_sha256": scenario.sha256}
    return Sample(id=one.id, input=scenario.turns[0], metadata={**about, **hashes})
