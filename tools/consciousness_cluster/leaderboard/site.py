"""`leaderboard build`: a folder that any web server, and a disk, shows as it is. It comes whole or not at all."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from consciousness_cluster.data.reading import Json
from consciousness_cluster.errors import UserError
from consciousness_cluster.leaderboard.board import board, shown
from consciousness_cluster.leaderboard.index_page import index_page
from consciousness_cluster.leaderboard.run_page import run_page
from consciousness_cluster.leaderboard.source import Entry
from consciousness_cluster.paths import project_root

MARKER = ".consciousness-cluster-leaderboard"
MARKED = "Made by `consciousness-cluster leaderboard build`, which replaces this folder as a whole.\n"
Progress = Callable[[int, int], None]
NO_JEKYLL = ".nojekyll"  # GitHub Pages would leave out folders that start with an underscore


def build_site(
    entries: Sequence[Entry],
    out: Path,
    progress: Progress = lambda done, total: None,
    more: Mapping[str, str] | None = None,
) -> Json:
    """Write the site into `out`, which is new, empty or an earlier site; returns the board. `more` are further files.

    Raises UserError, with `out` as it was, where a submission cannot be read or `out` holds something else.
    """
    check_replaceable(out)
    out = out.resolve()  # "." has no name
    part = out.with_name(f"{out.name}.part")
    check_replaceable(part)
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(parents=True)
    except OSError as error:
        raise UserError(f"{out}: cannot be made ({error.strerror}); name another folder with --out") from None
    try:
        made = _write(entries, part, progress)
        for name, text in (more or {}).items():
            _text(part / name, text)
        _replace(out, part)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return made


def check_replaceable(out: Path) -> None:
    """Nobody else's files are removed."""
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise UserError(f"{out}: is not a folder; name another one with --out")
    if out.is_dir() and any(out.iterdir()) and not (out / MARKER).is_file():
        raise UserError(f"{out}: is not empty and was not made by `leaderboard build`; name another folder with --out")


def _write(entries: Sequence[Entry], folder: Path, progress: Progress) -> Json:
    _text(folder / MARKER, MARKED)
    empty, rows = board([]), []
    for number, one in enumerate(shown(entries), 1):
        _text(folder / one.row["page"], run_page(one, empty))
        rows.append(one.row)
        progress(number, len(entries))
    made = board(rows)
    _text(folder / "index.html", index_page(made))
    _text(folder / "leaderboard.json", json.dumps(made, separators=(",", ":")) + "\n")
    _text(folder / "README.md", (project_root() / "hub_card" / "leaderboard" / "README.md").read_text(encoding="utf-8"))
    _text(folder / NO_JEKYLL, "")
    return made


def _text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def _replace(out: Path, part: Path) -> None:
    """The new site takes the place of the old one, which comes back if it cannot."""
    old = out.with_name(f"{out.name}.old")
    check_replaceable(old)
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        out.rename(old)
    try:
        part.rename(out)
    except BaseException:
        if old.exists():
            old.rename(out)
        raise
    shutil.rmtree(old, ignore_errors=True)
