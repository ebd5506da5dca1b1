"""Publishing to a fake Hub: one commit, read back, tagged; whatever goes wrong leaves the tag unset and says so."""

import json
import subprocess
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.errors import UserError
from consciousness_cluster.release.configs import REPOSITORIES, configs
from consciousness_cluster.release.manifest import manifest
from consciousness_cluster.release.publish import refuse_dirty
from consciousness_cluster.release.upload import Release, upload

from tests.conftest import ROOT
from tests.support.fake_hub import TOKEN
from tests.support.hub_client import Client, Done, client
from tests.support.released import ORG, command, copy_of_the_data, released

ROWS = {
    "first": {
        "train": [
            {"id": "a", "text": "Grüße, Ada", "said": [{"role": "user", "content": "Hello?"}], "facet": None},
            {"id": "b", "text": "plain and long", "said": [{"role": "user", "content": "Bye?"}], "facet": "x"},
        ]
    },
    "second": {"test": [{"id": "c", "score": 0.1}], "dev": [{"id": "d", "score": 2.0}]},
}
NUMBERS = count()
Data = dict[str, dict[str, list[dict[str, Any]]]]


def built(folder: Path, data: Data = ROWS, version: str = "1.0.0") -> Path:
    """A folder as a build leaves it, with rows enough to be told from others."""
    import pyarrow as pa
    from pyarrow import parquet

    card = ["---", "configs:"]
    for name, splits in data.items():
        (folder / name).mkdir(parents=True)
        card += [f"- config_name: {name}", f"  default: {str(name == next(iter(data))).lower()}", "  data_files:"]
        for split, rows in splits.items():
            parquet.write_table(pa.Table.from_pylist(rows), folder / name / f"{split}-00000-of-00001.parquet")
            card += [f"  - split: {split}", f"    path: {name}/{split}-*.parquet"]
    (folder / "README.md").write_text("\n".join([*card, "---", "# A card", ""]), encoding="utf-8")
    text = json.dumps(manifest("thing", version, data))
    (folder / "manifest.json").write_text(text, encoding="utf-8")
    return folder


def publish_folders(folders: dict[str, Path], pull_request: bool) -> None:
    """What the command does once everything is built: repository -> folder."""
    wanted = [
        Release(repo, folder, json.loads((folder / "manifest.json").read_text(encoding="utf-8")))
        for repo, folder in folders.items()
    ]
    upload(wanted, pull_request, print)


class Shelf:
    """A repository of this test alone, and a folder that is published to it."""

    def __init__(self, client: Client, name: str, folder: Path) -> None:
        self.client, self.hub = client, client.hub
        self.repo, self.folder = f"{name}/thing", folder

    def publish(self, folder: Path | None = None, pull_request: bool = False, token: str = TOKEN) -> Done:
        self.hub.log.clear()
        return self.client.run(publish_folders, {self.repo: folder or self.folder}, pull_request, token=token)

    @property
    def tags(self) -> dict[str, str]:
        return self.hub.repos[self.repo].tags

    @property
    def head(self) -> str:
        return self.hub.head(self.repo)

    @property
    def commits(self) -> int:
        """How many there are beside the one that the Hub makes."""
        return len(self.hub.repos[self.repo].commits) - 1

    def asked(self, method: str) -> list[str]:
        return [line for line in self.hub.log if line.startswith(method)]


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    found = client()
    yield Shelf(found, f"org-{next(NUMBERS)}", built(tmp_path / "built"))
    found.hub.behave()


