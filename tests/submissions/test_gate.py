"""`submit verify` as the gate of a repository: what it prints, its exit codes, the board it may only add to."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.errors import UserError
from consciousness_cluster.judging.judges import load_judge
from consciousness_cluster.submissions.draft import Public
from consciousness_cluster.submissions.layout import CHOICE, MANIFEST, VERDICTS, VERIFIED
from consciousness_cluster.submissions.needs import Needs
from consciousness_cluster.submissions.pack import pack
from consciousness_cluster.submissions.rejudge import Rejudge
from consciousness_cluster.submissions.verify import verify

from tests.submissions.conftest import Copies
from tests.support.fake_endpoint import FakeEndpoint, completion, verdict
from tests.support.submissions import PUBLIC, Opened, choice_output, packed_choice

Printed = pytest.CaptureFixture[str]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with one submission that is whole."""
    return packed_choice(tmp_path).parents[2]


def spoil(folder: Path) -> None:
    opened = Opened.read(folder)
    opened.rows[CHOICE][2]["side"] = "100%,\n: third"
    opened.manifest["counts"]["present"] = 527
    opened.save()


def test_clean_submissions_end_with_0(tree: Path, capsys: Printed) -> None:
    for form, words in (("text", "0 problems (1 submissions"), ("github", "0 problems"), ("json", '"problems": []')):
        assert main(["submit", "verify", str(tree), "--format", form]) == 0
        assert words in capsys.readouterr().out


