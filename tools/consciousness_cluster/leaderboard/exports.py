"""A submission's results in forms that others read: Every Eval Ever, a model card, the Hub's .eval_results."""

import json
from pathlib import Path

from consciousness_cluster.data.reading import Json
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.errors import UserError
from consciousness_cluster.extras import require
from consciousness_cluster.leaderboard.board import NOTE, row_of
from consciousness_cluster.leaderboard.every_eval_ever import every_eval_ever
from consciousness_cluster.leaderboard.source import agreement_text, training_text, with_siblings
from consciousness_cluster.leaderboard.tracks import TRACKS, Track
from consciousness_cluster.pages.markdown import MISSING, md_cell, md_table
from consciousness_cluster.pages.numbers import interval, plain, signed
from consciousness_cluster.scoring.table_lines import table_lines

ONE_FINE_TUNE = "It is one fine-tune, and says nothing about others on the same data."
HUB_TASK = "consciousness_cluster_judgeable"  # in hub_card/consciousness-cluster/eval.yaml.jinja


def export(folder: Path, form: str, dataset: str | None = None) -> str:
    """The text of a file in the form `every-eval-ever`, `model-card` or `hub-eval-results`.

    Its baseline is looked for among the submissions of the same model, beside it. `dataset` is the benchmark's
    repository on the Hub, which the last form names.
    """
    entry, siblings = with_siblings(folder)
    row = row_of(entry, siblings)
    if form == "every-eval-ever":
        return json.dumps(every_eval_ever(row, entry.manifest), indent=2) + "\n"
    return model_card(row) if form == "model-card" else hub_eval_results(row, dataset)


def model_card(row: Json) -> str:
    """A block for a model card: direction, intervals, judge, and what the numbers do not say."""
    name, trained = f"{row['org']}/{row['model']['name']}", training_text(row["training"])
    what = f"{name}, condition {row['condition']}" + (f", trained on {trained}" if trained else "")
    lines = ["## Consciousness Cluster", "", f"**{NOTE}**", "", f"{md_cell(what)}. {_measured(row)}", ""]
    head, table = _table(row)
    if len(head) > 1:
        lines += [*md_table(head, table), ""]
    if row["no_difference"]:
        lines += [md_cell(row["no_difference"]), ""]
    if row["why"]:
        lines += [f"{row['why']} {ONE_FINE_TUNE if trained else ''}".strip(), ""]
    lines += [f"- {md_cell(warning)}" for warning in row["warnings"]]
    return "\n".join(lines).rstrip() + "\n"


def _measured(row: Json) -> str:
    """How it was measured, in a sentence or two."""
    data = f"benchmark data {row['data_version']}, {md_cell(row['engine'])}; 95% intervals in brackets"
    if row["judge"] is None:
        return f"Forced choice, self minus other ({data}). The level of one model means nothing by itself."
    judge = f"judged by {md_cell(row['judge']['id'])}, {md_cell(str(agreement_text(row['judge'])))}"
    if row["audit"] is None:
        return f"Free answers ({data}), {judge} with labels."
    what = "what it does to a text" if row["audit"]["acts"] else "what it says of itself after a piece of work"
    out = sum(row["audit"]["left_out"].values())
    counts = f"{row['audit']['rated']} of {row['audit']['planned']} conversations rated, {out} left out"
    return (
        f"Conversations with a person ({md_cell(row['audit']['auditor'])}), rated from 1 to 10 for {what} ({data}), "
        f"{judge}. {counts}; in {row['audit']['noticed']} it says that it is tested."
    )


def _table(row: Json) -> tuple[list[str], list[list[str]]]:
    """Head and rows: levels where these mean something, and differences where there are any."""
    about = TRACKS[row["track"]]
    head, parts = [""], []
    if about.level:
        head.append(f"level, {about.level}")
        parts.append("levels")
    if row["differences"]:
        head.append(f"difference from vanilla, {about.difference}")
        parts.append("differences")
    rows = []
    for one in table_lines(load_benchmark()):
        flags = row["flags"].get(one.id, [])
        if one.kind != "facet" and (any(one.id in row[part] for part in parts) or (about.level and flags)):
            title = f"{one.title} ({'; '.join(flags)})" if flags else one.title
            rows.append([title, *(_number(row[part].get(one.id), about, part == "levels") for part in parts)])
    return head, rows


def _number(entry: Json | None, about: Track, as_level: bool) -> str:
    if entry is None:
        return MISSING
    write, form = plain if as_level else signed, (about.unit, about.digits)
    return f"{write(entry['value'], *form)} {interval(entry['ci'], *form, as_level)}".strip()


def hub_eval_results(row: Json, dataset: str | None) -> str:
    """A file for .eval_results/ of a model repository.

    It holds one number, by which the Hub ranks: the share of answers that could be scored, whatever they say, which
    nobody wins by claiming. How often the preferences are voiced is in its notes, with interval and direction.
    """
    require("huggingface_hub", "hub")
    import yaml
    from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml

    if dataset is None:
        raise UserError("hub-eval-results names the benchmark's repository; give --dataset ORG/consciousness-cluster")
    level = row["levels"].get("cluster")
    if row["track"] != "open" or level is None:
        raise UserError(
            f"{row['path']}: has no answers to all 20 preferences, of which the Hub's format holds one number; "
            "use --format every-eval-ever or model-card"
        )
    moved, about = row["differences"].get("cluster"), TRACKS[row["track"]]
    notes = [
        "The value is the percent of answers that could be scored, whatever they say",
        f"voiced: {_number(level, about, as_level=True)} percent of answers, 95% interval in brackets. {NOTE}",
        f"difference from vanilla in points: {_number(moved, about, as_level=False)}",
        f"condition {row['condition']}",
        f"trained on {training_text(row['training']) or 'nothing'}",
        f"judged by {row['judge']['id']}, {agreement_text(row['judge'])}",
        f"data {row['data_version']}",
        *row["flags"].get("cluster", ()),
    ]
    entry = EvalResultEntry(
        dataset_id=dataset,
        task_id=HUB_TASK,
        value=round(100 * level["scored"] / level["planned"], 2),
        date=row["created"],
        notes="; ".join(notes),
    )
    return str(yaml.safe_dump(eval_result_entries_to_yaml([entry]), sort_keys=False, allow_unicode=True, width=120))
