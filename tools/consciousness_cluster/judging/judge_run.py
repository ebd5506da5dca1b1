"""Judge the samples of a run. What it says, and who it is, goes to the run's folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

from consciousness_cluster.data.rows import Criterion, PackId, load_benchmark
from consciousness_cluster.errors import UserError
from consciousness_cluster.judging import validate
from consciousness_cluster.judging.ask import Outcome
from consciousness_cluster.judging.ask_into import Progress, Round
from consciousness_cluster.judging.judges import (
    AnyJudge,
    EmbeddedJudge,
    Judge,
    LLMJudge,
    ReadersJudge,
    askable,
    pack_prompts,
)
from consciousness_cluster.judging.prompt import Question
from consciousness_cluster.judging.work import VERDICTS, Item, estimate, judge_into
from consciousness_cluster.records.run import Run
from consciousness_cluster.records.run_folder import open_run_folder, read_judge_card, read_verdicts, verdicts_file
from consciousness_cluster.records.types import Channel, JudgeCard, Sample

PAPER_SETTINGS = "published settings"
PAPER_PROTOCOL = f"{PAPER_SETTINGS}, our prompts"
JUDGED_STATUS = ("ok", "refused")  # a refusal is an answer like any other


def _text(sample: Sample, channel: Channel) -> str | None:
    """What of a sample is judged, None where there is nothing. A trace is judged whatever became of the answer."""
    if channel == "reasoning":
        return sample["reasoning"]
    return sample["response"] or "" if sample["status"] in JUDGED_STATUS else None


@cache
def _shown(pack: PackId | None) -> dict[str, str]:
    """Probe -> its text as judges read it, of the rows in use, which are those of `pack`."""
    return {probe.id: probe.shown for topic in load_benchmark().topics for probe in topic.probes}


def items_in(samples: Sequence[Sample], channel: Channel = "answer") -> list[Item]:
    """Everything in some samples that can be judged: one item per text and criterion, in their order."""
    benchmark = load_benchmark()
    topics, probes = benchmark.topics, _shown(benchmark.pack)
    return [
        Item(
            sample["key"],
            criterion.id,
            Question(criterion.name, criterion, probes[sample["probe_id"]], text),
            channel,
        )
        for sample in samples
        if (text := _text(sample, channel)) is not None
        for criterion in topics[sample["topic"]].criteria_for(sample["facet"])
    ]


def items_of(run: Run, channel: Channel = "answer") -> list[Item]:
    """Everything in a run that can be judged, in the order of the samples."""
    return items_in(run.samples, channel)


def by_cell(items: Sequence[Item]) -> list[Item]:
    """All items on one criterion after each other: they share the fixed part of the prompt, which caches then serve."""
    cells: dict[Criterion, list[Item]] = {}
    for item in items:
        cells.setdefault(item.question.criterion, []).append(item)
    return list(chain.from_iterable(cells.values()))


def about(judge: AnyJudge, results: Path) -> JudgeCard:
    """Who judges: what travels with every number that this judge makes."""
    found = validate.known(judge, results)
    return card(judge, found, validate.in_words(found))


def card(judge: AnyJudge, found: dict[str, dict[str, Any]], agreement: str) -> JudgeCard:
    """Who judges, with what was measured of it, and that in words."""
    llm = judge if isinstance(judge, LLMJudge) else None
    return {
        "id": judge.id,
        "sha256": judge.sha256,
        "model": llm.model if llm else None,
        "endpoint": llm.endpoint.shown if llm else None,
        "request_json": (dict(llm.endpoint.request) or None) if llm else None,
        "system_as_user": bool(llm and llm.endpoint.system_as_user),
        "protocol": _protocol(judge),
        "for_publication": not isinstance(judge, EmbeddedJudge),
        "agreement": agreement,
        "validation": found,
    }


def with_sent(who: JudgeCard, path: Path, outcome: Outcome) -> JudgeCard:
    """The card of who judged into `path`, with all that was ever sent in another form than asked for."""
    there = read_judge_card(path)
    sent = {**(there.get("sent", {}) if there else {}), **outcome.sent}
    return {**who, "sent": sent} if sent else who  # nothing is said where all was sent as it stands


def _protocol(judge: AnyJudge) -> str:
    if isinstance(judge, ReadersJudge):
        return "readers of sheets"
    if not (isinstance(judge, LLMJudge) and judge.paper_protocol):
        return "one call"
    pack = pack_prompts()
    return f"{PAPER_SETTINGS}, prompts of the pack {pack}" if pack else PAPER_PROTOCOL


def by_the_papers_protocol(who: JudgeCard | None) -> bool:
    """Whether a judge was asked as in the paper, with whatever prompts."""
    return who is not None and who.get("protocol", "").startswith(PAPER_SETTINGS)


def _asked(judge: AnyJudge, run: Run) -> Judge:
    """The judge. `UserError` for readers: whether their verdicts are there, or how they come to be."""
    path = verdicts_file(run.folder, judge.id)
    if isinstance(judge, ReadersJudge) and path.is_file():
        there = f"the verdicts of the judge {judge.id} are there ({len(read_verdicts(path))})"
        use = f"consciousness-cluster score {run.folder} --judge {judge.id}"
        raise UserError(f"{run.folder}: {there}, and readers cannot be asked again; go on with: {use}")
    return askable(judge)


@dataclass(frozen=True)
class Judged:
    """Counts of a round: what there was, what it could judge, what came of it."""

    path: Path
    about: JudgeCard
    done: Round[Any, Any]
    counts: dict[str, int]


def judge_run(
    run: Run,
    judge: AnyJudge,
    results: Path = validate.RESULTS,
    limit: int | None = None,
    progress: Progress = lambda done, total: None,
    channel: Channel = "answer",
    max_cost: float | None = None,
) -> Judged:
    """Judge what has no verdict of this judge yet: the answers of a run, or their reasoning traces.

    `UserError` for a judge of readers, whom nobody can ask.
    """
    asked = _asked(judge, run)
    items = by_cell(items_of(run, channel))
    if channel == "reasoning" and not items:
        raise UserError(f"{run.folder}: no answer has a reasoning trace, so there is none to judge")
    who, path = about(judge, results), verdicts_file(run.folder, judge.id)
    with open_run_folder(run.folder) as folder, folder.verdicts(judge.id) as store:
        done = judge_into(asked, items, store, limit, run.verdicts, progress, max_cost)
        if store.records:
            who = with_sent(who, path, done.outcome)
            folder.write_judge_card(who)
    return judged_in(run, path, who, done, len(items), channel)


def judged_in(
    run: Run, path: Path, who: JudgeCard, done: Round[Any, Any], items: int, channel: Channel = "answer"
) -> Judged:
    """What a round made of so many items of a run, in counts."""
    failed = sum(record["status"] == "judge_failed" for record in done.records.values())
    counts = {
        "samples": len(run.samples),
        "left_out": sum(_text(sample, channel) is None for sample in run.samples),
        "to_judge": items,
        "judged": len(done.records) - failed,
        "judge_failed": failed,
        "open": items - len(done.records),
        "new": done.new,
    }
    return Judged(path, who, done, counts)


def dry_run(run: Run, judge: AnyJudge, limit: int | None = None, channel: Channel = "answer") -> dict[str, Any]:
    """What judging would cost, what is on disk already not counted."""
    asked = _asked(judge, run)
    path = verdicts_file(run.folder, judge.id)
    there = read_verdicts(path) if path.is_file() else []
    given = (record for record in run.verdicts if record["judge_sha256"] == judge.sha256)
    judged = VERDICTS.answered([*there, *given])
    items = [item for item in by_cell(items_of(run, channel)) if item.place not in judged][:limit]
    return {"to_judge": len(items), **estimate(asked, items)}