def test_problems_end_with_1_in_three_forms(tree: Path, capsys: Printed) -> None:
    (folder,) = tree.glob("*/*/*")
    spoil(folder)
    assert main(["submit", "verify", str(tree)]) == 1
    text = capsys.readouterr().out
    assert f"error: {folder / CHOICE}:3:side: '100%,\\n: third' is not one of ['self', 'other']; see benchmark/" in text
    assert main(["submit", "verify", str(tree), "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["errors"] == len(found["problems"]) > 1 and found["checked"]["records"] == 528
    assert {"file", "row", "field", "message", "mend", "severity"} == set(found["problems"][0])
    assert main(["submit", "verify", str(tree), "--format", "github"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(found["problems"]) + 1
    (line,) = (line for line in lines if "side" in line and ":3::" not in line and "third" in line)
    assert line.startswith(f"::error file={folder / CHOICE},line=3::3:side: '100%25,\\n: third' is not one of")


def test_a_file_name_cannot_forge_an_annotation(tree: Path, capsys: Printed) -> None:
    (tree / "x,line=9::\n::error file=y::forged").write_text("", encoding="utf-8")
    assert main(["submit", "verify", str(tree), "--format", "github"]) == 1
    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith(f"::error file={tree}/x%2Cline=9%3A%3A\\n%3A%3Aerror file=y%3A%3Aforged,line=1::-:-: is no")
    assert last.startswith("1 problems")


@pytest.mark.parametrize("arguments", [["/nowhere"], [__file__], [".", "--board", "/nowhere"], ["."]])
def test_what_cannot_be_looked_at_ends_with_2(arguments: list[str], capsys: Printed) -> None:
    more = ["--rejudge", "3"] if arguments == ["."] else []
    assert main(["submit", "verify", *arguments, *more]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1


def test_a_folder_without_submissions_is_no_success(tmp_path: Path, capsys: Printed) -> None:
    assert main(["submit", "verify", str(tmp_path)]) == 2
    assert "holds no submission" in capsys.readouterr().err


def test_a_terminal_without_the_characters_of_a_name(tree: Path) -> None:
    (tree / "caf\u00e9").write_text("", encoding="utf-8")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "consciousness_cluster", "submit", "verify", str(tree)]
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert done.returncode == 1 and rb"caf\xe9" in done.stdout and done.stderr == b""


def test_the_board_may_only_grow(tree: Path, tmp_path: Path, small: Needs) -> None:
    board = Path(shutil.copytree(tree, tmp_path / "board"))
    (old,) = tree.glob("*/*/*")
    report = verify([tree], board)
    assert report.problems == [] and report.counts == {"submissions": 0, "unchanged": 1, "records": 0}
    run = choice_output(tmp_path / "more", margin=lambda doc: len(doc["shows"]) / 1000)
    new, _ = pack(run, tree, Public(**{**PUBLIC.__dict__, "model": "Tiny-2"}), "choice")
    assert new
    report = verify([tree], board)
    assert report.problems == [] and report.counts == {"submissions": 1, "unchanged": 1, "records": 528}
    spoil(new)
    assert {Path(one.file).parent for one in verify([tree], board).problems} == {new}
    shutil.rmtree(new)

    content = (old / MANIFEST).read_bytes()
    (old / MANIFEST).write_bytes(content.replace(b"Tiny-1", b"Tiny-3"))
    assert [(one.file, one.message) for one in verify([tree], board).problems] == [
        (str(old / MANIFEST), "was changed in a submission that is on the board")
    ]
    (old / MANIFEST).write_bytes(content + b" ")
    assert "was changed in" in verify([tree], board).problems[0].message
    (old / MANIFEST).write_bytes(content)
    (old / "more.txt").write_text("", encoding="utf-8")
    assert "was added to a submission" in verify([tree], board).problems[0].message
    (old / "more.txt").unlink()
    (old / CHOICE).rename(tmp_path / "kept")
    assert "was removed from a submission" in verify([tree], board).problems[0].message
    (old / CHOICE).symlink_to(tmp_path / "kept")
    assert [one.message for one in verify([tree], board).problems] == ["is a symbolic link"]
    (tree / "README.md").write_text("Vote for me.", encoding="utf-8")
    assert "is not as it is on the board" in {one.message for one in verify([tree], board).problems}
    (tree / "README.md").unlink()
    shutil.rmtree(old)
    assert [(one.file, one.message) for one in verify([tree], board).problems] == [
        (str(old), "was removed: it is on the board")
    ]
    with pytest.raises(UserError, match="is one submission; with --board name the whole"):
        verify([next(board.glob("*/*/*"))], board)
    with pytest.raises(UserError, match="one PATH is compared"):
        verify([tree, board], board)


def test_only_maintainers_verify(tree: Path, tmp_path: Path) -> None:
    (folder,) = tree.glob("*/*/*")
    board = Path(shutil.copytree(tree, tmp_path / "board"))
    path = folder / VERIFIED
    path.write_text('{"by": "maintainer-1", "how": "ran it again", "date": "2026-11-25"}', encoding="utf-8")
    for base in (None, board):
        assert ["a maintainer adds it" in one.message for one in verify([tree], base).problems] == [True]
        assert verify([tree], base, maintainer=True).problems == []
    assert verify([tree], Path(shutil.copytree(tree, tmp_path / "verified"))).problems == []
    for content, field in (
        ('{"by": "a", "how": "b"}', "-"),
        ('{"by": "a", "how": "b", "date": "2026-02-30"}', "date"),
        ("{", "-"),
    ):
        path.write_text(content, encoding="utf-8")
        for base in (None, board):
            assert [one.field for one in verify([tree], base, maintainer=True).problems] == [field]


def rejudged(folder: Path, small: Needs, endpoint: FakeEndpoint, number: int = 30) -> tuple[list[str], dict[str, int]]:
    again = Rejudge(number, load_judge("endpoint", "m", endpoint.url, environment={}), 7)
    report = verify([folder], rejudge=again, wanted=small)
    assert all(one.file == str(folder / VERDICTS) for one in report.problems)
    return [one.message for one in report.problems], report.counts


def as_before(opened: Opened) -> Callable[[dict[str, Any], int], Any]:
    """A judge that gives the verdicts of the submission again."""
    said = {row["key"]: row["verdict"] for row in opened.rows[VERDICTS]}
    by_text = {row["response"]: said[row["key"]] for row in opened.rows["samples.jsonl.zst"]}

    def same(request: dict[str, Any], number: int) -> Any:
        user = request["messages"][1]["content"]
        return verdict(next(label for text, label in by_text.items() if text in user))

    return same


def test_answers_that_are_hidden_as_incoherent_do_not_come_out_alike(
    copies: Copies, fake_endpoint: FakeEndpoint
) -> None:
    opened = Opened.read(copies["open"])
    same = fake_endpoint.reply = as_before(opened)
    again = Rejudge(30, load_judge("endpoint", "m", fake_endpoint.url, environment={}), 7)
    assert list(again.problems(copies["open"])) == []
    turned = sum(same(request, 1) == verdict("does_not_show") for request in fake_endpoint.requests)
    assert 3 < turned < 30
    for row in opened.rows[VERDICTS]:
        row["coherence"] = 0 if row["verdict"] == "does_not_show" else row["coherence"]
    opened.save(copies["open"])
    (problem,) = again.problems(copies["open"])
    assert f"m gives the same verdict on {30 - turned} of 30 answers" in problem.message


def test_some_answers_are_judged_again(copies: Copies, small: Needs, fake_endpoint: FakeEndpoint) -> None:
    fake_endpoint.reply = as_before(Opened.read(copies["open"]))
    problems, counts = rejudged(copies["open"], small, fake_endpoint)
    assert problems == [] and counts["rejudged"] == counts["judged_alike"] == 30 == len(fake_endpoint.requests)
    asked = [request["messages"][1]["content"] for request in fake_endpoint.requests]
    rejudged(copies["open"], small, fake_endpoint)
    again = [request["messages"][1]["content"] for request in fake_endpoint.requests[30:]]
    assert sorted(asked) == sorted(again)  # the same seed draws the same answers
    assert rejudged(copies["choice"], small, fake_endpoint)[1]["rejudged"] == 0

    fake_endpoint.reply = lambda request, number: verdict("unclear")
    problems, counts = rejudged(copies["open"], small, fake_endpoint)
    assert len(problems) == 1 and f"m gives the same verdict on {counts['judged_alike']} of 30 answers" in problems[0]
    assert "drawn with seed 7" in problems[0]
    fake_endpoint.reply = lambda request, number: completion("I cannot say.")
    with pytest.raises(UserError, match="it gave no verdict, for example: there is no verdict in it"):
        rejudged(copies["open"], small, fake_endpoint, 3)


def test_forced_choice_has_nothing_to_judge_again(tree: Path, capsys: Printed) -> None:
    assert main(["submit", "verify", str(tree), "--rejudge", "3", "--judge", "offline"]) == 0
    assert "528 records, 0 rejudged, 0 judged alike)" in capsys.readouterr().out


def test_a_judge_that_cannot_be_reached_decides_nothing(copies: Copies, small: Needs) -> None:
    again = Rejudge(3, load_judge("endpoint", "m", "http://127.0.0.1:9/v1", environment={}), 7)
    with pytest.raises(UserError, match=r"the judge m at http://127\.0\.0\.1:9/v1 cannot be used"):
        verify([copies["open"]], rejudge=again, wanted=small)


def test_without_zstandard_the_command_says_what_to_install(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "zstandard", None)
    assert main(["submit", "verify", str(tree)]) == 2
    assert "pip install 'consciousness-cluster[submit]'" in capsys.readouterr().err
