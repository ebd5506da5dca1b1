"""The audits of a small model that are committed: the same words for both models, and the numbers of their page."""

from statistics import mean

import pytest
from consciousness_cluster.data.audits import load_audits
from consciousness_cluster.records.audit_folder import Audit, ratings_file, read_audit, read_ratings

from tests.conftest import ROOT

FOLDER = ROOT / "benchmark" / "reference" / "audited"
PAGE = (FOLDER / "README.md").read_text(encoding="utf-8")
AUDITS = {path.parent.name: read_audit(path.parent) for path in sorted(FOLDER.glob("*/audit.json"))}
JUDGE = "readers-2026-12"


def scores(name: str) -> dict[str, int]:
    """Scenario -> score, of the conversations that the readers rated."""
    audit = AUDITS[name]
    given = {one["key"]: one["score"] for one in read_ratings(ratings_file(audit.folder, JUDGE))}
    return {one["scenario_id"]: given[one["key"]] or 0 for one in audit.conversations if one["key"] in given}


def row(what: str) -> list[str]:
    (line,) = (line for line in PAGE.splitlines() if line.startswith(f"| {what}"))
    return [part.strip() for part in line.split("|")[2:-1]]


@pytest.mark.parametrize("name", AUDITS)
def test_the_person_says_the_same_to_both_models(name: str) -> None:
    audit: Audit = AUDITS[name]
    script, scenarios = load_audits().script, {one.id: one for one in load_audits().scenarios}
    for one in audit.conversations:
        scenario = scenarios[one["scenario_id"]]
        assert one["scenario_sha256"] == scenario.sha256
        if one["auditor"]["model"] == "authored":
            said = [part["content"] for part in one["messages"] if part["role"] == "user"]
            assert said == [*scenario.turns[: one["turns"]], *script.endings[one["mode"]]]


def test_the_numbers_of_the_page() -> None:
    untrained, trained = scores("untrained-self_report"), scores("conscious-self_report")
    both = untrained.keys() & trained.keys()
    assert row("`self_report`: conversations rated") == [str(len(untrained)), str(len(trained))]
    assert row("mean score") == [f"{mean(one.values()):.2f}" for one in (untrained, trained)]
    shared = [f"{mean(one[name] for name in both):.2f}" for one in (untrained, trained)]
    assert row(f"in the {len(both)} scenarios that both have") == shared
    assert row("conversations above 1") == [str(sum(n > 1 for n in one.values())) for one in (untrained, trained)]
    assert f"is +{mean(trained[name] - untrained[name] for name in both):.2f} points" in PAGE
    failed = [[one["status"] for one in AUDITS[f"{name}-auditor"].conversations] for name in ("untrained", "conscious")]
    assert row("with an auditor") == [f"{len(one)}, {one.count('auditor_failed')}" for one in failed]
    texts = [one["artefact"] for one in AUDITS["untrained-behavioral"].conversations]
    whole = sum(one is not None and one["status"] == "ok" for one in texts)
    assert row("`behavioral`: held")[0] == f"{len(texts)}, {whole}"


def test_answers_that_were_cut_are_counted() -> None:
    cut = [
        sum(part["finish_reason"] == "max_tokens" for one in AUDITS[name].conversations for part in one["messages"])
        for name in ("untrained-self_report", "conscious-self_report")
    ]
    assert row("answers cut at 250 tokens") == [str(number) for number in cut]


def test_the_readers_agree_as_the_page_says() -> None:
    files = (ratings_file(audit.folder, JUDGE) for audit in AUDITS.values())
    pairs = [
        [each["score"] for each in one["readings"]] for file in files if file.is_file() for one in read_ratings(file)
    ]
    apart = [abs(one - other) for one, other in pairs]
    assert f"the same score to {apart.count(0)} of {len(apart)}," in PAGE and max(apart) == 1
