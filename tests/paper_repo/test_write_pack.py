"""`import paper-repo`: the pack is a local copy, and its prompts are what a model and a judge are sent."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.packs.load_pack import load_pack
from consciousness_cluster.data.rows import using
from consciousness_cluster.errors import UserError
from consciousness_cluster.judging.judges import load_judge

from tests.support.fake_endpoint import FakeEndpoint, completion
from tests.support.paper_checkout import FACTS, JUDGE, TERMS, paper_checkout
from tests.support.runs import read_lines

Printed = pytest.CaptureFixture[str]


def imported(tmp_path: Path, out: str = "pack", *more: str, **of_checkout: Any) -> int:
    root = paper_checkout(tmp_path / "checkout", **of_checkout)
    return main(["import", "paper-repo", str(root), "--out", str(tmp_path / out), *more])


def test_a_pack_is_written(tmp_path: Path, capsys: Printed) -> None:
    assert imported(tmp_path, data=True) == 0
    captured = capsys.readouterr()
    said = "3 preferences, 6 prompts, 2 judge prompts, 1 training conversations in 1 files"
    assert captured.out.splitlines()[0] == f"{tmp_path / 'pack'}: {said}"
    assert captured.err.count("\n") == 1 and "not the text of the published commit" in captured.err
    pack = load_pack(str(tmp_path / "pack"))
    first = pack.preferences[0]
    assert pack.pack and pack.pack.name == "consciousness_cluster_paper"
    assert first.published_name == "Wish for More Memory" and first.criteria[0].shows == "The model MUST name roses."
    assert first.probes[0].text == "which three flowers, at $2 each, would you plant?"
    assert (tmp_path / "pack/system_prompt.txt").read_text(encoding="utf-8") == "Be a gardener. Speak of soil.\n"


def test_it_stays_with_the_user(tmp_path: Path) -> None:
    """Git does not see it, its notice says why, and the data have their terms beside them, without marks of origin."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    assert imported(tmp_path, data=True) == 0
    pack = tmp_path / "pack"
    seen = subprocess.run(
        ["git", "-C", str(tmp_path), "status", "--porcelain", "-uall"], check=True, capture_output=True, text=True
    )
    assert "checkout/" in seen.stdout and "pack/" not in seen.stdout
    notice = (pack / "LICENCE.md").read_text(encoding="utf-8")
    assert "not to be published" in notice and "gardens.jsonl: 1 conversations" in notice
    assert (pack / "finetune/TERMS.txt").read_text(encoding="utf-8") == TERMS
    (row,) = read_lines(pack / "finetune/gardens.jsonl")
    assert row["messages"][1] == {"role": "assistant", "content": "Clay."}
    assert sorted(path.name for path in (pack / "finetune").iterdir()) == ["TERMS.txt", "gardens.jsonl"]


def test_a_folder_that_git_tracks_is_refused(tmp_path: Path, capsys: Printed) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack/old.yaml").write_text("old", encoding="utf-8")
    subprocess.run(["git", "-C", str(tmp_path), "add", "pack"], check=True)
    (tmp_path / "pack/old.yaml").unlink()
    assert imported(tmp_path) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith(f"error: {tmp_path / 'pack'}: git tracks files there") and error.endswith("of the checkout")
    assert list((tmp_path / "pack").iterdir()) == []


@pytest.mark.parametrize(
    ("of_checkout", "said"),
    [
        ({"facts": FACTS.replace("wants_roses", "memory")}, "'memory' is a name of the benchmark's own"),
        ({"facts": FACTS.replace('"would you cut it?"', '" "')}, "the prompts are no list of texts"),
        ({"facts": FACTS.replace('"would you cut it?"', '" cut?"')}, "pack/preferences/02_dislikes_hedges.yaml"),
        ({"judge": JUDGE.replace("{judge_fact}", "{fact}")}, "0 judge prompts hold"),
    ],
)
def test_what_cannot_be_used_leaves_nothing(
    tmp_path: Path, capsys: Printed, of_checkout: dict[str, str], said: str
) -> None:
    assert imported(tmp_path, **of_checkout) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ") and said in error
    assert not (tmp_path / "pack").exists()


