"""That each benchmark runs, at a tiny size, and that README's table is that of the run which is kept. No times."""

import json
from importlib.util import find_spec

import pytest

from tests.benchmarks.measures import LOOPS, MEASURES, TINY, Line, measured
from tests.benchmarks.table import BEGIN, MEASURED, README, document, in_readme, markdown, section, surroundings


@pytest.mark.slow
@pytest.mark.parametrize("name", MEASURES)
def test_each_runs(name: str) -> None:
    lines = measured([name], TINY)
    wanted = {"calls": len(LOOPS) + 1 - (find_spec("inspect_ai") is None), "faults": 1, "memory": 1, "files": 4}
    assert len(lines) == wanted[name] and all(line.what and line.whole for line in lines)
    if name == "calls":
        assert {line.calls for line in lines} == {24 + 24}, "each makes the same calls"


def test_the_table_has_what_was_measured_and_gaps_where_nothing_was() -> None:
    whole = Line("`run`, 200 ms", 3996, 1.234, "the ideal time", 12.3, 14.5, 0.61, 99.0)
    lines = [whole, Line("`--help`", seconds=0.1)]
    found = document(lines, {**surroundings((0.1, 0.2, 0.3)), "versions": {"aiohttp": "3"}, "machine": "2 cores"})
    assert markdown(json.loads(json.dumps(found))).splitlines() == [
        "2 cores; load before 0.1, 0.2, 0.3; 80 calls in flight; aiohttp 3.",
        "",
        "| what | calls | ratio | seconds | whole process, s | CPU, ms a call | memory, MB |",
        "| --- | --: | --: | --: | --: | --: | --: |",
        "| `run`, 200 ms | 3,996 | 1.23 of the ideal time | 12.30 | 14.5 | 0.61 | 99 |",
        "| `--help` |  |  | 0.10 |  |  |  |",
    ]
    text = f"before\n{section(found)}\nafter"
    assert in_readme(text) == section(found) and in_readme("no such section") is None


def test_readme_has_the_table_of_the_run_that_is_kept() -> None:
    text = README.read_text(encoding="utf-8")
    assert MEASURED.is_file() == (BEGIN in text)
    if MEASURED.is_file():
        assert in_readme(text) == section(json.loads(MEASURED.read_text(encoding="utf-8")))