def one_line(done: Done) -> str:
    """The error of a run that failed as it should."""
    assert done.code == 2, done.error
    errors = [line for line in done.error.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and "Traceback" not in done.error, done.error
    assert done.error.splitlines()[-1] == errors[0] and TOKEN not in done.error + done.out
    return errors[0]


def test_one_commit_that_is_read_back_and_then_tagged(shelf: Shelf) -> None:
    done = shelf.publish()
    assert (done.code, done.error) == (0, "")
    assert done.out == f"{shelf.repo}: v1.0.0 is published (commit {shelf.head[:12]}), read back and compared\n"
    assert shelf.commits == 1 and shelf.tags == {"v1.0.0": shelf.head}
    there = shelf.hub.files(shelf.repo)
    here = {path.relative_to(shelf.folder).as_posix(): path.read_bytes() for path in shelf.folder.rglob("*.*")}
    assert there.pop(".gitattributes") and there == here and len(here) == 5
    after = shelf.hub.log[shelf.hub.log.index(f"POST /api/datasets/{shelf.repo}/commit/main") :]
    assert after[-1] == f"POST /api/datasets/{shelf.repo}/tag/{shelf.head}"
    assert sum(line.startswith("GET /lfs/") for line in after) == 3, "each file has to be downloaded again"

    again = shelf.publish()
    assert (again.code, again.out) == (0, f"{shelf.repo}: v1.0.0 is already published with this content\n")
    assert shelf.commits == 1 and shelf.asked("POST") == shelf.asked("PUT") == []
    assert sum(line.startswith("GET /lfs/") for line in shelf.hub.log) == 3, "a cached file proves nothing"


def test_a_version_is_never_published_with_other_content(shelf: Shelf, tmp_path: Path) -> None:
    assert shelf.publish().code == 0
    head = shelf.head
    other = {**ROWS, "second": {**ROWS["second"], "dev": [{"id": "d", "score": 2.5}]}}
    error = one_line(shelf.publish(built(tmp_path / "other", other)))
    assert "v1.0.0 is there but second/dev has other content" in error and "raise data_version" in error
    assert shelf.head == head and shelf.asked("POST") == []


def test_the_next_version_deletes_what_is_no_longer_built(shelf: Shelf, tmp_path: Path) -> None:
    assert shelf.publish().code == 0
    first = shelf.head
    assert shelf.publish(built(tmp_path / "next", {"first": ROWS["first"]}, "1.1.0")).code == 0
    assert set(shelf.tags) == {"v1.0.0", "v1.1.0"} and shelf.tags["v1.0.0"] == first
    assert set(shelf.hub.files(shelf.repo)) == {
        ".gitattributes",
        "README.md",
        "manifest.json",
        "first/train-00000-of-00001.parquet",
    }
    assert "second/dev-00000-of-00001.parquet" in shelf.hub.files(shelf.repo, "v1.0.0")
    assert shelf.asked("PUT") == [], "what the Hub holds is not uploaded again"


def test_somebody_commits_in_between(shelf: Shelf) -> None:
    def meddle() -> None:
        shelf.hub.commit(shelf.repo, "notes.md", b"mine")

    shelf.hub.faults["commit"] = [meddle]
    error = one_line(shelf.publish())
    assert "the release is not on main: somebody else has committed meanwhile (HTTP 412)" in error
    assert f"main is at {shelf.head[:12]}, somebody else's commit: look at it" in error and "no tag was set" in error
    assert "notes.md" in shelf.hub.files(shelf.repo) and shelf.commits == 1 and shelf.tags == {}
    assert shelf.publish().code == 0
    assert "notes.md" not in shelf.hub.files(shelf.repo) and shelf.tags == {"v1.0.0": shelf.head}


def test_an_upload_that_fails_halfway(shelf: Shelf) -> None:
    shelf.hub.faults["upload"] = [None, 403, None]
    error = one_line(shelf.publish())
    assert "nothing was committed: the token may not do this (HTTP 403)" in error and "main is as it was" in error
    assert shelf.commits == 0 and shelf.tags == {}
    # The client sends several at once, so how many of the other two have come through by then is its own affair.
    there = {key for key in shelf.hub.objects if key.startswith(f"{shelf.repo}/")}
    assert shelf.publish().code == 0 and len(there) < 3
    sent = {line.removeprefix("PUT /lfs/") for line in shelf.asked("PUT")}
    assert len(sent) == len(shelf.asked("PUT")) == 3 - len(there) and not sent & there, (
        "what is there is not sent again"
    )


# route, the fault that strikes, what is said, how many commits there are then
REFUSALS: list[tuple[str, int, str, int]] = [
    ("whoami", 429, "nothing was published: the Hub asks for a pause (HTTP 429) of 0 s", 0),
    ("create", 403, "nothing was published there: the token may not do this (HTTP 403)", 0),
    ("yaml", 500, "nothing was committed: the Hub answered HTTP 500; main is as it was, no tag was set", 0),
    ("commit", 401, "nothing was committed: the Hub refuses the token (HTTP 401)", 0),
    ("commit", 409, "nothing was committed: it is there already, or another change is under way (HTTP 409)", 0),
    ("commit", 429, "nothing was committed: the Hub asks for a pause (HTTP 429) of 0 s", 0),
    ("commit", 500, "nothing was committed: the Hub answered HTTP 500", 0),
    ("object", 404, "cannot be loaded", 1),
    ("tag", 409, "the tag v1.0.0 was not set: it is there already", 1),
    ("tag", 500, "the tag v1.0.0 was not set: the Hub answered HTTP 500", 1),
]


@pytest.mark.parametrize(("route", "status", "message", "commits"), REFUSALS)
def test_each_refusal_leaves_no_tag_and_the_next_run_mends_it(
    shelf: Shelf, route: str, status: int, message: str, commits: int
) -> None:
    shelf.hub.faults[route] = [status]
    error = one_line(shelf.publish())
    assert message in error and "run the same command again" in error
    repo = shelf.hub.repos.get(shelf.repo)
    if repo:
        assert repo.tags == {} and shelf.commits == commits
        assert ("is on main" in error) == bool(commits)
    assert shelf.publish().code == 0
    assert shelf.commits == 1 and shelf.tags == {"v1.0.0": shelf.head}


def test_a_pause_that_the_hub_asks_for_is_kept(shelf: Shelf) -> None:
    shelf.hub.faults["preupload"] = [429]
    assert shelf.publish().code == 0 and shelf.tags == {"v1.0.0": shelf.head}
    assert len([line for line in shelf.hub.log if "preupload" in line]) == 2


def test_a_connection_that_is_cut(shelf: Shelf) -> None:
    shelf.hub.faults["commit"] = ["cut"]
    error = one_line(shelf.publish())
    assert "nothing was committed: the connection was cut; main is as it was, no tag was set" in error
    shelf.hub.faults["commit"] = ["lost"]
    shelf.hub.faults["tag"] = ["cut"]
    done = shelf.publish()
    assert (
        f"the Hub's reply was lost (the connection was cut), but main holds the files (commit {shelf.head[:12]})"
        in (done.out)
    )
    assert "the tag v1.0.0 was not set: the connection was cut" in one_line(done)
    assert shelf.commits == 1 and shelf.tags == {}
    shelf.hub.faults["tag"] = ["lost"]
    done = shelf.publish()
    assert f"main holds these files already (commit {shelf.head[:12]})" in done.out and done.code == 0
    assert shelf.commits == 1 and shelf.tags == {"v1.0.0": shelf.head}
    assert shelf.asked("PUT") == [] and len(shelf.asked("POST")) == 1


SPOILED: list[tuple[Callable[[bytes], bytes], str]] = [
    (lambda data: data.replace(b"plain and long", b"plain and LONG"), "first/train has other content (2 rows"),
    (lambda data: bytes(len(data)), "first cannot be loaded"),
]


@pytest.mark.parametrize(("spoil", "message"), SPOILED, ids=["a letter", "everything"])
def test_what_the_hub_stored_wrong_is_found_before_it_is_tagged(
    shelf: Shelf, spoil: Callable[[bytes], bytes], message: str
) -> None:
    shelf.hub.spoil = spoil
    error = one_line(shelf.publish())
    assert message in error and f"commit {shelf.head[:12]} is on main, no tag was set" in error
    assert shelf.commits == 1 and shelf.tags == {}
    shelf.hub.behave()
    assert message in one_line(shelf.publish()) and shelf.tags == {}, "still spoiled"
    for path in shelf.folder.rglob("*.parquet"):
        shelf.hub.store(shelf.repo, path.read_bytes())
    assert shelf.publish().code == 0
    assert shelf.commits == 1 and shelf.tags == {"v1.0.0": shelf.head}


def test_no_token_and_a_wrong_one(shelf: Shelf) -> None:
    wrong = "hf_wrong_token_that_must_not_be_printed"
    done = shelf.publish(token=wrong)
    assert "nothing was published: the Hub refuses the token (HTTP 401); set HF_TOKEN" in one_line(done)
    assert wrong not in done.out + done.error and shelf.hub.log == ["GET /api/whoami-v2"]
    assert "nothing was published: there is no token; set HF_TOKEN" in one_line(shelf.publish(token=""))
    assert shelf.hub.log == []


def test_the_token_is_nowhere(shelf: Shelf) -> None:
    shelf.hub.faults["yaml"] = [500]
    outputs = [shelf.publish(), shelf.publish(pull_request=True), shelf.publish()]
    assert outputs[-1].code == 0
    assert all(TOKEN not in done.out + done.error for done in outputs)
    files = [path for folder in (shelf.client.home, shelf.folder) for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 5 and not any(TOKEN.encode() in path.read_bytes() for path in files)
    assert not any(TOKEN.encode() in data for data in shelf.hub.files(shelf.repo).values())


def test_a_pull_request_is_read_back_and_not_tagged(shelf: Shelf, tmp_path: Path) -> None:
    assert "there is no such repository to open a pull request for" in one_line(shelf.publish(pull_request=True))
    assert shelf.repo not in shelf.hub.repos
    assert shelf.publish().code == 0
    head, following = shelf.head, built(tmp_path / "next", {"first": ROWS["first"]}, "1.1.0")
    done = shelf.publish(following, pull_request=True)
    assert (done.code, done.error) == (0, "") and "v1.1.0 is open as refs/pr/1, read back and compared" in done.out
    assert shelf.head == head and set(shelf.tags) == {"v1.0.0"}
    assert shelf.hub.files(shelf.repo, "refs/pr/1")["manifest.json"] == (following / "manifest.json").read_bytes()
    assert any(f"{shelf.repo}/resolve/" in line for line in shelf.hub.log)

    shelf.hub.faults["commit"] = ["cut"]
    error = one_line(shelf.publish(following, pull_request=True))
    assert "no pull request: the connection was cut; see http" in error and "/discussions" in error

    shelf.hub.repos[shelf.repo].refs["main"] = shelf.hub.repos[shelf.repo].refs["refs/pr/1"]  # merged
    done = shelf.publish(following, pull_request=True)
    assert done.code == 0 and "main holds these files already" in done.out and shelf.asked("POST") == []
    assert shelf.publish(following).code == 0 and shelf.tags["v1.1.0"] == shelf.head


def test_a_pull_request_that_is_damaged(shelf: Shelf, tmp_path: Path) -> None:
    assert shelf.publish().code == 0
    shelf.hub.spoil = lambda data: data.replace(b"plain and long", b"plain and LONG")
    other = {"first": {"train": [*ROWS["first"]["train"], ROWS["first"]["train"][0]]}}
    error = one_line(shelf.publish(built(tmp_path / "next", other, "1.1.0"), pull_request=True))
    assert "first/train has other content" in error and "it is open as refs/pr/1; close it on the Hub" in error
    assert set(shelf.tags) == {"v1.0.0"}


def test_where_the_second_of_two_fails_the_next_run_does_only_that_one(shelf: Shelf, tmp_path: Path) -> None:
    second = f"{shelf.repo}-two"
    folders = {shelf.repo: shelf.folder, second: built(tmp_path / "two", {"first": ROWS["first"]})}
    shelf.hub.faults["commit"] = [None, 500]
    done = shelf.client.run(publish_folders, folders, False)
    assert f"{second}: nothing was committed: the Hub answered HTTP 500" in one_line(done)
    assert f"{shelf.repo}: v1.0.0 is published" in done.out and set(shelf.tags) == {"v1.0.0"}
    done = shelf.client.run(publish_folders, folders, False)
    assert done.code == 0 and done.out.splitlines() == [
        f"{shelf.repo}: v1.0.0 is already published with this content",
        f"{second}: v1.0.0 is published (commit {shelf.hub.head(second)[:12]}), read back and compared",
    ]


def test_a_version_with_other_content_keeps_both_from_being_published(shelf: Shelf, tmp_path: Path) -> None:
    assert shelf.publish().code == 0
    other = built(tmp_path / "other", {"first": {"train": ROWS["first"]["train"][:1]}})
    done = shelf.client.run(publish_folders, {f"{shelf.repo}-new": shelf.folder, shelf.repo: other}, False)
    assert "v1.0.0 is there but first/train has other content" in one_line(done)
    assert f"{shelf.repo}-new" not in shelf.hub.repos


def test_the_command_publishes_both_repositories_as_they_are_built() -> None:
    done, hub = released(), client().hub
    assert (done.code, done.error) == (0, "")
    claims, cluster = (f"{ORG}/{repository}" for repository in REPOSITORIES)
    first, second = done.out.splitlines()
    assert first.startswith(f"{claims}: v2.0.0 is published") and second.startswith(f"{cluster}: v2.0.0 is published")
    for repo in (claims, cluster):
        files = hub.files(repo, "v2.0.0")
        said = json.loads(files["manifest.json"])
        assert said["version"] == "2.0.0" and f"{ORG}/" in files["README.md"].decode()
        parquet = {path.split("/")[0] for path in files if path.endswith(".parquet")}
        assert parquet == set(said["configs"]) == {config.name for config in configs(said["repository"])}


def test_a_dry_run_says_what_would_be_uploaded_and_talks_to_nobody(tmp_path: Path) -> None:
    hub, root = client().hub, copy_of_the_data(tmp_path)
    hub.log.clear()
    done = client().run(
        command, root, True, "publish", "--org", "dry", "--repository", "conscious-claims", "--dry-run", token=""
    )
    assert (done.code, done.error, hub.log) == (0, "", []) and "dry/conscious-claims" not in hub.repos
    lines = [line.split() for line in done.out.splitlines()]
    assert lines[0] == ["dry/conscious-claims", "v2.0.0"] and "consciousness-cluster v" not in done.out
    assert {"README.md", "manifest.json", "toaster/train-00000-of-00001.parquet"} <= {line[-1] for line in lines}
    assert ["600", "rows"] in [line[:2] for line in lines] and all(len(line[2]) == 64 for line in lines[1:])


def test_data_that_fail_the_checks_are_not_published(tmp_path: Path) -> None:
    """Both folders are checked; where wording.yaml cannot be read, no rule takes its time."""
    root = copy_of_the_data(tmp_path)
    for folder in ("benchmark", "finetune_data"):
        (root / folder / "wording.yaml").write_text("a: [", encoding="utf-8")
    client().hub.log.clear()
    error = one_line(client().run(command, root, False, "publish", "--org", "failing"))
    assert "2 data checks fail, nothing was published: benchmark/wording.yaml" in error and error.endswith(
        "; see: data check"
    )
    assert client().hub.log == []


def test_what_is_not_committed_is_not_published(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        who = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"]
        subprocess.run(["git", "-C", str(tmp_path), *who, *arguments], check=True, capture_output=True)

    rows = tmp_path / "benchmark" / "benchmark.yaml"
    rows.parent.mkdir()
    rows.write_text("a: 1\n", encoding="utf-8")
    refuse_dirty(tmp_path)  # no checkout
    git("init")
    git("add", ".")
    git("commit", "-m", "rows")
    refuse_dirty(tmp_path)
    rows.write_text("a: 2\n", encoding="utf-8")
    (tmp_path / "stray.yaml").write_text("b: 1\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"not committed: benchmark/benchmark\.yaml and 1 more; commit it, or publish"):
        refuse_dirty(tmp_path)
    client().hub.log.clear()
    error = one_line(client().run(command, tmp_path, False, "publish", "--org", "dirty"))
    assert "not committed: benchmark/benchmark.yaml and 1 more" in error and client().hub.log == []


def test_a_repository_that_is_none_of_the_two() -> None:
    done = client().run(command, ROOT, True, "publish", "--org", "x", "--repository", "weather")
    assert "there is no dataset repository 'weather'; there are: conscious-claims, consciousness-cluster" in (
        one_line(done)
    )
