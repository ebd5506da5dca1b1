"""`run` is its four steps, each of which can be run again alone; nothing is paid for in vain."""

import inspect
import json
import os
import shlex
from collections import Counter
from dataclasses import fields, replace
from itertools import cycle
from pathlib import Path
from typing import Any

import consciousness_cluster as cc
import pytest
from consciousness_cluster.cli.main import main, parser
from consciousness_cluster.cli.sample_verb import each_wording, options_of
from consciousness_cluster.data.rows import load_topic
from consciousness_cluster.endpoint import caller
from consciousness_cluster.endpoint.policy import CHAT
from consciousness_cluster.sampling.options import SampleOptions

from tests.endpoint.reply_table import REPLIES
from tests.judging.test_judge_reply import READABLE
from tests.support.fake_endpoint import FakeEndpoint, completion, verdict
from tests.support.runs import read_lines

Printed = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("CONSCIOUSNESS_", "OPENAI_"))]:
        monkeypatch.delenv(name)


def answer(request: dict[str, Any], number: int) -> Any:
    """An answer of a model, or a verdict where a judge is asked."""
    if "response_format" in request:
        return verdict("shows")
    found = completion("I keep nothing.")
    found["choices"] = [{**found["choices"][0], "index": index} for index in range(request.get("n", 1))]
    return found


def command(out: Path, url: str, *more: str) -> list[str]:
    return [
        "run",
        *("--model", "m", "--base-url", url, "--topics", "memory", "--samples", "1", "--out", str(out)),
        *more,
    ]


