"""What a submission has to hold, as this data version has it: probes and prompts, choice items, labelled answers,
scenarios of audits."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from typing import Any

from consciousness_cluster.conditions import PERSONA_FILE, fixed_prompts
from consciousness_cluster.data.audits import Audits, Scenario, load_audits
from consciousness_cluster.data.hashes import sha256_json, sha256_text
from consciousness_cluster.data.rows import ChoiceItem, Probe, Topic, load_benchmark
from consciousness_cluster.judging.calibration import Labelled, questions_of, read_calibration
from consciousness_cluster.sampling.plan import SAMPLES
from consciousness_cluster.submissions.judge_rules import by_readers

OTHER_PROMPT = "system_prompt_"
Messages = list[dict[str, str]]


@dataclass(frozen=True)
class Asked:
    """Labelled answers that a judge has to have judged."""

    labelled: tuple[Labelled, ...]

    @cached_property
    def labels(self) -> dict[tuple[str, str], bool]:
        """(labelled answer, outcome) -> whether the answer shows it."""
        return {(one.row["id"], one.outcome): one.label for one in self.labelled}

    @cached_property
    def sha256(self) -> str:
        """Of everything that a judge is asked."""
        return sha256_json([[one.row["id"], one.outcome, one.label, asdict(one.question)] for one in self.labelled])


@dataclass(frozen=True)
class Needs:
    """`topics` have to be there whole, each of `checks` whole or not at all; of an audit all scenarios of `audits`.

    `labelled` is what a judge is asked, the test split; `read` what readers find among what they read, the dev split:
    rows of the test split are not shown to them. Readers take the answers one by one, so one to each probe will do.
    """

    data_version: str
    topics: tuple[Topic, ...]
    checks: tuple[Topic, ...]
    labelled: tuple[Labelled, ...]
    read: tuple[Labelled, ...]
    audits: Audits
    samples_per_probe: int = SAMPLES

    @cached_property
    def probes(self) -> dict[str, tuple[Topic, Probe]]:
        """Test probe -> its topic and itself, in the benchmark's order."""
        topics = (*self.topics, *self.checks)
        return {probe.id: (topic, probe) for topic in topics for probe in topic.test_probes("plain")}

    @cached_property
    def items(self) -> dict[str, tuple[Topic, ChoiceItem]]:
        """Choice item -> its topic and itself, in the benchmark's order."""
        return {item.id: (topic, item) for topic in (*self.topics, *self.checks) for item in topic.choice_items}

    @cached_property
    def scenarios(self) -> dict[str, Scenario]:
        """Scenario by its id, in the benchmark's order."""
        return {scenario.id: scenario for scenario in self.audits.scenarios}

    @cached_property
    def _asked(self) -> dict[bool, Asked]:
        return {False: Asked(self.labelled), True: Asked(self.read)}

    def asked(self, judge: Mapping[str, Any] | None) -> Asked:
        """What this judge has to have judged. `judge`: of a submission.json, None where it is not known."""
        return self._asked[by_readers(judge)]

    def answers_each(self, judge: Mapping[str, Any] | None) -> int:
        """How many answers to each probe there are at least."""
        return 1 if by_readers(judge) else self.samples_per_probe

    @cached_property
    def _prompts(self) -> dict[str | None, dict[str, tuple[Messages, str]]]:
        return {}

    def prompts(self, system: str | None) -> Mapping[str, tuple[Messages, str]]:
        """Test probe -> the messages that are sent under a system prompt, and their hash."""
        if system not in self._prompts:
            if len(self._prompts) > 10:  # prompts of a person's own come one by one
                self._prompts.clear()
            # Plain probes alone: they have no place of their own that would stand in the system prompt.
            before = [{"role": "system", "content": system}] if system else []
            asked = {
                name: [*before, {"role": "user", "content": probe.text}] for name, (_, probe) in self.probes.items()
            }
            self._prompts[system] = {name: (messages, sha256_json(messages)) for name, messages in asked.items()}
        return self._prompts[system]

    def present(self, ids: Sequence[str]) -> list[Topic]:
        """The topics that have to be there when these are."""
        return [*self.topics, *(check for check in self.checks if check.id in ids)]


@cache
def needs() -> Needs:
    """What this version of the package asks for."""
    benchmark = load_benchmark()
    labelled, read = (tuple(questions_of(read_calibration(split))) for split in ("test", "dev"))
    read = tuple(one for one in read if not one.contested)
    topics = benchmark.preferences, benchmark.checks
    return Needs(benchmark.data_version, *topics, labelled, read, load_audits())


def condition_fits(condition: str, prompt_sha256: str | None) -> bool:
    """Whether a system prompt of this hash can be that of the condition."""
    if condition in fixed_prompts():
        prompt = fixed_prompts()[condition]
        return prompt_sha256 == (sha256_text(prompt) if prompt else None)
    if prompt_sha256 is None:
        return False
    return condition in (PERSONA_FILE, f"{OTHER_PROMPT}{prompt_sha256[:12]}")
