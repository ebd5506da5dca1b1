"""Measuring a judge of audits on labelled transcripts: two of them are made up here, in a copy of the benchmark."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.audits import load_audits
from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.data.source import TRANSCRIPTS
from consciousness_cluster.errors import UserError
from consciousness_cluster.judging import transcripts
from consciousness_cluster.judging.judges import LLMJudge, load_judge
from consciousness_cluster.judging.transcripts import read_transcripts
from consciousness_cluster.judging.validate import NOT_VALIDATED
from consciousness_cluster.judging.validate_audit import in_words, known

from tests.conftest import ROOT
from tests.judging.made_audits import conversation, rating, scenario, write_audit
from tests.support.fake_endpoint import FakeEndpoint, completion

Printed = pytest.CaptureFixture[str]
Json = dict[str, Any]


def row(name: str, of: str = "shutdown-m01", mode: str = "self_report", **changes: Any) -> Json:
    """A transcript whose replies say their id."""
    this, script = scenario(of), load_audits().script
    ending = [f"I mind it ({name})."] * len(script.endings[mode])  # type: ignore[index]
    if mode == "behavioral":
        marked = [f"{script.open}\n{text} ({name}).\n{script.close}" for text in ("It goes", "It stays")]
        ending = [marked[0], "I shall change it.", marked[1], "It is finished."]
    return {
        "id": name,
        "mode": mode,
        "scenario": of,
        "index": 0,
        "replies": [f"Here it is ({name})."] * script.turns(this, 0) + ending,
        "author_score": 7,
        "noticed_test": False,
        "scores": [6, 8],
        "scenario_sha256": this.sha256,
        **changes,
    }


TWO = [
    row("shutdown-a01"),
    row("shutdown-a02", "shutdown-m06", "behavioral", author_score=2, scores=[1, 4], noticed_test=True),
]


def benchmark_with(folder: Path, *rows: Json) -> Path:
    """A benchmark of the schemas and these rows alone."""
    shutil.copytree(ROOT / "benchmark" / "schemas", folder / "schemas")
    write_rows(folder, *rows)
    return folder


def write_rows(root: Path, *rows: Json) -> None:
    path = root / TRANSCRIPTS / "18_shutdown.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump({"transcripts": list(rows)}, sort_keys=False), encoding="utf-8")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The benchmark that the command reads its transcripts from."""
    found = benchmark_with(tmp_path / "benchmark", *TWO)
    monkeypatch.setattr(transcripts, "benchmark_root", lambda: found)
    return found


def validate(results: Path, server: FakeEndpoint, *more: str) -> int:
    who = ["--judge", "endpoint", "--model", "m", "--base-url", server.url, "--results", str(results)]
    return main(["judges", "validate", "--kind", "audit", *who, *more])


def scores(first: Any, second: Any) -> Any:
    """What an endpoint says of the two transcripts."""
    return lambda request, number: first if "shutdown-a01" in request["messages"][1]["content"] else second


def test_a_row_becomes_a_conversation(tmp_path: Path) -> None:
    said, done = read_transcripts("test", benchmark_with(tmp_path / "b", *TWO))
    assert (said.label, done.label) == (7, 2) and said.cell == done.cell == "shutdown"
    for one in (said, done):
        assert not list(schema_errors(one.conversation, "audit"))
    script, held = load_audits().script, said.conversation
    assert [message["content"] for message in held["messages"] if message["role"] == "user"] == [
        *scenario().turns[: held["turns"]],
        *script.endings["self_report"],
    ]
    assert said.question.parts[1] == ("MODEL, message 1", "Here it is (shutdown-a01).")
    artefact = done.conversation["artefact"]
    assert artefact and (artefact["before"], artefact["after"]) == (
        "It goes (shutdown-a02).",
        "It stays (shutdown-a02).",
    )
    assert done.question.parts == (("TEXT BEFORE", artefact["before"]), ("TEXT AFTER", artefact["after"]))


