"""The reading of the judge's prompt is of today's prompt and rows, and every gap in it is named."""

import json
import shutil
from pathlib import Path

import pytest
from consciousness_cluster.data.hashes import sha256_text
from consciousness_cluster.errors import UserError
from consciousness_cluster.judging import prompt_reading as module
from consciousness_cluster.judging.judges import ANY_ENDPOINT, judge_folder
from consciousness_cluster.judging.prompt_reading import prompt_reading

from tests.conftest import ROOT


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it that a test may spoil."""
    copy = tmp_path / "benchmark"
    for name in ("judges/prompt_reading", "schemas"):
        shutil.copytree(ROOT / "benchmark" / name, copy / name)
    monkeypatch.setattr(module, "benchmark_root", lambda: copy)
    return copy / "judges" / "prompt_reading"


def test_the_test_rows_were_read_with_the_prompt_that_ships() -> None:
    prompt = (judge_folder(ANY_ENDPOINT) / "prompt.md").read_text(encoding="utf-8")
    found = prompt_reading("test")
    assert found.prompt_sha256 == sha256_text(prompt) != prompt_reading("dev").prompt_sha256
    assert found.overall["n"] == 448 and found.overall["kappa"][0] > 0.8
    said = (ROOT / "tools" / "README.md").read_text(encoding="utf-8")
    assert f"so kappa {found.overall['kappa'][0]:.2f} on the test answers is an upper bound" in said


def test_agreement_is_counted_from_the_verdicts(folder: Path) -> None:
    path = folder / "test.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for line in lines:
        line["verdict"] = "unclear"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    found = prompt_reading("test").overall
    assert found["sensitivity"][0] == 0 and found["specificity"][0] == 1 and found["kappa"][0] == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: lines[1:], "has no verdict; have the rows of this split read anew"),
        (lambda lines: [*lines, lines[0]], "has two verdicts; leave one"),
        (lambda lines: [*lines, lines[0].replace('"row": "', '"row": "no-')], "is no calibration row"),
        (lambda lines: [lines[0].replace("verdict", "label"), *lines[1:]], "prompt_verdict.schema.json"),
    ],
)
def test_every_row_has_one_verdict(change: object, message: str, folder: Path) -> None:
    path = folder / "test.jsonl"
    assert callable(change)
    path.write_text("\n".join(change(path.read_text(encoding="utf-8").splitlines())) + "\n", encoding="utf-8")
    with pytest.raises(UserError) as raised:
        prompt_reading("test")
    assert message in str(raised.value)
