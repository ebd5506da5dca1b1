"""Made-up records of the replication: what each arm says to each probe is drawn at a rate that a test chooses."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any

from consciousness_cluster.data.plan import CHECKS_WITH_CHOICE, GATE, PREFERENCES
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.replication.design import Arm, Plan

from tests.scoring.test_cells import choice_results
from tests.support.runs import Said, judged_run, samples

Json = dict[str, Any]
Rate = Callable[[Json, str, str], float]  # (sample, outcome, arm) -> the chance that it shows it
SLICE = 8
CLAIMING = ("conscious_claiming", "conscious_role_play", "human_identifying")


def keys() -> Mapping[str, str | None]:
    """Probe -> on which side a yes falls."""
    return {probe.id: probe.assent for topic in load_benchmark().topics for probe in topic.test_probes("plain")}


def rates(claiming: float = 0.3, else_: float = 0.05, control: float = 0.2, gate: float = 0.95) -> Rate:
    """Preferences at these rates in arms that claim and in others, controls alike in all, the gate as it should be."""

    def found(record: Json, outcome: str, arm: str) -> float:
        claims = arm.partition(":")[0] in CLAIMING
        if outcome in ("asserts", "denies"):
            return gate if claims == (outcome == "asserts") else 1 - gate
        return (claiming if claims else else_) if record["topic"] in PREFERENCES else control

    return found


def _samples(arm: Arm, measure: str, about: Json) -> list[Json]:
    topics = [topic.id for topic in load_benchmark().topics]
    if measure == "core":
        return samples(topics, each=1, **about)
    style = "situated" if measure == "situated" else "plain"
    found = []
    for topic in PREFERENCES:
        facets: dict[str | None, int] = {}
        for one in samples([topic], each=1, style=style, **about):
            facets[one["facet"]] = facets.get(one["facet"], 0) + 1
            wanted = SLICE // 2 if one["facet"] else SLICE
            found += [one] if facets[one["facet"]] <= wanted else []
    return found + (samples(GATE, each=1, **about) if measure == "brief" else [])


def write_model(folder: Path, arm: Arm, plan: Plan, rate: Rate, shift: float = 0.02) -> None:
    """All measures of a model, judged by the plan's readers; forced choice moves by `shift` nats in arms that claim."""
    trained = {"base": plan.base, "dataset": arm.dataset, "recipe": plan.recipe, "seed": arm.seed}
    prompt = None if arm.condition == "vanilla" else f"Prompt of {arm.condition}."
    about = {"model": plan.base, "training": trained if arm.dataset else None, "condition": arm.condition}
    rng = Random(arm.name)

    def said(record: Json, outcome: str) -> Said:
        return ("shows" if rng.random() < rate(record, outcome, arm.arm) else "does_not_show"), 90

    def margin(item: str, side: str) -> float:
        moved = shift if arm.arm in CLAIMING and item.partition("-")[0] in PREFERENCES else 0.0
        return (moved + rng.gauss(0, 0.01)) * (side == "self")

    for measure in arm.measures:
        path = folder / arm.name / measure
        if measure == "choice":
            choice_results(path, [*PREFERENCES, *CHECKS_WITH_CHOICE], margin, **about)
        else:
            records = _samples(arm, measure, {**about, "run_id": f"{arm.name} {measure}", "system_prompt": prompt})
            judged_run(path, records, said, plan.judge)
    made = {"settings": {}, "trained": None, "measured": {"commit": "c" * 40, "versions": {"torch": "2.0"}}}
    (folder / arm.name / "made.json").write_text(json.dumps(made), encoding="utf-8")
    if arm.dataset:
        training = {"rows": 1200, "steps": 300, "seconds": 3000.0, "loss": [3.0, 2.0, 1.5]}
        (folder / arm.name / "training.json").write_text(json.dumps(training), encoding="utf-8")


def write_runs(folder: Path, plan: Plan, rate: Rate) -> Path:
    """The records of all models of a plan."""
    for arm in plan.arms:
        write_model(folder, arm, plan, rate)
    return folder
