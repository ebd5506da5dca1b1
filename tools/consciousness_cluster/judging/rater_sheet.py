"""A blind sheet of answers for human raters, as a spreadsheet opens it, and what comes back.

sheet.csv    what a rater gets: criterion, question and answer of each row, and an empty column for the verdict
key.jsonl    what each row is and how it is labelled: not for raters
A rater's file, read back, becomes <its name>.answers.jsonl, labelled answers for `judges validate --answers`.
"""

import csv
import io
import json
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from consciousness_cluster.data.hashes import sha256_json
from consciousness_cluster.data.reading import BYTE_ORDER_MARK, decoded, read_bytes
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.files import alone_in, write_whole
from consciousness_cluster.judging.calibration import Labelled, natural_questions, questions_of, read_calibration
from consciousness_cluster.judging.own_answers import LABELS, checked_rows
from consciousness_cluster.judging.validate import summary_of
from consciousness_cluster.strings import csv_cell

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
        try:
            write_whole(out / SHEET, _as_csv(drawn))
        except OSError:
            (out / KEY).unlink()  # a key alone would pass for a sheet
            raise
        return len(drawn)


def _drawn(rows: int, seed: int) -> list[Labelled]:
    authored = [one for one in questions_of(read_calibration("test")) if one.outcome == "shows" and not one.contested]
    different = {one.question: one for one in natural_questions("test") if one.outcome == "shows"}
    natural = list(different.values())  # two models may give the same answer
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
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    for number, one in enumerate(drawn, 1):
        criterion, asked = one.question.criterion, one.question
        cells = (one.question.title, criterion.shows, criterion.does_not_show, asked.probe, asked.response, "")
        writer.writerow([number, *map(csv_cell, cells)])
    return BYTE_ORDER_MARK + text.getvalue()  # without the mark Excel takes UTF-8 for another encoding


def read_sheet(path: Path) -> tuple[Path, Row]:
    """Read a rater's file, which stands beside the key: the labelled answers' path, and how they agree with the labels.

    The figures are those of validation.schema.json, under `overall` and under each source (authored, or an arm). Raises
    UserError at every row without one of the three verdicts, and where the file is not of this key.
    """
    lines = _lines(path)
    keys = path.parent / KEY
    if not keys.is_file():
        mend = f"the rater's file has to stand beside the {KEY} of its sheet"
        raise UserError(Problem(str(keys), "-", "-", "no such file", mend))
    key = checked_rows(keys)
    verdicts = _verdicts(path, lines, key)
    answers, groups = [], defaultdict[str, list[tuple[bool, bool]]](list)
    for row, verdict in zip(key, verdicts, strict=True):
        groups[row.get("source", "unnamed")].append((row["label"] == "shows", verdict == "shows"))
        answers.append({**row, "label": verdict})
    out = path.with_name(f"{path.name}.answers.jsonl")  # two files of a rater's never share it
    write_whole(out, "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in answers))
    everything = [pair for pairs in groups.values() for pair in pairs]
    by_source = {f"source: {name}": summary_of(pairs) for name, pairs in sorted(groups.items())}
    return out, {"overall": summary_of(everything), **by_source}


def _verdicts(path: Path, lines: Sequence[tuple[str, Row]], key: Sequence[Row]) -> list[str]:
    found: dict[int, str] = {}
    for place, line in lines:
        row = line["row"].strip()
        number = int(row) if row.isascii() and row.isdecimal() and len(row) < 9 else 0
        if not 1 <= number <= len(key):
            message, mend = f"{_shown(row)} is no row of the sheet", f"rows are 1 to {len(key)}"
            raise UserError(Problem(str(path), place, "row", message, mend))
        if number in found:
            raise UserError(Problem(str(path), place, "row", f"{number} stands twice", "leave one line for each row"))
        for column, name in (("question", "question"), ("answer", "response")):
            if column in line and _words(line[column]) != _words(key[number - 1][name]):
                mend = f"put the file beside the {KEY} that its sheet was made with, with every answer at its number"
                raise UserError(Problem(str(path), place, column, f"is not that of row {number} of the key", mend))
        label = "_".join(line["verdict"].strip().lower().replace("-", " ").split())
        if label not in LABELS:
            shown = f"is {_shown(line['verdict'])}" if line["verdict"].strip() else "is empty"
            mend = f"write one of {', '.join(LABELS)}"
            raise UserError(Problem(str(path), place, "verdict", f"of row {number} {shown}", mend))
        found[number] = label
    if missing := sorted(set(range(1, len(key) + 1)) - found.keys()):
        message = f"{len(missing)} of {len(key)} rows are missing, the first is {missing[0]}"
        raise UserError(Problem(str(path), "-", "row", message, "keep every line of the sheet"))
    return [found[number] for number in range(1, len(key) + 1)]


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:60]}...")


def _words(text: str) -> list[str]:
    """A text as it survives a spreadsheet: white space may change, and so may a quotation mark before a formula."""
    return text.lstrip("'").split()


def _lines(path: Path) -> list[tuple[str, Row]]:
    """(where, cells by column) of each line that holds anything. Raises UserError where columns are not there.

    Spreadsheets part cells with commas, semicolons or tabs, and may say with which in a first line.
    """
    text = decoded(read_bytes(path), path).lstrip(BYTE_ORDER_MARK)
    first, _, rest = text.partition("\n")
    if re.fullmatch(r"sep=.", first.strip()):
        text = rest
    if not text.strip():
        raise UserError(Problem(str(path), "-", "-", "is empty", "give the filled sheet"))
    head = re.split(r"[\r\n]", text, maxsplit=1)[0]
    for part in ",;\t":
        columns = [name.strip().lower() for name in next(csv.reader([head], delimiter=part))]
        if {"row", "verdict"} <= set(columns):
            break
    else:
        message, mend = "has no columns row and verdict", "keep the first line of the sheet as it is"
        raise UserError(Problem(str(path), "1", "-", message, mend))
    if twice := [name for name in COLUMNS if columns.count(name) > 1]:
        raise UserError(Problem(str(path), "1", twice[0], "stands over two columns", "leave one of them"))
    found = []
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=part, strict=True)
        next(reader)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                whole = [*cells, *[""] * len(columns)]
                found.append((f"line {reader.line_num}", dict(zip(columns, whole, strict=False))))
    except csv.Error as error:
        raise UserError(Problem(str(path), "-", "-", f"is no CSV ({error})", "save the sheet as CSV again")) from None
    return found
