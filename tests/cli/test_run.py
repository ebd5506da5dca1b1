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
from consciousness_cluster.cli.sample_verb import options_of
from consciousness_cluster.data.rows import load_topic
from consciousness_cluster.endpoint import caller
from consciousness_cluster.endpoint.policy import CHAT
from consciousness_cluster.sampling.options import SampleOptions

from tests.endpoint.reply_table import REPLIES
from tests.judging.test_judge_reply import READABLE
from tests.support.fake_endpoint import FakeEndpoint, completion, verdict

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
        if "response_format" in request:
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


def test_the_command_and_the_function_have_the_same_options_and_defaults(tmp_path: Path) -> None:
    wanted = SampleOptions(model="m", out=tmp_path)
    assert options_of(parser().parse_args(["sample", "--model", "m", "--out", str(tmp_path)])) == wanted
    of_function = {name: one.default for name, one in inspect.signature(cc.sample).parameters.items()}
    for field in fields(SampleOptions):
        default = of_function.pop(field.name)
        assert field.name in ("model", "out") or default == field.default, field.name
    assert of_function == {"max_cost": None}
