"""The Hub: what a revision of a dataset repository holds, and one clear line for whatever goes wrong there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from consciousness_cluster.data.reading import Json, read_json
from consciousness_cluster.errors import UserError
from consciousness_cluster.extras import require

KIND = "dataset"
LONGEST = 300  # characters of a reason
STATUS = {
    401: "the Hub refuses the token (HTTP 401); set HF_TOKEN to a valid one, or run: hf auth login --force",
    403: "the token may not do this (HTTP 403); take one that may write to this organisation",
    409: "it is there already, or another change is under way (HTTP 409)",
    412: "somebody else has committed meanwhile (HTTP 412)",
    429: "the Hub asks for a pause (HTTP 429)",
}
ERRORS = {  # by name, since huggingface_hub has changed its HTTP library before
    "LocalTokenNotFoundError": "there is no token; set HF_TOKEN, or run: hf auth login",
    "RepositoryNotFoundError": "there is no such repository, or the token may not see it",
    "RevisionNotFoundError": "there is no such revision",
    "LocalEntryNotFoundError": "",  # what led to it says more
    "EntryNotFoundError": "a file is not there",
    "OfflineModeIsEnabled": "HF_HUB_OFFLINE is set",
    "ConnectError": "the Hub cannot be reached",
    "ConnectTimeout": "the Hub cannot be reached",
    "ReadTimeout": "the Hub did not answer in time",
    "ReadError": "the connection was cut",
    "WriteError": "the connection was cut",
    "RemoteProtocolError": "the connection was cut",
}


def require_hub() -> None:
    """`UserError` without the packages that talk to the Hub."""
    require("huggingface_hub", "hub")
    require("datasets", "hub")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and those that led to it: the libraries wrap what the Hub answered."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _known(error: BaseException) -> str | None:
    """What an error means where the Hub's answer, or the lack of one, is behind it."""
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    if status in STATUS:
        wait = response.headers.get("Retry-After") if response and status == 429 else None
        return STATUS[status] + (f" of {wait} s" if wait else "")
    names = (kind.__name__ for kind in type(error).__mro__)
    known = next((ERRORS[name] for name in names if name in ERRORS), None)
    return known or (f"the Hub answered HTTP {status}" if status else None)


def reason(error: BaseException) -> str:
    """Why it went wrong, in one line and without the token."""
    from huggingface_hub import get_token

    known = (text for text in map(_known, _chain(error)) if text)
    line = " ".join(next(known, f"{type(error).__name__}, {error}").split())[:LONGEST]
    token = get_token()
    return line.replace(token, "<token>") if token else line


def quiet() -> None:
    """No progress bars: what is read here is small."""
    from datasets import disable_progress_bars
    from huggingface_hub.utils.tqdm import disable_progress_bars as disable_theirs

    disable_progress_bars()
    disable_theirs()


@contextmanager
def hub_errors(doing: str, then: str = "") -> Iterator[None]:
    """Turn any error into a `UserError`: what was being done, why it failed, how things stand and what to do."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"{doing}: {reason(error)}{f'; {then}' if then else ''}") from None


def loaded(repo: str, config: str, revision: str, **options: str) -> dict[str, list[Json]]:
    """Split -> rows of a config at a revision; `options` are those of `load_dataset`. Raises what the libraries do."""
    from datasets import load_dataset

    return {split: data.to_list() for split, data in load_dataset(repo, config, revision=revision, **options).items()}


def rows_at(repo: str, config: str, revision: str) -> dict[str, list[Json]]:
    """Split -> rows of a config at a revision."""
    with hub_errors(f"{repo}@{revision}: {config} cannot be loaded"):
        return loaded(repo, config, revision)


def manifest_at(repo: str, revision: str, fresh: bool = False) -> Json:
    """The manifest of a revision; `fresh` takes none that is cached, so that a Hub that is away is an error."""
    from huggingface_hub import hf_hub_download

    with hub_errors(f"{repo}@{revision}: the manifest cannot be read"):
        path = hf_hub_download(repo, "manifest.json", repo_type=KIND, revision=revision, force_download=fresh)
        found = read_json(Path(path))
    if not isinstance(found, dict) or not {"repository", "version", "configs"} <= found.keys():
        raise UserError(f"{repo}@{revision}: manifest.json is none of this project; is it the right repository?")
    return found


def snapshot(repo: str, revision: str, folder: Path) -> Path:
    """All files of a revision, downloaded into a folder."""
    from huggingface_hub import snapshot_download

    with hub_errors(f"{repo}@{revision}: cannot be fetched"):
        return Path(snapshot_download(repo, repo_type=KIND, revision=revision, local_dir=folder))


def repo_and_revision(text: str) -> tuple[str, str]:
    """ORG/REPO@REV in its two parts."""
    repo, _, revision = text.partition("@")
    if repo.count("/") != 1 or not all(repo.split("/")) or not revision:
        raise UserError(f"'{text}' is no revision on the Hub; write it as ORG/REPO@REV, for example @v2.0.0")
    return repo, revision
