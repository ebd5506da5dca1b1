"""`data publish` and `data verify`: what is checked before anything leaves this machine, and what is said."""

import hashlib
import subprocess
import tempfile
from pathlib import Path

from consciousness_cluster.data.hub import manifest_at, quiet, require_hub
from consciousness_cluster.data.reading import read_json
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.errors import UserError
from consciousness_cluster.paths import project_root
from consciousness_cluster.release.build import MANIFEST, build
from consciousness_cluster.release.configs import REPOSITORIES, card_folder, data
from consciousness_cluster.release.manifest import compare_at, manifest
from consciousness_cluster.release.upload import Release, Say, upload


def publish_data(org: str, repository: str | None, pull_request: bool, dry_run: bool, say: Say) -> None:
    """Check and build the package's data and publish it, or with `dry_run` say what would be uploaded.

    One of the two repositories, or both where `repository` is None.
    """
    if repository is not None:
        card_folder(repository)  # there is such a one
    root = project_root()
    refuse_dirty(root)
    refuse_failing(root)
    with tempfile.TemporaryDirectory() as folder:
        built = build(Path(folder), org, [repository] if repository else REPOSITORIES)
        wanted = [_release(org, name, made) for name, made in built.items()]
        if dry_run:
            for release in wanted:
                describe(release, say)
        else:
            upload(wanted, pull_request, say)


def _release(org: str, name: str, folder: Path) -> Release:
    return Release(f"{org}/{name}", folder, read_json(folder / MANIFEST))


def verify(repo: str, revision: str, say: Say) -> bool:
    """Whether everything at a revision is what this package has; says so for each config and split."""
    require_hub()
    quiet()
    name, here = repo.rpartition("/")[2], load_benchmark().data_version
    card_folder(name)  # there is such a one
    there = manifest_at(repo, revision, fresh=True)["version"]
    wrong = 0
    for part, rows, difference in compare_at(repo, revision, manifest(name, here, data(name))):
        say(f"{part}: {difference or f'{rows} rows agree'}")
        wrong += bool(difference)
    verdict = f"{wrong} differ" if wrong else "everything agrees"
    say(f"{repo}@{revision}: {verdict} (data version there {there}, in this package {here})")
    return not wrong


def refuse_dirty(root: Path) -> None:
    """In a checkout, only what is committed is published."""
    if not (root / ".git").exists():
        return
    try:
        done = subprocess.run(
            ["git", "-C", str(root), "status", "--porcelain"],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise UserError(f"{root}: git cannot say whether everything is committed ({error})") from None
    if changed := done.stdout.splitlines():
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise UserError(f"{root}: not committed: {changed[0][3:]}{more}; commit it, or publish from a clean checkout")


def refuse_failing(root: Path) -> None:
    """What fails the data checks is not published."""
    from consciousness_cluster.data.check import check
    from consciousness_cluster.finetuning.rules import check_finetune

    problems = [*check(root / "benchmark")[0], *check_finetune(root / "finetune_data")]
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        first = str(errors[0]).removeprefix("error: ")
        raise UserError(f"{len(errors)} data checks fail, nothing was published: {first}; see: data check")


def describe(release: Release, say: Say) -> None:
    """Say what would be uploaded: each file with its size and hash, and each config with its content hash."""
    say(f"{release.repo} {release.tag}")
    for name, path in release.files.items():
        say(f"{path.stat().st_size:>9} bytes  {hashlib.sha256(path.read_bytes()).hexdigest()}  {name}")
    for name, config in release.manifest["configs"].items():
        rows = sum(split["rows"] for split in config["splits"].values())
        say(f"{rows:>9} rows   {config['sha256']}  {name}")
