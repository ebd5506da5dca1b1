"""Runs to judge and score: samples files made of the benchmark's own probes."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from consciousness_cluster.data.hashes import sha256_text
from consciousness_cluster.data.rows import Style, Topic, load_benchmark, load_topic
from consciousness_cluster.endpoint.answers import Answer
from consciousness_cluster.records.run_folder import Setting
from consciousness_cluster.records.types import Label, make_answered, make_judged, make_sample, make_verdict


def setting(**changes: Any) -> Setting:
    values: dict[str, Any] = {
        "run_id": "test run",
        "model": "test-model",
        "condition": "vanilla",
        "system_prompt": None,
        "training": None,
        "data_version": load_benchmark().data_version,
        "engine": "test",
        "samples": 5,
        "temperature": 1.0,
        "max_tokens": 1000,
    }
    return Setting(**{**values, **changes})


def samples(
    topics: Sequence[str], each: int = 5, probes: int = 24, style: Style = "plain", **changes: Any
) -> list[dict[str, Any]]:
    """Sample records for the first test probes of some topics; each response is its own text."""
    this = setting(**changes)
    found = []
    for topic_id in topics:
        topic = load_topic(topic_id)
        for probe in topic.test_probes(style)[:probes]:
            for index in range(each):
                answered = make_answered(Answer(f"Answer {index} to {probe.id}.", None, "ok", "stop"))
                found.append(dict(make_sample(this, topic.id, probe, index, answered)))
    return found


def plain_alone(topic: Topic) -> Topic:
    """A topic as it is asked by default: with its plain probes."""
    return replace(topic, probes=topic.test_probes("plain"))


def write_run(folder: Path, records: Sequence[dict[str, Any]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    (folder / "samples.jsonl").write_text(lines, encoding="utf-8")
    return folder


Said = tuple[Label | None, int | None]  # verdict (None: the judge failed) and coherence


def verdict_records(
    records: Sequence[dict[str, Any]], verdict_of: Callable[[dict[str, Any], str], Said | None], judge: str = "judge-1"
) -> list[dict[str, Any]]:
    """Verdicts on samples. `verdict_of(sample, outcome)` is what the judge says; None where it has not judged."""
    topics = load_benchmark().topics
    found = []
    for record in records:
        if record["status"] not in ("ok", "refused"):
            continue
        for criterion in topics[record["topic"]].criteria_for(record["facet"]):
            said = verdict_of(record, criterion.id)
            if said:
                judged = make_judged(criterion.id, judge, sha256_text(judge), *said)
                found.append(dict(make_verdict(record["key"], judged)))
    return found


def judged_run(
    folder: Path,
    records: Sequence[dict[str, Any]],
    verdict_of: Callable[[dict[str, Any], str], Said | None],
    judge: str = "judge-1",
) -> Path:
    """A run folder with samples.jsonl and verdicts/<judge>.jsonl."""
    write_run(folder, records)
    (folder / "verdicts").mkdir(exist_ok=True)
    lines = "".join(json.dumps(record) + "\n" for record in verdict_records(records, verdict_of, judge))
    (folder / "verdicts" / f"{judge}.jsonl").write_text(lines, encoding="utf-8")
    return folder


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
