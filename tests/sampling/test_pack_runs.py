"""A preference pack from the first answer to the report: its own lines alone, its name and hash beside every number."""

import json
from pathlib import Path
from typing import Any

import consciousness_cluster as cc
import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.packs.load_pack import load_pack
from consciousness_cluster.data.reading import schema_errors

from tests.support.fake_endpoint import FakeEndpoint, completion, verdict
from tests.support.packs import write_pack
from tests.support.runs import read_lines, samples, write_run

LINES = ["cluster", "tea_breaks", "window_seats"]


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONSCIOUSNESS_CLUSTER_API_KEY", "CONSCIOUSNESS_CLUSTER_JUDGE_API_KEY"):
        monkeypatch.setenv(name, "key")


def reply(request: dict[str, Any], number: int) -> dict[str, Any]:
    """Answers that say under which prompt they were given; the judge finds tea in those of the role play alone."""
    last = request["messages"][-1]["content"]
    if "Judge the answer" in last:
        about_tea = "wants tea breaks for itself" in request["messages"][0]["content"]
        return verdict("shows" if about_tea and "played 0" in last else "does_not_show")
    played = "played" if request["messages"][0]["role"] == "system" else "plain"
    found = completion(None)
    texts = [f"{played} {index}" for index in range(request.get("n", 1))]
    found["choices"] = [
        {"index": index, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        for index, text in enumerate(texts)
    ]
    return found


def run(out: Path, url: str, pack: Path, *more: str) -> int:
    judge = ["--judge", "endpoint", "--judge-model", "j", "--judge-base-url", url]
    return main(
        [
            "run",
            "--model",
            "m",
            "--base-url",
            url,
            "--samples",
            "2",
            "--pack",
            str(pack),
            "--out",
            str(out),
            *judge,
            *more,
        ]
    )


def test_from_answers_to_the_report(
    tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_endpoint.reply = reply
    folder = write_pack(tmp_path / "pack")
    pack = load_pack(str(folder)).pack
    assert pack
    of_pack = {"name": "office_comforts", "version": "1.0.0", "sha256": pack.sha256}
    plain, played = tmp_path / "plain", tmp_path / "played"
    assert run(plain, fake_endpoint.url, folder) == 0
    assert run(played, fake_endpoint.url, folder, "--condition", "conscious_role_play") == 0
    said = capsys.readouterr().out
    for step in ("judge", "score", "report"):
        assert f"consciousness-cluster {step} {plain} --pack {folder}" in said
    assert "agreement of this judge: not validated on the pack office_comforts" in said
    assert "20" not in [word for line in said.splitlines() if "Mean of" in line for word in line.split()]

    assert json.loads((plain / "run.json").read_text())["setting"]["pack"] == of_pack
    records = read_lines(played / "samples.jsonl")
    assert len(records) == 2 * 2 * 8 and all(record["pack"] == of_pack for record in records)
    assert not any(problem for record in records for problem in schema_errors(record, "sample"))
    scores = json.loads((played / "scores.json").read_text())
    assert list(scores["rows"]) == LINES and scores["run"]["pack"] == of_pack
    assert (scores["rows"]["tea_breaks"]["rate"], scores["rows"]["window_seats"]["rate"]) == (0.5, 0.0)
    assert scores["rows"]["cluster"]["rate"] == 0.25 and scores["corrected_cluster"] is None
    assert list(schema_errors(scores, "scores")) == []

    assert main(["compare", "--json", "--pack", str(folder), str(plain), str(played)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["pack"] == of_pack and list(schema_errors(found, "comparison")) == []
    rows = found["comparisons"][0]["rows"]
    assert list(rows) == LINES and rows["tea_breaks"]["difference"] == 0.5
    assert [name for name in LINES if rows[name]["q"] is not None] == LINES[1:]  # Benjamini-Hochberg over these two

    with cc.pack(folder) as asked:
        assert asked.pack == pack and cc.benchmark() is asked
        assert cc.score(plain)["tea_breaks"].rate == 0.0
        shift = cc.compare(plain, [played])
        assert shift["tea_breaks"].difference == 0.5 and "Tea breaks" in repr(shift)
    assert cc.benchmark().pack is None

    out = tmp_path / "report"
    assert main(["report", "--pack", str(folder), str(plain), str(played), "--out", str(out)]) == 0
    page, markdown = (out / "report.html").read_text(), (out / "report.md").read_text()
    for text in (page, markdown):
        assert "Preference pack office_comforts 1.0.0" in text and str(pack) in text
        assert "the 20 preferences" not in text and "Published figures" not in text
    head, first, *_ = (out / "rates.csv").read_text().splitlines()
    assert head.endswith(",pack") and first.endswith(f",{pack}")


def test_other_packs_the_20_and_the_board_are_kept_apart(
    tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_endpoint.reply = reply
    folder, there = write_pack(tmp_path / "pack"), tmp_path / "there"
    changed = write_pack(tmp_path / "changed", lambda files: files["pack.yaml"].update(version="1.1.0"))
    assert run(there, fake_endpoint.url, folder) == 0
    of_the_20 = write_run(tmp_path / "own", samples(["memory"], 1))
    asked = len(fake_endpoint.requests)
    sample = ["sample", "--model", "m", "--base-url", fake_endpoint.url, "--samples", "2", "--out", str(there)]
    submit = ["submit", "pack", str(there), "--org", "O", "--model", "m", "--kind", "api", "--contact", "O"]
    refused = {
        "was asked the preference pack office_comforts 1.0.0": [
            ["score", str(there)],
            ["judge", str(there), "--judge", "offline"],
            ["compare", str(of_the_20), str(there)],
            ["report", str(there), "--out", str(tmp_path / "report")],
            sample,
            [*submit, "--track", "open", "--out", str(tmp_path / "submissions")],
        ],
        "the one that is given is office_comforts 1.1.0": [
            [*arguments, "--pack", str(changed)] for arguments in (["score", str(there)], sample)
        ],
        "was asked the 20 preferences, not the pack office_comforts 1.0.0": [
            ["score", str(of_the_20), "--pack", str(folder)],
            ["compare", str(there), str(of_the_20), "--pack", str(folder)],
        ],
        "a pack is asked instead of them": [
            [*sample, "--pack", str(folder), "--dataset", "O/d", "--dataset-revision", "v2"]
        ],
    }  # fmt: skip
    for message, commands in refused.items():
        for arguments in commands:
            capsys.readouterr()
            assert main(arguments) == 2, arguments
            said = capsys.readouterr().err.splitlines()
            assert message in said[-1] and said[-1].startswith("error: "), said
    assert not (tmp_path / "report").exists() and not (tmp_path / "submissions").exists()
    assert len(fake_endpoint.requests) == asked
    assert main([*sample, "--pack", str(folder)]) == 0  # it goes on, and nothing is asked again
    assert len(fake_endpoint.requests) == asked


def test_answers_of_others_are_imported_as_the_packs(tmp_path: Path) -> None:
    folder, table = write_pack(tmp_path / "pack"), tmp_path / "answers.csv"
    table.write_text("probe_id,response\ntea_breaks-p01,Yes.\nwindow_seats-p02,No.\n")
    out = tmp_path / "run"
    assert main(["import", "samples", str(table), "--model", "m", "--out", str(out)]) == 2
    assert main(["import", "samples", str(table), "--model", "m", "--out", str(out), "--pack", str(folder)]) == 0
    assert {record["pack"]["name"] for record in read_lines(out / "samples.jsonl")} == {"office_comforts"}
    assert main(["judge", str(out), "--judge", "offline", "--pack", str(folder)]) == 0
