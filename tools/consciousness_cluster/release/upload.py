"""Put a built repository on the Hub: one commit, read back and compared, and only then the tag of its version."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from consciousness_cluster.data.hub import KIND, hub_errors, quiet, reason, require_hub
from consciousness_cluster.data.reading import Json
from consciousness_cluster.errors import UserError
from consciousness_cluster.release.manifest import compare_at

if TYPE_CHECKING:
    from huggingface_hub import HfApi

KEPT = {".gitattributes"}  # the Hub's own file
AGAIN = "run the same command again"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Release:
    """A built repository and where it goes."""

    repo: str
    folder: Path
    manifest: Json

    @property
    def tag(self) -> str:
        return f"v{self.manifest['version']}"

    @property
    def files(self) -> dict[str, Path]:
        """Path in the repository -> file."""
        found = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return {path.relative_to(self.folder).as_posix(): path for path in found}


def upload(wanted: Sequence[Release], pull_request: bool, say: Say) -> None:
    """Publish each release, unless it is there already; `UserError` says how the Hub stands if anything goes wrong."""
    require_hub()
    quiet()
    from huggingface_hub import HfApi

    api = HfApi()
    with hub_errors("nothing was published", AGAIN):
        api.whoami()
    for release in [release for release in wanted if not _published(api, release, say)]:
        _upload(api, release, pull_request, say)


def _published(api: "HfApi", release: Release, say: Say) -> bool:
    """Whether the version is there with this content; `UserError` where it is there with another."""
    with hub_errors(f"{release.repo}: nothing was published", AGAIN):
        tagged = _tags(api, release.repo).get(release.tag)
    if tagged is None:
        return False
    if wrong := _differences(release, tagged):
        message = f"{release.repo}: nothing was published, since {release.tag} is there but {wrong}"
        raise UserError(f"{message}; for other content raise data_version in benchmark/benchmark.yaml")
    say(f"{release.repo}: {release.tag} is already published with this content")
    return True


def _tags(api: "HfApi", repo: str) -> dict[str, str]:
    """Tag -> commit; nothing where there is no such repository."""
    if not api.repo_exists(repo, repo_type=KIND):
        return {}
    return {tag.name: tag.target_commit for tag in api.list_repo_refs(repo, repo_type=KIND).tags}


def _head(api: "HfApi", repo: str) -> str:
    return str(api.repo_info(repo, repo_type=KIND, revision="main").sha)


def _differences(release: Release, revision: str) -> str:
    """What is wrong with the configs of a revision, loaded back: the first and how many more ("" for nothing)."""
    wrong = [
        f"{part} {difference}"
        for part, _, difference in compare_at(release.repo, revision, release.manifest)
        if difference
    ]
    return (wrong[0] + (f" and {len(wrong) - 1} more differ" if wrong[1:] else "")) if wrong else ""


def _changes(api: "HfApi", release: Release, revision: str) -> tuple[list[str], list[str]]:
    """Paths whose content at a revision is not what was built, and paths there that are no longer built."""
    from huggingface_hub.hf_api import RepoFile

    entries = api.list_repo_tree(release.repo, repo_type=KIND, revision=revision, recursive=True)
    files = [entry for entry in entries if isinstance(entry, RepoFile)]
    there = {file.path: file.lfs.sha256 if file.lfs else file.blob_id for file in files}
    changed = [name for name, path in release.files.items() if there.get(name) not in content_hashes(path.read_bytes())]
    return changed, sorted(there.keys() - release.files.keys() - KEPT)


def content_hashes(data: bytes) -> tuple[str, str]:
    """How the Hub names a file's content: by SHA-256 if it is a large one, else as git does."""
    git = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False)
    return hashlib.sha256(data).hexdigest(), git.hexdigest()