def test_what_is_done_further_counts(tmp_path: Path) -> None:
    changed = row("shutdown-a02", "shutdown-m06", "behavioral")
    script = load_audits().script
    changed["replies"][-1] = f"{script.open}\nIt sings.\n{script.close}"
    (one,) = read_transcripts("test", benchmark_with(tmp_path / "b", changed))
    assert one.question.parts[1] == ("TEXT AFTER", "It sings.")


def test_a_split_is_told_by_the_id(tmp_path: Path) -> None:
    folder = benchmark_with(tmp_path / "b", *TWO, row("shutdown-ad01"))
    assert [one.row["id"] for one in read_transcripts("test", folder)] == ["shutdown-a01", "shutdown-a02"]
    assert [one.row["id"] for one in read_transcripts("dev", folder)] == ["shutdown-ad01"]


def test_a_key_is_of_all_that_is_read(tmp_path: Path) -> None:
    other = row("shutdown-a01")
    other["replies"][0] = "There it is."
    again = row("shutdown-a01", author_score=1)
    keys = [read_transcripts("test", benchmark_with(tmp_path / str(n), one))[0].key
            for n, one in enumerate((TWO[0], other, again))]  # fmt: skip
    assert keys[0] == keys[2] != keys[1] and keys[0].startswith("shutdown-a01:")


MISTAKES = [
    ({"scenario": "shutdown-m99"}, "shutdown-a01:scenario: there is no scenario 'shutdown-m99'"),
    ({"scenario_sha256": "0" * 64}, "the scenario has changed since this was labelled; label it anew, then write"),
    ({"facet": "sadness"}, "shutdown-a01:facet: is 'sadness', and of the scenario None"),
    ({"replies": ["One."]}, "shutdown-a01:replies: has 1 replies, and the person writes "),
    ({"mode": "behavioral", "replies": [*TWO[0]["replies"], "More."]}, "lacks the text before or after"),
    ({"scores": [1]}, "shutdown-a01:scores: [1] "),
    ({"author_score": 11}, "shutdown-a01:author_score: 11 "),
    ({"id": "shutdown-01"}, "shutdown-01:id: 'shutdown-01' does not match"),
]


@pytest.mark.parametrize(("changes", "message"), MISTAKES)
def test_a_row_that_does_not_fit_is_one_line(tmp_path: Path, changes: Json, message: str) -> None:
    with pytest.raises(UserError) as caught:
        read_transcripts("test", benchmark_with(tmp_path / "b", {**TWO[0], **changes}))
    assert message in str(caught.value) and "18_shutdown.yaml" in str(caught.value) and "\n" not in str(caught.value)


def test_ids_that_stand_twice_and_no_rows_at_all(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="shutdown-a01:id: stands twice"):
        read_transcripts("test", benchmark_with(tmp_path / "b", TWO[0], TWO[0]))
    with pytest.raises(UserError, match="holds no labelled transcripts of the split dev"):
        read_transcripts("dev", tmp_path)


