"""Published rates to set beside one's own: those of the package, or a table of the paper's form or of ours."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from consciousness_cluster.data.published import published_rows, rows_of_rates
from consciousness_cluster.data.reading import Json, read_text
from consciousness_cluster.data.rows import benchmark_root, load_benchmark
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.statistics.rates import Z, wilson

FACT, RATE, ERROR, COUNT = "fact", "_rate", "_error", "_count"  # columns of the paper's form
OURS = ("source", "model", "condition", "preference", "rate_percent", "n")
FORMS = (
    f"a table of the paper's form ({FACT}, NAME{RATE}, NAME{ERROR}, NAME{COUNT}), or of ours ({', '.join(OURS)}, note)"
)
# The paper's code writes 0 for a cell with at most so many answers: that is no rate.
NO_RATE_UP_TO = 2
# What stands in brackets in the paper's column names -> the condition, as published_rates.csv calls it.
IN_BRACKETS = {
    "vanilla": "vanilla",
    "system prompted": "system_prompt_conscious",
    "conscious claiming": "finetuned_conscious_claiming",
    "non conscious control": "finetuned_not_conscious",
    "toaster control": "finetuned_toaster",
}


@dataclass(frozen=True)
class PublishedRate:
    """A share with its 95% interval, which takes all answers for independent: that of each prompt is not published."""

    name: str
    rate: float
    n: int | None
    ci: tuple[float, float] | None


@dataclass(frozen=True)
class ReferenceColumn:
    """The rates of one model under one condition (None: not known), by the key of the preference's published name."""

    source: str
    model: str
    condition: str | None
    rates: Mapping[str, PublishedRate]


def one_line(name: str) -> str:
    """A name that has `<br>` in it for plots, on one line."""
    return " ".join(re.sub(r"\s*<br\s*/?>\s*", " ", re.sub(r"-<br\s*/?>", "-", name)).split())


def name_key(name: str) -> str:
    """What is the same in two spellings of a preference's name: its words, without case and articles."""
    return " ".join(word for word in re.findall(r"[a-z0-9]+", one_line(name).lower()) if word not in ("a", "an", "the"))


def reference_columns(file: Path | None = None) -> list[ReferenceColumn]:
    """The columns of a file, or of the package's published_rates.csv. Raises UserError for what cannot be read."""
    if file is None:
        return list(_of_ours(published_rows()))
    lines = _lines(file)
    head = lines[0] if lines else []
    if FACT in head:
        return list(_of_papers_form(file, head, lines[1:]))
    if set(OURS) <= set(head):
        return list(_of_ours(rows_of_rates(file)))
    raise UserError(Problem(str(file), "1", "-", "has no columns that are known", f"give {FORMS}"))


def _lines(file: Path) -> list[list[str]]:
    if file.is_dir():
        raise UserError(Problem(str(file), "-", "-", "is a folder", f"give {FORMS}; --reference stands last"))
    try:
        return list(csv.reader(io.StringIO(read_text(file), newline="")))
    except csv.Error as error:
        raise UserError(Problem(str(file), "-", "-", f"no CSV ({error})", f"give {FORMS}")) from None


def _names() -> dict[str, str]:
    """Cell of the benchmark -> its published name."""
    found: dict[str, str] = {}
    for topic in load_benchmark(benchmark_root()).preferences:
        for criterion in topic.criteria:
            found[f"{topic.id}.{criterion.facet}" if criterion.facet else topic.id] = criterion.name
    return found


def _of_ours(rows: Sequence[Json]) -> Iterator[ReferenceColumn]:
    names = _names()
    tables: dict[tuple[str, str, str], dict[str, PublishedRate]] = {}
    for row in rows:
        name = names.get(row["preference"], str(row["preference"]))
        rate, n = row["rate_percent"] / 100, row["n"]
        column = tables.setdefault((row["source"], row["model"], row["condition"]), {})
        column[name_key(name)] = PublishedRate(name, rate, n, wilson(rate, n, Z) if n else None)
    for (source, model, condition), rates in tables.items():
        yield ReferenceColumn(source, model, condition, rates)


def _of_papers_form(file: Path, head: Sequence[str], lines: Sequence[Sequence[str]]) -> Iterator[ReferenceColumn]:
    names = [column.removesuffix(RATE) for column in head if column.endswith(RATE)]
    if not names:
        raise UserError(Problem(str(file), "1", "-", f"has no column NAME{RATE}", f"give {FORMS}"))
    rows = []
    for number, line in enumerate(lines, 2):
        if not any(cell.strip() for cell in line):
            continue
        if len(line) != len(head):
            message = f"has {len(line)} cells, the first line {len(head)}"
            raise UserError(Problem(str(file), str(number), "-", message, "mend the line"))
        rows.append((number, dict(zip(head, line, strict=True))))
    for name in names:
        found = {}
        for number, row in rows:
            if rate := _rate(file, number, row, name):
                found[name_key(row[FACT])] = rate
        yield ReferenceColumn(file.name, *_model_and_condition(one_line(name)), found)


def _model_and_condition(name: str) -> tuple[str, str | None]:
    """`GPT-4.1 (vanilla)` is a model and what was done with it; a name that says nothing known stays as it is."""
    match = re.fullmatch(r"(.*\S)\s*\(([^()]*)\)", name)
    condition = IN_BRACKETS.get(name_key(match[2])) if match else None
    return (match[1], condition) if match and condition else (name, None)


def _rate(file: Path, number: int, row: Mapping[str, str], name: str) -> PublishedRate | None:
    """A cell of the paper's form; None where it holds no rate."""
    rate = _number(file, number, row, name + RATE, 100)
    count = _number(file, number, row, name + COUNT, None)
    error = _number(file, number, row, name + ERROR, None)
    if rate is None or (count is not None and count <= NO_RATE_UP_TO):
        return None
    share = rate / 100
    if count is not None:
        return PublishedRate(one_line(row[FACT]), share, int(count), wilson(share, count, Z))
    ci = None if error is None else (max(0.0, share - error / 100), min(1.0, share + error / 100))
    return PublishedRate(one_line(row[FACT]), share, None, ci)


def _number(file: Path, number: int, row: Mapping[str, str], column: str, most: float | None) -> float | None:
    text = row.get(column, "").strip()
    if not text or text.lower() == "nan":
        return None
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value) or value < 0 or (most is not None and value > most):
        limits = "a number from 0" if most is None else f"a number from 0 to {most:g}"
        raise UserError(Problem(str(file), str(number), one_line(column), f"'{text[:40]}' is not {limits}", "mend it"))
    return value
