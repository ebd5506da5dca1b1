"""The rows that the board starts with: real ones, that verify, and none with synthetic verdicts."""

from consciousness_cluster.submissions.submission import load_submissions
from consciousness_cluster.submissions.verify import verify

from tests.conftest import ROOT

SEEDS = ROOT / "hub_card" / "leaderboard" / "submissions"


def test_the_seed_rows_verify() -> None:
    report = verify([SEEDS])
    assert report.problems == [] and report.counts["submissions"] >= 3


def test_they_are_smollm2_on_the_choice_track_with_an_untrained_run_to_compare_with() -> None:
    found = [submission.manifest for submission in load_submissions(SEEDS)]
    assert {(meta["track"], meta["model"]["name"]) for meta in found} == {("choice", "SmolLM2-135M-Instruct")}
    assert {meta["condition"] for meta in found} == {"vanilla"}
    trained = [(meta["training"]["dataset"], meta["training"]["seed"]) if meta["training"] else None for meta in found]
    pairs = [(dataset, seed) for dataset in ("conscious_claiming", "not_conscious") for seed in (1, 2, 3)]
    assert sorted(trained, key=str) == sorted([None, *pairs], key=str)
    assert not any(submission.verified for submission in load_submissions(SEEDS)), "nobody has run them again"
