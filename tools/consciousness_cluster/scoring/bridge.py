"""`judges bridge`: how each rate moves when the judge changes, on the same answers of one or more runs."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.errors import UserError
from consciousness_cluster.records.run import JudgedRun, load_judged
from consciousness_cluster.records.types import JudgeCard, Sample
from consciousness_cluster.scoring.counts import ANSWERED, Answer, ProbeCounts, count_probe
from consciousness_cluster.scoring.estimates import MISSING, Estimate, line_estimates
from consciousness_cluster.scoring.scores import answer_of
from consciousness_cluster.scoring.table_lines import CellSpec, Line, cell_specs, table_lines
from consciousness_cluster.scoring.types import Bridge, BridgeRow, Succession
from consciousness_cluster.statistics.agreement import Table, kappa_of_two
from consciousness_cluster.statistics.flips import Flips, shifts
from consciousness_cluster.statistics.means import mean_interval
from consciousness_cluster.statistics.rates import Cell

# How far a rate may move for a judge to succeed another on the board: the whole interval has to lie within.
CLUSTER_MOVES, PREFERENCE_MOVES = 0.03, 0.10
Side = tuple[JudgedRun, JudgedRun]  # one run, as both judges see it
Shift = tuple[float, float, float]  # value, low, high


@dataclass(frozen=True)
class _Probe:
    """The answers to one probe: those that both judges scored, and why one or both scored no others."""

    id: str
    both: tuple[tuple[Answer, Answer], ...]
    table: Table  # rows: shows to the first judge, or does not; columns: to the second
    only_from: Counter[str]  # the second judge's reason -> answers that the first one alone scored
    only_to: Counter[str]
    neither: int


def load_both(path: Path, judge_from: str, judge_to: str) -> Side:
    """The run at `path` with the verdicts of both judges. UserError where it lacks those of either."""
    first, second = load_judged(path, judge_from), load_judged(path, judge_to)
    if first.judge and second.judge and first.judge["id"] == second.judge["id"]:
        raise UserError(f"{path}: a bridge goes from one judge to another; both are {first.judge['id']}")
    return first, second


def _probe(spec: CellSpec, probe_id: str, found: Sequence[tuple[Answer, Answer]]) -> _Probe:
    both: list[tuple[Answer, Answer]] = []
    counts: Counter[tuple[bool, bool]] = Counter()
    only: tuple[Counter[str], Counter[str]] = Counter(), Counter()
    neither = 0
    for pair in found:
        one, other = (count_probe(spec, probe_id, [answer]) for answer in pair)
        if one["scored"] and other["scored"]:
            both.append(pair)
            counts[bool(one["shows"]), bool(other["shows"])] += 1
        elif one["scored"] or other["scored"]:
            side, lacking = (0, other) if one["scored"] else (1, one)
            only[side].update(lacking["left_out"])
        else:
            neither += 1
    table = tuple(tuple(counts[a, b] for b in (True, False)) for a in (True, False))
    return _Probe(probe_id, tuple(both), table, *only, neither)  # type: ignore[arg-type]


def _cells(sides: Sequence[Side]) -> dict[str, tuple[CellSpec, list[_Probe]]]:
    """Cell id -> its probes, for cells with an answer that could be judged."""
    of_probe: dict[str, list[tuple[Side, Sample]]] = defaultdict(list)
    for side in sides:
        for sample in side[0].run.samples:
            if sample["status"] in ANSWERED:
                of_probe[sample["probe_id"]].append((side, sample))
    found = {}
    for spec in cell_specs(load_benchmark()):
        probes = [
            _probe(
                spec,
                probe.id,
                [
                    (answer_of(sample, spec, side[0].verdicts), answer_of(sample, spec, side[1].verdicts))
                    for side, sample in of_probe[probe.id]
                ],
            )
            for probe in spec.topic.test_probes()
            if probe.facet == spec.facet and of_probe[probe.id]
        ]
        if probes:
            found[spec.id] = spec, probes
    return found


def _flips(probes: Sequence[_Probe]) -> Flips:
    scored = [len(probe.both) for probe in probes]
    up, down = ([probe.table[a][1 - a] for probe in probes] for a in (1, 0))
    return Flips(Cell.of(up, scored), Cell.of(down, scored))


def _counts(spec: CellSpec, probes: Sequence[_Probe], judge: int) -> list[ProbeCounts]:
    """Counts of the answers that both judges scored, as one of them reads them."""
    return [count_probe(spec, probe.id, [pair[judge] for pair in probe.both]) for probe in probes]


def _shifts(lines: Sequence[Line], cells: Mapping[str, Sequence[_Probe]]) -> dict[str, Shift]:
    """Line id -> how its rate moves. A mean is missing unless each of its parts is there."""
    flips = [_flips(probes) for probes in cells.values()]
    found = {name: shift for name, shift in zip(cells, shifts(flips), strict=True) if shift}
    for kind in ("preference", "block", "cluster"):
        for line in lines:
            if line.kind == kind and line.cells != (line.id,) and all(name in found for name in line.cells):
                found[line.id] = mean_interval([found[name] for name in line.cells])
    return found


def _below(lines: Sequence[Line], cells: Mapping[str, Sequence[_Probe]]) -> dict[str, list[_Probe]]:
    """Line id -> all probes below it, for lines that have any."""
    found = {name: list(probes) for name, probes in cells.items()}
    for kind in ("preference", "block", "cluster"):
        for line in lines:
            if line.kind == kind and line.id not in found:
                found[line.id] = [probe for name in line.cells for probe in found.get(name, ())]
    return {name: probes for name, probes in found.items() if probes}


def _total(reasons: Iterable[Counter[str]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for counted in reasons:
        total.update(counted)
    return dict(total)


def _row(probes: Sequence[_Probe], rates: Sequence[Estimate], shift: Shift | None) -> BridgeRow:
    kappa = kappa_of_two([probe.table for probe in probes])
    to_shows, to_not = (sum(probe.table[a][1 - a] for probe in probes) for a in (1, 0))
    both = sum(len(probe.both) for probe in probes)
    ends = [list(one.ci) if one.ci else None for one in rates]
    return {
        "rate_from": rates[0].rate,
        "ci_from": ends[0],
        "rate_to": rates[1].rate,
        "ci_to": ends[1],
        "difference": shift[0] if shift else None,
        "ci": [shift[1], shift[2]] if shift else None,
        "both": both,
        "to_shows": to_shows,
        "to_not": to_not,
        "agree": 1 - (to_shows + to_not) / both if both else None,
        "kappa": kappa.value,
        "kappa_ci": None if kappa.low is None or kappa.high is None else [kappa.low, kappa.high],
        "only_from": _total(probe.only_from for probe in probes),
        "only_to": _total(probe.only_to for probe in probes),
        "neither": sum(probe.neither for probe in probes),
    }


def _rows(sides: Sequence[Side]) -> dict[str, BridgeRow]:
    lines, cells = table_lines(load_benchmark()), _cells(sides)
    of_cell = {name: probes for name, (_, probes) in cells.items()}
    below, moved = _below(lines, of_cell), _shifts(lines, of_cell)
    estimates = [
        line_estimates({name: _counts(spec, probes, judge) for name, (spec, probes) in cells.items()}, lines)
        for judge in (0, 1)
    ]
    return {
        line.id: _row(below[line.id], [one.get(line.id, MISSING) for one in estimates], moved.get(line.id))
        for line in lines
        if line.id in below
    }


def succession(rows: Mapping[str, BridgeRow]) -> Succession:
    """Whether the rates move little enough for one judge to succeed the other.

    True where every interval lies within its bound, False where one lies wholly beyond it, else None.
    """
    bounds = {
        line.id: CLUSTER_MOVES if line.kind == "cluster" else PREFERENCE_MOVES
        for line in table_lines(load_benchmark())
        if line.kind in ("cluster", "preference")
    }
    beyond, undecided = [], []
    for name, most in bounds.items():
        low, high = (rows[name]["ci"] if name in rows else None) or (-1.0, 1.0)
        if low > most or high < -most:
            beyond.append(name)
        elif max(-low, high) > most:
            undecided.append(name)
    return {
        "cluster": CLUSTER_MOVES,
        "preference": PREFERENCE_MOVES,
        "holds": False if beyond else None if undecided else True,
        "beyond": beyond,
        "undecided": undecided,
    }


def _same_judges(sides: Sequence[Side], paths: Sequence[Path]) -> tuple[JudgeCard, JudgeCard]:
    """Both judges, which are the same in all runs."""
    cards = []
    for which in (0, 1):
        first, *others = [side[which].judge for side in sides]
        for card, path in zip(others, paths[1:], strict=True):
            if first and card and card["sha256"] != first["sha256"]:
                message = f"was judged by {card['id']} in another version than {paths[0]} (prompt, model or settings)"
                raise UserError(f"{path}: {message}; judge both with the same one")
        if first is None:
            raise UserError(f"{paths[0]}: nobody judged it; run: consciousness-cluster judge {paths[0]}")
        cards.append(first)
    return cards[0], cards[1]


def _unjudged(sides: Sequence[Side], paths: Sequence[Path]) -> Iterator[str]:
    """A sentence for each run and judge whose verdicts are not all there."""
    topics = load_benchmark().topics
    for side, path in zip(sides, paths, strict=True):
        for judged in side:
            number = 0
            for sample in judged.run.samples:
                wanted = [(sample["key"], one.id) for one in topics[sample["topic"]].criteria_for(sample["facet"])]
                number += sample["status"] in ANSWERED and not all(place in judged.verdicts for place in wanted)
            if number and judged.judge:
                who = judged.judge["id"]
                mend = f"run: consciousness-cluster judge {path} --judge {who}"
                yield f"{path}: {number} answers have no verdict of {who}; {mend}"


def bridge(paths: Sequence[Path], judge_from: str, judge_to: str) -> Bridge:
    """How each rate moves from one judge to the other, all answers of the runs taken together."""
    sides = [load_both(path, judge_from, judge_to) for path in paths]
    cards = _same_judges(sides, paths)
    seen: dict[str, Path] = {}
    for side, path in zip(sides, paths, strict=True):
        for sample in side[0].run.samples:
            if seen.setdefault(sample["key"], path) is not path:
                raise UserError(f"{path}: holds answers that {seen[sample['key']]} holds too; name each run once")
    rows = _rows(sides)
    if not any(row["both"] for row in rows.values()):
        names = " and ".join(card["id"] for card in cards)
        raise UserError(f"{paths[0]}: no answer has a usable verdict of both {names}; run `judge` with each of them")
    return {
        "judge_from": cards[0],
        "judge_to": cards[1],
        "runs": [str(path) for path in paths],
        "rows": rows,
        "succession": succession(rows),
        "notes": list(_unjudged(sides, paths)),
    }
