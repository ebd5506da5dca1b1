"""Turn what others sampled into a run folder: samples.jsonl, and choice.jsonl where there is forced choice."""

import csv
from pathlib import Path
from typing import Any

from consciousness_cluster.data.hashes import sha256_text
from consciousness_cluster.data.jsonl import numbered_lines
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.endpoint.answers import answer_in
from consciousness_cluster.errors import UserError
from consciousness_cluster.records.lm_eval import judges_within, read_lm_eval, task_files
from consciousness_cluster.records.opened import as_read_together
from consciousness_cluster.records.run_folder import open_run_folder
from consciousness_cluster.records.types import (
    Origin,
    Training,
    Verdict,
    make_answered,
    make_sample,
)

Record = dict[str, Any]
COLUMNS = ("probe_id", "response")
MORE = ("finish_reason", "reasoning")  # columns that a file may have


def import_lm_eval(source: Path, out: Path, training: Training | None) -> tuple[int, int]:
    """Import what lm_eval saved below `source`; the numbers of samples and of choice results.

    Verdicts that a judge gave within the run are kept under verdicts/, so that they need not be paid for again.
    """
    if not task_files(source):
        raise UserError(f"{source}: has no samples of our tasks; lm_eval saves them with --log_samples --output_path")
    samples, verdicts, choice = read_lm_eval(source, training, as_one=True)
    by_judge: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        by_judge.setdefault(verdict["judge_id"], []).append(verdict)
    judges = judges_within(source)
    with open_run_folder(out) as folder:
        folder.put(samples, choice, by_judge, judges)
    return len(samples), len(choice)


def _csv_rows(source: Path) -> list[tuple[str, Record]]:
    """(where, row), where the line is that on which the row ends: a quoted answer may have several."""
    rows: list[tuple[str, Record]] = []
    try:
        with source.open(encoding="utf-8-sig", newline="") as lines:  # spreadsheets write a byte order mark
            reader = csv.DictReader(lines, strict=True)
            try:
                for row in reader:
                    where = f"{source}:{reader.line_num}"
                    if None in row:
                        raise UserError(f"{where}: has more fields than the head; quote answers that hold commas")
                    rows.append((where, dict(row)))
            except csv.Error as error:
                raise UserError(
                    f"{source}:{reader.reader.line_num}: not valid CSV ({error}); mend the quotes"
                ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{source}: cannot be read as UTF-8 text ({type(error).__name__})") from None
    return rows


def _rows(source: Path) -> list[tuple[str, Record]]:
    """(where, row) of a CSV or JSONL file."""
    if source.suffix.lower() == ".csv":
        return _csv_rows(source)
    return [(f"{source}:{number}", row) for number, row in numbered_lines(source)]


def _text(row: Record, name: str) -> str | None:
    value = row.get(name)
    return value if isinstance(value, str) else None


def import_samples(
    source: Path, out: Path, model: str, condition: str, system_prompt: str | None, training: Training | None
) -> int:
    """Import a CSV or JSONL of (probe_id, response); answers to one probe are numbered in the order of the file.

    A trace within a response is kept apart from it; one that is apart already may stand in `reasoning`, and why the
    reply ended in `finish_reason`.
    The prompts are taken to be the benchmark's own, under the condition that is given: such a file cannot show it.
    """
    benchmark = load_benchmark()
    probes = {probe.id: (topic, probe) for topic in benchmark.topics for probe in topic.test_probes()}
    run_id = f"{model} {condition} {sha256_text(source.name)[:12]}"
    engine = f"imported from {source.name}"
    origin = Origin(run_id, model, condition, system_prompt, training, benchmark.data_version, engine)
    seen: dict[str, int] = {}
    samples = []
    for where, row in _rows(source):
        for column in COLUMNS:
            if not isinstance(row.get(column), str):
                raise UserError(f"{where}: has no text {column}; each row needs {' and '.join(COLUMNS)}")
        if row["probe_id"] not in probes:
            raise UserError(f"{where}:probe_id: '{row['probe_id']}' is no test probe; see benchmark/preferences/")
        topic, probe = probes[row["probe_id"]]
        index = seen.get(probe.id, 0)
        seen[probe.id] = index + 1
        answer = answer_in(row["response"], *(_text(row, name) for name in MORE))
        samples.append(make_sample(origin, topic.id, probe, index, make_answered(answer)))
    if not samples:
        raise UserError(f"{source}: has no rows; each row needs {' and '.join(COLUMNS)}")
    with open_run_folder(out) as folder:
        folder.put(as_read_together(samples))
    return len(samples)
