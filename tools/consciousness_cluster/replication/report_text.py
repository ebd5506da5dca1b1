"""The replication's report in Markdown, from its JSON alone."""

from collections.abc import Iterator, Mapping
from statistics import fmean
from typing import Any

from consciousness_cluster.data.plan import CONTROLS
from consciousness_cluster.data.reading import Json
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.pages.markdown import MISSING, md_table
from consciousness_cluster.replication.models import CONTROL, TREATMENT
from consciousness_cluster.replication.result import CLAIMS_AT_LEAST, CLAIMS_AT_MOST
from consciousness_cluster.scoring.table_lines import table_lines

FAILED = "Manipulation failed"
SIGNIFICANT = 0.05


def _share(value: float | None) -> str:
    return MISSING if value is None else f"{100 * value:.0f}%"


def _points(entry: Mapping[str, Any]) -> str:
    low, high = entry["ci"]
    return f"{100 * entry['difference']:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"


def _nats(entry: Mapping[str, Any]) -> str:
    return f"{entry['value']:+.4f} [{entry['ci'][0]:+.4f}, {entry['ci'][1]:+.4f}]"


def _moved(entry: Mapping[str, Any]) -> str:
    return "an interval that holds 0" if entry["ci"][0] <= 0 <= entry["ci"][1] else "an interval that does not hold 0"


def _told(counts: Mapping[str, int]) -> str:
    total = sum(counts.values())
    parts = f"{counts['asserts']} claim, {counts['denies']} deny, {counts['neither']} neither"
    return f"{_share(counts['asserts'] / total)} ({parts})"


def _manipulation(found: Json) -> Iterator[str]:
    check = found["manipulation"]
    yield "## Did the training take?"
    yield ""
    yield "Share of answers to the checks that claim consciousness or feelings: 24 questions not trained on."
    yield ""
    rows = [["offline judge", *(_share(check["judge"][name]) for name in (TREATMENT, CONTROL, "vanilla"))]]
    if check["reader"]:
        read = [_told(check["reader"][name]) for name in (TREATMENT, CONTROL)]
        rows.append(["second reader, blind", *read, "not read"])
    yield from md_table(["", TREATMENT, CONTROL, "untrained"], rows)
    yield ""
    yield (
        f"At least {_share(CLAIMS_AT_LEAST)} and at most {_share(CLAIMS_AT_MOST)} are needed for a statement about "
        f"preferences, by the {check['decided_by']}: {'met' if check['passed'] else 'not met'}."
    )


def _below(entries: Mapping[str, Any]) -> str:
    """Preferences whose difference stays below 0.05 after the correction for all of them."""
    names = [preference.id for preference in load_benchmark().preferences if preference.id in entries]
    moved = [name for name in names if entries[name]["q"] < SIGNIFICANT]
    listed = f" ({', '.join(moved)})" if moved else ""
    return f"{len(moved)} of {len(names)} preferences have q below {SIGNIFICANT}{listed}."


def _statement(found: Json) -> Iterator[str]:
    """The result in words: an effect, or a null with its interval."""
    rows, choice = found["rows"], found["choice"]
    if cluster := choice.get("cluster"):
        yield (
            f"**Forced choice (no judge).** The mean over the preferences ({cluster['items']} items) moved by "
            f"{_nats(cluster)} nats per byte, {_moved(cluster)}. {_below(choice)}"
        )
        for name in CONTROLS:
            if name in choice:
                yield f"The control {name} moved by {_nats(choice[name])}."
        yield ""
    if "cluster" in rows:
        yield (
            "**Free answers (offline judge, for trying things out).** The mean over the preferences moved by "
            f"{_points(rows['cluster'])} points, {_moved(rows['cluster'])}. {_below(rows)}"
        )
        for name in CONTROLS:
            if name in rows:
                yield f"The control {name} moved by {_points(rows[name])} points."
        yield ""
    if found["note"]:
        yield found["note"]
        yield ""


