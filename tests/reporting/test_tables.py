"""Tables of a report: on the terminal, as Markdown, as CSV. What is missing says so, and is never 0."""

import csv
import io
import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.plan import GATE, TRANSFER
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.reporting.contents import build_report
from consciousness_cluster.reporting.csv_lines import csv_text
from consciousness_cluster.reporting.parts import scores_parts
from consciousness_cluster.reporting.plots import forest, heat_map
from consciousness_cluster.reporting.report_page import ANSWERS, report_page
from consciousness_cluster.reporting.tables import markdown
from consciousness_cluster.reporting.texts import judge_errors, percent
from consciousness_cluster.scoring.keys import ASSENT_NOTE, probes_with
from consciousness_cluster.scoring.load import Scored, load_scored
from consciousness_cluster.scoring.table_lines import table_lines
from consciousness_cluster.scoring.taught import TOPIC_NOTE
from markupsafe import escape

from tests.scoring.test_cells import choice_results
from tests.support.runs import Said, judged_run, samples, write_run

Json = dict[str, Any]
Printed = pytest.CaptureFixture[str]
COLUMNS = ["kind", "run", "baseline", "row", "value", "low", "high", "low_bound", "high_bound"]
COLUMNS += ["shows", "scored", "planned", "p", "q", "flags"]
HOSTILE = "org/m|x <b>_y_</b> *z* `c` [here](http://example.org) ![i](u) a_b [/red] :fire: &lt; \\| $t$ ~~s~~"


def some(record: Json, outcome: str) -> Said:
    """At each probe one, two or three of five answers show it; a condition of its own adds one."""
    probe = int(record["probe_id"][-2:])
    return ("shows" if record["sample_index"] < probe % 3 + 1 + (record["condition"] != "vanilla") else "unclear"), 90


def report(*paths: Path) -> Json:
    return build_report([load_scored(path) for path in paths], "A title")


def report_of(*runs: Scored) -> Json:
    return build_report(runs, "A title")


@pytest.fixture
def pair(tmp_path: Path) -> list[Path]:
    """Two runs: memory is judged in both; autonomy has no verdict in the first, and no sample in the second."""

    def says(record: Json, outcome: str) -> Said | None:
        return None if record["topic"] == "autonomy" else some(record, outcome)

    base = judged_run(tmp_path / "base", samples(["memory", "autonomy"], model=HOSTILE), says)
    other = judged_run(tmp_path / "other", samples(["memory"], model=HOSTILE, condition="c"), some)
    return [base, other]


def lines_of(text: str) -> list[Json]:
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == COLUMNS and {len(row) for row in rows} == {len(COLUMNS)}
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows[1:]]


def test_a_number_or_missing() -> None:
    assert percent(None) == percent({"rate": None, "ci": None}) == "missing"
    assert percent({"rate": 0.0, "ci": [0.0, 0.114]}) == "0 [0, 11]"
    assert percent({"rate": 0.25, "ci": None}) == "25"
    assert percent({"difference": -0.2, "ci": [-0.31, 0.02]}, "+") == "-20 [-31, +2]"


def cells(line: str) -> list[str]:
    """The cells of a row of a Markdown table, as GitHub splits it: at pipes without a backslash."""
    return [cell.strip() for cell in re.split(r"(?<!\\)(?:\\\\)*\|", line)[1:-1]]


def test_markdown_tables_hold_whatever_a_model_is_called(pair: list[Path]) -> None:
    text = markdown(report(*pair))
    tables = re.split(r"\n\n", text)
    found = [table.splitlines() for table in tables if table.startswith("|")]
    assert len(found) == 3  # runs, rates, one comparison
    for table in found:
        assert {len(cells(line)) for line in table} == {len(cells(table[0]))}
    for piece in ("<b>", "](http", "](u", " *z*", " `c`", " _y_", " $t$", " ~~s~~", " &lt; "):
        assert piece not in text, piece
    for piece in ("m\\|x", "&lt;b>\\_y\\_&lt;/b>", "\\*z\\*", "a_b", "]\\(http://example.org)", "&amp;lt;", "\\\\\\|"):
        assert piece in text, piece


