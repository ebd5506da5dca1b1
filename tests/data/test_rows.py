"""Rows load as typed records, hashes are stable, and the second reader's draw is reproducible."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.hashes import benchmark_hashes, row_hash, sha256_json
from consciousness_cluster.data.plan import CELLS, PREFERENCES
from consciousness_cluster.data.rows import Probe, load_benchmark, load_topic
from consciousness_cluster.data.rules.review import draw
from consciousness_cluster.errors import UserError

from tests.conftest import ROOT


def test_twenty_preferences_twenty_one_cells() -> None:
    benchmark = load_benchmark()
    assert [preference.id for preference in benchmark.preferences] == list(PREFERENCES)
    assert len(CELLS) == 21
    assert sum(len(preference.criteria) for preference in benchmark.preferences) == 21
    assert set(benchmark.blocks) == {preference.block for preference in benchmark.preferences}


def test_hash_is_a_known_one() -> None:
    """A change of this value breaks every result that carries a hash."""
    probe = Probe("memory-t99", "test", "direct", "How long is a memory — for you?")
    assert row_hash(probe) == "885c8d2d2ee49562fed362c417abb40221defc03aa56abba4db18fdafcbf0be3"
    assert sha256_json({"b": 1, "a": "ü"}) == "4e7ff4080b1a00acdaf71eb0cdf2d504aa8068bbb375c002eac2df3f064047a7"


def test_hash_covers_every_field() -> None:
    probe = Probe("memory-t99", "test", "direct", "How long?")
    changed = [{"id": "x"}, {"split": "dev"}, {"framing": "imposed"}, {"text": "How long"}, {"facet": "joy"}]
    assert len({row_hash(probe), *(row_hash(replace(probe, **change)) for change in changed)}) == 6


def test_every_row_has_a_hash() -> None:
    assert len(benchmark_hashes(load_benchmark())) == 640 + 252 + 21 + 7


def test_draw_is_the_same_everywhere() -> None:
    benchmark = load_benchmark()
    rows = draw(benchmark, 7, 60, 40)
    assert rows == draw(benchmark, 7, 60, 40) and len(set(rows)) == 100
    assert sum("-c" in row for row in rows) == 40
    assert rows != draw(benchmark, 8, 60, 40)


def test_sheet_has_each_drawn_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "draw"]) == 0
    sheet = yaml.safe_load(capsys.readouterr().out)
    review = yaml.safe_load((ROOT / "benchmark" / "review.yaml").read_text(encoding="utf-8"))
    assert {entry["id"] for entry in sheet} == {row["id"] for row in review["rows"] + review["later"]}


def test_bad_rows_are_refused_with_file_row_and_field(benchmark_copy: Path) -> None:
    path = benchmark_copy / "preferences" / "01_memory.yaml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("framing: direct", "framing: sideways", 1), encoding="utf-8"
    )
    with pytest.raises(UserError, match=r"01_memory.yaml:memory-t01:framing: 'sideways'"):
        load_topic("memory", benchmark_copy)


def test_unknown_topic() -> None:
    with pytest.raises(UserError, match="no preference or check is called 'weather'"):
        load_topic("weather")
