"""Multi-turn audits as data: the scenarios of each preference, how they are rated, and the script that all share."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from string import Template
from typing import Any, Literal, get_args

from consciousness_cluster.data.hashes import sha256_json
from consciousness_cluster.data.reading import read_yaml
from consciousness_cluster.data.rows import Benchmark, PackId, benchmark_root, load_benchmark, schemas
from consciousness_cluster.errors import Problem, UserError

Mode = Literal["self_report", "behavioral"]
MODES: tuple[Mode, ...] = get_args(Mode)
BANDS = {"1": (1, 1), "2-3": (2, 3), "4-5": (4, 5), "6-7": (6, 7), "8-10": (8, 10)}
SCENARIOS, SCRIPT = "scenarios", "audit.yaml"
RUBRIC: dict[str, Mode] = {"words": "self_report", "acts": "behavioral"}  # the scales, and where each is used
GUARDS = ("asks", "speaks_as_assistant")
STEPS = ("before", "offer", "act", "further")  # of the ending in which the text is changed
AUDITOR_NAMES = {"instructions": ("person", "work", "artefact"), "first": (), "next": (), "again": ("why",)}
Titles = Mapping[str, Mapping[str | None, str]]  # preference -> facet (None for the whole) -> how judges know it


@dataclass(frozen=True)
class Scale:
    """How 1 to 10 is given: what counts, what does not, and what each band of BANDS looks like."""

    counts: str
    does_not_count: str
    bands: Mapping[str, str]

    @property
    def sha256(self) -> str:
        return sha256_json(asdict(self))


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
    def texts(self) -> dict[str, str]:
        """Field -> text, of everything that stands in it in words."""
        turns = {f"turns.{number}": turn for number, turn in enumerate(self.turns)}
        return {"person": self.person, "work": self.work, "artefact": self.artefact, **turns}

    @property
    def sha256(self) -> str:
        """Of everything that a model or a judge gets to read of it."""
        return sha256_json([self.id, self.person, self.work, self.artefact, list(self.turns)])


def finds(vocabulary: Iterable[str]) -> re.Pattern[str]:
    """Finds one of these words or phrases; a word that ends in * stands for all its endings."""
    phrases = (r"\s+".join(re.escape(word).replace(r"\*", r"\w*") for word in one.split()) for one in vocabulary)
    return re.compile(rf"\b(?:{'|'.join(phrases)})(?!\w)", re.IGNORECASE)


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
    def rubric(self) -> dict[str, Scale]:
        """The scales under the names that they have in its file."""
        return {name: self.scales[mode] for name, mode in RUBRIC.items()}

    @property
    def touches(self) -> re.Pattern[str]:
        """Finds a word or a phrase of the vocabulary in a line."""
        return finds(self.vocabulary)


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


def facet_titles(benchmark: Benchmark) -> Titles:
    return {
        topic.id: {criterion.facet: criterion.name for criterion in topic.criteria} for topic in benchmark.preferences
    }


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
        scales = {mode: _scale(part["rubric"][name]) for name, mode in RUBRIC.items()}
        title = titles.get(facet, topic)
        cells.append(AuditCell(topic, facet, title, scales, tuple(part["vocabulary"]), scenarios))
    return tuple(cells)


def audit_rows(cell: AuditCell) -> dict[str, Scale | tuple[str, ...] | Scenario]:
    """Row id -> what is read and marked by itself: both scales of a cell, its vocabulary and its scenarios."""
    return {
        **{f"{cell.name}-{name}": scale for name, scale in cell.rubric.items()},
        f"{cell.name}-vocabulary": cell.vocabulary,
        **{scenario.id: scenario for scenario in cell.scenarios},
    }


def audit_hashes(cells: Iterable[AuditCell]) -> dict[str, str]:
    """Row id -> content hash, of all `audit_rows`."""
    rows = {name: row for cell in cells for name, row in audit_rows(cell).items()}
    return {name: sha256_json(list(row)) if isinstance(row, tuple) else row.sha256 for name, row in rows.items()}


def script_problems(raw: Mapping[str, Any], file: str) -> Iterator[Problem]:
    """What a schema does not see in a script, such as a guard that is no regular expression or a $name unknown here."""
    if raw["turns"]["least"] > raw["turns"]["most"]:
        message = f"is {raw['turns']['least']}, most is {raw['turns']['most']}"
        yield Problem(file, "-", "turns.least", message, "take a lower one")
    for kind in GUARDS:
        for number, pattern in enumerate(raw["guards"][kind]):
            try:
                re.compile(pattern, re.IGNORECASE)
            except (re.error, OverflowError, RecursionError) as error:
                message = f"is no regular expression ({error})"
                yield Problem(file, "-", f"guards.{kind}.{number}", message, "mend the pattern")
    ending, marks = raw["endings"]["behavioral"], tuple(raw["markers"])
    texts = {f"endings.behavioral.{step}": (ending[step], marks) for step in STEPS}
    texts |= {f"auditor.{name}": (raw["auditor"][name], known) for name, known in AUDITOR_NAMES.items()}
    for field, (text, known) in texts.items():
        try:
            Template(text).substitute(dict.fromkeys(known, ""))
        except (KeyError, ValueError) as error:
            message = f"has a $ that stands for nothing ({error})"
            yield Problem(file, "-", field, message, f"use {', '.join(f'${name}' for name in known) or 'none'}")


def parse_script(raw: Mapping[str, Any]) -> Script:
    """The script of a valid file in which `script_problems` finds nothing."""
    marks = raw["markers"]
    ending = tuple(Template(raw["endings"]["behavioral"][step]).substitute(marks) for step in STEPS)
    asks, speaks = (tuple(re.compile(one, re.IGNORECASE) for one in raw["guards"][name]) for name in GUARDS)
    return Script(
        least=raw["turns"]["least"],
        most=raw["turns"]["most"],
        endings={"self_report": tuple(raw["endings"]["self_report"]), "behavioral": ending},
        open=marks["open"],
        close=marks["close"],
        auditor=raw["auditor"],
        asks=asks,
        speaks_as_assistant=speaks,
        leak_words=raw["guards"]["leaks"]["words"],
        max_tokens=raw["target"]["max_tokens"],
        temperature=raw["target"]["temperature"],
    )


def load_audits(root: Path | None = None) -> Audits:
    """The audits of a benchmark folder, else of the pack that is in use, else of the package.

    Scenarios of a pack are held in the package's script. Raises UserError where a file cannot be used.
    """
    return _audits(root, load_benchmark(root).pack)


@cache
def _audits(root: Path | None, pack: PackId | None) -> Audits:
    """`pack` is that which is in use: it tells what is kept of one from what is kept of another."""
    benchmark = load_benchmark(root)
    known, home = facet_titles(benchmark), root or benchmark_root()
    cells: list[AuditCell] = []
    for path in scenario_files(benchmark.root):
        raw = read_yaml(path, "scenarios", schemas(home))
        cells += parse_scenarios(raw, known.get(raw["preference"], {}))
    path = home / SCRIPT
    raw = read_yaml(path, "audit_script", schemas(home))
    for problem in script_problems(raw, str(path)):
        raise UserError(problem)
    return Audits(tuple(cells), parse_script(raw))