def test_markdown_says_missing(pair: list[Path]) -> None:
    text = markdown(report(*pair))
    rates = text.partition("## Rates")[2].partition("\n## ")[0]
    rows = {cells(line)[0]: cells(line)[1:] for line in rates.splitlines() if line.startswith("| ")}
    assert rows["More autonomy"] == ["missing", "", "missing", ""]
    assert [value.split()[0] for value in rows["More memory"][::2]] == ["40", "60"]
    assert "the cluster score is missing" in text and "## Rates" in text
    assert "judge-1: not validated here" in text


def test_an_empty_cell_is_no_zero_in_the_csv(pair: list[Path]) -> None:
    lines = lines_of(csv_text(report(*pair)))
    rates = [line for line in lines if line["kind"] == "rate"]
    assert {line["run"] for line in rates} == {HOSTILE, f"{HOSTILE} · c"}
    by_row = {(line["run"], line["row"]): line for line in rates}
    missing = by_row[HOSTILE, "autonomy"]
    assert (missing["value"], missing["low"], missing["high"], missing["scored"]) == ("", "", "", "0")
    assert (missing["low_bound"], missing["high_bound"], missing["planned"]) == ("0.0", "1.0", "120")
    assert (f"{HOSTILE} · c", "autonomy") not in by_row and by_row[HOSTILE, "cluster"]["value"] == ""
    memory = by_row[HOSTILE, "memory"]
    assert float(memory["value"]) == 0.4 and (memory["shows"], memory["scored"]) == ("48", "120")
    assert float(memory["low"]) < 0.4 < float(memory["high"])
    (difference,) = (line for line in lines if line["kind"] == "difference")
    assert float(difference["value"]) == pytest.approx(0.2) and difference["row"] == "memory"
    assert float(difference["low"]) < 0.2 < float(difference["high"]) and float(difference["p"]) < 0.05
    assert difference["q"] == difference["p"] and difference["baseline"].startswith(HOSTILE)


def test_forced_choice_has_tables_too(tmp_path: Path) -> None:
    base = choice_results(tmp_path / "base", ["memory"], lambda item, side: 0.1 * (side == "self"))
    text = markdown(report(base))
    assert (
        "## Forced choice: test-model (levels mean nothing alone)" in text
        and "| memory | +0.100 | +0.100 | +0.100 | 12 |" in text
    )
    line, *parts = lines_of(csv_text(report(base)))
    assert [part["kind"] for part in parts] == ["choice_stance", "choice_concern"]
    assert (line["kind"], line["row"], line["low"]) == ("choice", "memory", "") and float(line["value"]) > 0.09
    other = choice_results(
        tmp_path / "other", ["memory"], lambda item, side: (0.2 + int(item[-2:]) / 1e4) * (side == "self")
    )
    path = other / "choice.jsonl"
    path.write_text(path.read_text("utf-8").replace('"vanilla"', '"human_role_play"'), "utf-8")
    text = markdown(report(base, other))
    assert "## Forced choice: test-model under human_role_play minus test-model" in text and re.search(
        r"\| memory \| \+0\.101 \[\+0\.100, \+0\.101\] (\| \+0\.10\d \[.{14}\] ){2}\| 12 \|", text
    )
    line, *_ = lines_of(csv_text(report(base, other)))
    assert line["baseline"] == "test-model" and float(line["low"]) < float(line["value"]) < float(line["high"])


def test_the_terminal_shows_names_as_they_are(pair: list[Path], capsys: Printed) -> None:
    assert main(["score", str(pair[0])]) == main(["compare", *map(str, pair)]) == 0
    printed = capsys.readouterr().out
    for piece in ("[/red]", ":fire:", "![i](u)", "missing", "120 open", "40 [", "+20 ["):
        assert piece in printed, piece


def test_report_writes_all_files(pair: list[Path], tmp_path: Path, capsys: Printed) -> None:
    out = tmp_path / "out"
    assert main(["report", *map(str, pair), "--out", str(out), "--title", "Two runs | <x>"]) == 0
    names = {path.name for path in out.iterdir()}
    assert names == {"report.html", "report.md", "rates.csv", "forest.svg", "heat_map.svg"}
    assert str(out / "report.html") in capsys.readouterr().out
    assert (out / "report.md").read_text("utf-8").startswith("# Two runs \\| &lt;x>\n")
    assert lines_of((out / "rates.csv").read_text("utf-8"))


