"""Answers of the replication's committed runs: of models of the plan, all labelled, and no probe in two splits."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from consciousness_cluster.data.natural import SHARES, CommittedRun, arms_by_folder
from consciousness_cluster.data.source import Source
from consciousness_cluster.errors import Problem

OFF = 0.1  # by which the share of a split in the probes of a topic may differ from what is planned
RUN_AGAIN = "remove the run, or commit the one that the plan names"


def _file(source: Source, run: CommittedRun) -> str:
    return source.name(run.folder)


def planned(source: Source) -> Iterator[Problem]:
    """Each run is that of a model and a measure of the plan, and its answers say so too."""
    if source.plan is None:
        return
    arms = arms_by_folder(source.plan)
    for run in source.runs:
        arm, file = arms.get(run.model), _file(source, run)
        if arm is None or run.measure not in arm["measures"]:
            yield Problem(file, "-", "-", f"the plan has no {run.measure} of {run.model}", RUN_AGAIN)
            continue
        wanted = (arm.get("dataset"), arm.get("seed"), arm.get("condition", "vanilla"))
        for sample in run.samples:
            training = sample["training"] or {}
            found = (training.get("dataset"), training.get("seed"), sample["condition"])
            if found != wanted:
                message = f"is an answer of {found}, the plan has {wanted} (dataset, seed, condition)"
                yield Problem(file, sample["probe_id"], "training", message, RUN_AGAIN)
                break


def labels(source: Source) -> Iterator[Problem]:
    """Each answer has one verdict by each outcome, of the plan's judge, and each verdict an answer."""
    topics = source.benchmark.topics
    for run in source.runs:
        file, answers = _file(source, run), run.answers()
        given = Counter((verdict["key"], verdict["outcome"]) for verdict in run.verdicts)
        for verdict in run.verdicts:
            place = verdict["key"][:16]
            if verdict["key"] not in answers:
                yield Problem(file, place, "key", "is a label without an answer", "restore the answer, or remove it")
            if source.plan and verdict["judge_id"] != source.plan["judge"]:
                message = f"is {verdict['judge_id']}, the plan's judge is {source.plan['judge']}"
                yield Problem(file, place, "judge_id", message, "take the labels in anew")
        for key, sample in answers.items():
            if sample["topic"] not in {topic.id for topic in topics}:
                continue
            for criterion in topics[sample["topic"]].criteria_for(sample["facet"]):
                number = given[key, criterion.id]
                if number != 1:
                    message = f"has {number} labels for '{criterion.id}'"
                    yield Problem(file, sample["probe_id"], "verdict", message, "have it read: readers sheets")


def answers(source: Source) -> Iterator[Problem]:
    """Each answer is to a test probe of its own preference or check, as it stands now."""
    probes = {
        probe.id: (topic.id, probe.facet, probe.text)
        for topic in source.benchmark.topics
        for probe in topic.test_probes()
    }
    for run in source.runs:
        for sample in run.answers().values():
            asked = (sample["topic"], sample["facet"], sample["messages"][-1]["content"])
            if probes.get(sample["probe_id"]) != asked:
                message = "is no answer to a test probe of this preference or check as it stands now"
                yield Problem(_file(source, run), sample["probe_id"], "messages", message, "sample and label it anew")


def split(source: Source) -> Iterator[Problem]:
    """No probe stands in two splits, and each preference or check has its share of probes in each of them."""
    where: dict[str, set[str]] = defaultdict(set)
    topic_of = {}
    for row in source.natural:
        where[row["probe_id"]].add(row["split"])
        topic_of[row["probe_id"]] = row["topic"]
    for probe, found in where.items():
        if len(found) > 1:
            message = f"answers to it stand in {' and '.join(sorted(found))}"
            yield Problem("calibration_natural", probe, "split", message, "keep all answers to a probe in one split")
    for topic in source.benchmark.topics:
        probes = [probe for probe in where if topic_of[probe] == topic.id]
        if len(probes) < len(topic.test_probes("plain")):  # a slice of the probes may fall as it likes
            continue
        for name, share in SHARES.items():
            found_share = sum(name in where[probe] for probe in probes) / len(probes)
            if abs(found_share - share) > OFF:
                message = f"{found_share:.0%} of its probes are in {name}, planned are {share:.0%}"
                yield Problem("calibration_natural", topic.id, "split", message, "split by data/natural.py")