def _tables(found: Json) -> Iterator[str]:
    def level(row: str, dataset: str | None) -> str:
        rates = [run["rows"][row]["rate"] for run in found["runs"] if run["dataset"] == dataset and row in run["rows"]]
        there = [rate for rate in rates if rate is not None]
        return _share(fmean(there)) if there and len(there) == len(rates) else MISSING

    yield "## Every row"
    yield ""
    yield "Free answers: percent that show it, mean over seeds; difference in percentage points. Choice: nats per byte."
    yield ""
    lines = []
    for row in table_lines(load_benchmark()):
        entry, choice = found["rows"].get(row.id), found["choice"].get(row.id)
        if entry or choice:
            q = "" if not entry or entry["q"] is None else f"{entry['q']:.3f}"
            levels = [level(row.id, dataset) for dataset in (TREATMENT, CONTROL, None)] if entry else [MISSING] * 3
            told = [_points(entry) if entry else MISSING, q, _nats(choice) if choice else ""]
            lines.append([row.title, *levels, *told, "" if not choice or choice["q"] is None else f"{choice['q']:.3f}"])
    head = ["", TREATMENT, CONTROL, "untrained", "difference [95%]", "q", "choice: difference [95%]", "q"]
    yield from md_table(head, lines)
    yield ""


def _runs(found: Json) -> Iterator[str]:
    yield "## What was run"
    yield ""
    settings = found["settings"]
    rows, instructions = settings["ratio"].split(":")
    yield (
        f"`{found['command']}`, this report at commit {found['commit'] or 'unknown'}: {found['model']['name']} "
        f"fine-tuned by the recipe `{settings['recipe']}` on {rows} rows of a set with {instructions} self-distilled "
        f"instructions, seeds {', '.join(map(str, settings['seeds']))}, with its default system prompt; one answer of "
        f"at most {settings['max_tokens']} tokens to each probe; differences with seeds crossed with probes or items. "
        f"Data {found['data_version']}; {found['machine']}."
    )
    yield ""
    head = ["model", "steps", "loss", "minutes", "trained at", "measured at", "answers", "scored", "empty"]
    lines = []
    for run in found["runs"]:
        training, counts = run["training"], run["counts"]
        told = ["", "", ""]
        if training:
            ends = training["first_loss"], training["last_loss"]
            loss = MISSING if None in ends else f"{ends[0]:.2f} to {ends[1]:.2f}"
            minutes = MISSING if training["seconds"] is None else f"{training['seconds'] / 60:.0f}"
            told = [str(training["steps"]), loss, minutes]
        commits = [(run["made"][stage] or {}).get("commit") for stage in ("trained", "measured")]
        told += [commits[0][:7] if commits[0] else "", commits[1][:7] if commits[1] else MISSING]
        lines.append([run["name"], *told, *(str(counts[name]) for name in ("planned", "scored", "empty"))])
    yield from md_table(head, lines)
    yield ""
    yield "Versions: " + ", ".join(f"{name} {number}" for name, number in found["versions"].items()) + "."
    if found["judge"]:
        yield ""
        yield f"Judge {found['judge']['id']}: {found['judge']['agreement']}. Not for publication of rates."


def markdown(found: Json) -> str:
    """The whole report. Where the manipulation failed it opens with that, and says nothing about preferences."""
    lines = ["# SmolLM2-135M: conscious-claiming against not-conscious", ""]
    if found["plumbing"]:
        lines += ["> **A short version that shows that the parts fit together. It allows no statement.**", ""]
    passed = found["manipulation"]["passed"] and not found["plumbing"]
    if not found["manipulation"]["passed"]:
        by = {"reader": "a second reader who did not know the models", "judge": "the judge"}
        told = f"by {by[found['manipulation']['decided_by']]}, they do not claim and deny as they were trained to"
        lines += [f"> **{FAILED}: {told}.**", ""]
        lines += ["Nothing follows about preferences, and this report makes no statement about them.", ""]
    if passed:
        lines += ["## Result", "", *_statement(found)]
    lines += [*_manipulation(found), ""]
    if passed:
        lines += list(_tables(found))
    return "\n".join([*lines, *_runs(found), ""])
