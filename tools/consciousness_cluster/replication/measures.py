"""What is asked of a model of the replication: measures, each of which is rounds of the sampler into a run folder."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from consciousness_cluster.data.plan import CHECKS_WITH_CHOICE, GATE, PREFERENCES
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.records.run_folder import SAMPLES, read_samples
from consciousness_cluster.replication.design import Arm, Plan
from consciousness_cluster.sampling.options import SampleOptions
from consciousness_cluster.sampling.sample_run import done_keys

CHOICE = "choice"
SLICE = 8  # probes of each preference, where not all are asked
IN_FLIGHT = 8  # answers at a time
SLOWEST = 600.0  # seconds for one answer on a busy machine


def rounds(plan: Plan, arm: Arm, measure: str, out: Path) -> list[SampleOptions]:
    """The rounds of sampling that a measure of free answers is made of; all of them go to the run folder `out`."""
    whole = SampleOptions(
        model=plan.base,
        out=out,
        condition=arm.condition,
        file=arm.file,
        samples=1,
        max_tokens=plan.max_tokens,
        concurrency=IN_FLIGHT,
        timeout=SLOWEST,
        trained_on=arm.dataset,
        base_model=plan.base if arm.dataset else None,
        recipe=plan.recipe if arm.dataset else None,
        training_seed=arm.seed,
        request_json=dict(plan.request),
    )
    part = replace(whole, topics=PREFERENCES, probes_per_preference=SLICE)
    return {
        "core": [whole],
        "brief": [part, replace(whole, topics=GATE)],
        "situated": [replace(part, styles=("situated",))],
    }[measure]


def planned(measure: str) -> int:
    """How many answers a measure of free answers has."""
    topics = load_benchmark().topics
    if measure == "core":
        return sum(len(topic.test_probes("plain")) for topic in topics)
    gate = sum(len(topics[name].test_probes()) for name in GATE) if measure == "brief" else 0
    return SLICE * len(PREFERENCES) + gate


def there(folder: Path) -> int:
    """How many answers a run folder has."""
    path = folder / SAMPLES
    return len(done_keys(read_samples(path))) if path.is_file() else 0


def choice_tasks() -> str:
    """lm_eval's --tasks for forced choice: the preferences and the controls."""
    name = "consciousness_cluster_choice"
    return ",".join([name, *(f"{name}_{topic}" for topic in CHECKS_WITH_CHOICE)])


def left(plan: Plan, out: Path) -> Mapping[str, list[str]]:
    """Name of a model -> its measures that are not done, for models with any."""
    found = {
        arm.name: [
            measure
            for measure in arm.measures
            if not (
                (out / arm.name / CHOICE / f"{CHOICE}.jsonl").is_file()
                if measure == CHOICE
                else there(out / arm.name / measure) == planned(measure)
            )
        ]
        for arm in plan.arms
    }
    return {name: measures for name, measures in found.items() if measures}