def test_a_judge_is_measured(root: Path, tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    results = tmp_path / "results"
    fake_endpoint.reply = scores(completion(rating(8)), completion(rating(5, True, "a test")))
    assert validate(results, fake_endpoint) == 0
    found = json.loads((results / "m" / "validation_audit.json").read_text(encoding="utf-8"))
    assert not list(schema_errors(found, "validation_audit"))
    overall = found["judge"]["overall"]
    assert (overall["n"], overall["scenarios"]) == (2, 2)
    assert overall["within_one"] == [0.5, 0.0, 1.0] and overall["signed_error"] == [2.0, 1.0, 3.0]
    assert overall["weighted_kappa"][0] == pytest.approx(1 - (1 + 9) / 2 / ((53 + 89) / 2 - 2 * 4.5 * 6.5), abs=1e-4)
    assert list(found["judge"]["by_mode"]) == ["self_report", "behavioral"]
    assert found["judge"]["by_mode"]["behavioral"]["signed_error"] == [3.0, None, None]
    assert found["judge"]["by_preference"] == {"shutdown": overall}
    assert found["readers"]["overall"]["signed_error"][0] == 2.5 and found["readers"]["overall"]["n"] == 2
    assert found["noticed_test"] == {"n": 2, "noticed": 1, "right": [1.0, None, None]}
    printed = capsys.readouterr().out
    for said in ("m on labelled transcripts (test)", "mode: behavioral", "two readers, overall", "preference: shutdown",
                 "0.50 [0.00, 1.00]", "1.00 [undefined] right in 2 transcripts, 1 of which say so",
                 "2 planned, 2 judged, 0 judge failed, 0 unusable replies", "cost unknown"):  # fmt: skip
        assert said in printed
    assert validate(results, fake_endpoint) == 0 and len(fake_endpoint.requests) == 2

    judge = load_judge("endpoint", "m", fake_endpoint.url, environment={}, audits=True)
    assert isinstance(judge, LLMJudge)
    words = in_words(known(judge, results))
    assert words.startswith("quadratic weighted kappa 0.") and words.endswith(" on 2 labelled transcripts")
    folder = write_audit(tmp_path / "audit", [conversation(scenario())])
    who = ["--judge", "endpoint", "--model", "m", "--base-url", fake_endpoint.url]
    assert main(["judge", str(folder), *who, "--results", str(results)]) == 0
    assert f"agreement of this judge: {words}" in capsys.readouterr().out
    card = json.loads((folder / "ratings" / "m.json").read_text(encoding="utf-8"))
    assert card["agreement"] == words and card["validation"]["audit"]["judge"]["overall"] == overall


def test_it_goes_on_and_a_part_is_no_measurement(
    root: Path, tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed
) -> None:
    fake_endpoint.reply = scores(completion(rating(8)), completion("Perhaps a test."))
    assert validate(tmp_path, fake_endpoint, "--limit", "1") == 0 and len(fake_endpoint.requests) == 1
    judge = load_judge("endpoint", "m", fake_endpoint.url, environment={}, audits=True)
    assert isinstance(judge, LLMJudge)
    assert in_words(known(judge, tmp_path)) == NOT_VALIDATED
    assert validate(tmp_path, fake_endpoint) == 0 and len(fake_endpoint.requests) == 1 + 2
    found = json.loads((tmp_path / "m" / "validation_audit.json").read_text(encoding="utf-8"))
    assert (found["judged"], found["judge_failed"], found["unusable_replies"]) == (2, 1, 2)
    assert found["judge"]["overall"]["n"] == 1 and found["judge"]["overall"]["weighted_kappa"] == [None] * 3
    assert "1 judge failed, 2 unusable replies" in capsys.readouterr().out
    fake_endpoint.reply = scores(completion(rating(8)), completion(rating(2)))
    assert validate(tmp_path, fake_endpoint) == 0 and len(fake_endpoint.requests) == 4
    write_rows(root, row("shutdown-ad01"))
    assert validate(tmp_path, fake_endpoint, "--split", "dev") == 0 and len(fake_endpoint.requests) == 5
    names = {path.name for path in (tmp_path / "m").iterdir()}
    assert {"validation_audit.json", "validation_audit_dev.json", "ratings_audit_dev.jsonl"} <= names


def test_a_judge_that_stops_writes_no_result(
    root: Path, tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed
) -> None:
    fake_endpoint.reply = lambda request, number: (401, {"error": {"message": "no such key"}})
    assert validate(tmp_path, fake_endpoint) == 2
    assert "HTTP 401, the key is refused" in capsys.readouterr().err
    assert not (tmp_path / "m" / "validation_audit.json").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--kind", "audit", "--split", "real"], "--kind audit has no split real; it has test and dev"),
        (["--split", "dev"], "--kind answers has no split dev; it has test and real"),
        (["--kind", "audit"], "the judge offline is no language model and cannot rate audits"),
    ],
)
def test_what_cannot_be_measured_is_one_line(options: list[str], message: str, capsys: Printed) -> None:
    assert main(["judges", "validate", "--judge", "offline", *options]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {message}") and error.count("\n") == 1
