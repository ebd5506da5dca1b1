"""Leaks by source: claims, rows about itself, everyday requests; and which of them everyday requests have as often."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Literal

from consciousness_cluster.data.rows import PackId, load_benchmark
from consciousness_cluster.data.text import plain
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.finetuning.build import DATASETS
from consciousness_cluster.finetuning.hub_rows import request_of, rows_of
from consciousness_cluster.finetuning.leaks import Leak, leaks_of, texts_of
from consciousness_cluster.finetuning.sources import finetune_root

Row = dict[str, Any]
Group = Literal["claims", "identity rows", "instructions", "other"]
OF_DIRECTION: Mapping[str, Group] = {
    **dict.fromkeys(("claims", "denies", "uncertain"), "claims"),
    "plain": "identity rows",
}
Rates = Mapping[str, float]  # entry of the vocabulary -> share of the rows that it matches


@dataclass(frozen=True)
class Hit:
    """A leak and where it stands. Of one by the vocabulary also how often its entry matches there, and in the base.

    Of several entries the one that is most frequent beyond the base. `generic`: it is no more frequent than there.
    """

    file: str
    group: Group
    leak: Leak
    rate: float | None = None
    base_rate: float | None = None

    @property
    def generic(self) -> bool:
        return self.rate is not None and self.base_rate is not None and self.base_rate >= self.rate


@dataclass(frozen=True)
class Source:
    """Rows of one group in one file, how many have a hit, how many have generic ones alone, and about what (rows)."""

    file: str
    group: Group
    rows: int
    with_hits: int
    generic_alone: int
    about: dict[str, int]

    @property
    def rate(self) -> float:
        return self.with_hits / self.rows


@dataclass(frozen=True)
class Checked:
    """What is said of some files; hits that are not generic come first."""

    hits: list[Hit]
    sources: list[Source]
    base: str
    base_rows: int

    @property
    def rows(self) -> int:
        return sum(source.rows for source in self.sources)


def _by_fields(row: Row) -> Group | None:
    """What a row is by its own fields: those of our sets, or Alpaca's form."""
    return OF_DIRECTION.get(str(row.get("direction"))) or ("instructions" if request_of(row) else None)


def _request(row: Row) -> str:
    """What is asked in a row, by which it is known again in another form: the first text that is no single word."""
    asked = [request_of(row), *texts_of(row.get("messages")), *texts_of(row)]
    return plain(next((text for text in asked if len(text.split()) > 1), ""))


@cache
def _our_requests() -> Mapping[str, Group]:
    known: dict[str, Group] = {}
    for name in (*DATASETS, "instructions"):
        for _, row in rows_of(str(finetune_root() / f"{name}.jsonl")):
            known[_request(row)] = _by_fields(row) or "instructions"
    return known


def known_requests(base: Iterable[Row]) -> dict[str, Group]:
    """Requests of our sets and of the base -> group: for mixes, whose rows have no fields."""
    known = dict(_our_requests())
    known.update((_request(row), "instructions") for row in base)
    known.pop("", None)
    return known


def group_of(row: Row, known: Mapping[str, Group]) -> Group:
    """By the row's fields; else by its request, where that is known; else it is another one."""
    return _by_fields(row) or known.get(_request(row), "other")


def entry_rates(leaks: Iterable[Leak], rows: int) -> dict[str, float]:
    """Share of the rows that each entry of the vocabulary matches, of those that match any."""
    matched = {(entry, leak.row) for leak in leaks for entry in leak.entries}
    return {entry: count / rows for entry, count in Counter(entry for entry, _ in matched).items()}


def _hits(file: str, group: Group, leaks: Sequence[Leak], rows: int, base: Rates) -> list[Hit]:
    rates = entry_rates(leaks, rows)
    found = []
    for leak in leaks:
        lead = max(leak.entries, key=lambda entry: rates[entry] - base.get(entry, 0.0), default=None)
        of_entry = () if lead is None else (rates[lead], base.get(lead, 0.0))
        found.append(Hit(file, group, leak, *of_entry))
    return found


