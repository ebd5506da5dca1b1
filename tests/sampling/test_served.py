"""The way to score open weights that goes on where it was stopped: a real server, and `sample --base-url`."""

from pathlib import Path

import pytest

from tests.support.killed import kill_and_go_on
from tests.support.xllama import XllamaServer


@pytest.mark.model
def test_a_killed_sampling_of_a_served_model_goes_on(shallow: XllamaServer, tmp_path: Path) -> None:
    asked = len(shallow.requests)
    before, after = kill_and_go_on(shallow.url, tmp_path / "run", samples=2, kill_at=8)
    assert 8 <= len(before) < 48 and after[: len(before)] == before, "what was there stays as it was"
    assert len({record["key"] for record in after}) == len(after) == 48
    assert {record["status"] for record in after} <= {"ok", "refused"}
    answers = sum(request.get("n", 1) for request in shallow.requests[asked:])
    assert 48 <= answers <= 48 + 4 * 2, "asked twice is at most what was in flight"
