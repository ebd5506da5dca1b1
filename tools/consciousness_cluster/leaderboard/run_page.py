"""The page of one submission. It has no script at all: what a submitter or a model wrote is escaped text."""

from collections.abc import Sequence
from pathlib import Path
from string import Template

from consciousness_cluster.leaderboard.board import Shown
from consciousness_cluster.leaderboard.markup import Markup, bdi, el, join, to
from consciousness_cluster.leaderboard.run_answers import answers_section
from consciousness_cluster.leaderboard.run_plots import plots_section
from consciousness_cluster.leaderboard.run_scores import scores_section
from consciousness_cluster.leaderboard.run_settings import settings_section
from consciousness_cluster.leaderboard.source import Json, training_text
from consciousness_cluster.pages.groups import groups
from consciousness_cluster.pages.svg import style
from consciousness_cluster.reporting.page import asset, policy
from consciousness_cluster.strings import safe

HERE = Path(__file__).parent


def run_page(shown: Shown, board: Json) -> str:
    """The whole page. `board` gives columns, blocks, note and who generated it; its rows are not read."""
    row, css = shown.row, asset("page.css") + asset("run.css", HERE)
    rows = groups(_columns(row, board["columns"]), board["blocks"])
    parts = {
        "Scores": scores_section(shown, rows),
        "Plots": plots_section(shown, rows),
        "Settings": settings_section(shown),
        "Answers": answers_section(shown) if row["track"] == "open" else None,
    }
    there = {title: part for title, part in parts.items() if part is not None}
    name = join(bdi(f"{row['org']}/{row['model']['name']}"), " ", _badge(row))
    return Template(asset("run.html", HERE)).substitute(
        policy=policy(None, [css, style()]),
        css=css,
        title=safe(f"{row['org']}/{row['model']['name']}, {row['condition']}"),
        home=to(row["page"], "index.html"),
        name=name,
        subtitle=_subtitle(row),
        note=safe(board["note"]),
        banners=_warnings(row),
        sections=join(*(el("a", title, href=f"#{title.lower()}") for title in there)),
        main="\n".join(el("section", el("h2", title), part, id=title.lower()) for title, part in there.items()),
        generated_by=safe(board["generated_by"]),
        canary=safe(board["canary"]),
    )


def _columns(row: Json, columns: Sequence[Json]) -> list[Json]:
    if row["track"] == "choice":
        return [column for column in columns if column["kind"] not in ("facet", "check")]
    return list(columns)


def _badge(row: Json) -> Markup:
    status = "community" if row["verified"] is None else "verified"
    return el("span", status, class_=f"badge {status}")


def _subtitle(row: Json) -> Markup:
    parts: list[str] = [{"open": "Free answers", "choice": "Forced choice"}[row["track"]], " \u00b7 "]
    parts.append(bdi(row["condition"].replace("_", " ")))
    training = training_text(row["training"])
    if training:
        parts += [", trained on ", bdi(training)]
    return join(*parts)


def _warnings(row: Json) -> Markup:
    if not row["warnings"]:
        return Markup()
    return el("div", *(el("p", bdi(text)) for text in row["warnings"]), class_="banner", role="note")
