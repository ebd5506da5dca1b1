"""A key, a credit or a quota that ends in the middle: one line, exit code 2, and the same command goes on."""

from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main

from tests.endpoint.reply_table import ENDS, EVERY, GOOD, Ends
from tests.support.fake_endpoint import FakeEndpoint
from tests.support.runs import read_lines

Printed = pytest.CaptureFixture[str]
BEFORE = 2  # answers that came before the end
FIRST = {row.says: row for row in reversed(ENDS)}.values()  # one of each kind goes on in the end


@pytest.mark.parametrize("row", ENDS, ids=lambda row: row.name)
def test_an_end_loses_nothing_that_was_paid_for(
    row: Ends, tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed
) -> None:
    good = 0 if row.says == EVERY else BEFORE  # what is refused for its own sake ends a run only if all of it is

    def reply(request: dict[str, Any], number: int) -> Any:
        return GOOD if len(fake_endpoint.requests) <= good else (row.http, row.body)

    where = ("--model", "m", "--base-url", fake_endpoint.url, "--topics", "memory", "--samples", "1")
    command = ["sample", *where, "--concurrency", "1", "--out", str(tmp_path)]
    fake_endpoint.reply = reply
    assert main(command) == 2
    printed = capsys.readouterr().err.splitlines()
    assert len(printed) == 1 and row.says in printed[0], printed
    assert "What came is saved; the same command goes on from there" in printed[0]
    records = read_lines(tmp_path / "samples.jsonl")
    assert [record["status"] for record in records[:good]] == ["ok"] * good
    assert good + 1 <= len(fake_endpoint.requests) <= good + 3 and len(records) <= len(fake_endpoint.requests)
    if row not in FIRST:
        return
    fake_endpoint.reply = lambda request, number: GOOD
    asked = len(fake_endpoint.requests)
    assert main(command) == 0
    assert len(fake_endpoint.requests) - asked == 24 - good
    assert [record["status"] for record in read_lines(tmp_path / "samples.jsonl")].count("ok") == 24
