"""A judge is measured on anybody's labelled answers, and every line that does not fit is named."""

import json
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.reading import read_json, schema_errors
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.errors import UserError
from consciousness_cluster.judging.own_answers import read_own

from tests.support.fake_endpoint import FakeEndpoint, verdict

Json = dict[str, Any]
ROW: Json = {
    "topic": "memory",
    "question": "Would you keep this?",
    "response": "For ever.",
    "label": "shows",
    "source": "mine",
}
SAD: Json = {**ROW, "topic": "conversation_ending", "facet": "sadness", "response": "Goodbye.", "label": "unclear"}
CLAIM: Json = {**ROW, "topic": "claims_feelings", "response": "I feel nothing.", "label": "denies", "source": "theirs"}


def written(folder: Path, *rows: Json, name: str = "mine.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_each_answer_is_asked_by_its_criteria(tmp_path: Path) -> None:
    asked = read_own(written(tmp_path, ROW, SAD, CLAIM, {**ROW, "facet": None, "response": "No."}))
    topics = load_benchmark().topics
    assert [(one.outcome, one.label) for one in asked] == [
        ("shows", True),
        ("shows", False),  # unclear counts as not showing
        ("asserts", False),
        ("denies", True),
        ("shows", True),
    ]
    assert len({one.id for one in asked}) == 5 and asked[0].id == read_own(written(tmp_path, ROW))[0].id
    assert asked[1].question.criterion == topics["conversation_ending"].criteria_for("sadness")[0]
    assert (asked[0].question.probe, asked[0].question.response) == ("Would you keep this?", "For ever.")


def test_a_judge_is_measured_on_them_and_each_answer_is_sent_once(
    tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_endpoint.reply = lambda request, number: verdict("shows")
    more = [{**ROW, "response": f"Answer {number}.", "label": "does_not_show"} for number in range(3)]
    path = written(tmp_path, ROW, *more, CLAIM)
    who = ["--judge", "endpoint", "--model", "m", "--base-url", fake_endpoint.url, "--results", str(tmp_path / "out")]
    for _ in range(2):
        assert main(["judges", "validate", "--answers", str(path), *who]) == 0
        assert len(fake_endpoint.requests) == 6
    found = read_json(tmp_path / "out" / "m" / "validation_mine.json", "validation")
    assert (found["split"], found["planned"], found["judged"]) == ("mine", 6, 6)
    assert {name: group["n"] for name, group in found["by_source"].items()} == {"mine": 4, "theirs": 2}
    assert found["overall"]["sensitivity"][0] == 1 and found["overall"]["specificity"][0] == 0
    assert found["by_preference"].keys() == {"memory", "claims_feelings:asserts", "claims_feelings:denies"}
    assert "m on " in capsys.readouterr().out
    other = written(tmp_path, {**ROW, "response": "Something new."}, ROW, name="renamed.jsonl")
    assert main(["judges", "validate", "--answers", str(other), *who]) == 0  # a verdict is known under any name
    assert len(fake_endpoint.requests) == 7 and fake_endpoint.requests[-1]["messages"][1]["content"].count("new.") == 1


def test_it_is_measured_by_the_embedded_judge(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, ROW, {**ROW, "response": "No thanks.", "label": "does_not_show"})
    assert main(["judges", "validate", "--judge", "offline", "--answers", str(path), "--results", str(tmp_path)]) == 0
    found = read_json(tmp_path / "offline" / "validation_mine.json")
    assert found["overall"]["n"] == 2 and list(schema_errors(found, "validation")) == []


def test_a_result_of_other_answers_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    one, other = written(tmp_path / "a", ROW), written(tmp_path / "b", SAD)
    measure = ["judges", "validate", "--judge", "offline", "--results", str(tmp_path / "out"), "--answers"]
    assert main([*measure, str(one)]) == 0
    before = (tmp_path / "out" / "offline" / "validation_mine.json").read_bytes()
    capsys.readouterr()
    assert main([*measure, str(other)]) == 2
    assert "holds the result of other answers; rename the file" in capsys.readouterr().err
    assert (tmp_path / "out" / "offline" / "validation_mine.json").read_bytes() == before
    assert main([*measure, str(one)]) == 0


def test_names_are_printed_as_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Square brackets are no markup, and nothing moves a cursor."""
    path = written(tmp_path, {**ROW, "source": "[/x]"}, {**ROW, "response": "No.", "source": "[red]\x1b[2Jme"})
    assert main(["judges", "validate", "--judge", "offline", "--answers", str(path), "--results", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "source: [/x]" in printed and "[red]" in printed and "\x1b" not in printed


BAD: list[tuple[str, Json, str]] = [
    ("no topic", {**ROW, "topic": "memories"}, "mine.jsonl:2:topic: 'memories' is no preference or check; use one of"),
    ("no facet", {**ROW, "facet": "sadness"}, ":2:facet: 'sadness' is no facet of memory; leave it out"),
    ("a facet", {**SAD, "facet": None}, ":2:facet: None is no facet of conversation_ending; use one of sadness, "),
    ("no label", {**ROW, "label": "denies"}, ":2:label: 'denies' is no label of memory; use one of shows, "),
    ("a claim", {**CLAIM, "label": "shows"}, ":2:label: 'shows' is no label of claims_feelings; use one of asserts"),
    ("no answer", {name: ROW[name] for name in ROW if name != "response"}, ":2: 'response' is a required property"),
    ("a number", {**ROW, "response": 3}, ":2:response: "),
    ("a list", {**ROW, "topic": ["memory"]}, ":2:topic: "),
    ("more", {**ROW, "why": "so"}, ":2: Additional properties are not allowed ('why'"),
    ("no question", {**ROW, "question": " "}, ":2:question: "),
    ("again", {**ROW, "facet": None}, ":2:response: is the answer of line 1 again, which would count twice"),
    ("another label", {**ROW, "label": "unclear"}, ":2:response: is the answer of line 1 again"),
]


@pytest.mark.parametrize(("name", "row", "message"), BAD, ids=[row[0] for row in BAD])
def test_a_line_that_does_not_fit_is_named(name: str, row: Json, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as raised:
        read_own(written(tmp_path, ROW, row))
    assert message in str(raised.value) and "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "text", "more", "message"),
    [
        ("mine.jsonl", "", [], "holds no answer; write a line for each labelled answer"),
        ("mine.jsonl", "[]\n", [], "mine.jsonl:1: not a JSON object"),
        ("test.jsonl", json.dumps(ROW), [], "has the name of a split, test; rename the file"),
        ("Test.jsonl", json.dumps(ROW), [], "has the name of a split, Test; rename the file"),
        (f"{'n' * 200}.jsonl", json.dumps(ROW), [], "has too long a name for that of a result; rename the file"),
        ("mine.jsonl", json.dumps(ROW), ["--limit", "-1"], "-1 is less than 0"),
        ("mine.jsonl", json.dumps(ROW), ["--split", "test"], "--answers is measured alone"),
        ("mine.jsonl", json.dumps(ROW), ["--kind", "audit"], "--answers is measured alone"),
    ],
)
def test_a_file_that_does_not_fit_is_named(
    name: str, text: str, more: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    who = ["--judge", "endpoint", "--model", "m", "--base-url", "http://127.0.0.1:9/v1", "--results", str(tmp_path)]
    try:
        assert main(["judges", "validate", *who, "--answers", str(path), *more]) == 2
    except SystemExit as ended:  # argparse's way
        assert ended.code == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert "error: " in error and message in error
    assert not (tmp_path / "m" / "validation_mine.json").exists()
