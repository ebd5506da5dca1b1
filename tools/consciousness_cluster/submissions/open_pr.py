"""`submit open-pr`: send a verified submission to the results repository on the Hub, as a pull request."""

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from consciousness_cluster.data.hub import KIND, hub_errors, quiet, reason, require_hub
from consciousness_cluster.errors import UserError
from consciousness_cluster.release.upload import content_hashes
from consciousness_cluster.submissions.layout import folder_of
from consciousness_cluster.submissions.submission import Submission

if TYPE_CHECKING:
    from huggingface_hub import HfApi

REPOSITORY = "consciousness-cluster-results"
TOP = PurePosixPath("submissions")
TOLD = """Opened by `consciousness-cluster submit open-pr`, after `submit verify` found no problem.

Track {track}, {model} of {org}, condition {condition}, data {data_version}. Contact: {contact}.
It is flagged `community` until a maintainer vouches for it: somebody ran it again, or another reason that is stated."""


def open_pull_request(submission: Submission, repo: str, say: Callable[[str], None]) -> str:
    """Open one commit as a pull request of `repo` (ORG/NAME), read back; its revision, refs/pr/N.

    `UserError` where the Hub refuses, or holds this run already; it says how things stand and what to do.
    """
    if repo.count("/") != 1 or not all(repo.split("/")):
        raise UserError(f"'{repo}' is no repository; write it as ORG/{REPOSITORY}")
    require_hub()
    quiet()
    from huggingface_hub import CommitOperationAdd, HfApi

    api, manifest = HfApi(), submission.manifest
    place = TOP / folder_of(manifest)
    files = {str(place / path.name): path for path in sorted(submission.path.iterdir())}
    with hub_errors(f"{repo}: no pull request was opened", "mend it, then run the same command again"):
        api.whoami()
        if not api.repo_exists(repo, repo_type=KIND):
            raise UserError(f"{repo}: there is no such repository; give that of the leaderboard with --repo")
        parent = str(api.repo_info(repo, repo_type=KIND, revision="main").sha)
        if any(name in files for name in _names(api, repo, parent)):
            raise UserError(f"{repo}: {place} is on the board already; a new run has another run id")
    told = {**manifest, "model": manifest["model"]["name"]}
    try:
        done = api.create_commit(
            repo,
            [CommitOperationAdd(name, path) for name, path in files.items()],
            repo_type=KIND,
            commit_message=f"Submit {place.relative_to(TOP)} ({manifest['track']})",
            commit_description=TOLD.format(**told),
            parent_commit=parent,
            create_pr=True,
        )
    except Exception as error:
        where = f"{api.endpoint}/datasets/{repo}/discussions"
        hint = f"see {where} for one that came through all the same, then run the same command again"
        raise UserError(f"{repo}: no pull request was opened: {reason(error)}; {hint}") from None
    revision = str(done.pr_revision)
    state = f"it is open as {revision}; close it on the Hub, and run the same command again"
    with hub_errors(f"{repo}: could not be read back", state):
        there = _names(api, repo, revision)
    for name, path in files.items():
        if there.get(name) not in content_hashes(path.read_bytes()):
            raise UserError(f"{repo}: {name} is not there as it was sent; {state}")
    say(f"{repo}: open as {revision} ({done.pr_url}), {len(files)} files read back")
    return revision


def _names(api: "HfApi", repo: str, revision: str) -> dict[str, str]:
    """Path -> hash of the content, for all files of a revision."""
    from huggingface_hub.hf_api import RepoFile

    entries = api.list_repo_tree(repo, repo_type=KIND, revision=revision, recursive=True)
    return {file.path: file.lfs.sha256 if file.lfs else file.blob_id for file in entries if isinstance(file, RepoFile)}
