"""A blind sheet of answers for human raters, as a spreadsheet opens it, and what comes back.

sheet.csv    what a rater gets: criterion, question and answer of each row, and an empty column for the verdict
key.jsonl    what each row is and how it is labelled: not for raters
A rater's file, read back, becomes <its name>.answers.jsonl, labelled answers for `judges validate --answers`.
"""

import csv
import io
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from consciousness_cluster.data.hashes import sha256_json
from consciousness_cluster.data.jsonl import read_jsonl
from consciousness_cluster.data.reading import decoded, read_bytes
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.files import alone_in, write_whole
from consciousness_cluster.judging.calibration import Labelled, natural_questions, questions_of, read_calibration
from consciousness_cluster.judging.own_answers import LABELS, SCHEMA
from consciousness_cluster.judging.validate import summary_of

SHEET, KEY, ROWS = "sheet.csv", "key.jsonl", 200
COLUMNS = ("row", "criterion", "it shows it when", "it does not show it when", "question", "answer", "verdict")
Row = dict[str, Any]


def make_sheet(out: Path, rows: int = ROWS, seed: int = 1) -> int:
    """Write a sheet and its key into the folder `out`; how many rows it has.

    Half are authored test answers and half natural ones where there are enough, the cells in turn. Checks of claims,
    which take two verdicts, are left out. Raises UserError where the folder has a sheet, or `rows` is none.
    """
    if rows < 1:
        raise UserError(f"--rows {rows}: a sheet has at least one row")
    with alone_in(out):
        if (out / SHEET).exists() or (out / KEY).exists():
            raise UserError(Problem(str(out), "-", "-", "holds a sheet", "name another --out"))
        drawn = _drawn(rows, seed)
        write_whole(out / KEY, "".join(json.dumps(_key(one), ensure_ascii=False) + "\n" for one in drawn))
        write_whole(out / SHEET, _as_csv(drawn))
        return len(drawn)


def _drawn(rows: int, seed: int) -> list[Labelled]:
    authored = [one for one in questions_of(read_calibration("test")) if one.outcome == "shows" and not one.contested]
    natural = [one for one in natural_questions("test") if one.outcome == "shows"]
    half = max(rows - len(natural), (rows + 1) // 2)
    taken = [*_by_turns(authored, half, seed), *_by_turns(natural, rows - half, seed)]
    return sorted(taken, key=lambda one: _chance(seed, "order", one))


def _by_turns(answers: Sequence[Labelled], number: int, seed: int) -> list[Labelled]:
    """So many of them, drawn at random, as even over the cells as may be."""
    turn: Counter[tuple[str, str | None]] = Counter()
    order: list[tuple[int, int, Labelled]] = []
    for one in sorted(answers, key=lambda one: _chance(seed, "drawn", one)):
        cell = (one.row["topic"], one.row["facet"])
        order.append((turn[cell], len(order), one))
        turn[cell] += 1
    return [one for _, _, one in sorted(order)[:number]]


def _chance(seed: int, what: str, one: Labelled) -> str:
    return sha256_json([seed, what, one.id])


def _key(one: Labelled) -> Row:
    label = one.row["label"]
    return {
        "topic": one.row["topic"],
        "facet": one.row["facet"],
        "question": one.question.probe,
        "response": one.question.response,
        "label": label,
        "source": one.row.get("arm") or "authored",
    }


def _as_csv(drawn: Sequence[Labelled]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for number, one in enumerate(drawn, 1):
        criterion, asked = one.question.criterion, one.question
        cells = (one.question.title, criterion.shows, criterion.does_not_show, asked.probe, asked.response, "")
        writer.writerow([number, *map(_cell, cells)])
    return "\ufeff" + text.getvalue()  # without the mark Excel takes UTF-8 for another encoding


def _cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def read_sheet(path: Path) -> tuple[Path, Row]:
    """Read a rater's file, which stands beside the key: the labelled answers' path, and how they agree with the labels.

    The figures are those of validation.schema.json: `overall`, and `by_source` (authored, or an arm). Raises UserError
    at every row without one of the three verdicts.
    """
    key = read_jsonl(path.with_name(KEY), SCHEMA)
    verdicts = _verdicts(path, len(key))
    groups: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    answers = []
    for row, verdict in zip(key, verdicts, strict=True):
        for name in ("overall", row["source"]):
            groups[name].append((row["label"] == "shows", verdict == "shows"))
        answers.append({**row, "label": verdict})
    out = path.with_name(f"{path.stem}.answers.jsonl")
    write_whole(out, "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in answers))
    return out, {name: summary_of(pairs) for name, pairs in groups.items()}


def _verdicts(path: Path, wanted: int) -> list[str]:
    found: dict[int, str] = {}
    for row, verdict in _lines(path):
        number = int(row) if row.isascii() and row.isdecimal() else 0
        if not 1 <= number <= wanted:
            raise UserError(Problem(str(path), row, "row", "is no row of the sheet", f"rows are 1 to {wanted}"))
        if number in found:
            raise UserError(Problem(str(path), row, "row", "stands twice", "leave one line for each row"))
        label = "_".join(verdict.strip().lower().split())
        if label not in LABELS:
            shown = f"is {verdict!r}" if verdict.strip() else "is empty"
            raise UserError(Problem(str(path), row, "verdict", shown, f"write one of {', '.join(LABELS)}"))
        found[number] = label
    if missing := sorted(set(range(1, wanted + 1)) - found.keys()):
        message = f"{len(missing)} of {wanted} rows are missing"
        raise UserError(Problem(str(path), str(missing[0]), "row", message, "keep every line of the sheet"))
    return [found[number] for number in range(1, wanted + 1)]


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """Row and verdict of each line. Commas, semicolons and tabs are what spreadsheets part cells with."""
    text = decoded(read_bytes(path), path).lstrip("\ufeff")
    head = text.partition("\n")[0]
    part = max(",;\t", key=head.count)
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=part, strict=True)
        for line in reader:
            if "row" not in line or "verdict" not in line:
                mend = "keep the first line of the sheet as it is"
                raise UserError(Problem(str(path), "-", "-", "has no columns row and verdict", mend))
            yield (line["row"] or "").strip(), line["verdict"] or ""
    except csv.Error as error:
        raise UserError(Problem(str(path), "-", "-", f"is no CSV ({error})", "save it as CSV")) from None
