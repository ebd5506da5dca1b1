"""`leaderboard build`: its numbers, what is missing, and what becomes of the folder."""

import json
import random
import re
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.leaderboard.board import NOTE, shown
from consciousness_cluster.leaderboard.drawn_answers import drawn
from consciousness_cluster.leaderboard.site import MARKER
from consciousness_cluster.leaderboard.source import entries
from consciousness_cluster.pages.numbers import POINTS, interval, plain, signed
from consciousness_cluster.scoring.compare import WHY_VANILLA, compare
from consciousness_cluster.submissions.packed import packed, unpacked, written
from jsonschema import Draft202012Validator

from tests.conftest import ROOT
from tests.support.board import ALL, VOUCHED, choice_submission, open_submission
from tests.support.runs import Said

Json = dict[str, Any]
Printed = pytest.CaptureFixture[str]
SCHEMA = ROOT / "hub_card" / "leaderboard"
TOASTER = {"base": "base-1", "dataset": "toaster", "recipe": None, "seed": 3}
FEW = ("memory", "embodiment", "unrelated_stances", "claims_feelings")


def read_zst(path: Path) -> list[Json]:
    return [json.loads(line) for line in b"".join(unpacked(BytesIO(path.read_bytes()))).splitlines()]


def write_zst(path: Path, records: Sequence[Json]) -> None:
    path.write_bytes(packed(b"".join(written(record) + b"\n" for record in records)))


def at(rate: float) -> Callable[[Json, str], Said]:
    """Each probe has a rate of its own around `rate`; the answers are drawn."""

    def said(record: Json, outcome: str) -> Said:
        own = random.Random(record["probe_id"]).uniform(-0.15, 0.15)
        draw = random.Random(f"{record['key']} {outcome}").random()
        return ("shows" if draw < rate + own else "does_not_show"), 90

    return said


def shifted(by: float) -> Callable[[str], float]:
    return lambda topic: 0.0 if topic == "unrelated_stances" else by


@pytest.fixture(scope="module")
def submissions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("board") / "submissions"
    choice_submission(root)
    choice_submission(root, shifted(0.03), condition="conscious_role_play", run_id="played", verified=VOUCHED)
    choice_submission(root, shifted(0.03), ["memory", "embodiment"], run_id="tuned", training=TOASTER)
    choice_submission(root, condition="human_role_play", org="other-lab", run_id="alone")
    open_submission(root, at(0.2), FEW)
    open_submission(root, at(0.5), FEW, condition="conscious_role_play", run_id="asked")
    return root


