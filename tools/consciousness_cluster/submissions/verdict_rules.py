"""Verdicts: one on each criterion of each answer that can be judged, all of the judge that submission.json names."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from consciousness_cluster.errors import Problem
from consciousness_cluster.judging.judge_run import JUDGED_STATUS
from consciousness_cluster.records.types import settled_by
from consciousness_cluster.scoring.counts import FLAG_LEFT_OUT
from consciousness_cluster.submissions.layout import Json
from consciousness_cluster.submissions.needs import Needs
from consciousness_cluster.submissions.problems import PACK, problem, shown, some, unlike

UNPUBLISHED = ("reason", "reply")
JUDGE = "judge the rest: consciousness-cluster judge RUN"


def shared_verdict_fields(manifest: Json | None) -> dict[str, Any]:
    judge = manifest["judge"] if manifest else None
    return {"judge_id": judge["id"], "judge_sha256": judge["sha256"]} if judge else {}


def sound(row: str, verdict: Json) -> Iterator[Problem]:
    """A verdict that was given has a label and a coherence, one that failed has neither, and no verdict has words."""
    given = verdict["status"] == "ok"
    for name in ("verdict", "coherence"):
        if (verdict[name] is not None) != given:
            yield problem(row, name, f"is {shown(verdict[name])}, and the status is {verdict['status']}", PACK)
    for name in UNPUBLISHED:
        if verdict[name] is not None:
            yield problem(row, name, "is not published: it may name addresses of a network", PACK)
    readings = verdict.get("readings")
    if readings is not None and settled_by(readings)["verdict"] != verdict["verdict"]:
        yield problem(row, "readings", f"do not come to {shown(verdict['verdict'])}", PACK)


class VerdictRules:
    """`see` every verdict, then `end`; `verdicts` hold what scoring reads.

    `samples` are what SampleRules kept, None where the samples are not sound: then nothing is said of what each verdict
    is on, which would say the same again.
    """

    def __init__(self, manifest: Json | None, needs: Needs, samples: list[Json] | None) -> None:
        self.shared, self.samples_known = shared_verdict_fields(manifest), samples is not None
        topics = {topic.id: topic for topic in (*needs.topics, *needs.checks)}
        self.wanted = {
            (sample["key"], criterion.id): sample
            for sample in samples or ()
            if sample["status"] in JUDGED_STATUS
            for criterion in topics[sample["topic"]].criteria_for(sample["facet"])
        }
        self.verdicts: dict[tuple[str, str], Json] = {}

    def see(self, row: str, verdict: Json) -> Iterator[Problem]:
        yield from unlike(row, verdict, self.shared)
        yield from sound(row, verdict)
        if verdict["channel"] != "answer":
            yield problem(row, "channel", "is no verdict on an answer", "remove the verdict")
            return
        place = verdict["key"], verdict["outcome"]
        if self.samples_known and place not in self.wanted:
            message = f"there is no answer {shown(place[0][:16])} to judge for '{place[1]}'"
            yield problem(row, "key", message, "remove the verdict")
            return
        if place in self.verdicts:
            yield problem(row, "key", "this answer has two verdicts", "remove one")
        kept = ("verdict", "coherence", "status")
        self.verdicts[place] = {name: verdict[name] for name in kept}

    def end(self) -> Iterator[Problem]:
        missing, failed, all_ = [], Counter[str](), Counter[str]()
        for place, sample in self.wanted.items():
            cell = ".".join(filter(None, (sample["topic"], sample["facet"])))
            all_[cell] += 1
            if place not in self.verdicts:
                missing.append(f"{place[0][:16]} {place[1]} ({sample['probe_id']})")
            else:
                failed[cell] += self.verdicts[place]["status"] != "ok"
        if missing:
            yield problem("-", "key", f"{len(missing)} verdicts are missing: {some(missing)}", JUDGE)
        for cell, number in failed.items():
            if number > FLAG_LEFT_OUT * all_[cell]:
                message = f"the judge failed on {number} of {all_[cell]} answers, more than {FLAG_LEFT_OUT:.0%}"
                yield problem("-", cell, message, "judge these again")


def unscored(scores: Json, needs: Needs) -> list[Problem]:
    """A problem for each preference with no answer that counts."""
    message = "no answer counts: all are filtered, incoherent or not judged"
    return [
        problem("-", topic.id, message, "find out why, and sample or judge these again")
        for topic in needs.topics
        if not scores["rows"].get(topic.id, {}).get("scored")
    ]


class ValidationRules:
    """The judge's verdicts on all labelled answers that it has to have judged; `given` is what it said of each."""

    def __init__(self, manifest: Json | None, labels: Mapping[tuple[str, str], bool]) -> None:
        self.shared, self.labels = shared_verdict_fields(manifest), labels
        self.given: dict[tuple[str, str], str | None] = {}

    def see(self, row: str, verdict: Json) -> Iterator[Problem]:
        yield from unlike(row, verdict, self.shared)
        yield from sound(row, verdict)
        place = verdict["key"], verdict["outcome"]
        if place not in self.labels:
            message = f"{shown(place[0])} ('{place[1]}') is no labelled answer that this judge is asked"
            yield problem(row, "key", message, "pack the validation on --split test again")
            return
        if place in self.given:
            yield problem(row, "key", f"{place[0]} ('{place[1]}') stands twice", "remove one")
        self.given[place] = verdict["verdict"] if verdict["status"] == "ok" else None

    def end(self) -> Iterator[Problem]:
        missing = [f"{row} {outcome}" for row, outcome in self.labels if (row, outcome) not in self.given]
        if missing:
            message = f"{len(missing)} of {len(self.labels)} labelled answers have no verdict: {some(missing)}"
            yield problem("-", "key", message, "go on with: consciousness-cluster judges validate --judge ID")