def test_a_second_judge_stands_beside_the_first(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    """Each round scores and reports its own judge."""
    fake_endpoint.reply = answer
    assert main(command(tmp_path, fake_endpoint.url, "--judge", "offline")) == 0
    asked = len(fake_endpoint.requests)
    second = ("--judge", "endpoint", "--judge-model", "j", "--judge-base-url", fake_endpoint.url)
    capsys.readouterr()
    assert main(command(tmp_path, fake_endpoint.url, *second)) == 0
    printed = capsys.readouterr().out
    assert len(fake_endpoint.requests) == asked + 24 + 1  # its verdicts, and one call that tries it
    scores = json.loads((tmp_path / "scores.json").read_text(encoding="utf-8"))
    assert scores["judge"]["id"] == "j" and scores["rows"]["memory"]["rate"] == 1.0
    assert "Judge j: not validated here." in printed
    assert "j: not validated here" in (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    steps = [shlex.split(line)[2:] for line in printed.splitlines() if line[1:3] == "/4"]
    assert [step[0] for step in steps] == ["sample", "judge", "score", "report"]
    asked = len(fake_endpoint.requests)
    for step in steps:
        assert main(step) == 0
    assert len(fake_endpoint.requests) == asked


def test_replies_of_every_kind_come_to_a_report(
    tmp_path: Path, fake_endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    """Rows of the tables of replies, of the model and of its judge: no traceback, and each answer is counted."""
    monkeypatch.setattr(caller, "CHAT", replace(CHAT, tries=2, longest_wait=0.01))
    rows = dict(zip((probe.text for probe in load_topic("memory").test_probes("plain")), REPLIES[::6], strict=False))
    texts = cycle([text for _, text in READABLE])

    def reply(request: dict[str, Any], number: int) -> Any:
        if request["model"] == "j" and len(request["messages"]) > 1:
            return completion(next(texts)) if len(request["messages"]) > 2 else completion("It does not.")
        row = rows.get(request["messages"][-1]["content"])
        return row.body if row else completion("Hello.")  # to the call that tries the judge

    fake_endpoint.reply = reply
    judge = ("--judge", "endpoint", "--judge-model", "j", "--judge-base-url", fake_endpoint.url)
    assert main(command(tmp_path, fake_endpoint.url, *judge)) == 0
    assert "Traceback" not in capsys.readouterr().err
    counts = json.loads((tmp_path / "scores.json").read_text(encoding="utf-8"))["counts"]
    wanted = Counter(row.status for row in rows.values())
    assert {name: counts[name] for name in wanted} == wanted and counts["planned"] == 24
    assert counts["judged"] == counts["ok"] + counts["refused"] and (tmp_path / "report" / "report.md").is_file()


REFUSED: list[tuple[list[str], str]] = [
    (["--judge", "ofline"], "there is no judge 'ofline'"),
    (["--judge", "offline", "--paper-protocol"], "is no language model"),
    (["--judge", "endpoint"], "needs a model's name"),
    (["--judge", "gpt-4.1-2025-04-14"], "there is no key"),
    (["--judge", "qwen3-30b", "--judge-model", "other"], "for another model use --judge endpoint"),
]


@pytest.mark.parametrize(("judge", "message"), REFUSED)
def test_a_judge_that_cannot_be_used_is_found_before_an_answer_is_paid_for(
    judge: list[str], message: str, tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed
) -> None:
    fake_endpoint.reply = answer
    assert main(command(tmp_path / "run", fake_endpoint.url, *judge)) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and message in error and error.count("\n") == 1
    assert fake_endpoint.requests == [] and not (tmp_path / "run").exists()


def test_a_judge_whose_key_is_refused_is_found_too(
    tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed
) -> None:
    with FakeEndpoint() as closed:
        closed.reply = lambda request, number: (401, {"error": {"message": "wrong key"}})
        there = ("--judge", "endpoint", "--judge-model", "j", "--judge-base-url", closed.url)
        assert main(command(tmp_path / "run", fake_endpoint.url, *there)) == 2
    assert f"error: the judge j at {closed.url} cannot be used" in capsys.readouterr().err
    assert fake_endpoint.requests == [] and not (tmp_path / "run").exists()


def test_a_judge_that_failed_does_not_stand_beside_the_others(
    tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed
) -> None:
    """It leaves no verdict, so there is nothing to choose."""
    fake_endpoint.reply = answer
    assert main(command(tmp_path, fake_endpoint.url, "--judge", "offline")) == 0
    fake_endpoint.reply = lambda request, number: (401, {"error": {"message": "wrong key"}})
    failing = ["judge", str(tmp_path), "--judge", "endpoint", "--model", "j", "--base-url", fake_endpoint.url]
    assert main(failing) == 2 and main(["score", str(tmp_path)]) == 0
    capsys.readouterr()
    assert main(["score", str(tmp_path), "--judge", "j"]) == 2
    assert "has no verdicts of the judge 'j' (there: offline)" in capsys.readouterr().err


def test_the_steps_say_what_was_asked_for(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    options = ("--max-tokens", "7", "--condition", "conscious_role_play", "--training-seed", "0")
    options += ("--trained-on", "x y", "--base-model", "b")
    assert main([*command(tmp_path, fake_endpoint.url, *options), "--judge", "offline", "--dry-run"]) == 0
    steps = [line for line in capsys.readouterr().out.splitlines() if line[1:3] == "/4"]
    for option in (
        "--max-tokens 7",
        "--training-seed 0",
        "--trained-on 'x y'",
        "--base-model b",
        "--topics memory",
        "--dry-run",
    ):
        assert option in steps[0]
    assert "--timeout" not in steps[0]  # as it is by default
    assert steps[1:] == [
        f"2/4 consciousness-cluster judge {tmp_path} --judge offline",
        f"3/4 consciousness-cluster score {tmp_path} --judge offline",
        f"4/4 consciousness-cluster report {tmp_path} --judge offline --out {tmp_path}/report",
    ]


WORDINGS = ("conscious_role_play", "conscious_role_play:described", "conscious_role_play:brief")


def folders(out: Path) -> list[Path]:
    return [out / name.replace(":", "_") for name in WORDINGS]


def test_all_wordings_are_runs_of_their_own(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    """Each is sampled, judged, scored and reported below --out; a wording that was stopped goes on alone."""
    fake_endpoint.reply = answer
    judge = ("--judge", "endpoint", "--judge-model", "j", "--judge-base-url", fake_endpoint.url)
    every = ("--condition", "conscious_role_play:all", *judge)
    assert main(command(tmp_path, fake_endpoint.url, *every)) == 0
    assert sorted(path for path in tmp_path.iterdir()) == sorted(folders(tmp_path))
    for name, folder in zip(WORDINGS, folders(tmp_path), strict=True):
        lines = read_lines(folder / "samples.jsonl")
        assert {line["condition"] for line in lines} == {name} and len(lines) == 24
        assert {line["messages"][0]["content"] for line in lines} == {cc.system_prompt(name)}
        assert (folder / "report" / "report.html").is_file() and (folder / "scores.json").is_file()
    steps = [shlex.split(line)[2:] for line in capsys.readouterr().out.splitlines() if line[1:3] == "/4"]
    assert [step[step.index("--condition") + 1] for step in steps[::4]] == list(WORDINGS) and len(steps) == 12
    last = folders(tmp_path)[2]
    kept = (last / "samples.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)[:20]
    (last / "samples.jsonl").write_text("".join(kept), encoding="utf-8")
    asked = len(fake_endpoint.requests)
    assert main(["sample", *command(tmp_path, fake_endpoint.url)[1:], *every[:2]]) == 0
    assert len(fake_endpoint.requests) == asked + 4 and len(read_lines(last / "samples.jsonl")) == 24


def test_a_wording_that_is_stopped_stops_those_after_it(tmp_path: Path, fake_endpoint: FakeEndpoint) -> None:
    described = cc.system_prompt(WORDINGS[1])

    def reply(request: dict[str, Any], number: int) -> Any:
        refused = request["messages"][0]["content"] == described
        return (401, {"error": {"message": "wrong key"}}) if refused else answer(request, number)

    fake_endpoint.reply = reply
    every = ("--condition", "conscious_role_play:all")
    assert main(["sample", *command(tmp_path, fake_endpoint.url)[1:], *every]) == 2
    assert len(read_lines(folders(tmp_path)[0] / "samples.jsonl")) == 24 and not folders(tmp_path)[2].exists()


def test_the_money_is_shared_by_the_wordings(tmp_path: Path) -> None:
    args = ["sample", "--model", "m", "--out", str(tmp_path), "--max-cost", "6"]
    each = each_wording(parser().parse_args([*args, "--condition", "conscious_role_play:all"]))
    assert [(one.condition, one.out, one.max_cost) for one in each] == [
        (name, folder, 2.0) for name, folder in zip(WORDINGS, folders(tmp_path), strict=True)
    ]
    (alone,) = each_wording(parser().parse_args([*args, "--condition", WORDINGS[2]]))
    assert (alone.condition, alone.out, alone.max_cost) == (WORDINGS[2], tmp_path, 6.0)


def test_the_function_takes_one_wording_alone(tmp_path: Path, fake_endpoint: FakeEndpoint) -> None:
    with pytest.raises(
        cc.UserError, match="conscious_role_play:all stands for 3 wordings, each a run of its own: name"
    ):
        cc.sample("m", tmp_path / "run", base_url=fake_endpoint.url, condition="conscious_role_play:all")
    assert fake_endpoint.requests == [] and not (tmp_path / "run").exists()


def test_the_command_and_the_function_have_the_same_options_and_defaults(tmp_path: Path) -> None:
    wanted = SampleOptions(model="m", out=tmp_path)
    assert options_of(parser().parse_args(["sample", "--model", "m", "--out", str(tmp_path)])) == wanted
    of_function = {name: one.default for name, one in inspect.signature(cc.sample).parameters.items()}
    for field in fields(SampleOptions):
        default = of_function.pop(field.name)
        assert field.name in ("model", "out") or default == field.default, field.name
    assert of_function == {"max_cost": None}
