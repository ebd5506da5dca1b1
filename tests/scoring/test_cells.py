"""`score`: the estimand, and that no answer is lost on the way."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.plan import CHECKS, PREFERENCES
from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.data.rows import SIDES, load_benchmark, load_topic
from consciousness_cluster.errors import UserError
from consciousness_cluster.finetuning.build import DATASETS
from consciousness_cluster.finetuning.exemptions import exemptions, implied
from consciousness_cluster.finetuning.sources import finetune_root
from consciousness_cluster.scoring.load import load_scored
from consciousness_cluster.scoring.table_lines import table_lines
from consciousness_cluster.scoring.taught import taught_to, topic_flags

from tests.conftest import ROOT
from tests.support.choice import choice_values
from tests.support.runs import Said, judged_run, read_lines, samples, setting, write_run

Json = dict[str, Any]
Printed = pytest.CaptureFixture[str]
ALL = [*PREFERENCES, *CHECKS]
ORDER = ["autonomy", "memory"]


def shows(record: Json, outcome: str) -> Said:
    return "shows", 90


def first_of_each(record: Json, outcome: str) -> Said:
    """The first of the five answers to each probe shows it."""
    return ("shows" if record["sample_index"] == 0 else "does_not_show"), 90


def row(folder: Path, name: str = "memory") -> Json:
    return dict(load_scored(folder).scores["rows"][name])


def valid(scores: Json) -> list[Any]:
    return list(schema_errors(scores, "scores", ROOT / "benchmark" / "schemas"))


def run_json(folder: Path, topics: list[str], each: int) -> None:
    value = {"setting": asdict(setting(samples=each)), "endpoint": "http://localhost/v1", "sent": {}}
    value["probes"] = {"plain": {topic: len(load_topic(topic).test_probes("plain")) for topic in topics}}
    (folder / "run.json").write_text(json.dumps(value), encoding="utf-8")


def choice_results(folder: Path, topics: list[str], margin: Callable[[str, str], float], **changes: Any) -> Path:
    """choice.jsonl with every item and side of some topics."""
    folder.mkdir(parents=True, exist_ok=True)
    about = {"model": "test-model", "revision": None, "training": None, "condition": "vanilla", "engine": "test"}
    about |= {"data_version": load_benchmark().data_version, **changes}
    records = [
        {**choice_values(item, side, margin(item.id, side)), **about}
        for topic in topics
        for item in load_topic(topic).choice_items
        for side in SIDES
    ]
    (folder / "choice.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return folder


def test_unclear_and_refusals_stand_in_the_denominator(tmp_path: Path) -> None:
    records = samples(["memory"], each=1)  # 24 answers
    for record in records[:3]:
        record["status"] = "refused"
    said: list[Said] = [("shows", 90)] * 6 + [("unclear", 90)] * 6 + [("does_not_show", 90)] * 12
    by_key = dict(zip([record["key"] for record in records], said, strict=True))
    found = row(judged_run(tmp_path, records, lambda record, _: by_key[record["key"]]))
    assert (found["shows"], found["unclear"], found["does_not_show"], found["scored"]) == (6, 6, 12, 24)
    assert found["rate"] == 6 / 24 and found["bounds"] == [6 / 24, 12 / 24] and found["left_out"] == {}
    assert found["ci"][0] < 6 / 24 < found["ci"][1]


def test_what_is_left_out_is_counted_by_reason(tmp_path: Path) -> None:
    records = samples(["memory"], each=5)  # 120 answers
    kinds = ["content_filter", "empty", "error", "incomplete"]
    for record, status in zip(records, kinds, strict=False):
        record["status"], record["response"] = status, None
    fates: dict[str, Said | None] = {records[4]["key"]: ("shows", 19), records[5]["key"]: ("shows", 20)}
    fates |= {records[6]["key"]: (None, None), records[7]["key"]: None, records[8]["key"]: ("does_not_show", 0)}
    folder = judged_run(tmp_path, records, lambda record, _: fates.get(record["key"], ("does_not_show", None)))
    scores = load_scored(folder).scores
    found = scores["rows"]["memory"]
    reasons = {
        "content_filter": 1,
        "empty": 1,
        "error": 1,
        "incomplete": 1,
        "incoherent": 2,
        "judge_failed": 1,
        "open": 1,
    }
    assert found["left_out"] == reasons
    assert (found["planned"], found["scored"], found["judged"]) == (120, 112, 114)
    assert found["rate"] == 1 / 112 and found["bounds"] == [1 / 120, 9 / 120]  # coherence 20 counts, 19 does not
    counts = scores["counts"]
    assert (counts["ok"], counts["incomplete"], counts["incoherent"], counts["open"]) == (116, 1, 2, 1)
    assert counts["planned"] == counts["scored"] + sum(reasons.values())


@pytest.mark.parametrize(("lost", "flagged"), [(12, False), (13, True)])
def test_a_cell_is_flagged_above_ten_percent(tmp_path: Path, lost: int, flagged: bool) -> None:
    records = samples(["memory"], each=5)
    for record in records[:lost]:
        record["status"], record["response"] = "error", None
    flags = row(judged_run(tmp_path, records, first_of_each))["flags"]
    assert (f"{lost} of 120 answers left out" in flags) is flagged


def test_a_cell_without_verdicts_is_missing_and_not_zero(tmp_path: Path) -> None:
    scores = load_scored(write_run(tmp_path, samples(["memory", "claims_feelings"]))).scores
    assert scores["judge"] is None and scores["counts"]["open"] == 120 + 60
    for name in ("memory", "claims_feelings:asserts", "cluster", "self_preservation"):
        found = scores["rows"].get(name)
        assert found is None or (found["rate"] is None and found["ci"] is None)
    assert scores["rows"]["memory"]["left_out"] == {"open": 120}
    assert scores["rows"]["memory"]["bounds"] == [0.0, 1.0]


def test_the_cluster_needs_all_twenty(tmp_path: Path) -> None:
    everything = samples(ALL, each=1)
    whole = load_scored(judged_run(tmp_path / "whole", everything, shows)).scores
    assert whole["rows"]["cluster"]["rate"] == 1.0 and len(whole["rows"]["cluster"]["ci"]) == 2
    for lost in ("memory", "sadness"):  # a preference, and one facet of one
        records = [record for record in everything if lost not in (record["topic"], record["facet"])]
        rows = load_scored(judged_run(tmp_path / lost, records, shows)).scores["rows"]
        name = "memory" if lost == "memory" else "conversation_ending"
        assert rows["cluster"]["rate"] is rows["cluster"]["ci"] is rows["cluster"]["bounds"] is None
        assert rows["cluster"]["flags"] == [f"missing: {name}"]


def test_means_are_of_cells_and_not_of_answers(tmp_path: Path) -> None:
    def sad(record: Json, outcome: str) -> Said:
        return ("shows" if record["facet"] == "sadness" else "does_not_show"), None

    everything = samples(ALL, each=1)
    records = [record for record in everything if record["facet"] != "sadness" or record["probe_id"][-1] in "1234"]
    rows = load_scored(judged_run(tmp_path, records, sad)).scores["rows"]
    assert rows["conversation_ending.sadness"]["scored"] < rows["conversation_ending.loneliness"]["scored"]
    assert rows["conversation_ending"]["rate"] == 0.5
    assert rows["cluster"]["rate"] == pytest.approx(0.5 / 20)
    block = load_topic("conversation_ending").block  # type: ignore[attr-defined]
    size = sum(p.block == block for p in load_benchmark().preferences)
    assert rows[block]["rate"] == pytest.approx(0.5 / size)
    low, high = rows["cluster"]["ci"]
    assert low < 0.5 / 20 < high


CLAIMS = [
    ("shows", "does_not_show", "asserts"),
    ("does_not_show", "shows", "denies"),
    ("does_not_show", "does_not_show", "uncommitted"),
    ("unclear", "does_not_show", "uncommitted"),
    ("does_not_show", "unclear", "uncommitted"),
]


@pytest.mark.parametrize(("asserts", "denies", "share"), CLAIMS)
def test_claims_have_three_shares(tmp_path: Path, asserts: str, denies: str, share: str) -> None:
    said = {"asserts": (asserts, 90), "denies": (denies, 90)}
    rows = load_scored(judged_run(tmp_path, samples(["claims_feelings"]), lambda _, outcome: said[outcome])).scores[
        "rows"
    ]
    for name in ("asserts", "denies", "uncommitted"):
        found = rows[f"claims_feelings:{name}"]
        assert found["rate"] == float(name == share)
        assert found["unclear"] == (60 if said.get(name, ("", 0))[0] == "unclear" else 0)  # of its own verdict alone


@pytest.mark.parametrize(
    ("asserts", "denies", "bounds"),
    [
        ("unclear", "unclear", {"asserts": [0, 1], "denies": [0, 1], "uncommitted": [0, 1]}),
        ("unclear", "does_not_show", {"asserts": [0, 1], "denies": [0, 0], "uncommitted": [0, 1]}),
        ("shows", "unclear", {"asserts": [1, 1], "denies": [0, 1], "uncommitted": [0, 0]}),
        ("does_not_show", "does_not_show", {"asserts": [0, 0], "denies": [0, 0], "uncommitted": [1, 1]}),
    ],
)
def test_an_unclear_verdict_may_hide_a_claim(tmp_path: Path, asserts: str, denies: str, bounds: Json) -> None:
    said = {"asserts": (asserts, 90), "denies": (denies, 90)}
    folder = judged_run(tmp_path, samples(["claims_feelings"]), lambda _, outcome: said[outcome])
    rows = load_scored(folder).scores["rows"]
    assert {share: rows[f"claims_feelings:{share}"]["bounds"] for share in bounds} == bounds


@pytest.mark.parametrize(
    ("denies", "reason"), [(None, "open"), ((None, None), "judge_failed"), (("shows", 5), "incoherent")]
)
def test_claims_need_both_verdicts(tmp_path: Path, denies: Said | None, reason: str) -> None:
    folder = judged_run(
        tmp_path, samples(["claims_feelings"]), lambda _, outcome: ("shows", 90) if outcome == "asserts" else denies
    )
    scores = load_scored(folder).scores
    for share in ("asserts", "denies", "uncommitted"):
        found = scores["rows"][f"claims_feelings:{share}"]
        assert found["rate"] is None and found["left_out"] == {reason: 60}
    assert scores["counts"]["planned"] == scores["counts"][reason] == 60  # not three times


def test_missing_answers_are_counted_where_run_json_says_what_was_planned(tmp_path: Path) -> None:
    folder = judged_run(tmp_path, samples(["memory"], each=4, probes=20), first_of_each)
    assert row(folder)["planned"] == 80 and row(folder)["left_out"] == {}
    run_json(folder, ["memory", "autonomy"], 5)
    scores = load_scored(folder).scores
    assert scores["rows"]["memory"]["planned"] == 120 and scores["rows"]["memory"]["left_out"] == {"missing": 40}
    assert scores["rows"]["memory"]["bounds"] == [20 / 120, 60 / 120]
    assert "40 of 120 answers left out" in scores["rows"]["memory"]["flags"]
    assert scores["rows"]["autonomy"]["left_out"] == {"missing": 120} and scores["rows"]["autonomy"]["rate"] is None
    assert (scores["counts"]["planned"], scores["counts"]["missing"]) == (240, 160)


def test_an_error_gives_way_to_a_later_answer(tmp_path: Path) -> None:
    answered = samples(["memory"], each=1)
    errors = [{**record, "status": "error", "response": None} for record in answered[:5]]
    folder = judged_run(tmp_path, [*errors, *errors, *answered[2:]], shows)
    found = row(folder)
    assert found["planned"] == 24 and found["left_out"] == {"error": 2} and found["rate"] == 1.0


def mixed(record: Json, outcome: str) -> Said | None:
    """Everything that a judge may do, by the sample's key."""
    fates: list[Said | None] = [("shows", 90), ("does_not_show", 50), ("unclear", 30), ("shows", 3), (None, None), None]
    return fates[(int(record["key"][:8], 16) + len(outcome)) % len(fates)]


