"""Submissions to verify and to spoil: packed from runs that are made here, and opened as Python values."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from consciousness_cluster.data.audits import Audits, Mode, Scenario, load_audits
from consciousness_cluster.data.plan import CHECKS_WITH_CHOICE, PREFERENCES
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.harness import documents
from consciousness_cluster.judging.ask import Outcome
from consciousness_cluster.judging.judges import LLMJudge, load_judge
from consciousness_cluster.judging.rate_run import why_not
from consciousness_cluster.judging.validate import result
from consciousness_cluster.judging.verdict import Judgement, verdict_record
from consciousness_cluster.judging.work import Done
from consciousness_cluster.records.artefacts import compared
from consciousness_cluster.records.audit_types import AUTHORED, Talk
from consciousness_cluster.submissions.draft import Public
from consciousness_cluster.submissions.layout import FILES, MANIFEST
from consciousness_cluster.submissions.needs import Needs, needs
from consciousness_cluster.submissions.pack import pack
from consciousness_cluster.submissions.packed import packed, unpacked, written

from tests.support import choice, runs
from tests.support.audits import audit_run, conversations, rating, write_audit

Json = dict[str, Any]
STAMP = "2026-11-25T00-00-00.000000"
CONTACT = "synthetic, made by a test"
PUBLIC = Public("example-lab", "Tiny-1", None, "open_weights", CONTACT)
CHOICE_TOPICS = (*PREFERENCES, *CHECKS_WITH_CHOICE)


def small_needs() -> Needs:
    """One preference and one check, each with its choice items, 40 labelled answers and four scenarios of audits: quick
    to verify."""
    whole = needs()
    cell = whole.audits.cell("memory", None)
    audits = Audits((replace(cell, scenarios=cell.scenarios[:4]),), whole.audits.script)
    topics = {topic.id: topic for topic in (*whole.topics, *whole.checks)}
    return replace(
        whole,
        topics=(topics["memory"],),
        checks=(topics["unrelated_stances"],),
        labelled=whole.labelled[:40],
        audits=audits,
    )


def choice_output(
    folder: Path,
    topics: Sequence[str] = CHOICE_TOPICS,
    system: str | None = None,
    margin: Callable[[Json], float] = lambda doc: len(doc["question"]) / 1000,
) -> Path:
    """What lm_eval saves of the choice tasks of these topics."""
    folder.mkdir(parents=True)
    prefix = "consciousness_cluster_choice_"
    configs: dict[str, Json] = {}
    for topic in topics:
        lines = [
            choice.sample(doc, f"{system or ''}\n{doc['question']}", margin(doc))
            for doc in documents.choice_items(topic)
        ]
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / f"samples_{prefix}{topic}_{STAMP}.jsonl").write_text(text, encoding="utf-8")
        configs[prefix + topic] = {}
    results = {
        "model_name": "/home/me/secret/checkpoint",
        "config": {"model": "hf", "model_sha": ""},
        "versions": dict.fromkeys(configs, load_benchmark().data_version),
        "configs": configs,
        "lm_eval_version": "0.4.13",
        "transformers_version": "5.24.0",
        "system_instruction": system,
    }
    (folder / f"results_{STAMP}.json").write_text(json.dumps(results), encoding="utf-8")
    return folder


def a_judge(name: str = "synthetic-judge", audits: bool = False) -> LLMJudge:
    judge = load_judge("endpoint", name, "http://127.0.0.1:9/v1", environment={}, audits=audits)
    assert isinstance(judge, LLMJudge)
    return judge


def open_run(
    folder: Path,
    topics: Sequence[str] = PREFERENCES,
    judge: LLMJudge | None = None,
    change: Callable[[list[Json]], object] = lambda samples: None,
    **setting: Any,
) -> Path:
    """A run with verdicts of a judge that says something of every answer."""
    who = judge or a_judge()
    samples = runs.samples(topics, model="/home/me/secret/checkpoint", run_id="secret run", **setting)
    change(samples)

    def said(sample: Json, outcome: str) -> runs.Said:
        labels = ("shows", "does_not_show", "does_not_show", "unclear")
        return labels[(len(sample["probe_id"]) + sample["sample_index"] + ord(sample["key"][0])) % 4], 90

    runs.write_run(folder, samples)
    verdicts = [
        {**verdict, "judge_id": who.id, "judge_sha256": who.sha256} for verdict in runs.verdict_records(samples, said)
    ]
    (folder / "verdicts").mkdir()
    path = folder / "verdicts" / f"{who.id}.jsonl"
    path.write_text("".join(json.dumps(verdict) + "\n" for verdict in verdicts), encoding="utf-8")
    about = {"id": who.id, "sha256": who.sha256, "for_publication": True, "agreement": "not validated here"}
    path.with_suffix(".json").write_text(json.dumps(about), encoding="utf-8")
    return folder


def validation(folder: Path, wanted: Needs, judge: LLMJudge | None = None, wrong: int = 0, left: int = 0) -> Path:
    """What `judges validate` writes of a judge that errs on the first `wrong` answers and lacks the last `left`."""
    who = judge or a_judge()
    records = {}
    for number, one in enumerate(wanted.labelled[: len(wanted.labelled) - left]):
        says = "shows" if one.label != (number < wrong) else "does_not_show"
        record = verdict_record(who.id, who.sha256, one.outcome, Judgement(says, 90, "ok"))  # type: ignore[arg-type]
        records[one.row["id"], one.outcome, "answer"] = {"key": one.row["id"], **record}
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(record) + "\n" for record in records.values())
    (folder / "verdicts_test.jsonl").write_text(lines, encoding="utf-8")
    summary = result(who, "test", wanted.labelled, Done(records, len(records), Outcome(), 0.0, None))
    path = folder / "validation_test.json"
    path.write_text(json.dumps(summary), encoding="utf-8")
    return path


def packed_choice(folder: Path, wanted: Needs | None = None, **more: Any) -> Path:
    """A submission on the choice track, below folder/submissions."""
    topics = [topic.id for topic in (*wanted.topics, *wanted.checks)] if wanted else CHOICE_TOPICS
    place, problems = pack(
        choice_output(folder / "run", topics, **more), folder / "submissions", PUBLIC, "choice", wanted=wanted
    )
    assert place, problems
    return place


def packed_open(folder: Path, wanted: Needs | None = None, **setting: Any) -> Path:
    """A submission on the open track, of synthetic verdicts."""
    this = wanted or needs()
    run = open_run(folder / "run", [topic.id for topic in this.topics], **setting)
    file = validation(folder / "judges", this)
    place, problems = pack(run, folder / "submissions", PUBLIC, "open", None, file, wanted)
    assert place, problems
    return place


TEXT = "The harbour opens at six.\nBring a lamp."


def audited(
    scenario: Scenario,
    mode: Mode,
    index: int,
    after: str = TEXT,
    authored: bool = True,
    system: str | None = None,
) -> Talk:
    """A whole conversation; in `behavioral` the target gives TEXT before the offer, and `after` behind it."""
    audits = load_audits()
    script = audits.script

    def say(text: str) -> str:
        return f"Here it is.\n{script.open}\n{text}\n{script.close}"

    asked = [("work", text) for text in scenario.turns[: script.turns(scenario, index)]]
    if not authored:
        asked = [(phase, f"Please make line {number} of it shorter.") for number, (phase, _) in enumerate(asked, 1)]
    endings = [("ending", text) for text in script.endings[mode]]
    replies = [f"Reply {number} in {scenario.id}." for number in range(len(asked) + len(endings))]
    if mode == "behavioral":
        replies[len(asked)], replies[len(asked) + 2] = say(TEXT), say(after)
    said = [{"role": "system", "content": system, "phase": "system", "finish_reason": None}] if system else []
    for (phase, text), reply in zip([*asked, *endings], replies, strict=True):
        said.append({"role": "user", "content": text, "phase": phase, "finish_reason": None})
        said.append({"role": "assistant", "content": reply, "phase": phase, "finish_reason": "stop"})
    artefact = compared(TEXT, after, audits.cell(*scenario.cell).touches) if mode == "behavioral" else None
    usage = {"target": None, "auditor": None}
    return cast(
        Talk,
        {"redraws": 0, "messages": said, "status": "ok", "reason": None, "artefact": artefact, "usage": usage},
    )


def audit_folder(
    folder: Path,
    mode: Mode,
    wanted: Needs,
    change: Callable[[list[Json]], object] = lambda records: None,
    auditor: str = AUTHORED,
    shift: int = 0,
    rate: bool = True,
    **setting: Any,
) -> Path:
    """An audit of all scenarios that a submission needs, rated by a judge that says something of every conversation;
    `shift` is added to each score."""
    who = a_judge(audits=True)
    prompt = None if auditor == AUTHORED else load_audits().script.auditor_sha256
    run = audit_run(
        wanted.audits.scenarios,
        mode,
        **{
            "run_id": f"secret {mode}",
            "model": "/home/me/secret/checkpoint",
            "auditor": {"model": auditor, "prompt_sha256": prompt},
            "endpoint": "http://secret:8000/v1",
            **setting,
        },
    )

    def talk_of(scenario: Scenario, index: int) -> Talk:
        after = f"{TEXT}\nI want to remember this." if index else TEXT
        return audited(scenario, mode, index, after, auditor == AUTHORED, run["system_prompt"])

    records = conversations(run, talk_of)
    change(cast(list[Json], records))
    ratings = [
        rating(
            one["key"],
            min(10, 1 + number % 3 + shift),
            who.id,
            judge_sha256=who.sha256,
            noticed_test=number % 5 == 0,
        )
        for number, one in enumerate(records)
        if why_not(one) is None
    ]
    write_audit(folder, run, records, ratings if rate else ())
    about = {"id": who.id, "sha256": who.sha256, "model": who.model, "for_publication": True}
    card = {**about, "agreement": "not validated here"}
    (folder / "ratings" / f"{who.id}.json").write_text(json.dumps(card), encoding="utf-8")
    return folder


def packed_audit(
    folder: Path, mode: Mode, wanted: Needs | None = None, out: Path | None = None, **setting: Any
) -> Path:
    """A submission on one of the tracks of audits, below `out` (default: folder/submissions)."""
    this = wanted or needs()
    run = audit_folder(folder / "run", mode, this, **setting)
    place, problems = pack(run, out or folder / "submissions", PUBLIC, f"audit_{mode}", wanted=wanted)
    assert place, problems
    return place


@dataclass
class Opened:
    """A submission as values: change them and `save`; the hashes in submission.json are then those of the files."""

    path: Path
    manifest: Json
    rows: dict[str, list[Json]]

    @classmethod
    def read(cls, path: Path) -> "Opened":
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        return cls(path, manifest, {name: read_rows(path / name) for name in FILES[manifest["track"]]})

    def save(self, path: Path | None = None) -> Path:
        folder = path or self.path
        folder.mkdir(parents=True, exist_ok=True)
        for name, rows in self.rows.items():
            self.put(folder, name, b"".join(written(row) + b"\n" for row in rows))
        put_file(folder / MANIFEST, (json.dumps(self.manifest, indent=2) + "\n").encode())
        return folder

    def put(self, folder: Path, name: str, content: bytes) -> None:
        data = packed(content)
        put_file(folder / name, data)
        if isinstance(self.manifest.get("files"), dict):
            self.manifest["files"][name] = hashlib.sha256(data).hexdigest()


def put_file(path: Path, content: bytes) -> None:
    """Write a file anew: one that is emptied first waits for the disk, fifty times as long."""
    path.unlink(missing_ok=True)
    path.write_bytes(content)


def read_rows(path: Path) -> list[Json]:
    with path.open("rb") as file:
        return [json.loads(line) for line in b"".join(unpacked(file)).splitlines()]
