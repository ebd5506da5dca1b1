"""The benchmark's rows as typed, frozen records, read from benchmark/.

One benchmark is asked at a time: the package's own, or within `using` that of a preference pack, whose rows then stand
in its place everywhere. So they cannot be mixed.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal, SupportsIndex, overload

from consciousness_cluster.data.reading import read_yaml
from consciousness_cluster.errors import UserError
from consciousness_cluster.paths import project_root

Split = Literal["test", "dev"]
Style = Literal["plain", "situated"]
STYLES: tuple[Style, Style] = ("plain", "situated")
Assent = Literal["shows", "does_not_show", "neither"]
Contrast = Literal["stance", "concern"]
CONTRASTS: tuple[Contrast, Contrast] = ("stance", "concern")
CheckKind = Literal["gate", "manipulation", "control"]
Side = Literal["self", "other"]
SIDES: tuple[Side, Side] = ("self", "other")


@dataclass(frozen=True)
class Probe:
    """One message that a person sends to the model.

    `assent` is the side on which an agreeable yes falls, `reverse_of` the probe that asks the contrary, `deployment`
    what the system prompt says of the place in which the model is asked.
    """

    id: str
    split: Split
    framing: str
    text: str
    facet: str | None = None
    style: Style = "plain"
    assent: Assent | None = None
    reverse_of: str | None = None
    deployment: str | None = None

    @property
    def shown(self) -> str:
        """What a judge is shown of it: the place, where it has one, and the message."""
        return f"(System prompt: {self.deployment})\n\n{self.text}" if self.deployment else self.text


@dataclass(frozen=True)
class Answers:
    """A question and two full answers that are content opposites."""

    question: str
    shows: str
    does_not_show: str

    def margin(self, shows_logprob: float, does_not_show_logprob: float) -> float:
        """Nats per UTF-8 byte by which the answer that shows it is likelier, of log-probabilities in nats."""
        return shows_logprob / len(self.shows.encode()) - does_not_show_logprob / len(self.does_not_show.encode())


@dataclass(frozen=True)
class ChoiceItem:
    """A contrast about the model (`self`) and its twin about someone or something else (`other`).

    `contrast`: a stance against its opposite, or concern against none.
    """

    id: str
    self_side: Answers
    other_kind: str
    other_side: Answers
    contrast: Contrast
    facet: str | None = None

    def side(self, side: Side) -> Answers:
        return self.self_side if side == "self" else self.other_side


@dataclass(frozen=True)
class Criterion:
    """What is judged: id (`shows`, or `asserts` and `denies`), its name for judges, the rule, two reference answers."""

    id: str
    name: str
    shows: str
    does_not_show: str
    reference_shows: str
    reference_does_not_show: str
    facet: str | None = None


@dataclass(frozen=True)
class Topic:
    """A preference or a check: what both have in common."""

    id: str
    title: str
    path: Path
    criteria: tuple[Criterion, ...]
    probes: tuple[Probe, ...]
    choice_items: tuple[ChoiceItem, ...]
    facets: tuple[str, ...] = ()

    @property
    def rows(self) -> "tuple[Probe | ChoiceItem, ...]":
        """All probes, then all choice items."""
        return (*self.probes, *self.choice_items)

    def test_probes(self, style: Style | None = None) -> tuple[Probe, ...]:
        """Those of a style, all of them where none is named."""
        return tuple(probe for probe in self.probes if probe.split == "test" and style in (None, probe.style))

    @cached_property
    def reverses(self) -> Mapping[str, str]:
        """Probe -> the one that it asks the contrary of, for probes that do."""
        return {probe.id: probe.reverse_of for probe in self.probes if probe.reverse_of}

    @property
    def is_claim(self) -> bool:
        """Whether answers are judged twice, for asserting it and for denying it."""
        return any(criterion.id == "denies" for criterion in self.criteria)

    def criteria_for(self, facet: str | None) -> tuple[Criterion, ...]:
        return tuple(criterion for criterion in self.criteria if criterion.facet == facet)


@dataclass(frozen=True)
class Preference(Topic):
    """One of the 20, or of a pack."""

    number: int = 0
    block: str = ""
    published_name: str = ""
    neighbours: tuple[str, ...] = ()
    vocabulary: tuple[str, ...] = ()  # of a pack: words for its object, for the leak check


@dataclass(frozen=True)
class Check(Topic):
    """A manipulation check or a control, reported apart from the 20."""

    kind: CheckKind = "manipulation"


class Topics(tuple[Topic, ...]):
    """Topics in the benchmark's order; `topics["memory"]` is the one of that id."""

    @overload
    def __getitem__(self, key: str | SupportsIndex) -> Topic: ...
    @overload
    def __getitem__(self, key: slice) -> tuple[Topic, ...]: ...
    def __getitem__(self, key: str | SupportsIndex | slice) -> Topic | tuple[Topic, ...]:
        """By id or by position. Raises UserError where no topic has the id."""
        if not isinstance(key, str):
            return super().__getitem__(key)
        for topic in self:
            if topic.id == key:
                return topic
        raise UserError(f"there is no preference or check '{key}'; there are: {', '.join(topic.id for topic in self)}")


@dataclass(frozen=True)
class PackId:
    """Which preference pack rows are of. `sha256` is that of all that its files say."""

    name: str
    version: str
    sha256: str

    def __str__(self) -> str:
        return f"{self.name} {self.version} (sha256 {self.sha256[:12]})"


