"""`submit open-pr` against a fake Hub: one pull request, read back; whatever goes wrong is one line."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from consciousness_cluster.cli.main import main

from tests.support.fake_hub import ATTRIBUTES, TOKEN, FakeHub, Repo, small
from tests.support.hub_client import Done, client
from tests.support.submissions import packed_choice

NUMBERS = count()


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A submission to the choice track."""
    return packed_choice(tmp_path_factory.mktemp("packed"))


@pytest.fixture
def board() -> Iterator[tuple[FakeHub, str]]:
    """The fake Hub, and a results repository of this test alone."""
    hub, repo = client().hub, f"board-{next(NUMBERS)}/consciousness-cluster-results"
    hub.repos[repo] = Repo()
    hub.repos[repo].add("main", {".gitattributes": small(ATTRIBUTES)})
    hub.log.clear()
    yield hub, repo
    hub.behave()


def send(path: Path, repo: str, token: str = TOKEN) -> Done:
    return client().run(main, ["submit", "open-pr", str(path), "--repo", repo], token=token)


def one_line(done: Done) -> str:
    assert done.code == 2 and "Traceback" not in done.error and TOKEN not in done.error + done.out, done.error
    (line,) = (line for line in done.error.splitlines() if line.startswith("error: "))
    return line


def test_a_submission_is_one_pull_request_with_its_files(packed: Path, board: tuple[FakeHub, str]) -> None:
    hub, repo = board
    head = hub.head(repo)
    done = send(packed, repo)
    assert (done.code, done.error) == (0, "") and f"{repo}: open as refs/pr/1 (http" in done.out
    there = hub.files(repo, "refs/pr/1")
    folder = "submissions/" + "/".join(packed.parts[-3:])
    assert {f"{folder}/{path.name}": path.read_bytes() for path in packed.iterdir()}.items() <= there.items()
    assert set(there) == {".gitattributes", f"{folder}/submission.json", f"{folder}/choice.jsonl.zst"}
    assert hub.head(repo) == head, "only a maintainer merges"

    hub.repos[repo].refs["main"] = hub.repos[repo].refs["refs/pr/1"]
    assert "is on the board already" in one_line(send(packed, repo))


def test_what_does_not_verify_is_not_sent(packed: Path, board: tuple[FakeHub, str], tmp_path: Path) -> None:
    hub, repo = board
    spoiled = tmp_path.joinpath(*packed.parts[-3:])
    spoiled.mkdir(parents=True)
    for path in packed.iterdir():
        (spoiled / path.name).write_bytes(path.read_bytes())
    manifest = (spoiled / "submission.json").read_text(encoding="utf-8")
    (spoiled / "submission.json").write_text(manifest.replace('"choice"', '"open"', 1), encoding="utf-8")
    done = send(spoiled, repo)
    assert done.code == 1 and "nothing was sent" in done.error and hub.log == []


def test_each_refusal_is_one_line_that_says_what_to_do(packed: Path, board: tuple[FakeHub, str]) -> None:
    hub, repo = board
    wrong = "hf_another_token_that_must_not_be_printed"
    done = send(packed, repo, token=wrong)
    assert "the Hub refuses the token" in one_line(done) and wrong not in done.error + done.out
    assert "there is no such repository" in one_line(send(packed, "nobody/nothing"))
    assert "write it as ORG/consciousness-cluster-results" in one_line(send(packed, "nothing"))
    for fault, said in ((403, "may not do this"), ("cut", "the connection was cut"), (412, "committed meanwhile")):
        hub.faults["commit"] = [fault]
        error = one_line(send(packed, repo))
        assert said in error and "/discussions for one that came through" in error
        assert set(hub.repos[repo].refs) == {"main"}
    assert send(packed, repo).code == 0


def test_what_the_hub_stored_wrong_is_found(packed: Path, board: tuple[FakeHub, str]) -> None:
    hub, repo = board

    def damage() -> None:
        there = hub.repos[repo]
        files = {path: small(file.data[:-1]) for path, file in there.commits[there.refs["refs/pr/1"]].items()}
        there.add("refs/pr/1", files)

    hub.faults["tree"] = [None, damage]
    error = one_line(send(packed, repo))
    assert "is not there as it was sent; it is open as refs/pr/1; close it on the Hub" in error
