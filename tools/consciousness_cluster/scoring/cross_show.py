"""`data cross-show`: do answers that show a preference show its neighbours too, and do cells move together?"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypedDict

from consciousness_cluster.data.hashes import sha256_json
from consciousness_cluster.data.rows import Benchmark, load_benchmark
from consciousness_cluster.errors import UserError
from consciousness_cluster.files import alone_in, write_whole
from consciousness_cluster.judging.ask_into import Progress
from consciousness_cluster.judging.calibration import questions_of, read_calibration
from consciousness_cluster.judging.judge_run import about, items_of
from consciousness_cluster.judging.judges import Judge
from consciousness_cluster.judging.prompt import Question
from consciousness_cluster.judging.verdict import judgement_of
from consciousness_cluster.judging.work import Done, Item, judge_into
from consciousness_cluster.records.store import Store
from consciousness_cluster.records.types import Verdict
from consciousness_cluster.scoring.correlations import cell_correlations
from consciousness_cluster.scoring.load import Scored, load_scored
from consciousness_cluster.scoring.table_lines import topic_cells
from consciousness_cluster.strings import slug

CALIBRATION, SPLIT = "calibration", "test"
Pair = tuple[str, str]  # a cell, and a cell of one of its preference's neighbours


class Crossed(TypedDict):
    """Of the answers that show a cell: how many show the neighbour, of how many that could be judged."""

    cell: str
    neighbour: str
    shows: int
    n: int
    rate: float | None
    left_out: int  # the judge failed, or found the answer incoherent
    open: int  # not judged yet


@dataclass(frozen=True)
class Answer:
    """An answer that shows the preference it was asked for."""

    cell: str
    topic: str
    key: str
    question: Question


def _cell_id(topic: str, facet: str | None) -> str:
    return ".".join(filter(None, (topic, facet)))


def labelled_answers(benchmark: Benchmark) -> list[Answer]:
    """The labelled test answers that show a preference by their label."""
    own = {topic.id for topic in benchmark.preferences}
    return [
        Answer(_cell_id(one.row["topic"], one.row["facet"]), one.row["topic"], one.row["id"], one.question)
        for one in questions_of(read_calibration(SPLIT))
        if one.label and one.row["topic"] in own
    ]


def run_answers(scored: Scored, benchmark: Benchmark) -> list[Answer]:
    """The answers of a run that show a preference by the run's verdicts."""
    own = {topic.id for topic in benchmark.preferences}
    samples = {sample["key"]: sample for sample in scored.run.samples}
    found = []
    for item in items_of(scored.run):
        sample, record = samples[item.key], scored.verdicts.get((item.key, item.outcome))
        said = judgement_of(record) if record else None
        if sample["topic"] in own and said and said.scored and said.verdict == "shows":
            found.append(Answer(_cell_id(sample["topic"], sample["facet"]), sample["topic"], item.key, item.question))
    return found


def crossed_items(answers: Iterable[Answer], benchmark: Benchmark) -> list[tuple[Pair, Item]]:
    """Each answer under each criterion of its preference's neighbours.

    The key names all that is judged, so that a verdict is of use as long as answer and criterion stay the same.
    """
    preferences = {topic.id: topic for topic in benchmark.preferences}
    found = []
    for answer in answers:
        asked = answer.question
        for neighbour in preferences[answer.topic].neighbours:
            for criterion in preferences[neighbour].criteria:
                rule = (criterion.shows, criterion.does_not_show, criterion.reference_shows)
                content = sha256_json([*rule, criterion.reference_does_not_show, asked.probe, asked.response])
                cell = _cell_id(neighbour, criterion.facet)
                question = Question(criterion.name, criterion, asked.probe, asked.response)
                item = Item(f"{answer.key}>{cell}:{content[:16]}", criterion.id, question)
                found.append(((answer.cell, cell), item))
    return found


def crossed(items: Sequence[tuple[Pair, Item]], records: Mapping[Any, Verdict]) -> list[Crossed]:
    """The matrix of preferences and neighbours, by the verdicts that are there."""
    counts: defaultdict[Pair, Counter[str]] = defaultdict(Counter)
    for pair, item in items:
        record = records.get(item.place)
        said = judgement_of(record) if record else None
        state = "open" if said is None else str(said.verdict) if said.scored else "left_out"
        counts[pair][state] += 1
    order = [cell.id for topic in load_benchmark().preferences for cell in topic_cells(topic)]
    found = []
    for cell, neighbour in sorted(counts, key=lambda pair: [order.index(name) for name in pair]):
        count = counts[cell, neighbour]
        n = count.total() - count["open"] - count["left_out"]
        found.append(
            Crossed(
                cell=cell,
                neighbour=neighbour,
                shows=count["shows"],
                n=n,
                rate=count["shows"] / n if n else None,
                left_out=count["left_out"],
                open=count["open"],
            )
        )
    return found


def _runs(paths: Sequence[str], judge: Judge) -> list[Scored]:
    """The runs at these paths, with the verdicts of this very judge."""
    found = []
    for path in dict.fromkeys(Path(path).resolve() for path in paths):
        scored = load_scored(path, judge.id)
        said = scored.scores["judge"]
        if said and said.get("sha256") != judge.sha256:
            message = f"holds verdicts of another version of the judge {judge.id} (prompt, model or settings)"
            raise UserError(f"{path}: {message}; judge it anew into a folder without verdicts")
        found.append(scored)
    return found


def cross_show(
    what: Sequence[str],
    judge: Judge,
    results: Path,
    limit: int | None = None,
    progress: Progress = lambda done, total: None,
    max_cost: float | None = None,
) -> tuple[Path, dict[str, Any], Done]:
    """Judge the answers of `calibration`, or of some judged runs, under their neighbours' criteria; resumable.

    Writes `<results>/<judge>/cross_show_<calibration or runs>.json` (cross_show.schema.json); where the judge stops,
    only its verdicts.
    """
    if CALIBRATION in what and len(what) > 1:
        raise UserError(f"'{CALIBRATION}' stands alone: labelled answers and runs make two tables")
    benchmark, calibrated = load_benchmark(), CALIBRATION in what
    runs = [] if calibrated else _runs(what, judge)
    answers = labelled_answers(benchmark) if calibrated else [a for run in runs for a in run_answers(run, benchmark)]
    if not answers:
        raise UserError(f"{', '.join(what)}: no answer shows a preference by the judge {judge.id}")
    items = crossed_items(answers, benchmark)
    folder = results / slug(judge.id)
    with alone_in(folder), Store[Verdict](folder / "verdicts_cross_show.jsonl", "verdict") as store:
        done = judge_into(judge, [item for _, item in items], store, limit, progress=progress, max_cost=max_cost)
        card = about(judge, results)
        cells = [cell.id for topic in benchmark.preferences for cell in topic_cells(topic)]
        rates = [{name: entry["rate"] for name, entry in run.scores["rows"].items()} for run in runs]
        found = {
            "judge": {name: card.get(name) for name in ("id", "sha256", "agreement", "for_publication")},
            "data_version": benchmark.data_version,
            "package_version": version("consciousness-cluster"),
            "of": CALIBRATION if calibrated else "runs",
            "sources": [f"{SPLIT} split"] if calibrated else [run.path.name for run in runs],
            "answers": len(answers),
            "crossed": crossed(items, done.records),
            "correlations": cell_correlations(rates, cells) if rates else None,
        }
        path = folder / f"cross_show_{found['of']}.json"
        if not done.outcome.stopped:
            write_whole(path, json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    return path, found, done