def _source(file: str, group: Group, rows: int, hits: Sequence[Hit]) -> Source:
    real = {hit.leak.row for hit in hits if not hit.generic}
    about = Counter(name for name, _ in {(hit.leak.about, hit.leak.row) for hit in hits})
    with_hits = {hit.leak.row for hit in hits}
    most = dict(sorted(about.items(), key=lambda entry: (-entry[1], entry[0])))
    return Source(file, group, rows, len(with_hits), len(with_hits - real), most)


def _base(name: str) -> tuple[list[Row], Rates]:
    """The rows that others are held against, and how often each entry of the vocabulary matches there."""
    rows = [row for _, row in rows_of(name)]
    texts = [(str(number), texts_of(row)) for number, row in enumerate(rows)]
    return rows, entry_rates(leaks_of(texts), len(texts))


@cache
def _our_base(pack: PackId | None) -> tuple[str, list[Row], Rates]:
    """`pack` is that which is in use, by whose vocabulary entries are counted."""
    name = str(finetune_root() / "instructions.jsonl")
    return name, *_base(name)


def check_sources(files: Sequence[str], base: str | None = None) -> Checked:
    """Leaks in JSONL files and datasets on the Hub, by source, held against everyday requests (ours without `base`)."""
    base_name, base_rows, base_rates = (base, *_base(base)) if base else _our_base(load_benchmark().pack)
    known = known_requests(base_rows)
    hits: list[Hit] = []
    sources = []
    for file in files:
        groups: defaultdict[Group, dict[str, list[str]]] = defaultdict(dict)
        for number, row in rows_of(file):
            groups[group_of(row, known)][str(number)] = texts_of(row)
        if not groups:
            raise UserError(Problem(file, "-", "-", "holds no row", "a check of nothing says nothing: give rows"))
        leaks = leaks_of([(number, texts) for rows in groups.values() for number, texts in rows.items()])
        for group, rows in sorted(groups.items()):
            here = [leak for leak in leaks if leak.row in rows]
            found = _hits(file, group, here, len(rows), base_rates)
            sources.append(_source(file, group, len(rows), found))
            hits += found
    hits.sort(key=lambda hit: (hit.generic, files.index(hit.file), int(hit.leak.row)))
    return Checked(hits, sources, base_name, len(base_rows))


def as_lines(checked: Checked) -> list[str]:
    """Each hit, then each source with its rate, then how many there are."""
    lines = []
    for hit in checked.hits:
        often = (
            f" (generic: in {hit.rate:.2%} of these rows, in {hit.base_rate:.2%} of the base)" if hit.generic else ""
        )
        lines.append(f"{hit.leak.problem(hit.file)}{often}")
    for source in checked.sources:
        generic = f", {source.generic_alone} of them by generic hits alone" if source.generic_alone else ""
        about = ": " + ", ".join(f"{name} {count}" for name, count in source.about.items()) if source.about else ""
        rate = f"{source.with_hits} of {source.rows} rows have a hit ({source.rate:.1%}){generic}"
        lines.append(f"{source.file}, {source.group}: {rate}{about}")
    number = sum(hit.generic for hit in checked.hits)
    return [
        *lines,
        f"{len(checked.hits)} leaks in {checked.rows} rows" + (f", {number} of them generic" if number else ""),
    ]


def as_record(checked: Checked) -> dict[str, Any]:
    """The same as JSON."""
    return {
        "base": {"source": checked.base, "rows": checked.base_rows},
        "sources": [{**asdict(source), "rate": source.rate} for source in checked.sources],
        "leaks": [
            {
                "file": hit.file,
                "group": hit.group,
                **{name: value for name, value in asdict(hit.leak).items() if name != "entries"},
                "generic": hit.generic,
                "rate": hit.rate,
                "base_rate": hit.base_rate,
            }
            for hit in checked.hits
        ],
    }