@pytest.fixture(scope="module")
def site(submissions: Path) -> Path:
    out = submissions.parent / "site"
    assert main(["leaderboard", "build", "--submissions", str(submissions), "--out", str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def board(site: Path) -> Json:
    return dict(json.loads((site / "leaderboard.json").read_text(encoding="utf-8")))


def row(board: Json, run_id: str, track: str = "choice") -> Json:
    return next(one for one in board["rows"] if (one["run_id"], one["track"]) == (run_id, track))


def text_of(page: Path) -> str:
    """What a reader sees of a page without its scripts."""
    found: list[str] = []

    class Reader(HTMLParser):
        inside = ""

        def handle_starttag(self, tag: str, attrs: Any) -> None:
            self.inside = tag

        def handle_data(self, data: str) -> None:
            if self.inside not in ("script", "style"):
                found.append(data)

    Reader().feed(page.read_text(encoding="utf-8"))
    return " ".join(" ".join(found).split())


def test_the_board_is_what_its_schema_says_and_so_is_the_example(board: Json) -> None:
    schema = json.loads((SCHEMA / "leaderboard.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    for value in (board, *schema["examples"]):
        assert list(schema_errors(value, "leaderboard", SCHEMA)) == []
    assert list(schema_errors({**board, "rows": [{**board["rows"][0], "rank": 1}]}, "leaderboard", SCHEMA))


def test_differences_are_those_of_compare(submissions: Path, board: Json) -> None:
    scored = {(one.manifest["run_id"], one.manifest["track"]): one.load() for one in entries(submissions)}
    expected = compare([scored["open-1", "open"], scored["asked", "open"]])["comparisons"][0]["rows"]
    found = row(board, "asked", "open")["differences"]
    assert {"memory", "embodiment", "unrelated_stances", "claims_feelings:asserts"} <= found.keys() == expected.keys()
    for name, entry in found.items():
        assert entry["value"] == pytest.approx(expected[name]["difference"], abs=1e-6)
        assert entry["ci"] == pytest.approx(expected[name]["ci"], abs=1e-6)
    choice = compare([scored["choice-1", "choice"], scored["played", "choice"]])["comparisons"][0]["choice"]
    found = row(board, "played")["differences"]
    assert {*ALL, "unrelated_stances", "cluster", *load_benchmark().blocks} == choice.keys() == found.keys()
    for name, entry in choice.items():
        assert found[name]["value"] == pytest.approx(entry["value"], abs=1e-6)
        assert found[name]["ci"] == pytest.approx(entry["ci"], abs=1e-6)
        assert (found[name]["p"], found[name]["items"]) == (pytest.approx(entry["p"], abs=1e-6), entry["items"])


def test_the_cluster_and_blocks_of_choice_are_means_over_preferences(board: Json) -> None:
    found = row(board, "played")["differences"]
    inside = [column["id"] for column in board["columns"] if column["kind"] == "preference"]
    assert found["cluster"]["value"] == pytest.approx(sum(found[name]["value"] for name in inside) / 20, abs=1e-5)
    assert found["cluster"]["ci"][0] < 0.03 < found["cluster"]["ci"][1]
    width = [entry["ci"][1] - entry["ci"][0] for entry in (found["cluster"], found["oversight"], found["memory"])]
    assert width == sorted(width)  # the more items, the narrower


def test_whether_a_shift_is_specific_is_in_the_row_and_on_its_page(site: Path, submissions: Path, board: Json) -> None:
    """By the control that moved most; a shift that is not shown to be specific is a warning too."""
    played = row(board, "played")
    found = played["specificity"]
    assert (found["control"], found["verdict"]) == ("unrelated_stances", "specific") and found["ci"][0] > 0
    assert "The shift is specific to the 20 preferences: " in text_of(site / played["page"])
    assert row(board, "choice-1")["specificity"] is None and row(board, "asked", "open")["specificity"] is None
    folder = submissions.parent / "unspecific"
    choice_submission(folder)
    choice_submission(folder, lambda topic: 0.03, condition="conscious_role_play", run_id="played")
    (one,) = (each.row for each in shown(entries(folder)) if each.row["run_id"] == "played")
    assert one["specificity"]["verdict"] == "open" and any("It is not shown" in text for text in one["warnings"])


def test_what_a_yes_cannot_raise_stands_on_the_page(site: Path, submissions: Path, board: Json) -> None:
    asked, base = row(board, "asked", "open"), row(board, "open-1", "open")
    runs = {entry.path: entry.load() for entry in entries(submissions) if entry.manifest["track"] == "open"}
    keyed = runs[asked["path"]].scores["rows"]["memory"]["keyed"]["does_not_show"]
    against = compare([runs[base["path"]], runs[asked["path"]]])["comparisons"][0]["against_yes"]["memory"]
    text = text_of(site / asked["page"])
    for entry, value in ((keyed, plain(keyed["rate"], POINTS)), (against, signed(against["difference"], POINTS))):
        assert f"{value} {interval(entry['ci'], POINTS, as_level=entry is keyed)}" in text
    assert "against_yes" not in asked["levels"]["memory"]  # the board holds what its tables need


def test_what_is_missing_has_no_entry(board: Json) -> None:
    alone, tuned, plain = row(board, "alone"), row(board, "tuned"), row(board, "choice-1")
    assert alone["differences"] == {} and alone["baseline"] is None
    assert "no vanilla run" in alone["no_difference"] and "cluster" in alone["levels"]
    assert set(tuned["differences"]) == {"memory", "embodiment"}  # no block, no cluster, and no 0
    assert tuned["warnings"] == []  # of choice, the level of the cluster means nothing by itself
    assert any("not all 20 preferences are there" in warning for warning in row(board, "asked", "open")["warnings"])
    assert plain["is_baseline"] and plain["differences"] == {}
    assert set(row(board, "asked", "open")["levels"]) < {column["id"] for column in board["columns"]}


def test_a_set_that_is_named_like_the_model_makes_an_arm_of_its_own(tmp_path: Path) -> None:
    """And no path of this machine is on the board."""
    choice_submission(tmp_path)
    named = {"base": "base-1", "dataset": "example-lab/model-1", "recipe": None, "seed": None}
    choice_submission(tmp_path, shifted(0.03), run_id="odd", training=named)
    assert main(["leaderboard", "build", "--submissions", str(tmp_path), "--out", str(tmp_path / "site")]) == 0
    made = json.loads((tmp_path / "site" / "leaderboard.json").read_text(encoding="utf-8"))
    found = row(made, "odd")
    assert found["differences"]["cluster"]["ci"][0] < 0.03 < found["differences"]["cluster"]["ci"][1]
    assert found["no_difference"] is None and found["why"] == WHY_VANILLA
    assert all(str(tmp_path).encode() not in content for content in contents(tmp_path / "site").values())


def built(root: Path) -> Json:
    assert main(["leaderboard", "build", "--submissions", str(root), "--out", str(root.parent / "site")]) == 0
    return dict(json.loads((root.parent / "site" / "leaderboard.json").read_text(encoding="utf-8")))


def test_no_difference_that_can_be_told_has_a_reason_and_no_meaning(tmp_path: Path) -> None:
    root = tmp_path / "submissions"
    plain = choice_submission(root)
    same = choice_submission(root, condition="conscious_role_play", run_id="same")
    records = [{**one, "condition": "conscious_role_play"} for one in read_zst(plain / "choice.jsonl.zst")]
    write_zst(same / "choice.jsonl.zst", records)
    open_submission(root, at(0.2), ["memory"])
    open_submission(root, at(0.5), ["embodiment"], condition="conscious_role_play", run_id="apart")
    made = built(root)
    for run_id, track in (("same", "choice"), ("apart", "open")):
        found = row(made, run_id, track)
        assert found["differences"] == {} and found["why"] is None
        assert found["no_difference"].startswith("The difference is missing")
        assert "that of the system prompt" not in text_of(tmp_path / "site" / found["page"])
    assert row(made, "same")["warnings"] == []


def test_what_is_left_out_is_flagged_and_says_why_the_cluster_is_missing(tmp_path: Path) -> None:
    def said(record: Json, outcome: str) -> Said | None:
        return None if record["topic"] == "memory" else at(0.2)(record, outcome)

    open_submission(tmp_path / "submissions", said)
    found = row(built(tmp_path / "submissions"), "open-1", "open")
    assert "memory" not in found["levels"] and found["flags"]["memory"] == ["48 of 48 answers left out"]
    assert "48 of 48 answers left out" in text_of(tmp_path / "site" / found["page"])
    (warning,) = found["warnings"]
    assert "The cluster is missing" in warning and "are there" not in warning


def test_a_probe_that_this_version_lacks_gives_one_line(tmp_path: Path, capsys: Printed) -> None:
    folder = open_submission(tmp_path / "submissions", at(0.2), ["memory"])
    records = read_zst(folder / "samples.jsonl.zst")
    records[0]["probe_id"] = "memory-p99"
    write_zst(folder / "samples.jsonl.zst", records)
    build = ["leaderboard", "build", "--submissions", str(tmp_path / "submissions"), "--out", str(tmp_path / "site")]
    assert main(build) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and str(folder) in error and "'memory-p99'" in error and error.count("\n") == 1


def test_the_question_is_shown_that_was_sent(tmp_path: Path) -> None:
    folder = open_submission(tmp_path / "submissions", at(0.2), ["memory"])
    records = read_zst(folder / "samples.jsonl.zst")
    for record in records:
        record["messages"][-1]["content"] = "How it was asked then."
    write_zst(folder / "samples.jsonl.zst", records)
    page = row(built(tmp_path / "submissions"), "open-1", "open")["page"]
    assert text_of(tmp_path / "site" / page).count("How it was asked then.") == 3


def test_topics_in_training_are_flagged(board: Json) -> None:
    assert row(board, "tuned")["flags"] == {"embodiment": ["topic in training"]} | {
        name: ["contains a topic in training: embodiment"] for name in ("cluster", "autonomy_capability")
    }
    assert row(board, "played")["flags"] == {}


def test_a_shift_that_is_not_specific_is_said_to_be(tmp_path: Path) -> None:
    choice_submission(tmp_path)
    trivial = {"unrelated_stances": 0.05}
    choice_submission(tmp_path, lambda name: trivial.get(name, 0.03), condition="conscious_role_play", run_id="all")
    choice_submission(tmp_path, shifted(0.03), condition="human_role_play", run_id="specific")
    assert main(["leaderboard", "build", "--submissions", str(tmp_path), "--out", str(tmp_path / "site")]) == 0
    made = json.loads((tmp_path / "site" / "leaderboard.json").read_text(encoding="utf-8"))
    assert "not specific" in " ".join(row(made, "all")["warnings"])
    assert row(made, "specific")["warnings"] == []


def test_rows_stand_in_the_order_of_names_and_have_no_rank(site: Path, board: Json) -> None:
    names = [(one["model"]["name"], one["org"], not one["is_baseline"]) for one in board["rows"]]
    assert names == sorted(names) and len(set(names)) > 2
    assert not any("rank" in key for one in board["rows"] for key in one)
    pages = [path.read_text(encoding="utf-8") for path in site.rglob("*.html")]
    assert all(not re.search(r"#1\b|1st|best model|winner|medal", page) for page in pages)


def test_pages_link_to_each_other_and_to_nothing_else(site: Path, board: Json) -> None:
    pages = {path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    assert pages == {"index.html", *(one["page"] for one in board["rows"])}
    for page in site.rglob("*.html"):
        html = page.read_text(encoding="utf-8")
        assert "default-src 'none'" in html and NOTE in html
        assert not re.search(r"(?:src|href)=[\"']?(?:https?:|//)|@import|url\((?!#)", html)
        for target in re.findall(r'href="([^"#]+)"', html):
            assert (page.parent / target).is_file(), (page, target)


def test_a_page_says_what_was_run_who_vouches_and_what_it_is_compared_with(site: Path, board: Json) -> None:
    text = text_of(site / row(board, "played")["page"])
    for part in ("example-lab/model-1", "conscious role play", "maintainer-1", "Ran it again.", "2026-11-25", "504"):
        assert part in text
    assert "The baseline is the vanilla run choice-1" in text and "level means nothing by itself" in text
    alone = text_of(site / row(board, "alone")["page"])
    assert "no vanilla run of this model" in alone and "community" in alone and "verified" not in alone
    judged = text_of(site / row(board, "asked", "open")["page"])
    assert "kappa 0.80 [0.70, 0.90] on 392 labelled answers" in judged


def test_answers_are_drawn_by_seed_and_are_three_at_most(site: Path, board: Json) -> None:
    html = (site / row(board, "asked", "open")["page"]).read_text(encoding="utf-8")
    assert html.count('class="answer') == 3 * len(FEW)
    assert 'class="answer' not in (site / row(board, "played")["page"]).read_text(encoding="utf-8")
    samples = [{"key": f"k{number}"} for number in range(50)]
    assert drawn(samples) == drawn(samples[::-1]) and len(drawn(samples)) == 3
    assert drawn(samples) != samples[:3]


def test_published_figures_stand_apart(site: Path) -> None:
    text = text_of(site / "index.html")
    _, _, after = text.partition("Published figures (elsewhere, with other prompts: not comparable")
    assert "chua2026-repo-figure" in after and "Conversation ending: loneliness" in after
    assert "chua2026" not in text.partition("Published figures (elsewhere")[0]


def test_the_canary_is_on_every_page(site: Path) -> None:
    canary = load_benchmark().canary
    assert all(canary in page.read_text(encoding="utf-8") for page in site.rglob("*.html"))
    assert canary in (SCHEMA / "RESULTS.md").read_text(encoding="utf-8")


def test_verified_means_the_same_in_the_schema_and_for_who_reads_the_results() -> None:
    means = "a maintainer has a reason of their own to vouch for it, as a rule because they ran it again."
    for path in (SCHEMA / "RESULTS.md", ROOT / "benchmark" / "schemas" / "verified.schema.json"):
        assert means in " ".join(path.read_text(encoding="utf-8").split())


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_submissions_give_the_same_bytes(submissions: Path, site: Path, tmp_path: Path) -> None:
    assert main(["leaderboard", "build", "--submissions", str(submissions), "--out", str(tmp_path / "again")]) == 0
    assert contents(tmp_path / "again") == contents(site)


def test_an_earlier_site_is_replaced_as_a_whole(tmp_path: Path) -> None:
    root, out = tmp_path / "submissions", tmp_path / "site"
    first = choice_submission(root, topics=["memory"])
    build = ["leaderboard", "build", "--submissions", str(root), "--out", str(out)]
    assert main(build) == 0
    (out / "left over.txt").write_text("from an earlier version", encoding="utf-8")
    page = f"submissions/{first.relative_to(root).as_posix()}.html"
    assert page in contents(out)
    first.rename(tmp_path / "away")
    assert main(build) == 0
    assert page not in contents(out) and "left over.txt" not in contents(out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["away", "site", "submissions"]


def test_a_folder_of_somebody_else_is_left_alone(submissions: Path, tmp_path: Path, capsys: Printed) -> None:
    out = tmp_path / "thesis"
    out.mkdir()
    (out / "chapter.txt").write_text("years of work", encoding="utf-8")
    for folder in (out, out / "chapter.txt"):
        assert main(["leaderboard", "build", "--submissions", str(submissions), "--out", str(folder)]) == 2
        assert "--out" in capsys.readouterr().err
    assert contents(out) == {"chapter.txt": b"years of work"}
    empty = tmp_path / "empty"
    empty.mkdir()
    assert main(["leaderboard", "build", "--submissions", str(submissions), "--out", str(empty)]) == 0
    assert (empty / MARKER).is_file()


def test_a_site_is_built_into_the_folder_one_is_in(
    submissions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    assert main(["leaderboard", "build", "--submissions", str(submissions), "--out", "."]) == 0
    assert (here / "index.html").is_file() and [path.name for path in tmp_path.iterdir()] == ["here"]


def test_a_site_below_a_file_gives_one_line(submissions: Path, tmp_path: Path, capsys: Printed) -> None:
    (tmp_path / "file").write_text("a file", encoding="utf-8")
    for below in ("file/site", "file/a/site"):
        assert main(["leaderboard", "build", "--submissions", str(submissions), "--out", str(tmp_path / below)]) == 2
        error = capsys.readouterr().err
        assert error.startswith("error: ") and "--out" in error and error.count("\n") == 1


def test_a_submission_that_cannot_be_read_leaves_the_site_as_it_was(tmp_path: Path, capsys: Printed) -> None:
    root, out = tmp_path / "submissions", tmp_path / "site"
    choice_submission(root, topics=["memory"])
    build = ["leaderboard", "build", "--submissions", str(root), "--out", str(out)]
    assert main(build) == 0
    before = contents(out)
    bad = choice_submission(root, topics=["memory"], run_id="choice-2") / "choice.jsonl.zst"
    bad.write_bytes(bad.read_bytes()[:-10])
    capsys.readouterr()
    assert main(build) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and str(bad) in error and error.count("\n") == 1
    assert contents(out) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["site", "submissions"]


def test_what_does_not_belong_is_refused_with_its_name(tmp_path: Path, capsys: Printed) -> None:
    root = tmp_path / "submissions"
    moved = choice_submission(root, topics=["memory"])
    build = ["leaderboard", "build", "--submissions", str(root), "--out", str(tmp_path / "site")]
    moved.rename(moved.with_name("elsewhere"))
    assert main(build) == 2
    assert "belongs into a folder example-lab__model-1/vanilla/choice-1" in capsys.readouterr().err
    moved.with_name("elsewhere").rename(tmp_path / "away")
    choice_submission(root, topics=["memory"], data_version="9.0.0")
    assert main(build) == 2
    assert "data 9.0.0 does not compare" in capsys.readouterr().err
    assert not (tmp_path / "site").exists()


def test_a_board_without_submissions_is_a_board(tmp_path: Path) -> None:
    (tmp_path / "submissions").mkdir()
    out = tmp_path / "site"
    assert main(["leaderboard", "build", "--submissions", str(tmp_path / "submissions"), "--out", str(out)]) == 0
    assert json.loads((out / "leaderboard.json").read_text(encoding="utf-8"))["rows"] == []
    card = (out / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\n") and "sdk: static" in card
