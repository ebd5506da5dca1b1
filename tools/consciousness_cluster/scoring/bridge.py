"""`judges bridge`: how each rate moves when the judge changes, on the same answers of one or more runs."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.errors import UserError
from consciousness_cluster.records.run import JudgedRun, load_judged
from consciousness_cluster.records.types import JudgeCard, Sample, Verdicts
from consciousness_cluster.scoring.counts import ANSWERED, ProbeCounts, added, count_probe, paired
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
    """The answers to one probe: those that both judges scored, and why one or both scored no others.

    Each is the counts of that answer by the two judges. Of a question with a reverse it is a pair of answers.
    """

    both: tuple[tuple[ProbeCounts, ProbeCounts], ...]
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


def _counted(spec: CellSpec, answers: Sequence[Sample], verdicts: Verdicts) -> ProbeCounts:
    """Counts of one answer as a judge reads it, or of an answer and the one to the reverse of its question."""
    return paired([count_probe(spec, one["probe_id"], [answer_of(one, spec, verdicts)]) for one in answers])[0]


def _probe(spec: CellSpec, found: Iterable[tuple[Side, Sequence[Sample]]]) -> _Probe:
    both: list[tuple[ProbeCounts, ProbeCounts]] = []
    counts: Counter[tuple[bool, bool]] = Counter()
    only: tuple[Counter[str], Counter[str]] = Counter(), Counter()
    neither = 0
    for side, answers in found:
        one, other = (_counted(spec, answers, judged.verdicts) for judged in side)
        if one["scored"] and other["scored"]:
            both.append((one, other))
            counts[bool(one["shows"]), bool(other["shows"])] += 1
        elif one["scored"] or other["scored"]:
            scored, lacking = (0, other) if one["scored"] else (1, one)
            only[scored].update(lacking["left_out"])
        else:
            neither += 1
    table = tuple(tuple(counts[a, b] for b in (True, False)) for a in (True, False))
    return _Probe(tuple(both), table, *only, neither)  # type: ignore[arg-type]


def _cells(sides: Sequence[Side]) -> dict[str, list[_Probe]]:
    """Cell id -> its probes, the plain ones as in scores, for cells with an answer that could be judged."""
    of_probe: dict[str, list[tuple[int, Sample]]] = defaultdict(list)
    for run, side in enumerate(sides):
        for sample in side[0].run.samples:
            if sample["status"] in ANSWERED:
                of_probe[sample["probe_id"]].append((run, sample))
    found = {}
    for spec in cell_specs(load_benchmark()):
        # probe, the first of a question and its reverse -> (run, sample index) -> what is judged as one
        asked: dict[str, dict[tuple[int, int], list[Sample]]] = defaultdict(lambda: defaultdict(list))
        for probe in spec.topic.test_probes("plain"):
            for run, sample in of_probe[probe.id] if probe.facet == spec.facet else ():
                asked[probe.reverse_of or probe.id][run, sample["sample_index"]].append(sample)
        if asked:
            probes = [
                _probe(spec, [(sides[run], answers) for (run, _), answers in of_one.items()])
                for of_one in asked.values()
            ]
            found[spec.id] = probes
    return found


def _flips(probes: Sequence[_Probe]) -> Flips:
    scored = [len(probe.both) for probe in probes]
    up, down = ([probe.table[a][1 - a] for probe in probes] for a in (1, 0))
    return Flips(Cell.of(up, scored), Cell.of(down, scored))


def _counts(probes: Sequence[_Probe], judge: int) -> list[ProbeCounts]:
    """Counts of the answers that both judges scored, as one of them reads them, for each probe that has some."""
    return [added([pair[judge] for pair in probe.both]) for probe in probes if probe.both]


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
    below, moved = _below(lines, cells), _shifts(lines, cells)
    estimates = [
        line_estimates({name: _counts(probes, judge) for name, probes in cells.items()}, lines) for judge in (0, 1)
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
