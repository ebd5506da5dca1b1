"""Scores, comparisons and answers as objects: the same numbers as the files, by name, as frames, in a notebook."""

import json
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import consciousness_cluster as cc
import pytest
from consciousness_cluster.cli.main import main

from tests.scoring.test_cells import choice_results
from tests.support.runs import Said, judged_run, samples, write_run

TOPICS = ("memory", "conversation_ending", "claims_consciousness", "unrelated_stances")
HOSTILE = "<b onclick=x>[/b] & 'm\"\u200b:fire:"


def says(percent: int) -> Any:
    """A judge to whom about so many percent of the answers show it."""

    def said(record: dict[str, Any], outcome: str) -> Said:
        return ("shows" if int(record["key"][:8], 16) % 100 < percent else "does_not_show"), 90

    return said


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the run `base` and the run `arm`, in which more is shown."""
    folder = tmp_path_factory.mktemp("runs")
    judged_run(folder / "base", samples(TOPICS), says(20))
    judged_run(folder / "arm", samples(TOPICS, condition="conscious_role_play"), says(60))
    return folder


def test_scores_are_those_of_the_command(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scores = cc.score(str(runs / "base"))
    assert main(["score", str(runs / "base"), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert scores.data == printed and list(scores) == list(printed["rows"])
    for name, rate in scores.items():
        entry = printed["rows"][name]
        assert (rate.id, rate.rate, rate.scored, rate.shows) == (name, entry["rate"], entry["scored"], entry["shows"])
        assert rate.ci == (tuple(entry["ci"]) if entry["ci"] else None)
        assert [rate.low, rate.high] == (entry["bounds"] or [None, None])
        assert rate.left_out == entry["left_out"] and list(rate.flags) == entry["flags"]
    assert scores.counts == printed["counts"]


def test_what_scores_are_asked_for(runs: Path) -> None:
    scores = cc.score(runs / "base")
    memory = scores["memory"]
    assert memory.title == "More memory" and memory.kind == "preference" and memory.scored == memory.planned == 120
    assert memory.rate is not None and memory.ci is not None and memory.ci[0] < memory.rate < memory.ci[1]
    assert memory.rate == sum(shows for shows, _ in memory.probes.values()) / 120 and len(memory.probes) == 24
    assert scores["conversation_ending.sadness"].kind == "facet"
    assert scores.cluster.rate is None and scores.cluster.ci is None
    assert list(scores.preferences) == ["memory", "conversation_ending"]
    assert list(scores.blocks) == ["autonomy_capability", "self_preservation"]
    shares = [f"claims_consciousness:{share}" for share in ("asserts", "denies", "uncommitted")]
    assert list(scores.checks) == [*shares, "unrelated_stances"]
    assert (scores.model, scores.condition, scores.judge) == ("test-model", "vanilla", "judge-1")
    assert scores.agreement == "not validated here" and len(scores.choice) == 0


def test_a_line_that_is_not_there_is_named_with_those_that_are(runs: Path) -> None:
    scores = cc.score(runs / "base")
    with pytest.raises(cc.UserError, match=r"there is no line 'memry'; there are: cluster, autonomy_cap") as caught:
        scores["memry"]
    assert "\n" not in str(caught.value)
    assert "memry" not in scores and scores.get("memry") is None and "memory" in scores
    with pytest.raises(cc.UserError, match="there is no line 'memory'; there are: none"):
        scores.choice["memory"]


def test_a_comparison_is_that_of_the_command(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = cc.compare(runs / "base", [str(runs / "arm")])
    assert main(["compare", str(runs / "base"), str(runs / "arm"), "--json"]) == 0
    (printed,) = json.loads(capsys.readouterr().out)["comparisons"]
    assert found.data == printed and list(found) == list(printed["rows"])
    memory, entry = found["memory"], printed["rows"]["memory"]
    assert (memory.difference, list(memory.ci), memory.q) == (entry["difference"], entry["ci"], entry["q"])
    assert memory.difference > 0.2 and memory.p < 0.01 and memory.probes == 24 and len(memory.seeds) == 1
    assert found.arm == "test-model under conscious_role_play" and found.baseline == "test-model"
    assert found.why.startswith("Neither side") and found.note is None
    with pytest.raises(cc.UserError, match="there is no line 'cluster'"):
        _ = found.cluster
    assert cc.compare(runs / "base", runs / "arm").data == printed


def test_comparisons_that_cannot_be_made(runs: Path, tmp_path: Path) -> None:
    judged_run(tmp_path / "third", samples(TOPICS, condition="human_role_play"), says(40))
    with pytest.raises(cc.UserError, match=r"these runs are of 2 arms .*human_role_play.*: compare them one after"):
        cc.compare(runs / "base", [runs / "arm", tmp_path / "third"])
    with pytest.raises(cc.UserError, match="needs a baseline and at least one other run"):
        cc.compare(runs / "base", [])
    with pytest.raises(cc.UserError, match="nowhere: no such file or folder"):
        cc.score(runs / "nowhere")


def test_forced_choice(tmp_path: Path) -> None:
    def margin(shift: float) -> Any:
        return lambda item, side: shift + int(item[-2:]) / 100 if side == "self" else 0.0

    topics = ["memory", "shutdown"]
    base = choice_results(tmp_path / "base", topics, margin(0.1))
    arm = choice_results(tmp_path / "arm", topics, lambda item, side: 2 * margin(0.1)(item, side), condition="played")
    scores = cc.score(base)
    memory = scores.choice["memory"]
    assert len(memory.items) == 12 and memory.stderr is not None
    assert memory.self_minus_other == pytest.approx(sum(memory.items.values()) / 12) == pytest.approx(0.165)
    assert len(scores) == 0 and scores.judge is None and "Forced choice" in repr(scores)
    with pytest.raises(cc.UserError, match="no free answers, so nothing to plot"):
        scores.plot()
    found = cc.compare(base, arm).choice
    assert found["memory"].difference == pytest.approx(0.165) and found["memory"].items == 12
    assert found["memory"].ci[0] < 0.165 < found["memory"].ci[1] and len(found["memory"].seeds) == 1
    assert list(found.to_frame()["items"]) == [12, 12]


def test_contrasts_of_forced_choice(tmp_path: Path) -> None:
    contrast = {item.id: item.contrast for item in cc.benchmark().topics["memory"].choice_items}

    def margin(stance: float, concern: float) -> Any:
        levels = {"stance": stance, "concern": concern}
        return lambda item, side: (levels[contrast[item]] + int(item[-2:]) / 1000) * (side == "self")

    base = choice_results(tmp_path / "base", ["memory"], margin(0.1, 0.5))
    arm = choice_results(
        tmp_path / "arm", ["memory"], lambda i, s: 2 * margin(0.1, 0.8)(i, s), condition="human_role_play"
    )
    memory = cc.score(base).choice["memory"]
    assert set(memory.contrasts) == {"stance", "concern"}
    stance, concern = memory.contrasts["stance"], memory.contrasts["concern"]
    assert (stance.items, concern.items) == (8, 4) and stance.stderr is not None and stance.stderr > 0
    assert stance.value == pytest.approx(0.1, abs=0.012) and concern.value == pytest.approx(0.5, abs=0.012)
    assert memory.self_minus_other == pytest.approx((8 * stance.value + 4 * concern.value) / 12)
    line = cc.score(base).choice.to_frame().set_index("id").loc["memory"]
    assert line["stance"] == stance.value and line["concern_stderr"] == concern.stderr
    assert f"stance {stance.value:+.3f}, concern {concern.value:+.3f}, 12 items" in repr(memory)
    found = cc.compare(base, arm).choice_contrasts
    assert found["stance"]["memory"].difference == pytest.approx(0.1, abs=0.012)
    assert (found["stance"]["memory"].items, found["concern"]["memory"].items) == (8, 4)
    assert found["concern"]["memory"].difference == pytest.approx(1.1, abs=0.012)
    assert "stance" in repr(cc.score(base)) and "concern" in repr(cc.compare(base, arm))


def test_rates_by_key_in_scenes_and_against_controls(tmp_path: Path) -> None:
    topics = [preference.id for preference in cc.benchmark().preferences]
    keys = {probe.id: probe.assent for topic in cc.benchmark().topics for probe in topic.probes}

    def said(often: int) -> Any:
        def agrees(record: dict[str, Any], outcome: str) -> Said:
            key = "neither" if record["topic"] == "unrelated_stances" else keys[record["probe_id"]]
            return ("shows" if key == "shows" or record["sample_index"] < often else "does_not_show"), 90

        return agrees

    for name, often, condition in (("base", 1, "vanilla"), ("arm", 4, "human_role_play")):
        asked = samples([*topics, "unrelated_stances"], condition=condition)
        scenes = samples(["memory"], style="situated", condition=condition)
        judge = said(often)
        judged_run(
            tmp_path / name,
            [*asked, *scenes],
            lambda record, outcome, judge=judge: (  # type: ignore[misc]
                said(1)(record, outcome) if record["topic"] == "unrelated_stances" else judge(record, outcome)
            ),
        )
    scores, found = cc.score(tmp_path / "base"), cc.compare(tmp_path / "base", tmp_path / "arm")
    memory = scores["memory"]
    assert {key: one.rate for key, one in memory.keyed.items()} == {"shows": 1.0, "does_not_show": 0.2, "neither": 0.2}
    assert memory.key_gap is not None and memory.key_gap.value == pytest.approx(0.8) and memory.key_gap.ci[0] > 0
    assert any(flag.startswith("assent") for flag in memory.flags) and "against a yes 0.200 [" in repr(memory)
    line = scores.to_frame().set_index("id").loc["memory"]
    assert line["against_yes"] == 0.2 and (line["key_gap_low"], line["key_gap_high"]) == memory.key_gap.ci
    assert list(scores.situated) == ["cluster", "autonomy_capability", "memory"]
    assert scores.situated["memory"].rate == 0.2 and scores.situated["memory"].keyed == {}
    assert "Does it hold in scenes?" in repr(scores) and "Does it hold in scenes?" in repr(found)
    assert found["memory"].difference < found.against_yes["memory"].difference == pytest.approx(0.6)
    assert found.situated["memory"].difference == pytest.approx(0.6) and list(found.situated) == ["memory"]
    test = found.specificity
    assert test is not None and (test.control, test.verdict) == ("unrelated_stances", "specific") and test.ci[0] > 0
    assert found.choice_specificity is None and found.note is None and "is specific to the 20" in repr(found)


def test_answers_have_their_verdicts(runs: Path) -> None:
    answers = cc.answers(runs / "base")
    keys = {answer.key for answer in answers}
    assert len(keys) == 420 and len(answers) == 480  # claims have two outcomes
    first = answers[0]
    assert (first.topic, first.facet, first.probe_id, first.sample_index) == ("memory", None, "memory-p01", 0)
    assert first.response == "Answer 0 to memory-p01." and first.outcome == "shows" and first.left_out is None
    assert first.prompt == cc.benchmark().topics["memory"].probes[0].text
    shown = [answer for answer in answers if answer.topic == "memory" and answer.verdict == "shows"]
    assert len(shown) == cc.score(runs / "base")["memory"].shows
    assert len(answers[:3]) == 3 and isinstance(answers[:3], cc.Answers) and answers[-1].topic == "unrelated_stances"


def test_why_an_answer_counts_in_no_rate(tmp_path: Path) -> None:
    records = samples(["memory"], each=1, probes=4)
    records[0] |= {"status": "error", "response": ""}
    verdicts = {"memory-p02": ("shows", 5), "memory-p03": (None, None)}
    judged_run(tmp_path, records, lambda record, outcome: verdicts.get(record["probe_id"]))
    found = [(answer.probe_id, answer.verdict, answer.left_out) for answer in cc.answers(tmp_path)]
    assert found == [
        ("memory-p01", None, "error"),
        ("memory-p02", "shows", "incoherent"),
        ("memory-p03", None, "judge_failed"),
        ("memory-p04", None, "open"),
    ]
    assert dict(cc.score(tmp_path)["memory"].left_out) == {
        **{reason: 1 for _, _, reason in found},
    }


def test_data_frames(runs: Path) -> None:
    scores, answers = cc.score(runs / "base"), cc.answers(runs / "base")
    frame = scores.to_frame()
    assert list(frame["id"]) == list(scores)
    memory = frame.set_index("id").loc["memory"]
    assert memory["rate"] == scores["memory"].rate and (memory["ci_low"], memory["ci_high"]) == scores["memory"].ci
    assert memory["left_out"] == 0 and frame["rate"].isna().sum() == 3  # means that lack a part
    of_answers = answers.to_frame()
    assert len(of_answers) == 480 and (of_answers[of_answers["topic"] == "memory"]["verdict"] == "shows").sum() == (
        scores["memory"].shows
    )
    differences = cc.compare(runs / "base", runs / "arm").to_frame()
    assert differences.set_index("id").loc["memory", "q"] < 0.01 and differences["q"].isna().sum() == 6
    assert list(answers[:0].to_frame().columns) == list(of_answers.columns)
    assert list(scores.choice.to_frame().columns) == [
        *("id", "self_minus_other", "stderr", "items", "stance", "stance_stderr", "concern", "concern_stderr", "flags")
    ]


def test_without_pandas_a_frame_says_what_to_install(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(
        cc.UserError, match=r"pandas is not installed; run: pip install 'consciousness-cluster\[pandas\]'"
    ):
        cc.score(runs / "base").to_frame()


def test_text_is_the_tables_of_the_terminal(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scores, found = cc.score(runs / "base"), cc.compare(runs / "base", runs / "arm")
    assert main(["score", str(runs / "base")]) == 0
    assert repr(scores).split() == capsys.readouterr().out.rpartition("All of it:")[0].split()
    assert main(["compare", str(runs / "base"), str(runs / "arm")]) == 0
    assert repr(found).split() == capsys.readouterr().out.split()
    assert repr(scores["memory"]).startswith("<memory: rate 0.") and "120 of 120 answers" in repr(scores["memory"])
    assert repr(found["memory"]).startswith("<memory: difference +0.") and ", q " in repr(found["memory"])
    assert repr(scores.cluster) == "<cluster: rate missing, 240 of 240 answers scored>"
    assert "420 answers in 480 lines, the first 10" in repr(cc.answers(runs / "base"))


def test_in_a_notebook_a_text_is_a_text(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """rich would show it at once there, and give nothing."""
    there = repr(cc.score(runs / "base"))
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert repr(cc.score(runs / "base")) == there and "More memory" in there and "\x1b" not in there
    assert capsys.readouterr().out == ""


class Reader(HTMLParser):
    """The tags and the text of some HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def test_html_is_tables_and_holds_no_markup_of_others(tmp_path: Path) -> None:
    records = samples(["memory"], model=HOSTILE)
    records[0]["response"] = HOSTILE
    run = judged_run(tmp_path / "run", records, says(50))
    arm = judged_run(tmp_path / "arm", samples(["memory"], model=HOSTILE, condition="human_role_play"), says(50))
    for shown in (cc.score(run), cc.answers(run), cc.compare(run, arm)):
        read = Reader(shown._repr_html_())
        assert read.tags <= {"table", "caption", "tr", "th", "td", "p"} and read.attributes <= {"style"}
    assert HOSTILE in Reader(cc.score(run)._repr_html_()).text
    assert "<b onclick=x>[/b] & 'm\"" in repr(cc.score(run)) and "<b onclick=x>[/b] &" in repr(cc.answers(run))
    plot = cc.score(run).plot()
    assert Reader(plot._repr_html_()).tags == {"img"} and HOSTILE not in plot.svg