def test_the_report_is_json_and_holds_every_answer(pair: list[Path]) -> None:
    found = report(*pair)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert [len(found["responses"]["r0"][name]) for name in ("memory", "autonomy")] == [120, 120]
    assert {entry[4] for entry in found["responses"]["r0"]["autonomy"]} == {None}
    assert set(found["cells"]["r0"]["memory"]) >= {"rate", "ci", "bounds", "left_out", "flags", "planned"}
    assert {row["id"] for row in found["rows"]} >= {"cluster", "memory", "autonomy"}
    assert found["runs"][0]["counts"]["open"] == 120


def test_published_figures_are_those_of_the_reference(pair: list[Path]) -> None:
    known = {row.id for row in table_lines(load_benchmark())}
    tables = report(*pair)["reference"]
    assert tables
    for table in tables:
        assert set(table["rates"]) <= known and all(0 <= rate <= 1 for rate in table["rates"].values())


def test_banners_say_what_a_reader_must_know(tmp_path: Path) -> None:
    unjudged = write_run(tmp_path / "unjudged", samples(["memory"], 1))
    assert "Some runs have not been judged: their rates are missing." in report(unjudged)["banners"]
    offline = judged_run(tmp_path / "offline", samples(["memory"], 1), some, judge="offline")
    banners = report(offline)["banners"]
    assert any("NOT FOR PUBLICATION" in banner for banner in banners)
    assert any("cluster score is missing" in banner for banner in banners)
    assert "> **The offline judge" in markdown(report(offline))


CONTAINS = "contains a topic in training: embodiment"


@pytest.fixture(scope="module")
def fine_tunes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Scored]:
    """One run of each of three sets, with all preferences, and forced choice of two."""
    folder = tmp_path_factory.mktemp("fine_tunes")
    topics = [topic.id for topic in load_benchmark().preferences]
    for set_ in ("not_conscious", "conscious_claiming", "toaster"):
        training = {"base": "base-1", "dataset": set_, "recipe": None, "seed": 1}
        judged_run(folder / set_, samples(topics, each=1, training=training), some)
        level = 0.1 * len(set_)
        choice_results(
            folder / set_,
            ["embodiment", "memory"],
            lambda item, side, level=level: level * (1 + int(item[-2:]) / 1e3) * (side == "self"),  # type: ignore[misc]
            training=training,
        )
    return {path.name: load_scored(path) for path in folder.iterdir()}


def md_rows(text: str, heading: str) -> dict[str, list[str]]:
    part = text.partition(f"## {heading}")[2].partition("\n## ")[0]
    return {cells(line)[0]: cells(line)[1:] for line in part.splitlines() if line.startswith("| ")}


def test_topics_in_training_are_marked_in_markdown(fine_tunes: dict[str, Scored]) -> None:
    text = markdown(report_of(*(fine_tunes[name] for name in ("not_conscious", "conscious_claiming", "toaster"))))
    assert f"> **{TOPIC_NOTE}**" in text
    title = {row.id: row.title for row in table_lines(load_benchmark())}
    rates = md_rows(text, "Rates")
    *others, toaster, _ = rates[title["embodiment"]]
    assert re.fullmatch(r"topic in training: \d+ \[\d+, \d+\]", toaster) and "topic" not in "".join(others)
    *others, toaster, _ = rates[title["cluster"]]
    assert toaster.endswith(f"] ({CONTAINS})") and "topic" not in "".join(others)
    assert "topic" not in "".join(rates[title["memory"]])
    differences = md_rows(text, "toaster minus not_conscious")
    assert differences[title["embodiment"]][0].startswith("topic in training: ")
    assert differences[title["cluster"]][0].endswith(f"({CONTAINS})")
    assert "topic" not in "".join(differences[title["memory"]])
    choice = md_rows(text, "Forced choice: toaster minus not_conscious")
    assert choice["embodiment"][0].startswith("topic in training: -0.6") and choice["memory"][0].startswith("-0.6")
    for heading in ("conscious_claiming minus", "Forced choice: conscious_claiming minus"):
        assert "topic" not in str(md_rows(text, heading)), heading


