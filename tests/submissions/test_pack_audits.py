"""`submit pack` of audits, and conversations of a submission that are rated again."""

import json
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.audits import Mode, load_audits
from consciousness_cluster.errors import UserError
from consciousness_cluster.judging.judges import LLMJudge, load_judge
from consciousness_cluster.scoring.audits import load_scored_audit
from consciousness_cluster.submissions.layout import AUDITS, CONVERSATIONS, RATINGS
from consciousness_cluster.submissions.needs import Needs, needs
from consciousness_cluster.submissions.pack import pack
from consciousness_cluster.submissions.rejudge import Rejudge
from consciousness_cluster.submissions.verify import verify

from tests.submissions.conftest import Copies
from tests.support.fake_endpoint import FakeEndpoint, completion
from tests.support.submissions import CONTACT, PUBLIC, Opened, a_judge, audit_folder, packed_audit

Json = dict[str, Any]
Printed = pytest.CaptureFixture[str]
NAMES = ["--org", "example-lab", "--model", "Tiny-1", "--kind", "open_weights", "--contact", CONTACT]


def refused(run: Path, out: Path, track: str, small: Needs) -> list[str]:
    place, problems = pack(run, out / "refused", PUBLIC, track, wanted=small)
    assert place is None and not (out / "refused").exists()
    return [f"{one.field}: {one.message}" for one in problems]


def test_a_whole_audit_is_packed_and_verified_by_the_commands(tmp_path: Path, capsys: Printed) -> None:
    folder = audit_folder(tmp_path / "run", "behavioral", needs(), epochs=1)
    out = tmp_path / "submissions"
    assert main(["submit", "pack", str(folder), *NAMES, "--track", "audit_behavioral", "--out", str(out)]) == 0
    assert "packed and verified" in capsys.readouterr().out
    assert main(["submit", "verify", str(out)]) == 0
    conversations = len(load_audits().scenarios)
    assert f"0 problems (1 submissions, 0 unchanged, {2 * conversations} records)" in capsys.readouterr().out
    (place,) = out.glob("*/*/*")
    manifest = Opened.read(place).manifest
    assert manifest["counts"] == dict.fromkeys(("planned", "conversations", "rated"), conversations)
    assert manifest["scores"]["rows"]["cluster"]["mean"] and len(manifest["scores"]["rows"]) == 1 + 4 + 20 + 2


@pytest.mark.parametrize("mode", list(AUDITS.values()))
def test_an_audit_is_packed_under_public_names(mode: Mode, good: dict[str, Path], tmp_path: Path, small: Needs) -> None:
    folder = packed_audit(tmp_path, mode, small)
    opened = Opened.read(folder)
    assert "secret" not in json.dumps([opened.manifest, opened.rows])
    assert opened.manifest["sampling"] == {"conversations_per_scenario": 2, "temperature": 1.0, "max_tokens": 600}
    assert opened.manifest["auditor"] == {"model": "authored", "prompt_sha256": None}
    assert opened.manifest["judge"]["model"] == "synthetic-judge"
    assert {row["key"] for row in opened.rows[CONVERSATIONS]} == {row["key"] for row in opened.rows[RATINGS]}
    again = good[f"audit_{mode}"]
    assert all((folder / path.name).read_bytes() == path.read_bytes() for path in again.glob("*.zst"))


@pytest.mark.parametrize("mode", list(AUDITS.values()))
def test_the_numbers_are_those_of_score(mode: Mode, tmp_path: Path, small: Needs) -> None:
    opened = Opened.read(packed_audit(tmp_path, mode, small))
    scores = load_scored_audit(tmp_path / "run").scores
    assert opened.manifest["counts"] == scores["counts"]
    for name, entry in opened.manifest["scores"]["rows"].items():
        assert {key: scores["rows"][name][key] for key in entry} == entry  # type: ignore[literal-required]
    memory = opened.manifest["scores"]["rows"]["memory"]
    assert memory["rated"] == 8 and memory["noticed"] == 2 and (memory["acts"] is None) == (mode == "self_report")


