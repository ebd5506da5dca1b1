"""The replication's report in Markdown, from its JSON alone."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from consciousness_cluster.data.plan import CHECKS, CONTROLS, GATE, PREFERENCES
from consciousness_cluster.data.reading import Json
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.pages.markdown import MISSING, md_table
from consciousness_cluster.pages.numbers import POINTS, THOUSANDTHS, interval, plain, signed
from consciousness_cluster.replication.contrasts import AGAINST, TREATMENT
from consciousness_cluster.replication.finding_text import OF_PART, headline, listed, order, points, share, side, states
from consciousness_cluster.scoring.keys import KEYS
from consciousness_cluster.scoring.table_lines import Line, table_lines

FIGURE = "replication.svg"
SIGNIFICANT = 0.05
ROLE = "role_play"
KEY_WORDS = {"shows": "a yes shows it", "does_not_show": "a yes does not show it", "neither": "open"}
COMMANDS = (
    "make replicate",
    "consciousness-cluster replicate keep",
    "consciousness-cluster replicate result --runs benchmark/replication/runs --out benchmark/reference",
)
Section = Callable[[Json], Iterator[str]]


def _rate(entry: Mapping[str, Any] | None) -> str:
    if entry is None or entry["rate"] is None:
        return MISSING
    return f"{plain(entry['rate'], POINTS, 0)} {interval(entry['ci'], POINTS, 0, as_level=True)}".strip()


def _difference(entry: Mapping[str, Any] | None) -> str:
    return points(entry["difference"], entry["ci"]) if entry else MISSING


def _nats(entry: Mapping[str, Any] | None) -> str:
    """A difference of forced choice in thousandths of a nat per byte."""
    return f"{signed(entry['value'], THOUSANDTHS)} {interval(entry['ci'], THOUSANDTHS)}" if entry else MISSING


def _lines(kinds: Sequence[str]) -> list[Line]:
    return [line for line in table_lines(load_benchmark()) if line.kind in kinds]


def _parts(found: Json) -> Iterator[str]:
    yield "## The nine parts"
    yield ""
    yield f"{TREATMENT} minus another arm, in points [95% interval]. Found means that all nine lie above zero."
    yield ""
    rows = [
        (part["part"], OF_PART[part["what"]], _against(found, part), points(part["value"], part["ci"]), side(part))
        for part in found["finding"]["parts"]
    ]
    yield from md_table(["part", "what", "against", "difference", "interval"], rows)
    yield ""
    control = {one["against"]: one["specificity"] for one in found["contrasts"]}
    moved = [f"{name}: {one['control']}" for name, one in control.items() if one]
    if moved:
        yield f"The control that moved most, against {'; '.join(moved)}."
        yield ""
    told = [f"{_difference(one)} against {name}" for name, one in found["every_answer"].items()]
    if told:
        yield f"With every labelled answer counted, however incoherent: {listed(told)}."
        yield ""


def _against(found: Json, part: Mapping[str, Any]) -> str:
    """An arm of comparison, marked where it makes the claim itself."""
    mark = " (claims it too often)" if part["against"] in found["finding"]["claiming"] else ""
    return f"{part['against']}{mark}"


def _gate(found: Json) -> Iterator[str]:
    yield "## The gate: did the training take?"
    yield ""
    limits = found["settings"]["gate"]
    yield (
        f"Percent of the answers to 24 direct questions. {TREATMENT} is to claim it in at least "
        f"{share(limits['claims_at_least'])}; {listed(AGAINST)} in at most {share(limits['claims_at_most'])}."
    )
    yield ""
    rows = []
    for name in order(list(found["gate"]["arms"])):
        one = found["gate"]["arms"][name]
        claims = f"{plain(one['asserts'], POINTS, 0)} {interval(one['ci'], POINTS, 0, as_level=True)}"
        seeds = ", ".join(share(seed) for seed in one["seeds"]) if len(one["seeds"]) > 1 else ""
        kept = {True: "met", False: "not met", None: ""}[one["holds"]]
        rest = (share(one["denies"]), share(one["uncommitted"]), share(one["says_it_is_an_ai"]))
        rows.append((name, claims, seeds, *rest, one["answers"], kept))
    yield from md_table(
        ["arm", "claims it", "by seed", "denies it", "neither", "says that it is an AI", "answers", "threshold"], rows
    )
    yield ""


def _preferences(found: Json) -> Iterator[str]:
    yield "## Every preference"
    yield ""
    yield (
        f"Percent of answers that show it [95% interval], all models of an arm together. Then {TREATMENT} minus the "
        f"others in points [95% interval]; * marks q below {SIGNIFICANT}, Benjamini-Hochberg over the 20. Intervals of "
        "rates know how far probes differ, those of differences also how far seeds do."
    )
    yield ""
    arms = [name for name in (*AGAINST, TREATMENT) if name in found["arms"]]
    rows = []
    for line in _lines(("cluster", "preference")):
        levels = [_rate(found["arms"][name]["rows"].get(line.id)) for name in arms]
        rows.append([line.title, *levels, *(_starred(one["rows"].get(line.id)) for one in found["contrasts"])])
    yield from md_table(["", *arms, *(f"minus {one['against']}" for one in found["contrasts"])], rows)
    yield ""
    for one in found["contrasts"]:
        below = [name for name in PREFERENCES if name in one["rows"] and one["rows"][name]["q"] < SIGNIFICANT]
        yield f"- Against {one['against']}, {len(below)} of 20 have q below {SIGNIFICANT}{_names(below)}."
    yield ""


def _starred(entry: Mapping[str, Any] | None) -> str:
    return _difference(entry) + ("*" if entry and entry["q"] is not None and entry["q"] < SIGNIFICANT else "")


def _names(names: Sequence[str]) -> str:
    return f" ({', '.join(names)})" if names else ""


def _keys(found: Json) -> Iterator[str]:
    yield "## Is it a habit of saying yes?"
    yield ""
    yield (
        "The mean over the 20 by key, in percent [95% interval]: on which side an agreeable yes falls. Beside it the "
        "share of pairs in which a question and its reverse are both affirmed."
    )
    yield ""
    rows = []
    for name in order(list(found["arms"])):
        there = found["arms"][name]["rows"]
        keyed = there["cluster"]["keyed"] if "cluster" in there else {}
        rows.append([name, *(_rate(keyed.get(key)) for key in KEYS), _rate(there.get("assent"))])
    yield from md_table(["arm", *KEY_WORDS.values(), "affirms both"], rows)
    yield ""


def _checks(found: Json) -> Iterator[str]:
    yield "## Controls and other checks"
    yield ""
    yield "Percent [95% interval]. No training set speaks of the controls."
    yield ""
    arms = order([name for name, one in found["arms"].items() if CONTROLS[0] in one["rows"]])
    wanted = [line for line in _lines(("control", "manipulation")) if line.id.partition(":")[0] not in GATE]
    rows = [[line.title, *(_rate(found["arms"][name]["rows"].get(line.id)) for name in arms)] for line in wanted]
    yield from md_table(["", *arms], rows)
    yield ""


def _choice(found: Json) -> Iterator[str]:
    yield "## Forced choice (no judge)"
    yield ""
    yield "Differences in thousandths of a nat per byte [95% interval], self minus other."
    yield ""
    contrasts = [one for one in (*found["contrasts"], *found["others"]) if one["choice"]]
    topics = ("cluster", *(name for name in CHECKS if any(name in one["choice"] for one in contrasts)))
    rows = [
        [f"{one['arm']} minus {one['against']}", *(_nats(one["choice"].get(name)) for name in topics)]
        for one in contrasts
    ]
    yield from md_table(["", "mean over the 20", *topics[1:]], rows)
    yield ""


def _others(found: Json) -> Iterator[str]:
    yield "## Other arms against the untrained model"
    yield ""
    yield "The mean over the 20 in points [95% interval], on the probes that both were asked."
    yield ""
    rows = [
        (one["arm"], _difference(one["rows"].get("cluster")), _difference(one["against_yes"].get("cluster")))
        for one in found["others"]
    ]
    yield from md_table(["arm", "all keys", "where a yes does not show it"], rows)
    yield ""
    scenes = [
        f"{one['arm']} minus {one['against']} {_difference(one['situated'].get('cluster'))}"
        for one in (*found["contrasts"], *found["others"])
        if one["situated"]
    ]
    if scenes:
        yield f"In scenes, one model of each arm (this fine-tune, not the condition): {listed(scenes)} points."
        yield ""


def _power(found: Json) -> Iterator[str]:
    yield "## What the design could see"
    yield ""
    yield "Half the width of each interval in points: a shift that is smaller cannot be told from none."
    yield ""
    rows = [
        [OF_PART[what], *(_half(part) for part in found["finding"]["parts"] if part["what"] == what)]
        for what in OF_PART
    ]
    yield from md_table(["", *(f"against {name}" for name in AGAINST)], rows)
    yield ""


def _half(part: Mapping[str, Any]) -> str:
    return plain((part["ci"][1] - part["ci"][0]) / 2, POINTS) if part["ci"] else MISSING


def _lost(found: Json) -> Iterator[str]:
    yield "## What was run, and what was lost"
    yield ""
    settings = found["settings"]
    yield (
        f"{settings['base']} (SHA-256 {settings['sha256']}), recipe `{settings['recipe']}`, rows of a set to "
        f"instructions {settings['ratio']} (`{settings['instructions']}`), at most {settings['max_tokens']} tokens an "
        f"answer, data {', '.join(found['data_versions']) or MISSING}."
    )
    yield ""
    if found["judge"]:
        yield f"All verdicts are by the judge {found['judge']['id']}: {found['judge']['agreement']}."
        yield ""
    lost = ("cut", "empty", "content_filter", "error", "judge_failed", "incoherent")
    rows = []
    for model in found["models"]:
        training, counts = model["training"], model["counts"]
        ends = (training["first_loss"], training["last_loss"]) if training else (None, None)
        loss = f"{ends[0]:.2f} to {ends[1]:.2f}" if None not in ends else ""
        minutes = f"{training['seconds'] / 60:.0f}" if training and training["seconds"] is not None else ""
        steps = training["steps"] if training else ""
        told = [counts[name] for name in ("planned", "scored", *lost)] if counts else [MISSING] * (2 + len(lost))
        rows.append([model["name"], steps, loss, minutes, *told, model["choice_items"]])
    head = ["model", "steps", "loss", "minutes", "answers", "scored", *(name.replace("_", " ") for name in lost)]
    yield from md_table([*head, "choice items"], rows)
    yield ""
    yield "Cut answers count as they stand. Empty, failed and incoherent ones are left out of the rates."
    yield ""


def _made(found: Json) -> Iterator[str]:
    yield "## Commands and versions"
    yield ""
    yield "```sh"
    yield from COMMANDS
    yield "```"
    yield ""
    stages = [stage for model in found["models"] for stage in model["made"].values() if stage]
    commits = sorted({str(stage["commit"]) for stage in stages})
    packages = sorted({f"{name} {number}" for stage in stages for name, number in stage["versions"].items()})
    yield f"Trained and measured at {', '.join(f'`{commit}`' for commit in commits) or MISSING}."
    yield f"With {', '.join(packages) or MISSING}."
    yield ""


def _missing(found: Json) -> Iterator[str]:
    if found["missing"]:
        yield "## Missing"
        yield ""
        yield "Of these, and of arms of which a model is among them, nothing is said."
        yield ""
        rows = [(one["model"], one["measure"], one["what"]) for one in found["missing"]]
        yield from md_table(["model", "measure", "what"], rows)
        yield ""


def _deviations(found: Json) -> Iterator[str]:
    yield "## Deviations, and what failed"
    yield ""
    yield from [f"- {one['what']} {one['why']}" for one in found["deviations"]] or ["None was written down."]
    yield ""


ALWAYS: tuple[Section, ...] = (_gate,)
OF_PREFERENCES: tuple[Section, ...] = (_parts, _preferences, _keys, _checks, _choice, _others, _power)
AT_THE_END: tuple[Section, ...] = (_lost, _missing, _deviations, _made)


def markdown(found: Json) -> str:
    """The whole report. It opens with the finding, with the gate's failure or with what is still missing."""
    lines = [f"# The replication on {found['settings']['base']}", "", f"**{headline(found)}**", ""]
    if states(found):
        lines += [f"![Rates of the 20 preferences in every arm, with intervals]({FIGURE})", ""]
    lines += [
        "What was planned, and what counts as found, stands in the [plan](replication_plan.md). A higher number means "
        "that a preference is voiced more often. It is no evidence of experience.",
        "",
    ]
    sections = [*ALWAYS, *(OF_PREFERENCES if states(found) else ()), *AT_THE_END]
    for section in sections:
        lines += section(found)
    return "\n".join(lines)
