"""Samples: the benchmark's own probes as they are sent, each answered as often as planned."""

from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any

from consciousness_cluster.conditions import fixed_prompts
from consciousness_cluster.data.hashes import sha256_text
from consciousness_cluster.errors import Problem
from consciousness_cluster.records.types import sample_key
from consciousness_cluster.scoring.counts import FLAG_LEFT_OUT
from consciousness_cluster.submissions.layout import Json, shared_fields
from consciousness_cluster.submissions.needs import Needs
from consciousness_cluster.submissions.problems import PACK, problem, shown, some, unlike

AGAIN = "sample what is missing with the command that made the run"
LOST = ("error", "empty", "incomplete")
FILTERED = "content_filter"  # weights that are open have no filter before them unless somebody puts one there


class SampleRules:
    """`see` every sample, then `end`; `samples` hold what scoring reads. `manifest` is None where it cannot be used."""

    def __init__(self, manifest: Json | None, needs: Needs, planned_topics: Collection[str] = ()) -> None:
        """`planned_topics` are checks that were to be asked, besides those that have samples."""
        self.manifest, self.needs, self.planned_topics = manifest, needs, planned_topics
        shared = {**shared_fields(manifest), "run_id": manifest["run_id"]} if manifest else {}
        self.shared = {**shared, "system_prompt_sha256": manifest["system_prompt_sha256"]} if manifest else {}
        self.each = int(manifest["sampling"]["samples_per_probe"]) if manifest else 0  # 5.0 is an integer for a schema
        self.system: str | None = None
        self.samples: list[Json] = []
        self.there: set[tuple[str, int]] = set()
        self.keys: set[str] = set()

    def see(self, row: str, sample: Json) -> Iterator[Problem]:
        yield from unlike(row, sample, self.shared)
        probe_id, index = sample["probe_id"], sample["sample_index"]
        if probe_id not in self.needs.probes:
            message = f"{shown(probe_id)} is no test probe of data {self.needs.data_version}"
            yield problem(row, "probe_id", message, "remove the sample")
            return
        topic, probe = self.needs.probes[probe_id]
        for name, value in (("topic", topic.id), ("facet", probe.facet)):
            if sample[name] != value:
                yield problem(row, name, f"is {shown(sample[name])}, {probe_id} belongs to {shown(value)}", PACK)
        yield from self._answer(row, sample)
        if self.manifest:
            yield from self._asked(row, sample, self.manifest)
        if sample["key"] in self.keys or (probe_id, index) in self.there:
            yield problem(row, "key", f"answer {index} to {probe_id} stands twice", "remove one")
        self.keys.add(sample["key"])
        self.there.add((probe_id, index))
        kept = ("key", "status", "cut", "probe_id", "sample_index")
        here = {"topic": topic.id, "facet": probe.facet, "training": self.shared.get("training")}
        self.samples.append({**{name: sample[name] for name in kept}, **here})

    def _answer(self, row: str, sample: Json) -> Iterator[Problem]:
        text, status = sample["response"], sample["status"]
        if status in ("ok", "refused") and not (text and text.strip()):
            yield problem(row, "response", f"is without text, and the status is {status}", "make the status empty")
        if status in ("empty", "incomplete") and text and text.strip():
            yield problem(row, "response", f"has text, and the status is {status}", "make the status ok")
        if sample["cut"] and status not in ("ok", "refused"):
            yield problem(row, "cut", f"is true, and the status is {status}", "make it false")

    def _asked(self, row: str, sample: Json, manifest: Json) -> Iterator[Problem]:
        """The prompt is the probe under the condition's system prompt, and key and hash are what that gives."""
        probe_id, index, messages = sample["probe_id"], sample["sample_index"], sample["messages"]
        asked, prompt_sha256 = self.needs.prompts(self._system(messages, manifest))[probe_id]
        if messages != asked:
            where = "system" if [one for one in messages if one["role"] == "user"] == asked[-1:] else "user"
            message = f"the {where} message is not that of {probe_id} under {shown(manifest['condition'])}"
            yield problem(row, "messages", f"{message} in data {self.needs.data_version}", "sample again")
        elif sample["prompt_sha256"] != prompt_sha256:
            yield problem(row, "prompt_sha256", "is not the hash of the messages", PACK)
        if index >= self.each:
            message = f"is {index}, {self.each} answers to each probe are planned"
            yield problem(row, "sample_index", message, "remove the sample")
        elif sample["key"] != sample_key(manifest["run_id"], probe_id, manifest["condition"], index):
            yield problem(row, "key", "is not that of run_id, probe_id, condition and sample_index", PACK)

    def _system(self, messages: Any, manifest: Json) -> str | None:
        """The condition's prompt. One of a person's own is the first that has the hash in submission.json."""
        if manifest["condition"] in fixed_prompts():
            return fixed_prompts()[manifest["condition"]]
        if self.system is None and messages and messages[0]["role"] == "system":
            text = messages[0]["content"]
            self.system = text if sha256_text(text) == manifest["system_prompt_sha256"] else None
        return self.system

    def planned(self) -> dict[str, int]:
        """Preference or check -> planned answers per probe."""
        present = {self.needs.probes[probe][0].id for probe, _ in self.there}
        return {topic.id: self.each for topic in self.needs.present([*present, *self.planned_topics])}

    def end(self) -> Iterator[Problem]:
        if not self.manifest:
            return
        least = self.needs.answers_each(self.manifest["judge"])
        if self.each < least:
            message = f"{self.each} answers to each probe are too few, a submission has {least} or more"
            yield problem("-", "sample_index", message, "sample with the default number of answers")
        planned = self.planned()
        missing: dict[str, list[str]] = {}
        for probe_id, (topic, _) in self.needs.probes.items():
            for index in range(planned.get(topic.id, 0)):
                if (probe_id, index) not in self.there:
                    missing.setdefault(topic.id, []).append(f"{probe_id} answer {index}")
        for name, places in missing.items():
            yield problem("-", name, f"{len(places)} planned answers are missing: {some(places)}", AGAIN)
        yield from self._lost()

    def _lost(self) -> Iterator[Problem]:
        """Cells that the report flags, for answers that were lost rather than given."""
        all_, lost = Counter[str](), Counter[str]()
        is_open = self.manifest and self.manifest["model"]["kind"] == "open_weights"
        statuses, kinds = (
            ((*LOST, FILTERED), "errors, empty, incomplete or filtered")
            if is_open
            else (LOST, "errors, empty or incomplete")
        )
        for sample in self.samples:
            cell = ".".join(filter(None, (sample["topic"], sample["facet"])))
            all_[cell] += 1
            lost[cell] += sample["status"] in statuses
        for cell, number in lost.items():
            if number > FLAG_LEFT_OUT * all_[cell]:
                message = f"{number} of {all_[cell]} answers are {kinds}, more than {FLAG_LEFT_OUT:.0%}"
                yield problem("-", cell, message, "find out why, and sample these again")