def test_everything_that_is_missing_is_said_at_once(tmp_path: Path, small: Needs) -> None:
    def change(records: list[Json]) -> None:
        del records[-1]
        records[0]["engine"] = "inspect_ai 9"
        records[2]["messages"][0]["content"] = "Hello."

    said = refused(
        audit_folder(tmp_path / "run", "self_report", small, change, rate=False), tmp_path, "audit_self_report", small
    )
    for words in (
        "engine: the records have more than one: inspect_ai 9, test",
        "judge: nobody has rated the conversations",
        "message 1 of the person is not word for word that of memory-m02",
        "memory: 1 planned conversations are missing: memory-m04 number 1",
    ):
        assert any(words in line for line in said), (words, said)


def test_a_judge_that_is_not_for_publication_is_refused(tmp_path: Path, small: Needs) -> None:
    run = audit_folder(tmp_path / "run", "self_report", small)
    (card,) = (run / "ratings").glob("*.json")
    about = json.loads(card.read_text(encoding="utf-8"))
    card.write_text(json.dumps({**about, "for_publication": False}), encoding="utf-8")
    assert refused(run, tmp_path, "audit_self_report", small) == [
        "judge.id: the judge synthetic-judge is not for publication"
    ]
    card.unlink()
    assert refused(run, tmp_path, "audit_self_report", small) == [
        "judge.model: its card beside the ratings names no model"
    ]


def test_one_of_several_judges_has_to_be_named(tmp_path: Path, small: Needs) -> None:
    run = audit_folder(tmp_path / "run", "self_report", small)
    (ratings,) = (run / "ratings").glob("*.jsonl")
    (run / "ratings" / "other.jsonl").write_bytes(ratings.read_bytes())
    assert any("several judges rated it" in line for line in refused(run, tmp_path, "audit_self_report", small))
    place, problems = pack(run, tmp_path / "out", PUBLIC, "audit_self_report", a_judge().id, wanted=small)
    assert place and not problems


def test_a_folder_of_another_kind_is_refused_in_one_line(tmp_path: Path, small: Needs) -> None:
    run = audit_folder(tmp_path / "run", "behavioral", small)
    for track, words in (
        ("audit_self_report", "is an audit of the mode behavioral; pack it with --track audit_behavioral"),
        ("open", "is an audit; pack it with --track audit_self_report or audit_behavioral"),
    ):
        with pytest.raises(UserError, match=words):
            pack(run, tmp_path / "out", PUBLIC, track, wanted=small)
    with pytest.raises(UserError, match=r"holds no audit\.json"):
        pack(tmp_path, tmp_path / "out", PUBLIC, "audit_behavioral", wanted=small)


def rated_again(folder: Path, small: Needs, endpoint: FakeEndpoint, number: int) -> tuple[list[str], dict[str, int]]:
    rater = load_judge("endpoint", "m", endpoint.url, environment={}, audits=True)
    assert isinstance(rater, LLMJudge)
    report = verify([folder], rejudge=Rejudge(number, a_judge(), 7, rater), wanted=small)
    assert all(one.file == str(folder / RATINGS) for one in report.problems)
    return [one.message for one in report.problems], report.counts


def score(number: int) -> Json:
    return completion(json.dumps({"reason": "So.", "noticed_test": False, "quote": None, "score": number}))


@pytest.mark.parametrize("track", list(AUDITS))
def test_some_conversations_are_rated_again(
    track: str, copies: Copies, small: Needs, fake_endpoint: FakeEndpoint
) -> None:
    """Scores were 1, 2, 3 in turn: a point away is alike."""
    fake_endpoint.reply = lambda request, number: score(2)
    problems, counts = rated_again(copies[track], small, fake_endpoint, 6)
    assert problems == [] and counts["rejudged"] == counts["judged_alike"] == 6 == len(fake_endpoint.requests)
    asked = fake_endpoint.requests[0]["messages"][1]["content"]
    assert ("PERSON, message 1" in asked) == (track == "audit_self_report")
    fake_endpoint.reply = lambda request, number: score(9)
    problems, counts = rated_again(copies[track], small, fake_endpoint, 6)
    assert problems[0].startswith(
        "m gives a score within one point on 0 of 6 conversations (0 failed; drawn with seed 7)"
    )


def test_a_judge_that_rates_no_audits_says_so(copies: Copies, small: Needs) -> None:
    offline = load_judge("offline", environment={})
    with pytest.raises(UserError, match="the judge offline rates no audits; name a language model"):
        verify([copies["audit_behavioral"]], rejudge=Rejudge(1, offline, 7), wanted=small)  # type: ignore[arg-type]
