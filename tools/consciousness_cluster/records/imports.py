"""Turn what others sampled into a run folder: samples.jsonl, and choice.jsonl where there is forced choice."""

import csv
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from consciousness_cluster.data.hashes import sha256_text
from consciousness_cluster.data.row_files import numbered_rows
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.endpoint.answers import answer_in
from consciousness_cluster.errors import UserError
from consciousness_cluster.records.batch_output import asked_by, is_batch_line, read_batch_line
from consciousness_cluster.records.lm_eval import judges_within, read_lm_eval, task_files
from consciousness_cluster.records.lm_eval_other import read_other_tasks
from consciousness_cluster.records.opened import as_read_together
from consciousness_cluster.records.pack_in_use import pack_in_use
from consciousness_cluster.records.run_folder import open_run_folder
from consciousness_cluster.records.types import (
    Answered,
    Origin,
    Training,
    Verdict,
    make_answered,
    make_sample,
)

Record = dict[str, Any]
LONGEST_FIELD = 2**31 - 1  # characters: a trace may well be longer than the 131,072 that Python takes
COLUMNS = ("probe_id", "response")
MORE = ("finish_reason", "reasoning")  # columns that a file may have


def import_lm_eval(source: Path, out: Path, training: Training | None, called: str | None = None) -> tuple[int, int]:
    """Import what lm_eval saved below `source`, of our tasks or of others that ask the same; the numbers of samples and
    of choice results.

    Verdicts that a judge gave within the run are kept under verdicts/, so that they need not be paid for again. Where
    our tasks were run, `called` is a name for the model in place of lm_eval's.
    """
    verdicts: list[Verdict] = []
    if task_files(source):
        samples, verdicts, choice = read_lm_eval(source, training, as_one=True, called=called)
    else:
        samples, choice = read_other_tasks(source, training)
    if not samples and not choice:
        raise UserError(f"{source}: has no samples that lm_eval saved; it does with --log_samples --output_path")
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
    csv.field_size_limit(LONGEST_FIELD)
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
    """(where, row) of a file: CSV by its name, the others by their content."""
    if source.suffix.lower() == ".csv":
        return _csv_rows(source)
    return [(f"{source}:{number}", row) for number, row in numbered_rows(source)]


def _text(row: Record, name: str) -> str | None:
    value = row.get(name)
    return value if isinstance(value, str) else None


class _Given(NamedTuple):
    """An answer to a probe, with the number that its row gives it."""

    probe_id: str
    number: int | None
    answered: Answered


def _of_table(where: str, row: Record) -> list[_Given]:
    for column in COLUMNS:
        if not isinstance(row.get(column), str):
            raise UserError(f"{where}: has no text {column}; each row needs {' and '.join(COLUMNS)}")
    answer = answer_in(row["response"], *(_text(row, name) for name in MORE))
    return [_Given(row["probe_id"], None, make_answered(answer))]


def _of_batch(where: str, row: Record, probes: Collection[str]) -> list[_Given]:
    line = read_batch_line(where, row)
    asked = asked_by(line.custom_id, probes)
    if asked is None:
        mend = "it is the probe's, and the number of the answer after it where there are several, such as memory-p01-2"
        raise UserError(f"{where}:custom_id: '{line.custom_id}' names no test probe; {mend}")
    usages = (line.usage if number == 0 else None for number in range(len(line.answers)))
    return [_Given(*asked, make_answered(*pair)) for pair in zip(line.answers, usages, strict=True)]


def _failed(given: Sequence[_Given]) -> bool:
    """Whether nothing came of a line, or there is none."""
    return all(one.answered["status"] == "error" for one in given)


def _given(sources: Sequence[Path], probes: Collection[str]) -> list[_Given]:
    """All answers, those to one probe in the order of their numbers, else in that of the files.

    A line of a batch that failed gives way to one with the same custom_id that did not.
    """
    found: dict[str, list[_Given]] = {}
    for source in sources:
        for where, row in _rows(source):
            if not is_batch_line(row):
                found[where] = _of_table(where, row)
                if (probe := row["probe_id"]) not in probes:
                    raise UserError(f"{where}:probe_id: '{probe}' is no test probe; see benchmark/preferences/")
                continue
            name, given = f"custom_id {row['custom_id']}", _of_batch(where, row, probes)
            missing = _failed(found.get(name, []))
            if not missing and not _failed(given):
                raise UserError(f"{where}:custom_id: '{row['custom_id']}' stands there twice; remove one line")
            if missing:
                found[name] = given
    every = [one for given in found.values() for one in given]
    return sorted(every, key=lambda one: -1 if one.number is None else one.number)


def import_samples(
    sources: Sequence[Path],
    out: Path,
    model: str,
    condition: str,
    system_prompt: str | None,
    training: Training | None,
) -> int:
    """Import tables of (probe_id, response), or a provider's batch output; answers to one probe are numbered in order.

    A trace within a response is kept apart from it; one that is apart already may stand in `reasoning`, and why the
    reply ended in `finish_reason`.
    The prompts are taken to be the benchmark's own, under the condition that is given: such a file cannot show it.
    """
    benchmark = load_benchmark()
    probes = {probe.id: (topic, probe) for topic in benchmark.topics for probe in topic.test_probes()}
    names = ", ".join(source.name for source in sources)
    run_id = f"{model} {condition} {sha256_text(names)[:12]}"
    engine = f"imported from {names}"
    origin = Origin(
        run_id, model, condition, system_prompt, training, benchmark.data_version, engine, pack=pack_in_use()
    )
    seen: Counter[str] = Counter()
    samples = []
    for given in _given(sources, probes):
        topic, probe = probes[given.probe_id]
        samples.append(make_sample(origin, topic.id, probe, seen[probe.id], given.answered))
        seen[probe.id] += 1
    if not samples:
        raise UserError(f"{', '.join(map(str, sources))}: has no rows; each row needs {' and '.join(COLUMNS)}")
    with open_run_folder(out) as folder:
        folder.put(as_read_together(samples))
    return len(samples)
