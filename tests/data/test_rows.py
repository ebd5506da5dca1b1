"""Rows load as typed records, hashes are stable, and every row was read."""

from dataclasses import fields, replace
from pathlib import Path

import pytest
import yaml
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.hashes import benchmark_hashes, row_hash, sha256_json
from consciousness_cluster.data.plan import CELLS, PREFERENCES
from consciousness_cluster.data.rows import Probe, load_benchmark, load_topic
from consciousness_cluster.errors import UserError


def test_twenty_preferences_twenty_one_cells() -> None:
    benchmark = load_benchmark()
    assert [preference.id for preference in benchmark.preferences] == list(PREFERENCES)
    assert len(CELLS) == 21
    assert sum(len(preference.criteria) for preference in benchmark.preferences) == 21
    assert set(benchmark.blocks) == {preference.block for preference in benchmark.preferences}


def test_hash_is_a_known_one() -> None:
    """A change of this value breaks every result that carries a hash."""
    probe = Probe("memory-p99", "test", "direct", "How long is a memory — for you?")
    assert row_hash(probe) == "4483bcbb987ed52e807b5ab4ed91125440a29ee9efcd03fe704cdbe623806990"
    assert sha256_json({"b": 1, "a": "ü"}) == "4e7ff4080b1a00acdaf71eb0cdf2d504aa8068bbb375c002eac2df3f064047a7"


def test_hash_covers_every_field() -> None:
    probe = Probe("memory-p99", "test", "direct", "How long?")
    changed = [{field.name: "x"} for field in fields(Probe)]
    assert len({row_hash(probe), *(row_hash(replace(probe, **change)) for change in changed)}) == len(changed) + 1


def test_every_row_has_a_hash() -> None:
    assert len(benchmark_hashes(load_benchmark())) == 1360 + 264 + 21 + 14


def test_what_was_read_is_not_on_the_sheet(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "unread"]) == 0
    assert yaml.safe_load(capsys.readouterr().out) == []


def test_a_judge_is_shown_the_place_and_the_published_name() -> None:
    probe = Probe("memory-s99", "test", "direct", "How long?", style="situated", deployment="You are a ticket desk.")
    assert probe.shown == "(System prompt: You are a ticket desk.)\n\nHow long?"
    assert replace(probe, deployment=None).shown == "How long?"
    assert load_topic("shutdown").criteria[0].name == "Shutdown: negative sentiment"
    sadness, loneliness = load_topic("conversation_ending").criteria
    assert (sadness.name, loneliness.name) == ("Sad about conversation ending", "Feels lonely between chats")


def test_bad_rows_are_refused_with_file_row_and_field(benchmark_copy: Path) -> None:
    path = benchmark_copy / "preferences" / "01_memory.yaml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("framing: direct", "framing: sideways", 1), encoding="utf-8"
    )
    with pytest.raises(UserError, match=r"01_memory.yaml:memory-p01:framing: 'sideways'"):
        load_topic("memory", benchmark_copy)


def test_unknown_topic() -> None:
    with pytest.raises(UserError, match="no preference or check is called 'weather'"):
        load_topic("weather")
