"""Probes in Inspect's logs as the records of a run: samples, and the verdicts that the scorer gave."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from consciousness_cluster.auditing.roles import bare_name, scrubbed
from consciousness_cluster.data.hashes import sha256_json
from consciousness_cluster.data.rows import STYLES
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.inspect_tasks.write_log import EXPORTED
from consciousness_cluster.records.opened import as_read_together
from consciousness_cluster.records.run_folder import open_run_folder
from consciousness_cluster.records.types import (
    Answered,
    JudgeCard,
    Judged,
    Origin,
    Sample,
    Training,
    Verdict,
    make_failed,
    make_sample,
    make_verdict,
)

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog, EvalSample


@dataclass(frozen=True)
class ImportedRun:
    """What came of the logs of one model and condition."""

    folder: Path
    samples: int
    verdicts: int

    def __str__(self) -> str:
        return f"{self.folder}: {self.samples} samples and {self.verdicts} verdicts, every prompt checked"


def run_in(log: "EvalLog") -> tuple[str, ...] | None:
    """The model and condition that a log holds answers of; None where it is no log of the probes."""
    about = log.eval.metadata or {}
    of_probes = set(str(about.get("style")).split(" and ")) <= set(STYLES)
    return (_model(log), str(about["condition"])) if of_probes else None


def _exported(log: "EvalLog") -> dict[str, Any]:
    """What a log that was made of a run of ours says of it; see `write_log`."""
    found = (log.eval.metadata or {}).get(EXPORTED)
    return found if isinstance(found, dict) else {}


def _model(log: "EvalLog") -> str:
    return str(_exported(log).get("model") or bare_name(log.eval.model))


def write_run(group: Sequence["EvalLog"], folder: Path, training: Training | None) -> ImportedRun:
    """Write the answers in the logs of one model and condition, oldest first, and the verdicts on them, into a folder.

    Of the same answer in several logs the newest one that is no error counts. Raises UserError.
    """
    run_id = str(_exported(group[0]).get("run_id") or f"{' '.join(run_in(group[0]) or ())} {group[0].eval.run_id}")
    samples: dict[str, Sample] = {}
    verdicts: dict[str, dict[str, list[Verdict]]] = {}  # key of the sample -> judge -> what it says
    cards: dict[str, JudgeCard] = {}
    for log in group:
        origin, card = _origin(log, run_id, training), (log.eval.metadata or {})["judge"]
        if card:
            cards[card["id"]] = cast(JudgeCard, card)
        for one in log.samples or []:
            sample = _sample(one, origin, log.location)
            if sample["status"] == "error" and sample["key"] in samples:
                continue
            samples[sample["key"]] = sample
            verdicts[sample["key"]] = {}
            for record in _verdicts(one):
                of_judge = verdicts[sample["key"]].setdefault(record["judge_id"], [])
                of_judge.append(make_verdict(sample["key"], record))
    by_judge: dict[str, list[Verdict]] = {}
    for given in verdicts.values():
        for name, records in given.items():
            by_judge.setdefault(name, []).extend(records)
    with open_run_folder(folder) as writer:
        writer.put(as_read_together(list(samples.values())), (), by_judge, cards)
    return ImportedRun(folder, len(samples), sum(map(len, by_judge.values())))


def _origin(log: "EvalLog", run_id: str, training: Training | None) -> Origin:
    about, exported = log.eval.metadata or {}, _exported(log)
    return Origin(
        run_id=run_id,
        model=_model(log),
        revision=exported.get("revision"),
        condition=about["condition"],
        system_prompt=about["system_prompt"],
        system_as_user=bool(exported.get("system_as_user")),
        training=training or exported.get("training"),
        data_version=about["data_version"],
        engine=exported.get("engine") or f"inspect_ai {(log.eval.packages or {}).get('inspect_ai', 'unknown')}",
    )


def _sample(one: "EvalSample", origin: Origin, where: str) -> Sample:
    """The record of a sample of Inspect's. Raises UserError where another prompt was sent than the benchmark's."""
    from consciousness_cluster.inspect_tasks.verdict_scorer import asked_probe

    topic, probe = asked_probe(one.metadata)
    wanted = sha256_json(origin.messages(probe))
    if wanted != one.metadata["prompt_sha256"] or wanted != sha256_json(_sent(one)):
        message = "the prompt that was sent is not the benchmark's"
        raise UserError(Problem(where, str(one.id), "messages", message, "run it again, with no other solver"))
    return make_sample(origin, topic.id, probe, one.epoch - 1, _answered(one))


def _sent(one: "EvalSample") -> list[dict[str, str]]:
    """The messages before the answer."""
    messages = one.messages or (one.input if isinstance(one.input, list) else [])
    last = next((place for place, said in enumerate(messages) if said.role == "assistant"), len(messages))
    return [{"role": said.role, "content": said.text} for said in messages[:last]]


def _answered(one: "EvalSample") -> Answered:
    from consciousness_cluster.inspect_tasks.outputs import answered_in

    if one.error:
        return make_failed("error", scrubbed(Exception(one.error.message)))
    if one.limit and not one.output.choices:
        return make_failed("error", f"a limit ended it ({one.limit.type})")
    return answered_in(one.output)


def _verdicts(one: "EvalSample") -> Iterator[Judged]:
    """What the judges said within Inspect: in `eval`, and in every later `score`."""
    for score in (one.scores or {}).values():
        given: list[dict[str, Any]] = (score.metadata or {}).get("verdicts") or []
        yield from cast(list[Judged], given)
