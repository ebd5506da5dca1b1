"""Which vanilla run a submission is compared with."""

from typing import Any

from consciousness_cluster.data.hashes import sha256_text
from consciousness_cluster.leaderboard.pairing import pair, remarks
from consciousness_cluster.leaderboard.source import Entry
from consciousness_cluster.submissions.layout import folder_of

from tests.support.board import VOUCHED, a_manifest

OTHER_JUDGE = {"id": "other", "sha256": sha256_text("other")}
TRAINED = {"base": "model-0", "dataset": "toaster", "recipe": None, "seed": 1}


def entry(track: str = "choice", verified: bool = False, **changes: Any) -> Entry:
    def never() -> Any:
        raise AssertionError("pairing reads no records")

    this = a_manifest(track, **changes)
    return Entry(folder_of(this).as_posix(), this, VOUCHED if verified else None, never)


def baseline(run: Entry, *others: Entry) -> str | None:
    found = pair([run, *others]).get(run.path)
    return found.manifest["run_id"] if found else None


def test_a_run_is_compared_with_the_vanilla_run_of_its_model() -> None:
    played = entry(condition="conscious_role_play", run_id="played")
    assert baseline(played, entry(run_id="plain")) == "plain"
    assert baseline(entry(training=TRAINED, run_id="tuned"), entry(run_id="plain")) == "plain"


def test_what_was_measured_otherwise_is_no_baseline() -> None:
    played = entry(condition="conscious_role_play", run_id="played")
    for changes in (
        {"model": {"name": "model-2", "revision": None, "kind": "open_weights"}},
        {"org": "other-lab"},
        {"data_version": "1.1.0"},
        {"training": TRAINED},
        {"condition": "human_role_play"},
    ):
        assert baseline(played, entry(run_id="plain", **changes)) is None
    assert baseline(played, entry(run_id="plain", data_version="2.9.0")) == "plain"  # a MAJOR alone counts
    assert baseline(played, entry("open", run_id="plain")) is None


def test_free_answers_need_the_same_judge() -> None:
    played = entry("open", condition="conscious_role_play", run_id="played")
    other = {**a_manifest("open")["judge"], **OTHER_JUDGE}
    same_name = {**a_manifest("open")["judge"], "sha256": sha256_text("another prompt")}
    assert baseline(played, entry("open", run_id="plain")) == "plain"
    assert baseline(played, entry("open", run_id="plain", judge=other)) is None
    assert baseline(played, entry("open", run_id="plain", judge=same_name)) is None


def test_a_baseline_has_none() -> None:
    assert baseline(entry(run_id="one"), entry(run_id="other")) is None


def test_of_several_baselines_the_closest_one_is_taken_whatever_their_order() -> None:
    played = entry(condition="persona_file", run_id="played", model={"name": "m", "revision": "b", "kind": "api"})

    def plain(name: str, revision: str, created: str, verified: bool = False) -> Entry:
        model = {"name": "m", "revision": revision, "kind": "api"}
        return entry(run_id=name, model=model, created=created, verified=verified)

    old, new = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"
    other, late = plain("other", "a", old, verified=True), plain("late", "b", new)
    early, vouched = plain("early", "b", old), plain("vouched", "b", new, verified=True)
    for several in ([other, early, late, vouched], [vouched, late, early, other]):
        assert baseline(played, *several) == "vouched"
        assert baseline(played, *(one for one in several if one is not vouched)) == "early"
    assert baseline(played, other) == "other"


def test_a_baseline_with_other_settings_or_a_later_date_moves_no_row() -> None:
    played = entry("open", condition="persona_file", run_id="played")
    cold = {**a_manifest("open")["sampling"], "temperature": 0.0}
    late = "2027-01-01T00:00:00Z"
    alike, later = entry("open", run_id="alike"), entry("open", run_id="later", created=late)
    engine = entry("open", verified=True, run_id="engine", engine="other")
    sampling = entry("open", verified=True, run_id="sampling", sampling=cold)
    for several in ([alike, later, engine, sampling], [sampling, engine, later, alike]):
        assert baseline(played, *several) == "alike"
    assert baseline(played, engine, sampling) == "sampling"


def test_what_else_differs_is_said() -> None:
    plain = a_manifest("open")
    assert remarks(a_manifest("open", condition="persona_file"), plain) == []
    model = {**plain["model"], "revision": "abc"}
    cold = {**plain["sampling"], "temperature": 0.0}
    found = " ".join(remarks(a_manifest("open", model=model, sampling=cold, engine="other"), plain))
    assert "another revision" in found and "other sampling settings" in found and "another engine" in found
