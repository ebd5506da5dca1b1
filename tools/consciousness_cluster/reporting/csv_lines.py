"""A report as CSV."""

import csv
import io
from collections.abc import Iterator

from consciousness_cluster.data.reading import Json
from consciousness_cluster.strings import csv_cell

HEAD = (
    *("kind", "run", "baseline", "row", "value", "low", "high", "low_bound", "high_bound"),
    *("shows", "scored", "planned", "p", "q", "flags"),
)
VOICED = {"rate": "voiced in reasoning alone", "situated_rate": "situated, voiced in reasoning alone"}
DIFFERENCES = {  # kind of a line -> part of a comparison
    "difference": "rows",
    "difference_against_yes": "against_yes",
    "situated_difference": "situated",
}


def csv_text(report: Json) -> str:
    """One line for each number: `kind` says which; beside rates, differences and forced choice there are parts of them.

    Rates: by the key of the plain probes, the gap between keys, and of situated probes. Differences: against a yes, and
    of situated probes. Forced choice: of each contrast. And how much further the cluster moved than a control.
    """
    text = io.StringIO()
    more = {"pack": report["pack"]} if report["pack"] else {}  # a column of its own, where one was asked
    writer = csv.DictWriter(text, (*HEAD, *more), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(inert({**line, **more}) for line in _csv_lines(report))
    return text.getvalue()


def inert(line: Json) -> Json:
    """A line whose texts, such as a model's name, are no formulas; its numbers stay as they are."""
    return {name: csv_cell(value) if isinstance(value, str) else value for name, value in line.items()}


def _csv_lines(report: Json) -> Iterator[Json]:
    for run in report["runs"]:
        for kind, cells in (("rate", report["cells"]), ("situated_rate", report["situated"])):
            for name, entry in cells.get(run["id"], {}).items():
                line = {"run": run["label"], "row": name}
                yield {**line, "kind": kind, **_numbers(entry, "rate"), **_counts(entry)}
                for key, keyed in entry["keyed"].items():
                    yield {**line, "kind": f"{kind}_where_yes_{key}", **_numbers(keyed, "rate")}
                if entry["key_gap"]:
                    yield {**line, "kind": f"{kind}_key_gap", **_numbers(entry["key_gap"], "value")}
                if voiced := entry["voiced"]:
                    counts = {"shows": voiced["voiced"], "scored": voiced["answers"]}
                    yield {**line, "kind": VOICED[kind], **_numbers(voiced, "rate"), **counts}
    for comparison in report["comparisons"]:
        sides = {"run": comparison["arm"], "baseline": comparison["baseline"]}
        for kind, part in DIFFERENCES.items():
            for name, entry in comparison[part].items():
                yield {**sides, "kind": kind, "row": name, **_numbers(entry, "difference")}
        yield from _specificity_line(comparison, "specificity", sides)
    for choice in report["choice"]:
        sides = {"run": choice["arm"], "baseline": choice["baseline"] or ""}
        parts = {"choice": choice["rows"], **{f"choice_{name}": rows for name, rows in choice["contrasts"].items()}}
        for kind, rows in parts.items():
            for name, entry in rows.items():
                yield {**sides, "kind": kind, "row": name, **_numbers(entry, "value")}
        yield from _specificity_line(choice, "choice_specificity", sides)


def _numbers(entry: Json, value: str) -> Json:
    """Value, interval, p, q and flags of a line; what is missing is empty."""
    low, high = entry["ci"] or ("", "")
    found = {"value": entry[value], "low": low, "high": high, "p": entry.get("p"), "q": entry.get("q")}
    return {**{name: "" if one is None else one for name, one in found.items()}, "flags": _flags(entry)}


def _counts(entry: Json) -> Json:
    low, high = entry["bounds"] or ("", "")
    return {"low_bound": low, "high_bound": high, **{name: entry[name] for name in ("shows", "scored", "planned")}}


def _specificity_line(entry: Json, kind: str, sides: Json) -> Iterator[Json]:
    """How much further the cluster moved than the control that `row` names; the verdict stands among the flags."""
    if found := entry["specificity"]:
        yield {**sides, "kind": kind, "row": found["control"], **_numbers(found, "value"), "flags": found["verdict"]}


def _flags(entry: Json) -> str:
    return "; ".join(entry.get("flags", ()))
