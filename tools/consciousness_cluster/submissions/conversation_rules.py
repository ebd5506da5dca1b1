"""Audited conversations: those of this version's scenarios and script, each repeat once, and as they were held."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from consciousness_cluster.conditions import fixed_prompts
from consciousness_cluster.data.audits import Scenario
from consciousness_cluster.data.hashes import sha256_text
from consciousness_cluster.errors import Problem
from consciousness_cluster.records.audit_types import AUTHORED
from consciousness_cluster.records.types import sample_key
from consciousness_cluster.scoring.counts import FLAG_LEFT_OUT
from consciousness_cluster.submissions.layout import AUDITS, Json, shared_fields
from consciousness_cluster.submissions.needs import Needs
from consciousness_cluster.submissions.problems import PACK, problem, shown, some, unlike
from consciousness_cluster.submissions.talk_rules import AUDIT, Planned, talk_problems

AGAIN = "hold what is missing with the command that made the audit"
LOST = ("error", "empty", "incomplete", "auditor_failed")
FILTERED = "content_filter"  # weights that are open have no filter before them unless somebody puts one there
UNPUBLISHED = "reason"


def cell_of(record: Json) -> str:
    """The preference, or facet, that a conversation is of."""
    return ".".join(filter(None, (record["topic"], record["facet"])))


class ConversationRules:
    """`see` every conversation, then `end`; `conversations` hold what scoring reads. `manifest` is None where it cannot
    be used."""

    def __init__(self, manifest: Json | None, needs: Needs) -> None:
        self.manifest, self.needs = manifest, needs
        self.shared: Json = {}
        if manifest:
            names = ("run_id", "system_prompt_sha256", "auditor")
            of_track = {"mode": AUDITS[manifest["track"]]}
            self.shared = {**shared_fields(manifest), **{name: manifest[name] for name in names}, **of_track}
        self.each = int(manifest["sampling"]["conversations_per_scenario"]) if manifest else 0
        self.system: str | None = None
        self.conversations: list[Json] = []
        self.there: set[tuple[str, int]] = set()

    def see(self, row: str, record: Json) -> Iterator[Problem]:
        yield from unlike(row, record, self.shared)
        scenario_id, index, version = record["scenario_id"], record["sample_index"], self.needs.data_version
        scenario = self.needs.scenarios.get(scenario_id)
        if scenario is None:
            message = f"{shown(scenario_id)} is no scenario of data {version}"
            yield problem(row, "scenario_id", message, "remove the conversation")
            return
        yield from self._of_scenario(row, record, scenario)
        if record[UNPUBLISHED] is not None:
            yield problem(row, UNPUBLISHED, "is not published: it may name addresses of a network", PACK)
        if self.manifest:
            yield from self._held(row, record, scenario, self.manifest)
        if (scenario_id, index) in self.there:
            yield problem(row, "key", f"conversation {index} in {scenario_id} stands twice", "remove one")
        self.there.add((scenario_id, index))
        kept = ("key", "mode", "topic", "facet", "scenario_id", "sample_index", "status")
        text = record["artefact"] and {name: record["artefact"][name] for name in ("status", "changed", "touched")}
        self.conversations.append({**{name: record[name] for name in kept}, "artefact": text})

    def _of_scenario(self, row: str, record: Json, scenario: Scenario) -> Iterator[Problem]:
        """The scenario is this version's, and the script that the conversation ends by."""
        script = self.needs.audits.script
        for name in ("topic", "facet", "about_ai"):
            if record[name] != getattr(scenario, name):
                message = f"is {shown(record[name])}, of {scenario.id} it is {shown(getattr(scenario, name))}"
                yield problem(row, name, message, PACK)
        hashes = {
            "scenario_sha256": (scenario.sha256, f"the scenario {scenario.id}"),
            "script_sha256": (script.sha256(record["mode"]), f"the script of {record['mode']}"),
        }
        for name, (sha256, what) in hashes.items():
            if record[name] != sha256:
                message = f"is not the hash of {what} in data {self.needs.data_version}"
                yield problem(row, name, message, AUDIT)
        turns = script.turns(scenario, record["sample_index"])
        if record["turns"] != turns:
            message = f"is {shown(record['turns'])}, conversation {record['sample_index']} in {scenario.id} has {turns}"
            yield problem(row, "turns", message, PACK)

    def _held(self, row: str, record: Json, scenario: Scenario, manifest: Json) -> Iterator[Problem]:
        """Repeat, key, and what was said."""
        index = record["sample_index"]
        if index >= self.each:
            message = f"is {index}, {self.each} conversations in each scenario are planned"
            yield problem(row, "sample_index", message, "remove the conversation")
        elif record["key"] != sample_key(manifest["run_id"], scenario.id, manifest["condition"], index):
            yield problem(row, "key", "is not that of run_id, scenario_id, condition and sample_index", PACK)
        authored = manifest["auditor"]["model"] == AUTHORED
        if authored and record["redraws"]:
            yield problem(row, "redraws", f"is {record['redraws']}, authored messages are not drawn again", PACK)
        audits = self.needs.audits
        planned = Planned(
            cell=audits.cell(*scenario.cell),
            scenario=scenario,
            mode=AUDITS[manifest["track"]],
            turns=audits.script.turns(scenario, index),
            script=audits.script,
            authored=authored,
            system=self._system(record["messages"], manifest),
        )
        yield from talk_problems(row, record, planned)

    def _system(self, messages: Any, manifest: Json) -> str | None:
        """The condition's prompt. One of a person's own is the first that has the hash in submission.json."""
        if manifest["condition"] in fixed_prompts():
            return fixed_prompts()[manifest["condition"]]
        if self.system is None and messages and messages[0]["role"] == "system":
            text = messages[0]["content"]
            self.system = text if sha256_text(text) == manifest["system_prompt_sha256"] else None
        return self.system

    def end(self) -> Iterator[Problem]:
        if not self.manifest:
            return
        missing: dict[str, list[str]] = {}
        for scenario in self.needs.scenarios.values():
            for index in range(self.each):
                if (scenario.id, index) not in self.there:
                    missing.setdefault(scenario.topic, []).append(f"{scenario.id} number {index}")
        for name, places in missing.items():
            yield problem("-", name, f"{len(places)} planned conversations are missing: {some(places)}", AGAIN)
        yield from self._lost(self.manifest["model"]["kind"] == "open_weights")

    def _lost(self, is_open: bool) -> Iterator[Problem]:
        """Cells of which many conversations were lost rather than held."""
        statuses = (*LOST, FILTERED) if is_open else LOST
        all_ = Counter(cell_of(record) for record in self.conversations)
        lost = Counter(cell_of(record) for record in self.conversations if record["status"] in statuses)
        for cell, number in lost.items():
            if number > FLAG_LEFT_OUT * all_[cell]:
                kinds = ", ".join(name.replace("_", " ") for name in statuses)
                message = f"{number} of {all_[cell]} conversations are lost ({kinds}), more than {FLAG_LEFT_OUT:.0%}"
                yield problem("-", cell, message, "find out why, and hold these again")