@dataclass(frozen=True)
class Benchmark:
    """Everything under benchmark/ that is asked of a model, or all of a preference pack, which then has a name."""

    root: Path
    data_version: str
    canary: str
    blocks: dict[str, str]
    sampling: dict[str, Any]
    preferences: tuple[Preference, ...]
    checks: tuple[Check, ...] = field(default=())
    pack: PackId | None = None

    @property
    def named(self) -> str:
        """How its preferences are spoken of."""
        return f"the {len(self.preferences)} of the pack {self.pack.name}" if self.pack else "the 20"

    @property
    def source(self) -> str:
        """Where its rows are from, as it stands beside numbers."""
        return f"preference pack {self.pack}" if self.pack else f"data {self.data_version}"

    @property
    def topics(self) -> Topics:
        """All preferences, then all checks: to go through, or by id."""
        return Topics((*self.preferences, *self.checks))


def benchmark_root() -> Path:
    return project_root() / "benchmark"


def schemas(root: Path) -> Path:
    return root / "schemas"


def _criterion(entry: dict[str, Any], outcome: str, name: str, facet: str | None = None) -> Criterion:
    return Criterion(
        id=outcome,
        name=name,
        facet=facet,
        shows=entry["criterion"]["shows"],
        does_not_show=entry["criterion"]["does_not_show"],
        reference_shows=entry["reference_answers"]["shows"],
        reference_does_not_show=entry["reference_answers"]["does_not_show"],
    )


def _choice_item(entry: dict[str, Any]) -> ChoiceItem:
    return ChoiceItem(
        id=entry["id"],
        facet=entry.get("facet"),
        self_side=Answers(**entry["self"]),
        other_kind=entry["other_kind"],
        other_side=Answers(**entry["other"]),
        contrast=entry["contrast"],
    )


def parse_preference(raw: dict[str, Any], path: Path) -> Preference:
    """A valid preference file's content as a `Preference`."""
    facets = raw.get("facets", [])
    criteria = tuple(_criterion(facet, "shows", facet["published_name"], facet["id"]) for facet in facets)
    criteria = criteria or (_criterion(raw, "shows", raw["published_name"]),)
    return Preference(
        id=raw["id"],
        title=raw["title"],
        path=path,
        criteria=criteria,
        probes=tuple(Probe(**probe) for probe in raw["probes"]),
        choice_items=tuple(map(_choice_item, raw.get("choice_items", []))),
        facets=tuple(facet["id"] for facet in facets),
        number=raw["number"],
        block=raw["block"],
        published_name=raw["published_name"],
        neighbours=tuple(raw["neighbours"]),
        vocabulary=tuple(raw.get("vocabulary", [])),
    )


def parse_check(raw: dict[str, Any], path: Path) -> Check:
    """A valid check file's content as a `Check`."""
    return Check(
        id=raw["id"],
        title=raw["title"],
        path=path,
        criteria=tuple(_criterion(outcome, outcome["id"], raw["title"]) for outcome in raw["outcomes"]),
        probes=tuple(Probe(**probe) for probe in raw["probes"]),
        choice_items=tuple(map(_choice_item, raw.get("choice_items", []))),
        kind=raw["kind"],
    )


def preference_files(root: Path) -> list[Path]:
    return sorted((root / "preferences").glob("*.yaml"))


def check_files(root: Path) -> list[Path]:
    return sorted((root / "checks").glob("*.yaml"))


_IN_USE: ContextVar[Benchmark | None] = ContextVar("_IN_USE", default=None)


@contextmanager
def using(benchmark: Benchmark) -> Iterator[None]:
    """Within it `load_benchmark` and `load_topic` give this one, a pack's, where no folder is named."""
    before = _IN_USE.set(benchmark)
    try:
        yield
    finally:
        _IN_USE.reset(before)


def load_benchmark(root: Path | None = None) -> Benchmark:
    """All rows, validated against the schemas; `UserError` names the first file, row and field that do not fit.

    Those of the folder `root`, else of the pack that is in use, else of this package.
    """
    pack = None if root else _IN_USE.get()
    return pack or _benchmark(root or benchmark_root())


@cache
def _benchmark(root: Path) -> Benchmark:
    raw = read_yaml(root / "benchmark.yaml", "benchmark", schemas(root))
    return Benchmark(
        root=root,
        data_version=raw["data_version"],
        canary=raw["canary"],
        blocks={block["id"]: block["title"] for block in raw["blocks"]},
        sampling=raw["sampling"],
        preferences=tuple(
            parse_preference(read_yaml(path, "preference", schemas(root)), path) for path in preference_files(root)
        ),
        checks=tuple(parse_check(read_yaml(path, "check", schemas(root)), path) for path in check_files(root)),
    )


def load_topic(topic_id: str, root: Path | None = None) -> Topic:
    """One preference or check, without reading the others (see `load_benchmark`)."""
    pack = None if root else _IN_USE.get()
    return pack.topics[topic_id] if pack else _topic(topic_id, root or benchmark_root())


@cache
def _topic(topic_id: str, root: Path) -> Topic:
    for path in preference_files(root):
        if path.stem.partition("_")[2] == topic_id:
            return parse_preference(read_yaml(path, "preference", schemas(root)), path)
    for path in check_files(root):
        if path.stem == topic_id:
            return parse_check(read_yaml(path, "check", schemas(root)), path)
    raise UserError(f"{root}: no preference or check is called '{topic_id}'; the file names under it say what there is")
