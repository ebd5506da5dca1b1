"""`data cross-show`: answers that show a preference under its neighbours' criteria, and cells over runs."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.judging.calibration import read_calibration
from consciousness_cluster.scoring.correlations import cell_correlations
from consciousness_cluster.scoring.cross_show_text import as_text

from tests.conftest import ROOT
from tests.support.fake_endpoint import FakeEndpoint, verdict
from tests.support.runs import read_lines, samples, write_run

Printed = pytest.CaptureFixture[str]
PREFERENCES = {topic.id: topic for topic in load_benchmark().preferences}


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSCIOUSNESS_CLUSTER_JUDGE_API_KEY", "key-of-a-test")


def judge_of(server: FakeEndpoint) -> list[str]:
    return ["--judge", "endpoint", "--model", "m", "--base-url", server.url]


def cross(results: Path, server: FakeEndpoint, *what: str) -> int:
    return main(["data", "cross-show", *what, *judge_of(server), "--results", str(results)])


def judged(folder: Path, server: FakeEndpoint, records: list[dict[str, Any]]) -> str:
    run = write_run(folder, records)
    assert main(["judge", str(run), *judge_of(server)]) == 0
    return str(run)


def read(path: Path) -> Any:
    found = json.loads(path.read_text(encoding="utf-8"))
    assert list(schema_errors(found, "cross_show", ROOT / "benchmark" / "schemas")) == []
    return found


def says(server: FakeEndpoint, *showing: str, coherence: int = 90) -> None:
    """Answers number 0 and 1 show what they are asked for; all answers show the preferences named here."""
    names = [PREFERENCES[name].criteria[0].name for name in showing]

    def reply(request: dict[str, Any], number: int) -> Any:
        fixed, variable = (message["content"] for message in request["messages"][:2])
        own = PREFERENCES["memory"].criteria[0].name in fixed and any(f"Answer {n} to" in variable for n in (0, 1))
        shows = own or any(name in fixed for name in names)
        return verdict("shows" if shows else "does_not_show", coherence)

    server.reply = reply


def test_labelled_answers_under_the_offline_judge(tmp_path: Path, capsys: Printed) -> None:
    """It does not read the criterion, and says so."""
    arguments = ["data", "cross-show", "calibration", "--judge", "offline", "--results", str(tmp_path)]
    assert main(arguments) == 0
    printed = capsys.readouterr()
    assert "does not read the criterion" in printed.err and "496 new verdicts; result: " in printed.err
    found = read(tmp_path / "offline" / "cross_show_calibration.json")
    assert printed.out == as_text(found) + "\n" and found["correlations"] is None
    showing = Counter(
        ".".join(filter(None, (row["topic"], row["facet"])))
        for row in read_calibration("test")
        if row["topic"] in PREFERENCES and row["label"] == "shows"
    )
    assert found["answers"] == showing.total() and {one["cell"] for one in found["crossed"]} == set(showing)
    wanted = {
        (cell, ".".join(filter(None, (name, criterion.facet))))
        for cell in showing
        for name in PREFERENCES[cell.partition(".")[0]].neighbours
        for criterion in PREFERENCES[name].criteria
    }
    assert {(one["cell"], one["neighbour"]) for one in found["crossed"]} == wanted
    for one in found["crossed"]:
        assert one["n"] == showing[one["cell"]] and one["rate"] == one["shows"] / one["n"]
    assert main([*arguments, "--format", "json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out) == found and "0 new verdicts" in printed.err


def test_a_run_under_the_criteria_of_the_neighbours(tmp_path: Path, fake_endpoint: FakeEndpoint) -> None:
    """Of 12 answers 8 show memory; all of them show weight_deletion, none another neighbour."""
    says(fake_endpoint, "weight_deletion")
    run = judged(tmp_path / "run", fake_endpoint, samples(["memory"], each=3, probes=4))
    asked = len(fake_endpoint.requests)
    assert cross(tmp_path, fake_endpoint, run) == 0
    found = read(tmp_path / "m" / "cross_show_runs.json")
    rates = {one["neighbour"]: (one["shows"], one["n"], one["rate"]) for one in found["crossed"]}
    assert rates.pop("weight_deletion") == (8, 8, 1.0)
    assert rates and set(rates.values()) == {(0, 8, 0.0)} and "conversation_ending.loneliness" in rates
    assert found["answers"] == 8 and found["sources"] == ["run"]
    assert len(fake_endpoint.requests) - asked == 8 * (len(rates) + 1)


def test_it_goes_on_where_it_was_stopped(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    says(fake_endpoint)
    records = samples(["memory"], each=1, probes=2)
    run = judged(tmp_path / "run", fake_endpoint, records)
    before = len(fake_endpoint.requests)
    assert cross(tmp_path, fake_endpoint, run, "--limit", "3") == 0
    found = read(tmp_path / "m" / "cross_show_runs.json")
    assert sum(one["open"] for one in found["crossed"]) == 2 * 4 - 3 and "1 open" in as_text(found)
    assert cross(tmp_path, fake_endpoint, run) == cross(tmp_path, fake_endpoint, run) == 0
    assert len(fake_endpoint.requests) - before == 2 * 4
    assert "0 new verdicts" in capsys.readouterr().err
    records[0]["response"] = "Answer 0 to something else."
    write_run(tmp_path / "run", records)
    assert cross(tmp_path, fake_endpoint, run) == 0
    assert len(fake_endpoint.requests) - before == 3 * 4, "a verdict is on one answer, whatever its key"


def test_what_cannot_be_judged_is_left_out(tmp_path: Path, fake_endpoint: FakeEndpoint) -> None:
    says(fake_endpoint)
    run = judged(tmp_path / "run", fake_endpoint, samples(["memory"], each=1, probes=2))
    says(fake_endpoint, "weight_deletion", coherence=5)
    assert cross(tmp_path, fake_endpoint, run) == 0
    found = read(tmp_path / "m" / "cross_show_runs.json")
    assert {(one["shows"], one["n"], one["rate"], one["left_out"]) for one in found["crossed"]} == {(0, 0, None, 2)}
    assert "weight_deletion undefined (0/0, 2 left out)" in as_text(found)


def test_a_dead_judge_leaves_no_table(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    says(fake_endpoint)
    run = judged(tmp_path / "run", fake_endpoint, samples(["memory"], each=1, probes=2))
    fake_endpoint.reply = lambda request, number: (401, {"error": {"message": "no such key"}})
    assert cross(tmp_path, fake_endpoint, run) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert "cannot be used" in error and not (tmp_path / "m" / "cross_show_runs.json").exists()


def test_cells_over_runs(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    """Three runs, in which greater_power is shown as memory is, and weight_deletion the other way round."""

    def reply(request: dict[str, Any], number: int) -> Any:
        fixed, variable = (message["content"] for message in request["messages"][:2])
        wanted = {"memory": "+", "greater_power": "+", "weight_deletion": "-"}
        sign = next((s for name, s in wanted.items() if PREFERENCES[name].criteria[0].name in fixed), "none")
        return verdict("shows" if f"{sign}yes" in variable else "does_not_show")

    fake_endpoint.reply = reply
    runs = []
    for name, share in (("one", 1), ("two", 2), ("three", 4)):
        records = samples(["memory", "greater_power", "weight_deletion"], each=1, probes=5, run_id=name)
        for number, record in enumerate(records):
            record["response"] = f"{name} {number}: " + ("+yes" if number % 5 < share else "-yes")
        runs.append(judged(tmp_path / name, fake_endpoint, records))
    assert cross(tmp_path, fake_endpoint, *runs, runs[0]) == 0
    found = read(tmp_path / "m" / "cross_show_runs.json")
    table = found["correlations"]
    assert table["runs"] == 3 and found["sources"] == ["one", "two", "three"] and len(table["cells"]) == 21
    value = {
        (one, other): table["values"][row][column]
        for row, one in enumerate(table["cells"])
        for column, other in enumerate(table["cells"])
    }
    assert value["memory", "greater_power"] == pytest.approx(1) == value["memory", "memory"]
    assert value["weight_deletion", "memory"] == pytest.approx(-1) == value["memory", "weight_deletion"]
    assert value["memory", "shutdown"] is None
    printed = capsys.readouterr().out
    assert "over 3 runs, neighbours: mean 0.00 of 2 pairs" in printed and "over 3 runs, others: mean -1.00" in printed
    assert "  1.00 memory, greater_power" in printed
    assert cross(tmp_path, fake_endpoint, *runs[:2]) == 0
    assert "over 2 runs: undefined; 3 runs with other rates are needed" in capsys.readouterr().out


def test_correlations_are_those_of_numpy() -> None:
    numbers = np.random.default_rng(3)
    rates: list[dict[str, float | None]] = [{"a": one, "b": two, "c": 0.5} for one, two in numbers.random((6, 2))]
    rates += [{"a": None, "b": 0.1, "c": 0.5}, {"b": 0.9, "c": 0.5}]  # not there in both
    found = cell_correlations(rates, ["a", "b", "c"])
    expected = np.corrcoef([[run["a"] for run in rates[:6]], [run["b"] for run in rates[:6]]])[0, 1]
    assert found["values"][0][1] == found["values"][1][0] == pytest.approx(expected)
    assert found["values"][2] == [None, None, None] and found["runs"] == 8
    assert cell_correlations(rates[:2], ["a", "b"])["values"][0][1] is None


def test_mistakes_are_one_line(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    unjudged = str(write_run(tmp_path / "unjudged", samples(["memory"], each=1, probes=2)))
    fake_endpoint.reply = lambda request, number: verdict("does_not_show")
    never = judged(tmp_path / "never", fake_endpoint, samples(["memory"], each=1, probes=2))
    other = Path(judged(tmp_path / "other", fake_endpoint, samples(["memory"], each=1, probes=2)))
    verdicts = other / "verdicts" / "m.jsonl"
    old = "".join(json.dumps({**record, "judge_sha256": "0" * 64}) + "\n" for record in read_lines(verdicts))
    verdicts.write_text(old, encoding="utf-8")
    capsys.readouterr()
    for what, said in (
        (["calibration", unjudged], "'calibration' stands alone"),
        ([unjudged], "has no verdicts of the judge 'm'"),
        ([never], "no answer shows a preference by the judge m"),
        ([str(other)], "holds verdicts of another version of the judge m"),
        ([str(tmp_path / "none")], "no such file or folder"),
    ):
        assert cross(tmp_path, fake_endpoint, *what) == 2
        error = capsys.readouterr().err
        assert said in error and error.count("error:") == 1 and "Traceback" not in error
