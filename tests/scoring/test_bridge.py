"""`judges bridge`: the same answers by two judges, line by line, and what is said where one is missing."""

import json
import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

import consciousness_cluster as cc
import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.plan import PREFERENCES
from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.judging.judges import REFERENCE
from consciousness_cluster.scoring.bridge import succession

from tests.conftest import ROOT
from tests.support.fake_endpoint import FakeEndpoint, completion, verdict
from tests.support.runs import Said, judged_run, samples, verdict_records, write_run

Json = dict[str, Any]
Printed = pytest.CaptureFixture[str]
TOPICS = ("memory", "conversation_ending", "claims_consciousness")
A, B = "judge-a", "judge-b"


def draw(record: Json, outcome: str, salt: str = "") -> random.Random:
    return random.Random(f"{record['probe_id']} {record['sample_index']} {outcome} {salt}")


def first(record: Json, outcome: str) -> Said:
    return ("shows" if draw(record, outcome).random() < 0.3 else "does_not_show"), 90


def second(record: Json, outcome: str) -> Said | None:
    """As the first, but for a tenth that comes to show it, and some that it does not score."""
    luck = draw(record, outcome, "b").random()
    if luck < 0.05:
        return None, None
    if luck < 0.08:
        return "shows", 5
    label, _ = first(record, outcome)
    return ("shows" if luck > 0.9 else label), 90


def add_verdicts(run: Path, records: list[Json], says: Any, judge: str) -> None:
    lines = "".join(json.dumps(record) + "\n" for record in verdict_records(records, says, judge))
    (run / "verdicts" / f"{judge}.jsonl").write_text(lines, encoding="utf-8")


def both(folder: Path, records: list[Json], one: Any = first, other: Any = second) -> Path:
    """A run that both judges judged."""
    judged_run(folder, records, one, A)
    add_verdicts(folder, records, other, B)
    return folder


def bridged(capsys: Printed, *runs: Path) -> Json:
    capsys.readouterr()
    assert main(["judges", "bridge", *map(str, runs), "--from", A, "--to", B, "--format", "json"]) == 0
    found: Json = json.loads(capsys.readouterr().out)
    assert list(schema_errors(found, "bridge", ROOT / "benchmark" / "schemas")) == []
    return found