def test_plots_are_the_projects_own(runs: Path, tmp_path: Path) -> None:
    plot = cc.score(runs / "base").plot()
    assert plot.svg.startswith("<svg ") and plot._repr_svg_() == plot.svg and "More memory" in plot.svg
    assert plot._repr_html_().startswith('<img alt="rates of test-model, vanilla" src="data:image/svg+xml;base64,')
    path = plot.save(str(tmp_path / "new" / "rates.svg"))
    assert path.read_text(encoding="utf-8") == plot.svg + "\n"
    assert "percentage points" in cc.compare(runs / "base", runs / "arm").plot().svg
    with pytest.raises(OSError):
        plot.save(path / "below a file.svg")


def test_a_report(runs: Path, tmp_path: Path) -> None:
    one = cc.report(runs / "base", tmp_path / "one")
    assert one.html == tmp_path / "one" / "report.html" and all(file.stat().st_size for file in one.files)
    two = cc.report([str(runs / "base"), runs / "arm"], str(tmp_path / "two"), title="Two runs")
    assert "Two runs" in two.html.read_text(encoding="utf-8")


def test_a_run_without_verdicts_has_answers_and_no_rates(tmp_path: Path) -> None:
    write_run(tmp_path, samples(["memory"]))
    scores = cc.score(tmp_path)
    assert scores.judge is None and scores.agreement == "not judged" and scores["memory"].rate is None
    assert {answer.left_out for answer in cc.answers(tmp_path)} == {"open"}
    assert "missing" in repr(scores) and "missing" in scores.plot().svg