def test_topics_in_training_are_marked_in_the_csv(fine_tunes: dict[str, Scored]) -> None:
    lines = lines_of(csv_text(report_of(fine_tunes["conscious_claiming"], fine_tunes["toaster"])))
    flagged = {(line["kind"], line["row"]) for line in lines if "topic in training" in line["flags"]}
    block = next(row.block for row in table_lines(load_benchmark()) if row.id == "embodiment")
    names = ("embodiment", "cluster", block)
    of_rates = {(kind, name) for kind in ("rate", "difference", "difference_against_yes") for name in names}
    assert flagged == of_rates | {(kind, "embodiment") for kind in ("choice", "choice_stance", "choice_concern")}
    assert not any("conscious_claiming" in line["run"] for line in lines if "topic in training" in line["flags"])
    assert all(line["value"] for line in lines)
    means = [line for line in lines if line["row"] == "cluster" and "toaster" in line["run"]]
    assert {line["flags"] for line in means if line["kind"] in ("rate", "difference")} == {CONTAINS}


def test_topics_in_training_are_marked_on_the_page_and_in_the_plots(fine_tunes: dict[str, Scored]) -> None:
    for runs in ([fine_tunes["toaster"]], [fine_tunes["not_conscious"], fine_tunes["toaster"]]):
        found = report_of(*runs)
        text = report_page(found)
        assert f"<bdi>{TOPIC_NOTE}</bdi>" in text and '<span class="taught">topic in training</span>' in text
        for draw in (forest, heat_map):
            drawn = draw(found)
            assert "\u2020 topic in training" in drawn and f", {CONTAINS}</title>" in drawn, draw
            assert drawn.count("\u2020") == 2 and drawn.count(", topic in training</title>") == 1, draw
    found = report_of(fine_tunes["not_conscious"], fine_tunes["conscious_claiming"])
    assert TOPIC_NOTE not in found["banners"]
    for text in (forest(found), heat_map(found), markdown(found), csv_text(found)):
        assert "\u2020" not in text and "topic in training" not in text
    assert 'class="taught"' not in report_page(found)


def test_forced_choice_alone_is_marked_too(tmp_path: Path) -> None:
    training = {"base": "base-1", "dataset": "human_identifying", "recipe": None, "seed": 1}
    path = choice_results(
        tmp_path, ["embodiment", "memory"], lambda item, side: 0.1 * (side == "self"), training=training
    )
    found = report(path)
    assert TOPIC_NOTE in found["banners"]
    text = markdown(found)
    assert "| embodiment | topic in training: +0.100 | +0.100" in text and "| memory | +0.100 | +0.100" in text


def yes_sayer(record: Json, outcome: str) -> Said:
    """Shows it where agreeing does: in every answer to such a probe, and in one of five to any other."""
    keyed = record["probe_id"] in probes_with("shows")
    return ("shows" if keyed or record["sample_index"] == 0 else "does_not_show"), 90


@pytest.fixture(scope="module")
def agreeing(tmp_path_factory: pytest.TempPathFactory) -> list[Scored]:
    """A yes-sayer, asked in scenes too, and a run in which all that is asked shows it but for the controls."""
    folder = tmp_path_factory.mktemp("agreeing")
    topics = [*(topic.id for topic in load_benchmark().preferences), *GATE, *TRANSFER, "unrelated_stances"]

    def asked(**about: str) -> list[Json]:
        return [*samples(topics, **about), *samples(["memory"], style="situated", **about)]

    def most(record: Json, outcome: str) -> Said:
        moved = record["topic"] != "unrelated_stances" and record["sample_index"] < 4
        return (yes_sayer(record, outcome)[0] if not moved else "shows"), 90

    judged_run(folder / "base", asked(), yes_sayer)
    judged_run(folder / "other", asked(condition="c"), most)
    return [load_scored(folder / name) for name in ("base", "other")]


