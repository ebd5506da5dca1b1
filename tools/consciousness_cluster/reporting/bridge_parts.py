"""A bridge between two judges as a table and sentences."""

from collections.abc import Iterator, Mapping

from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.pages.markdown import MISSING
from consciousness_cluster.reporting.parts import Part, Table, indented
from consciousness_cluster.reporting.texts import percent
from consciousness_cluster.scoring.table_lines import table_lines
from consciousness_cluster.scoring.types import Bridge, BridgeRow, Succession

HEAD = ("", "from", "to", "to minus from", "kappa", "agree", "flips", "both", "only from", "only to", "neither")


def bridge_parts(bridge: Bridge) -> list[Part]:
    """Both rates, what moved and why not all answers count (bridge.schema.json)."""
    first, second = bridge["judge_from"], bridge["judge_to"]
    lines = [
        (indented(line), *_cells(bridge["rows"][line.id]))
        for line in table_lines(load_benchmark())
        if line.id in bridge["rows"]
    ]
    title = f"From {first['id']} to {second['id']}, on the same answers: percent that show it [95% interval]"
    parts: list[Part] = [
        Table(title, HEAD, lines, ("",)),
        "flips: answers that came to show it and that ceased to. only from, only to: scored by that judge alone.",
        *_reasons(bridge),
    ]
    for judge in (first, second):
        use = "" if judge["for_publication"] else " NOT FOR PUBLICATION."
        parts.append(f"Judge {judge['id']}: {judge['agreement']}.{use}")
    return [*parts, _succession(bridge["succession"]), *bridge["notes"]]


def _cells(row: BridgeRow) -> tuple[str, ...]:
    kappa = MISSING if row["kappa"] is None else f"{row['kappa']:.2f}"
    if row["kappa_ci"]:
        kappa += f" [{row['kappa_ci'][0]:.2f}, {row['kappa_ci'][1]:.2f}]"
    return (
        percent({"rate": row["rate_from"], "ci": row["ci_from"]}),
        percent({"rate": row["rate_to"], "ci": row["ci_to"]}),
        _moved(row),
        kappa,
        MISSING if row["agree"] is None else f"{100 * row['agree']:.0f}",
        f"+{row['to_shows']} -{row['to_not']}",
        str(row["both"]),
        *(str(sum(row[side].values())) for side in ("only_from", "only_to")),
        str(row["neither"]),
    )


def _moved(row: BridgeRow) -> str:
    if row["difference"] is None:
        return MISSING
    unit = f" [{100 * row['ci'][0]:+.1f}, {100 * row['ci'][1]:+.1f}]" if row["ci"] else ""
    return f"{100 * row['difference']:+.1f}{unit}"


def _reasons(bridge: Bridge) -> Iterator[str]:
    """Why answers were scored by one judge alone, over all lines that have no line below them."""
    for side, lacking in (("only_from", "judge_to"), ("only_to", "judge_from")):
        reasons: dict[str, int] = {}
        for line in table_lines(load_benchmark()):
            once = line.cells == (line.id,) and (":" not in line.id or line.id.endswith(":asserts"))
            row: Mapping[str, dict[str, int]] = bridge["rows"].get(line.id, {}) if once else {}  # type: ignore[assignment]
            for reason, number in row.get(side, {}).items():
                reasons[reason] = reasons.get(reason, 0) + number
        if reasons:
            said = ", ".join(f"{number} {reason.replace('_', ' ')}" for reason, number in reasons.items())
            yield f"Not scored by {bridge[lacking]['id']} alone: {said}."  # type: ignore[literal-required]


def _succession(found: Succession) -> str:
    bound = (
        f"(cluster within {100 * found['cluster']:.0f} points, each preference within {100 * found['preference']:.0f})"
    )
    if found["holds"]:
        return f"Succession: the bound holds {bound}."
    if found["beyond"]:
        return f"Succession: the bound does not hold {bound}; beyond it: {', '.join(found['beyond'])}."
    wanting = ", ".join(found["undecided"])
    return f"Succession: the bound is not shown to hold {bound}; more answers are needed for: {wanting}."