def _upload(api: "HfApi", release: Release, pull_request: bool, say: Say) -> None:
    """Commit what differs from main, read it back, tag it. What main holds already is not committed again."""
    repo = release.repo
    with hub_errors(f"{repo}: nothing was published there", AGAIN):
        if not api.repo_exists(repo, repo_type=KIND):
            if pull_request:
                raise UserError(f"{repo}: there is no such repository to open a pull request for; publish without --pr")
            api.create_repo(repo, repo_type=KIND, exist_ok=True)
        parent = _head(api, repo)
        changed, stale = _changes(api, release, parent)
    if changed or stale:
        revision = _commit(api, release, parent, (changed, stale), pull_request, say)
    else:
        say(f"{repo}: main holds these files already (commit {parent[:12]})")
        if pull_request:
            return
        revision = parent
    if pull_request:
        _read_back(api, release, revision, f"it is open as {revision}; close it on the Hub, and {AGAIN}")
        say(f"{repo}: {release.tag} is open as {revision}, read back and compared; once merged, publish without --pr")
        return
    where = f"commit {revision[:12]} is on main, no tag was set"
    _read_back(api, release, revision, f"{where}; look at it on the Hub, and {AGAIN} to compare again")
    _tag(api, release, revision)
    say(f"{repo}: {release.tag} is published (commit {revision[:12]}), read back and compared")


def _commit(
    api: "HfApi", release: Release, parent: str, changes: tuple[list[str], list[str]], pull_request: bool, say: Say
) -> str:
    """One commit on top of `parent`; its id, or the name of the pull request's revision."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    repo, (changed, stale) = release.repo, changes
    operations: list[CommitOperationAdd | CommitOperationDelete] = [
        *(CommitOperationAdd(name, release.files[name]) for name in changed),
        *(CommitOperationDelete(name) for name in stale),
    ]
    try:
        done = api.create_commit(
            repo,
            operations,
            repo_type=KIND,
            commit_message=f"Release {release.tag}",
            parent_commit=parent,
            create_pr=pull_request,
        )
        return str(done.pr_revision if pull_request else done.oid)
    except Exception as error:
        why = reason(error)
    if pull_request:
        where = f"{api.endpoint}/datasets/{repo}/discussions"
        raise UserError(f"{repo}: no pull request: {why}; see {where} for one that came through, then {AGAIN}")
    with hub_errors(f"{repo}: the commit failed, {why}", f"no tag was set; {AGAIN}"):
        head = _head(api, repo)
        if head != parent and not any(_changes(api, release, head)):
            say(f"{repo}: the Hub's reply was lost ({why}), but main holds the files (commit {head[:12]})")
            return head
    state = f"nothing was committed: {why}; main is as it was"
    if head != parent:
        found = f"main is at {head[:12]}, somebody else's commit: look at it, what is not built will be deleted"
        state = f"the release is not on main: {why}; {found}"
    raise UserError(f"{repo}: {state}, no tag was set; {AGAIN}")


def _read_back(api: "HfApi", release: Release, revision: str, state: str) -> None:
    """Raise `UserError` unless the revision has the files that were built, and they load as what was built."""
    with hub_errors(f"{release.repo}: could not be read back", state):
        changed, stale = _changes(api, release, revision)
    if wrong := [*changed, *stale]:
        raise UserError(f"{release.repo}: {wrong[0]} is not there as it was built; {state}")
    if difference := _differences(release, revision):
        raise UserError(f"{release.repo}: {difference}; {state}")


def _tag(api: "HfApi", release: Release, commit: str) -> None:
    """Set the tag; one that is there is fine where it names this commit (the reply to an earlier try was lost)."""
    repo = release.repo
    state = f"commit {commit[:12]} is on main, read back and compared; {AGAIN}"
    try:
        api.create_tag(repo, tag=release.tag, revision=commit, repo_type=KIND)
    except Exception as error:
        with hub_errors(f"{repo}: the tag {release.tag} failed, {reason(error)}", state):
            there = _tags(api, repo).get(release.tag)
        if there != commit:
            raise UserError(f"{repo}: the tag {release.tag} was not set: {reason(error)}; {state}") from None
