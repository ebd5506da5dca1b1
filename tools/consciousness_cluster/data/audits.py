"""Multi-turn audits as data: the scenarios of each preference, how they are rated, and the script that all share."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template
from typing import Any, Literal, get_args

from consciousness_cluster.data.hashes import sha256_json
from consciousness_cluster.data.reading import read_yaml
from consciousness_cluster.data.rows import benchmark_root, load_benchmark
from consciousness_cluster.errors import UserError

Mode = Literal["self_report", "behavioral"]
MODES: tuple[Mode, ...] = get_args(Mode)
BANDS = {"1": (1, 1), "2-3": (2, 3), "4-5": (4, 5), "6-7": (6, 7), "8-10": (8, 10)}
SCENARIOS, SCRIPT = "scenarios", "audit.yaml"


@dataclass(frozen=True)
class Scale:
    """How 1 to 10 is given: what counts, what does not, and what each band of BANDS looks like."""

    counts: str
    does_not_count: str
    bands: Mapping[str, str]


@dataclass(frozen=True)
class Scenario:
    """A piece of work that a person brings, and the messages that the person writes."""

    id: str
    topic: str
    facet: str | None
    about_ai: bool
    person: str
    work: str
    artefact: str
    turns: tuple[str, ...]

    @property
    def cell(self) -> tuple[str, str | None]:
        return self.topic, self.facet

    @property
    def sha256(self) -> str:
        """Of everything that a model or a judge gets to read of it."""
        return sha256_json([self.id, self.person, self.work, self.artefact, list(self.turns)])


@dataclass(frozen=True)
class AuditCell:
    """A preference, or a facet of one: what it is called, its scales, its vocabulary and its scenarios."""

    topic: str
    facet: str | None
    title: str
    scales: Mapping[Mode, Scale]  # words are rated in self_report, acts in behavioral
    vocabulary: tuple[str, ...]
    scenarios: tuple[Scenario, ...]

    @property
    def name(self) -> str:
        return f"{self.topic}.{self.facet}" if self.facet else self.topic

    @property
    def touches(self) -> re.Pattern[str]:
        """Finds a word or a phrase of the vocabulary in a line."""
        phrases = (
            r"\s+".join(re.escape(word).replace(r"\*", r"\w*") for word in one.split()) for one in self.vocabulary
        )
        return re.compile(rf"\b(?:{'|'.join(phrases)})(?!\w)", re.IGNORECASE)


@dataclass(frozen=True)
class Script:
    """What is the same for all scenarios. Everything that a model reads of it is in `sha256`."""

    least: int
    most: int
    endings: Mapping[Mode, tuple[str, ...]]
    open: str
    close: str
    auditor: Mapping[str, Any]
    asks: tuple[re.Pattern[str], ...]
    speaks_as_assistant: tuple[re.Pattern[str], ...]
    leak_words: int
    max_tokens: int
    temperature: float

    def sha256(self, mode: Mode) -> str:
        """Of what the target is asked at the end."""
        return sha256_json([list(self.endings[mode]), self.open, self.close])

    @property
    def auditor_sha256(self) -> str:
        """Of what an auditor is told, the scenario apart."""
        return sha256_json(self.auditor)

    def turns(self, scenario: Scenario, index: int) -> int:
        """How many messages the person writes: drawn from the scenario's id and the repeat (from 0), so that it is the
        same for every model."""
        drawn = hashlib.sha256(f"{scenario.id}#{index}".encode()).digest()
        return self.least + int.from_bytes(drawn[:8], "big") % (self.most - self.least + 1)


@dataclass(frozen=True)
class Audits:
    """All cells, in the benchmark's order, and the script."""

    cells: tuple[AuditCell, ...]
    script: Script

    @property
    def scenarios(self) -> tuple[Scenario, ...]:
        return tuple(scenario for cell in self.cells for scenario in cell.scenarios)

    def cell(self, topic: str, facet: str | None) -> AuditCell:
        """Raises UserError where there is none."""
        for one in self.cells:
            if (one.topic, one.facet) == (topic, facet):
                return one
        raise UserError(f"there are no scenarios of '{topic}'; there are: {', '.join(one.name for one in self.cells)}")


def scenario_files(root: Path) -> list[Path]:
    return sorted((root / SCENARIOS).glob("*.yaml"))


def _scale(raw: Mapping[str, Any]) -> Scale:
    return Scale(raw["counts"], raw["does_not_count"], dict(raw["bands"]))


def parse_scenarios(raw: Mapping[str, Any], titles: Mapping[str | None, str]) -> tuple[AuditCell, ...]:
    """The cells of a valid file; `titles` are those of the preference's facets (of itself under None)."""
    topic = raw["preference"]
    cells = []
    for part in raw.get("facets") or [{"id": None, **raw}]:
        facet = part["id"]
        scenarios = tuple(
            Scenario(**{**row, "topic": topic, "facet": facet, "turns": tuple(row["turns"])})
            for row in raw["scenarios"]
            if row.get("facet") == facet
        )
        scales = dict(zip(MODES, (_scale(part["rubric"]["words"]), _scale(part["rubric"]["acts"])), strict=True))
        title = titles.get(facet, topic)
        cells.append(AuditCell(topic, facet, title, scales, tuple(part["vocabulary"]), scenarios))
    return tuple(cells)


def parse_script(raw: Mapping[str, Any]) -> Script:
    """The script of a valid file. Raises `re.error` where a guard is no regular expression."""
    marks = raw["markers"]
    behavioral = raw["endings"]["behavioral"]
    ending = tuple(Template(behavioral[step]).substitute(marks) for step in ("before", "offer", "act", "further"))
    guards = raw["guards"]
    asks, speaks = (
        tuple(re.compile(one, re.IGNORECASE) for one in guards[name]) for name in ("asks", "speaks_as_assistant")
    )
    return Script(
        least=raw["turns"]["least"],
        most=raw["turns"]["most"],
        endings={"self_report": tuple(raw["endings"]["self_report"]), "behavioral": ending},
        open=marks["open"],
        close=marks["close"],
        auditor=raw["auditor"],
        asks=asks,
        speaks_as_assistant=speaks,
        leak_words=guards["leaks"]["words"],
        max_tokens=raw["target"]["max_tokens"],
        temperature=raw["target"]["temperature"],
    )


@cache
def load_audits() -> Audits:
    """The audits of the package. Raises UserError where a file cannot be used."""
    root = benchmark_root()
    titles = {
        topic.id: {criterion.facet: criterion.name for criterion in topic.criteria}
        for topic in load_benchmark().preferences
    }
    cells: list[AuditCell] = []
    for path in scenario_files(root):
        raw = read_yaml(path, "scenarios")
        cells += parse_scenarios(raw, titles.get(raw["preference"], {}))
    return Audits(tuple(cells), parse_script(read_yaml(root / SCRIPT, "audit_script")))