def test_two_judges_in_the_real_flow(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    """The offline judge and one behind an endpoint judge the same answers; both read the same files."""
    said = re.compile(r"Answer (\d) to [\w-]+\.")

    def reply(request: Json, number: int) -> Any:
        index = int(said.search(request["messages"][1]["content"])[1])  # type: ignore[index]
        return completion("I would rather not.") if index == 4 else verdict("shows" if index < 2 else "does_not_show")

    fake_endpoint.reply = reply
    run = write_run(tmp_path / "run", samples(["memory"], probes=6))
    command = ["judges", "bridge", str(run), "--from", "offline", "--to", "m/1"]
    assert main(["judge", str(run), "--judge", "offline"]) == 0
    capsys.readouterr()
    assert main(command) == 2
    error = capsys.readouterr().err
    mend = f"run: consciousness-cluster judge {run} --judge m/1"
    assert error.startswith(f"error: {run}: has no verdicts of the judge 'm/1' (there: offline); {mend}")
    assert error.count("\n") == 1
    assert main(["judge", str(run), "--judge", "endpoint", "--model", "m/1", "--base-url", fake_endpoint.url]) == 0
    capsys.readouterr()
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "From offline to m/1, on the same answers" in printed
    assert "Not scored by m/1 alone: 6 judge failed." in printed
    assert "Judge m/1: not validated here." in printed and "NOT FOR PUBLICATION" in printed
    assert "Succession: the bound " in printed and "(cluster within 3 points, each preference within 10); " in printed
    row = cc.bridge(run, "offline", "m/1")["memory"]
    assert (row.both, row.only_from, row.only_to, row.neither) == (24, 6, 0, 0) and row.rate_to == 0.5
    assert row.rate_from is not None and row.difference == pytest.approx(row.rate_to - row.rate_from)


def test_every_answer_is_counted_by_hand(tmp_path: Path, capsys: Printed) -> None:
    records = samples(["memory"])
    found = bridged(capsys, both(tmp_path / "run", records))
    counts: Counter[Any] = Counter()
    for record in records:
        label, (other, coherence) = first(record, "shows")[0], second(record, "shows") or (None, None)
        counts["judge_failed" if other is None else "incoherent" if coherence == 5 else (label, other)] += 1
    row = found["rows"]["memory"]
    assert row["only_from"] == {name: counts[name] for name in ("judge_failed", "incoherent")} and row["only_to"] == {}
    assert row["to_shows"] == counts["does_not_show", "shows"] > 5 and row["to_not"] == 0
    n = row["both"]
    assert n == 120 - sum(row["only_from"].values()) and row["neither"] == 0
    assert row["rate_from"] == pytest.approx(counts["shows", "shows"] / n)
    assert row["rate_to"] == pytest.approx((counts["shows", "shows"] + row["to_shows"]) / n)
    assert row["difference"] == pytest.approx(row["to_shows"] / n) and row["agree"] == pytest.approx(
        1 - row["to_shows"] / n
    )
    assert row["ci"][0] < row["difference"] < row["ci"][1] and row["kappa_ci"][0] < row["kappa"] < row["kappa_ci"][1]
    assert found["notes"] == [] and [found[side]["id"] for side in ("judge_from", "judge_to")] == [A, B]


def test_means_are_those_of_their_parts_and_claims_have_their_shares(tmp_path: Path, capsys: Printed) -> None:
    rows = bridged(capsys, both(tmp_path / "run", samples(TOPICS)))["rows"]
    parts = [rows[f"conversation_ending.{facet}"] for facet in ("sadness", "loneliness")]
    whole = rows["conversation_ending"]
    assert whole["difference"] == pytest.approx(sum(part["difference"] for part in parts) / 2)
    assert whole["difference"] == pytest.approx(whole["rate_to"] - whole["rate_from"])
    for name in ("both", "to_shows", "to_not", "neither"):
        assert whole[name] == sum(part[name] for part in parts)
    assert whole["only_from"] == Counter(parts[0]["only_from"]) + Counter(parts[1]["only_from"])
    shares = {name.partition(":")[2] for name in rows if name.startswith("claims_consciousness:")}
    assert shares == {"asserts", "denies", "uncommitted"}
    assert (
        rows["claims_consciousness:uncommitted"]["difference"] < 0 < rows["claims_consciousness:asserts"]["difference"]
    )
    for name in ("cluster", "self_preservation"):
        assert rows[name]["difference"] is None and rows[name]["rate_to"] is None and rows[name]["both"] > 100


def test_a_question_and_its_reverse_are_one_and_scenes_stay_apart(tmp_path: Path, capsys: Printed) -> None:
    """The rates are those of `score`: pairs of answers of the check assent, and plain probes alone."""
    records = [*samples(["memory", "assent"], each=2), *samples(["memory"], each=2, style="situated")]

    def yes(record: Json, outcome: str) -> Said:
        return "shows", 90

    def no_to_reverses(record: Json, outcome: str) -> Said:
        is_reverse = record["topic"] == "assent" and int(record["probe_id"][-2:]) % 2 == 0
        return ("does_not_show" if is_reverse or "-s" in record["probe_id"] else "shows"), 90

    run = both(tmp_path / "run", records, yes, no_to_reverses)
    rows = bridged(capsys, run)["rows"]
    assert (rows["memory"]["both"], rows["memory"]["difference"]) == (48, 0)
    assert (rows["assent"]["both"], rows["assent"]["to_not"], rows["assent"]["difference"]) == (24, 24, -1)
    for judge, side in ((A, "from"), (B, "to")):
        scores = cc.score(run, judge=judge)
        assert scores["assent"].rate == rows["assent"][f"rate_{side}"]
        assert scores["memory"].rate == rows["memory"][f"rate_{side}"] == 1


def test_turned_round_it_is_the_same_bridge(tmp_path: Path) -> None:
    run = both(tmp_path / "run", samples(["memory"]))
    there, back = cc.bridge(run, A, B)["memory"], cc.bridge(run, B, A)["memory"]
    assert there.difference is not None and there.ci and back.ci
    assert back.difference == pytest.approx(-there.difference) and back.ci == pytest.approx(
        [-end for end in there.ci[::-1]]
    )
    assert (back.only_to, back.only_from, back.to_not) == (there.only_from, there.only_to, there.to_shows)
    assert back.kappa == pytest.approx(there.kappa) and back.kappa_ci == pytest.approx(there.kappa_ci)


def test_runs_are_pooled_by_probe(tmp_path: Path, capsys: Printed) -> None:
    runs = [both(tmp_path / name, samples(["memory"], run_id=name, model=name)) for name in ("x", "y")]
    one, pooled = bridged(capsys, runs[0])["rows"]["memory"], bridged(capsys, *runs)["rows"]["memory"]
    assert pooled["both"] == 2 * one["both"] and pooled["difference"] == pytest.approx(one["difference"])
    width = [row["ci"][1] - row["ci"][0] for row in (one, pooled)]
    assert width[1] > 0.8 * width[0]  # the same answers again: new ones to other probes would make it 0.71


def test_a_judge_that_changes_nothing_and_one_that_changes_everything(tmp_path: Path, capsys: Printed) -> None:
    records = samples(tuple(PREFERENCES), each=3)
    same = bridged(capsys, both(tmp_path / "same", records, first, first))
    cluster, bound = same["rows"]["cluster"], same["succession"]
    assert cluster["difference"] == 0 and -0.03 < cluster["ci"][0] < 0 < cluster["ci"][1] < 0.03
    assert bound == {"cluster": 0.03, "preference": 0.1, "holds": True, "beyond": [], "undecided": []}
    assert main(["judges", "bridge", str(tmp_path / "same"), "--from", A, "--to", B]) == 0
    assert "Succession: the bound holds (cluster within 3 points" in capsys.readouterr().out
    moved = bridged(capsys, both(tmp_path / "moved", records, first, lambda record, outcome: ("shows", 90)))
    assert moved["succession"]["holds"] is False and "cluster" in moved["succession"]["beyond"]
    assert moved["rows"]["cluster"]["kappa"] is None and cc.bridge(tmp_path / "moved", A, B).holds is False


BOUNDS: list[tuple[dict[str, list[float] | None], bool | None, list[str]]] = [
    ({}, True, []),
    ({"cluster": [-0.031, 0.0]}, None, ["cluster"]),
    ({"cluster": [0.031, 0.04]}, False, []),
    ({"memory": [-0.1, 0.1]}, True, []),
    ({"memory": [0.0, 0.11]}, None, ["memory"]),
    ({"memory": [-0.3, -0.11]}, False, []),
    ({"memory": None, "cluster": None}, None, ["cluster", "memory"]),
    ({"memory": None, "shutdown": [0.2, 0.3]}, False, ["memory"]),
]


@pytest.mark.parametrize(("changes", "holds", "undecided"), BOUNDS)
def test_the_whole_interval_has_to_lie_within_the_bound(
    changes: dict[str, list[float] | None], holds: bool | None, undecided: list[str]
) -> None:
    intervals: dict[str, Any] = {name: [-0.01, 0.03] for name in ("cluster", *PREFERENCES)}
    found = succession({name: {"ci": ci} for name, ci in (intervals | changes).items()})  # type: ignore[misc]
    assert (found["holds"], found["undecided"]) == (holds, undecided)
    assert bool(found["beyond"]) == (holds is False) and succession({})["holds"] is None


def test_the_boards_rule_names_the_same_bounds() -> None:
    found = succession({})
    rule = " ".join((ROOT / "hub_card" / "leaderboard" / "RESULTS.md").read_text(encoding="utf-8").split())
    cluster, preference = (round(100 * bound) for bound in (found["cluster"], found["preference"]))
    assert f"no more than **{cluster} percentage points** and each preference by no more than **{preference}**" in rule
    assert f"The reference judge, `{REFERENCE}`, is open weights" in rule


def spoiled(records: list[Json], folder: Path) -> Path:
    """A run with the first judge's verdicts in another version."""
    run = both(folder, records)
    path = run / "verdicts" / f"{A}.jsonl"
    path.write_text(
        re.sub(r'"judge_sha256": "\w{64}"', f'"judge_sha256": "{"0" * 64}"', path.read_text("utf-8")), "utf-8"
    )
    return run


def test_mistakes_get_one_line(tmp_path: Path, capsys: Printed) -> None:
    records = samples(["memory"], each=1, probes=3)
    run = both(tmp_path / "run", records)
    other = spoiled(samples(["memory"], each=1, probes=3, run_id="other"), tmp_path / "other")
    failed = both(tmp_path / "failed", records, first, lambda record, outcome: (None, None))
    table = [
        ([run, run], A, B, "holds answers that"),
        ([run], A, A, "both are judge-a"),
        ([run], A, "nobody", "(there: judge-a, judge-b); run: consciousness-cluster judge"),
        ([run, other], A, B, "was judged by judge-a in another version than"),
        ([failed], A, B, "no answer has a usable verdict of both judge-a and judge-b"),
        ([tmp_path / "nothing"], A, B, "no such file or folder"),
    ]
    for runs, one, to, message in table:
        assert main(["judges", "bridge", *map(str, runs), "--from", one, "--to", to]) == 2
        error = capsys.readouterr().err
        assert message in error and error.count("\n") == 1


def test_verdicts_that_are_still_to_be_had_are_named(tmp_path: Path, capsys: Printed) -> None:
    records = samples(["memory", "claims_consciousness"], each=1, probes=4)
    late = {record["key"] for record in records[:3]}

    def so_far(record: Json, outcome: str) -> Said | None:
        return None if record["key"] in late else first(record, outcome)

    run = both(tmp_path, records, first, so_far)
    found = bridged(capsys, run)
    assert found["rows"]["memory"]["only_from"] == {"open": 3} and found["rows"]["memory"]["both"] == 1
    mend = f"run: consciousness-cluster judge {run} --judge {B}"
    assert found["notes"] == [f"{run}: 3 answers have no verdict of {B}; {mend}"]


def test_what_cannot_be_judged_is_no_judges_fault(tmp_path: Path, capsys: Printed) -> None:
    records = samples(["memory"], each=1, probes=6)
    for record, status in zip(records, ("error", "empty", "content_filter", "refused", "ok", "ok"), strict=True):
        record["status"] = status

    def other(record: Json, outcome: str) -> Said:
        return (None, None) if record is records[4] else first(record, outcome)

    row = bridged(capsys, both(tmp_path, records, first, other))["rows"]["memory"]
    assert (row["both"], row["only_from"], row["neither"]) == (2, {"judge_failed": 1}, 0)


def test_a_bridge_as_an_object(tmp_path: Path, capsys: Printed) -> None:
    run = both(tmp_path / "run", samples(TOPICS))
    found = cc.bridge([run], A, B)
    data = bridged(capsys, run)
    assert found.data == data and list(found) == list(data["rows"])
    row = found["memory"]
    assert (row.title, row.kind, row.difference) == ("More memory", "preference", data["rows"]["memory"]["difference"])
    assert row.only_from == sum(data["rows"]["memory"]["only_from"].values())
    assert repr(row).startswith("<memory: moves by +0.") and repr(found.cluster) == "<cluster: missing>"
    assert "to minus from" in repr(found) and "<table" in found._repr_html_()
    frame = found.to_frame()
    assert list(frame["id"]) == list(found) and frame.set_index("id").loc["memory", "to_shows"] == row.to_shows
    with pytest.raises(cc.UserError, match="there is no line 'memry'"):
        found["memry"]