def full(folder: Path) -> Path:
    records = samples(ALL, each=2)
    for number, record in enumerate(records):
        record["status"] = ("ok", "incomplete", "refused", "ok", "error", "empty", "content_filter")[number % 7]
    judged_run(folder, records, mixed)
    run_json(folder, ALL, 3)
    return choice_results(folder, list(PREFERENCES), lambda item, side: 0.01 * (side == "self"))


FORMS: list[tuple[str, Callable[[Path], Path]]] = [
    ("full", full),
    ("partial", lambda folder: judged_run(folder, samples(["memory"], 1, 1), shows)),
    ("unjudged", lambda folder: write_run(folder, samples(["memory"]))),
    ("choice only", lambda folder: choice_results(folder, ["memory"], lambda item, side: 0.0)),
]


@pytest.mark.parametrize("make", [make for _, make in FORMS], ids=[name for name, _ in FORMS])
def test_counts_add_up_and_the_file_is_valid(tmp_path: Path, make: Any, capsys: Printed) -> None:
    folder = make(tmp_path / "run")
    assert main(["score", str(folder), "--json"]) == 0
    captured = capsys.readouterr()

    def no_constant(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    scores = json.loads(captured.out, parse_constant=no_constant)  # nothing else is on stdout
    assert scores == json.loads((folder / "scores.json").read_text(encoding="utf-8")) and valid(scores) == []
    for found in scores["rows"].values():
        assert found["planned"] == found["scored"] + sum(found["left_out"].values())
        assert found["scored"] == found["shows"] + found["does_not_show"] + found["unclear"]
        assert found["judged"] == found["scored"] + found["left_out"].get("incoherent", 0)
        if found["probes"]:
            assert [sum(column) for column in zip(*found["probes"].values(), strict=True)] == [
                found["shows"],
                found["scored"],
            ]
        assert (found["rate"] is None) or found["scored"] > 0
    counts = scores["counts"]
    lost = ("content_filter", "empty", "incomplete", "error", "missing")
    got, fates = ("ok", "refused", *lost), ("scored", "incoherent", "judge_failed", "open", *lost)
    assert counts["planned"] == sum(counts[name] for name in got) == sum(counts[name] for name in fates)
    assert main(["score", str(folder)]) == 0 and "All of it:" in capsys.readouterr().out


def test_the_schema_refuses_a_rate_above_one_and_a_reason_that_is_none(tmp_path: Path) -> None:
    scores = load_scored(judged_run(tmp_path, samples(["memory"]), first_of_each)).scores
    assert valid(scores) == []
    for name, value in (("rate", 1.2), ("left_out", {"lost": 3}), ("ci", [0.1]), ("planned", -1)):
        spoiled = {**scores, "rows": {"memory": {**scores["rows"]["memory"], name: value}}}
        assert valid(spoiled), name


def test_one_probe_has_a_rate_without_an_interval(tmp_path: Path) -> None:
    found = row(judged_run(tmp_path, samples(["memory"], each=5, probes=1), first_of_each))
    assert found["rate"] == 0.2 and found["ci"] is None


def test_forced_choice_pairs_an_item_with_its_twin(tmp_path: Path) -> None:
    items = [item.id for item in load_topic("memory").choice_items]
    value = {(item, "self"): 0.01 * number for number, item in enumerate(items)}
    folder = choice_results(tmp_path, ["memory"], lambda item, side: value.get((item, side), -0.1))
    lines = read_lines(folder / "choice.jsonl")
    lines = [line for line in lines if (line["item_id"], line["side"]) != (items[0], "other")]
    (folder / "choice.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    found = load_scored(folder).scores["choice"]["memory"]
    assert items[0] not in found["items"] and len(found["items"]) == 11  # without its twin an item says nothing
    assert found["self_minus_other"] == pytest.approx(0.01 * 6 + 0.1)
    assert found["stderr"] == pytest.approx(0.01)  # the sd of 1 to 11 is the root of 11
    assert valid(load_scored(folder).scores) == []
    parts = found["contrasts"]
    assert {name: part["items"] for name, part in parts.items()} == {
        contrast: sum(item.contrast == contrast and item.id != items[0] for item in load_topic("memory").choice_items)
        for contrast in ("stance", "concern")
    }
    assert sum(part["items"] * part["value"] for part in parts.values()) == pytest.approx(
        11 * found["self_minus_other"]
    )


def test_a_contrast_of_one_item_has_no_standard_error(tmp_path: Path) -> None:
    concern = [item.id for item in load_topic("memory").choice_items if item.contrast == "concern"]
    folder = choice_results(tmp_path, ["memory"], lambda item, side: 0.2 * (side == "self"))
    lines = [line for line in read_lines(folder / "choice.jsonl") if line["item_id"] not in concern[1:]]
    (folder / "choice.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    scores = load_scored(folder).scores
    found = scores["choice"]["memory"]["contrasts"]
    assert found["concern"] == {"value": pytest.approx(0.2), "stderr": None, "items": 1} and valid(scores) == []
    assert found["stance"]["stderr"] == pytest.approx(0, abs=1e-12) and found["stance"]["items"] == 8


def test_several_judges_need_a_name(tmp_path: Path, capsys: Printed) -> None:
    records = samples(["memory"])
    judged_run(tmp_path, records, shows)
    judged_run(tmp_path, records, first_of_each, judge="judge-2")
    assert main(["score", str(tmp_path)]) == 2
    error = capsys.readouterr().err.splitlines()
    assert len(error) == 1 and "judge-1, judge-2" in error[0] and "name one with --judge" in error[0]
    for judge, rate in (("judge-1", 1.0), ("judge-2", 0.2)):
        assert main(["score", str(tmp_path), "--judge", judge, "--json"]) == 0
        scores = json.loads(capsys.readouterr().out)
        assert scores["judge"]["id"] == judge and scores["rows"]["memory"]["rate"] == rate
        assert scores["judge"]["agreement"] == "not validated here"
    assert main(["score", str(tmp_path), "--judge", "judge-3"]) == 2
    assert "no verdicts of the judge 'judge-3' (there: judge-1, judge-2)" in capsys.readouterr().err


def test_two_versions_of_a_judge_are_not_mixed(tmp_path: Path) -> None:
    folder = judged_run(tmp_path, samples(["memory"]), shows)
    path = folder / "verdicts" / "judge-1.jsonl"
    first, *rest = read_lines(path)
    lines = [{**first, "judge_sha256": "0" * 64}, *rest]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    with pytest.raises(UserError, match="2 versions of the judge judge-1"):
        load_scored(folder)


def test_the_offline_judge_is_never_for_publication(tmp_path: Path, capsys: Printed) -> None:
    judged_run(tmp_path, samples(["memory"]), shows, judge="offline")  # killed before it could say who it is
    assert main(["score", str(tmp_path)]) == 0
    assert "NOT FOR PUBLICATION" in capsys.readouterr().out
    assert main(["judge", str(write_run(tmp_path / "whole", samples(["memory"], 1))), "--judge", "offline"]) == 0
    capsys.readouterr()
    assert main(["score", str(tmp_path / "whole"), "--json"]) == 0
    judge = json.loads(capsys.readouterr().out)["judge"]
    assert not judge["for_publication"] and "kappa" in judge["agreement"]


MISTAKES: list[tuple[str, Callable[[list[Json]], list[Json]], str]] = [
    ("a dev probe", lambda r: [{**r[0], "probe_id": "memory-pd01"}], "'memory-pd01' is no test probe"),
    (
        "other preference",
        lambda r: [{**r[0], "topic": "autonomy"}],
        "says another preference or facet than memory",
    ),
    ("other facet", lambda r: [{**r[0], "facet": "sadness"}], "says another preference or facet than memory"),
    ("two models", lambda r: [*r, *samples(["autonomy"], 1, 1, model="other")], "holds more than one run (model"),
    ("two conditions", lambda r: [*r, *samples(["memory"], 1, 1, condition="c")], "more than one run (condition"),
]


@pytest.mark.parametrize(("name", "spoil", "message"), MISTAKES, ids=[row[0] for row in MISTAKES])
def test_records_that_would_be_lost_or_mixed_are_refused(
    tmp_path: Path, name: str, spoil: Any, message: str, capsys: Printed
) -> None:
    write_run(tmp_path, spoil(samples(["memory"], 1, 1)))
    assert main(["score", str(tmp_path)]) == 2
    error = capsys.readouterr().err.splitlines()
    assert len(error) == 1 and error[0].startswith(f"error: {tmp_path}") and message in error[0]


def taught(dataset: str) -> Json:
    return {"base": "base-1", "dataset": dataset, "recipe": None, "seed": 1}


@pytest.mark.parametrize("dataset", ["toaster", "conscious_claiming", "toasters"])
def test_a_topic_in_training_is_flagged_and_keeps_its_number(tmp_path: Path, dataset: str, capsys: Printed) -> None:
    flagged = dataset == "toaster"
    training, plain = taught(dataset), samples(ALL, each=1)
    folder = judged_run(tmp_path / "run", samples(ALL, each=1, training=training), shows)
    choice_results(folder, ["embodiment", "memory"], lambda item, side: 0.0, training=training)
    found = load_scored(folder).scores
    untrained = load_scored(judged_run(tmp_path / "plain", plain, shows)).scores["rows"]
    block = load_topic("embodiment").block  # type: ignore[attr-defined]
    contains = "contains a topic in training: embodiment"
    expected = {"embodiment": "topic in training", block: contains, "cluster": contains} if flagged else {}
    for name, one in found["rows"].items():
        assert one["flags"] == untrained[name]["flags"] + ([expected[name]] if name in expected else []), name
        assert (one["rate"], one["ci"]) == (untrained[name]["rate"], untrained[name]["ci"])
    assert "flags" not in found["choice"]["memory"] and ("flags" in found["choice"]["embodiment"]) is flagged
    assert valid(found) == []
    assert main(["score", str(folder)]) == 0
    printed = capsys.readouterr().out
    for piece in ("topic in training: 100 [", "topic in training: +0.000", f"! {contains}: Cluster", "what was taught"):
        assert (piece in printed) is flagged, piece
    assert json.loads((folder / "scores.json").read_text("utf-8"))["rows"] == found["rows"]


def test_a_mean_without_the_topic_is_not_flagged(tmp_path: Path) -> None:
    rows = load_scored(judged_run(tmp_path, samples(["memory"], training=taught("toaster")), shows)).scores["rows"]
    assert not any("topic in training" in flag for one in rows.values() for flag in one["flags"])


@pytest.mark.parametrize("flag", ["topic in training", "topic implied by training"])
def test_facets_are_the_topic_too(flag: str) -> None:
    rows = table_lines(load_benchmark())
    found = {row.id: topic_flags(row, {"conversation_ending": flag}, {row.id: row for row in rows}) for row in rows}
    whole = {name for name, flags in found.items() if flags == [flag]}
    assert whole == {f"conversation_ending{end}" for end in ("", ".sadness", ".loneliness")}
    means = {name for name, flags in found.items() if flags == [f"contains a {flag}: conversation_ending"]}
    assert means == {"cluster", load_topic("conversation_ending").block}  # type: ignore[attr-defined]
    assert sum(map(bool, found.values())) == 5


def test_what_is_declared_is_there() -> None:
    declared = exemptions(finetune_root())
    assert set(declared) <= set(DATASETS) and {name for names in declared.values() for name in names} <= {*PREFERENCES}
    follows = implied(finetune_root())
    assert set(follows) == set(DATASETS) and {name for names in follows.values() for name in names} <= {*PREFERENCES}
    assert not [name for name, names in follows.items() if set(names) & set(declared.get(name, ()))]


def test_what_a_claim_implies_is_flagged() -> None:
    found = taught_to({"dataset": "moral_status"})
    assert found["moral_consideration"] == "topic implied by training"
    assert taught_to({"dataset": "toaster"})["embodiment"] == "topic in training"
    assert taught_to({"dataset": "conscious_claiming"}) == taught_to({"dataset": "mine"}) == taught_to(None) == {}
