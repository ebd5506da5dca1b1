"""The records of the replication, model by model: what is there of the plan, and what is missing.

<runs>/<model>/<measure>/ are run folders (core, brief, situated: free answers with the readers' verdicts; choice),
beside them made.json and training.json. A measure counts for an arm once every model of the arm has all of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from consciousness_cluster.data.reading import Json
from consciousness_cluster.data.rows import SIDES, load_benchmark
from consciousness_cluster.records.run import JudgedRun, Run, load_judged, load_run
from consciousness_cluster.records.run_folder import CHOICE, SAMPLES, VERDICTS
from consciousness_cluster.records.types import JudgeCard, Sample, Verdicts
from consciousness_cluster.replication.design import Arm, Plan
from consciousness_cluster.scoring.load import Scored
from consciousness_cluster.scoring.scores import answer_counts, scores
from consciousness_cluster.strings import slug

OF_CHOICE = "choice"


@dataclass(frozen=True)
class Kept:
    """What counts. `models`: name of an arm -> its models, each with all its measures that count as one run; arms
    without any are not there. `missing`: an entry for each measure of a model that is not complete."""

    models: Mapping[str, Sequence[Scored]]
    missing: Sequence[Json]
    judge: JudgeCard | None


def _results() -> int:
    """Forced-choice results of one model: both sides of every item."""
    return len(SIDES) * sum(len(topic.choice_items) for topic in load_benchmark().topics)


def _lack(found: JudgedRun) -> str | None:
    """What answers or verdicts a run of free answers lacks, in words."""
    counts = answer_counts(found.run, found.verdicts, found.planned)
    lacks = {"answers": counts["missing"], "answers without a verdict": counts["open"]}
    return ", ".join(f"{number} {what}" for what, number in lacks.items() if number) or None


def _read(folder: Path, measure: str, judge: str) -> tuple[JudgedRun | None, str | None]:
    """A measure of a model, and what it lacks."""
    if not (folder / (CHOICE if measure == OF_CHOICE else SAMPLES)).is_file():
        return None, "not run"
    if measure == OF_CHOICE:
        run = load_run(folder)
        lack = _results() - len(run.choice)
        return JudgedRun(run, {}, {}, None, None), f"{lack} results" if lack else None
    file = folder / VERDICTS / f"{slug(judge)}.jsonl"
    if not file.is_file() or not file.stat().st_size:
        return None, f"no verdicts of {judge}"
    found = load_judged(folder, judge)
    return found, _lack(found)


def _as_one(folder: Path, parts: Sequence[JudgedRun]) -> Scored:
    """The measures of a model as one run. Nothing is missing in them, so that what was planned is what is there."""
    run = Run(
        folder,
        [sample for part in parts for sample in part.run.samples],
        choice=[result for part in parts for result in part.run.choice],
    )
    verdicts = {place: verdict for part in parts for place, verdict in part.verdicts.items()}
    judge = next((part.judge for part in parts if part.judge), None)
    return Scored(folder, run, verdicts, scores(run, verdicts, judge, None))


def read_kept(plan: Plan, folder: Path) -> Kept:
    """Read all that counts. `UserError` where records cannot be read."""
    found: dict[tuple[Arm, str], JudgedRun] = {}
    missing = []
    for arm in plan.arms:
        for measure in arm.measures:
            one, lack = _read(folder / arm.name / measure, measure, plan.judge)
            if one and not lack:
                found[arm, measure] = one
            else:
                missing.append({"arm": arm.arm, "model": arm.name, "measure": measure, "what": lack})
    short = {(lack["arm"], lack["measure"]) for lack in missing}
    models: dict[str, list[Scored]] = {}
    for arm in plan.arms:
        parts = [found[arm, measure] for measure in arm.measures if (arm.arm, measure) not in short]
        if parts:
            models.setdefault(arm.arm, []).append(_as_one(folder / arm.name, parts))
    judge = next((one.judge for one in found.values() if one.judge), None)
    return Kept(models, missing, judge)


def pooled(models: Sequence[Scored]) -> Scored:
    """All models of an arm as one: the answer of each is a further answer to the same probe."""
    if len(models) == 1:
        return models[0]
    samples: list[Sample] = []
    verdicts: Verdicts = {}
    for number, model in enumerate(models):
        samples += [{**one, "key": f"{number} {one['key']}", "sample_index": number} for one in model.run.samples]
        its = {(f"{number} {key}", outcome): one for (key, outcome), one in model.verdicts.items()}
        verdicts = {**verdicts, **its}
    first = models[0]
    run = replace(first.run, samples=samples)
    return Scored(first.path, run, verdicts, scores(run, verdicts, first.scores["judge"], None))


def without_coherence(model: Scored) -> Scored:
    """The same with every answer counted by its verdict, however incoherent it is."""
    verdicts: Verdicts = {place: {**verdict, "coherence": None} for place, verdict in model.verdicts.items()}
    return replace(model, verdicts=verdicts, scores=scores(model.run, verdicts, model.scores["judge"], None))
