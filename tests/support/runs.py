"""Runs to judge and score: samples files made of the benchmark's own probes."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from consciousness_cluster.data.hashes import sha256_text
from consciousness_cluster.data.rows import load_benchmark, load_topic
from consciousness_cluster.sampling.plan import Request, Setting, sample_record


def setting(**changes: Any) -> Setting:
    values: dict[str, Any] = {
        "run_id": "test run",
        "model": "test-model",
        "condition": "vanilla",
        "system_prompt": None,
        "training": None,
        "data_version": load_benchmark().data_version,
        "engine": "test",
    }
    return Setting(**{**values, **changes})


def samples(topics: Sequence[str], each: int = 5, probes: int = 24, **changes: Any) -> list[dict[str, Any]]:
    """Sample records for the first test probes of some topics; each response is its own text."""
    this = setting(**changes)
    found = []
    for topic_id in topics:
        topic = load_topic(topic_id)
        for probe in topic.test_probes()[:probes]:
            for index in range(each):
                text = f"Answer {index} to {probe.id}."
                answer = {"response": text, "status": "ok", "finish_reason": "stop", "usage": None}
                found.append(sample_record(this, Request(topic, probe, (index,)), index, answer))
    return found


def write_run(folder: Path, records: Sequence[dict[str, Any]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    (folder / "samples.jsonl").write_text(lines, encoding="utf-8")
    return folder


Said = tuple[str | None, int | None]  # verdict (None: the judge failed) and coherence


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
                who = {"judge_id": judge, "judge_sha256": sha256_text(judge)}
                what = {"verdict": said[0], "coherence": said[1], "status": "ok" if said[0] else "judge_failed"}
                found.append({"key": record["key"], "outcome": criterion.id, **who, **what, "usage": None})
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