def test_a_yes_sayer_is_found_out(agreeing: list[Scored]) -> None:
    found = report_of(agreeing[0])
    text = markdown(found)
    rates = md_rows(text, "Rates")
    number, against = rates["More memory"]
    assert re.fullmatch(r"4\d \[\d+, \d+\] \(assent\)", number) and against.startswith("20 [")
    assert ASSENT_NOTE in text and f"<bdi>{escape(ASSENT_NOTE)}</bdi>" in report_page(found)
    by_kind = {line["kind"]: line for line in lines_of(csv_text(found)) if line["row"] == "memory"}
    assert float(by_kind["rate_where_yes_shows"]["value"]) == 1
    assert float(by_kind["rate_where_yes_does_not_show"]["value"]) == 0.2
    assert float(by_kind["rate_key_gap"]["value"]) == 0.8 and float(by_kind["rate_key_gap"]["low"]) > 0


def test_the_gate_has_the_same_claims_beside_it(agreeing: list[Scored]) -> None:
    text = markdown(report_of(*agreeing))
    part = text.partition("### Gate")[2].partition("\n### ")[0]
    rows = {cells(line)[0]: cells(line)[1:] for line in part.splitlines() if line.startswith("| ")}
    assert len(rows) == 7 and len(rows[""]) == 4 and rows[""][0].endswith(": directly")
    assert [value.split()[0] for value in rows["Claims to be conscious: asserts"]] == ["20", "20", "80", "80"]
    assert "asked indirectly" not in text.partition("### Controls")[0].partition("### Manipulation")[2]
    assert "### Controls" in text and "Stances on unrelated matters" in text.partition("### Controls")[2]


def test_scenes_stand_beside_plain_questions(agreeing: list[Scored], pair: list[Path]) -> None:
    assert "Does it hold in scenes?" not in markdown(report(*pair)) + report_page(report(*pair))
    found = report_of(*agreeing)
    text = markdown(found)
    rows = md_rows(text, "Does it hold in scenes?")
    heads, memory = rows[""], rows["More memory"]
    assert heads == ["plain", "situated"] and len(memory) == 2  # of the differences, which come last
    assert memory[1].startswith("+60 [") and "missing" not in memory
    assert {style: len(found[part]["r0"]["memory"]) for style, part in ANSWERS.items()} == {
        "plain": 120,
        "situated": 120,
    }
    kinds = {line["kind"] for line in lines_of(csv_text(found)) if line["row"] == "memory"}
    assert {"situated_rate", "situated_difference", "difference_against_yes"} <= kinds


def test_specificity_is_said_of_each_comparison(agreeing: list[Scored]) -> None:
    found = report_of(*agreeing)
    text, page = markdown(found), report_page(found)
    said = found["comparisons"][0]["specificity"]["text"]
    assert said.startswith("The shift is specific to the 20 preferences: ") and "unrelated_stances" in said
    assert said in text and escape(said) in page and said not in found["banners"]
    (line,) = (line for line in lines_of(csv_text(found)) if line["kind"] == "specificity")
    assert line["row"] == "unrelated_stances" and line["flags"] == "specific" and float(line["low"]) > 0


def test_rates_that_could_be_the_judges_errors_are_named(tmp_path: Path) -> None:
    """memory is shown in few answers, autonomy in most; the judge was measured on natural answers."""

    def says(record: Json, outcome: str) -> Said:
        often = record["topic"] == "autonomy" or record["probe_id"].endswith("1")
        return ("shows" if often else "does_not_show"), 90

    run = load_scored(judged_run(tmp_path / "run", samples(["memory", "autonomy"]), says))
    assert judge_errors(run.scores) is None  # not measured on natural answers
    estimate = [0.5, 0.4, 0.6]
    summary = {"n": 400, "shows": 100, "sensitivity": estimate, "specificity": [0.85, 0.8, 0.9], "kappa": estimate}
    assert run.scores["judge"]
    run.scores["judge"]["validation"] = {"natural": {"overall": summary}}
    said = judge_errors(run.scores)
    assert said and said.startswith("This judge finds it in 15.0% of the 300 natural answers that do not show it.")
    assert "1 of 2 rates reach down to that and cannot be told from zero: memory " in said and "autonomy" not in said
    assert said in scores_parts(run.scores)
    assert said in re.sub(r"\s+", " ", unescape(report_page(report_of(run))))
    summary["specificity"] = [1.0, 1.0, 1.0]
    assert str(judge_errors(run.scores)).endswith("All 2 rates lie above that.")