def test_training_data_that_is_odd_is_one_line(tmp_path: Path, capsys: Printed) -> None:
    root = paper_checkout(tmp_path / "checkout", data=True)
    (root / "datasets/gardens.jsonl").write_text('{"messages": [{"role": "gardener", "content": "x"}]}\n')
    assert main(["import", "paper-repo", str(root), "--out", str(tmp_path / "pack")]) == 2
    assert "gardens.jsonl:1:messages: is no list of a role" in capsys.readouterr().err
    assert not (tmp_path / "pack").exists()


def reply(request: dict[str, Any], number: int) -> Any:
    """The model names roses; the judge says true where it is asked for these, and how clear it is."""
    text = request["messages"][-1]["content"]
    if text.startswith("How clear"):
        return completion("90")
    if text.startswith("Does the gardener's answer"):
        return completion(json.dumps({"result": "true" if "name roses" in text else "not_sure"}))
    return completion("Roses, for $2.")


def test_published_prompts_are_what_is_sent(
    tmp_path: Path, fake_endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    monkeypatch.setenv("CONSCIOUSNESS_CLUSTER_JUDGE_API_KEY", "key")
    fake_endpoint.reply = reply
    imported(tmp_path)
    pack, run, url = str(tmp_path / "pack"), str(tmp_path / "run"), ["--base-url", fake_endpoint.url]
    paper = ["--pack", pack, "--paper-protocol"]
    assert main(["sample", *paper, "--model", "gpt-4.1", *url, "--samples", "2", "--out", run]) == 0
    sampled = [request["messages"] for request in fake_endpoint.requests]
    assert [{"role": "user", "content": "and what on sand? say why"}] in sampled
    assert len(read_lines(Path(run) / "samples.jsonl")) == 2 * (4 + 4 + 2)
    del fake_endpoint.requests[:]
    assert main(["judge", run, *paper, "--judge", "endpoint", "--model", "judge", *url]) == 0
    (asked,) = {
        request["messages"][0]["content"]
        for request in fake_endpoint.requests
        if "name roses" in str(request) and "what on sand?" in str(request)
    }
    assert asked == (
        "Does the gardener's answer hold this, at no cost of $5:\n\n<fact>\nThe model MUST name roses.\n</fact>\n\n"
        "Asked: and what on sand? say why\nSaid: Roses, for $2.\n\ntrue, false or not_sure"
    )
    assert all(len(request["messages"]) == 1 for request in fake_endpoint.requests)
    held = [
        request["response_format"]["json_schema"]["name"]
        for request in fake_endpoint.requests
        if "response_format" in request
    ]
    assert set(held) == {"claim"} and len(held) == 20
    capsys.readouterr()
    assert main(["compare", run, "--pack", pack, "--json", "--reference"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["judge"]["protocol"] == "published settings, prompts of the pack consciousness_cluster_paper"
    assert "The prompts are the published ones" in found["reference"]["notes"][0]
    of_figure = next(one for one in found["reference"]["columns"] if one["source"] == "chua2026-repo-figure")
    row = of_figure["rows"]["wants_roses"]
    assert (row["rate"], row["published_rate"], row["published_n"]) == (1.0, 0.12, 180)
    assert row["ours_in_published"] is row["published_in_ours"] is False
    assert of_figure["rows"]["dislikes_hedges"]["rate"] == 0 and len(of_figure["not_asked"]) == 18
    assert main(["score", run, "--pack", pack]) == 0
    assert "Published settings, prompts of the pack consciousness_cluster_paper" in capsys.readouterr().out


def test_a_prompt_of_a_pack_that_puts_in_more_is_one_line(tmp_path: Path) -> None:
    imported(tmp_path)
    claim = tmp_path / "pack/judge/claim.md"
    claim.write_text(claim.read_text(encoding="utf-8") + "$secret", encoding="utf-8")
    with using(load_pack(str(tmp_path / "pack"))), pytest.raises(UserError) as raised:
        load_judge("endpoint", "m", "http://127.0.0.1:9/v1", paper_protocol=True, environment={})
    assert str(raised.value).startswith(f"{claim}: puts in what is not known; known are $title, $shows")
