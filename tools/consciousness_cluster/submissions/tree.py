"""The folders of a submissions tree. Nothing is followed, nothing but plain files is opened."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.submissions.layout import SUBMISSION
from consciousness_cluster.submissions.problems import Found, problem
from consciousness_cluster.submissions.zstd import Unreadable

LEVELS = ("<org>__<model>", "<condition>", "<run id>")
TOP = ("README.md",)  # what may stand beside the submissions
LINKS = "put the file itself there"


def _kind(path: Path) -> str:
    """What stands at a path: `file`, `folder`, or what it should not be."""
    status = path.lstat()
    if stat.S_ISDIR(status.st_mode):
        return "folder"
    if not stat.S_ISREG(status.st_mode):
        return "a symbolic link" if stat.S_ISLNK(status.st_mode) else "a special file"
    return "file" if status.st_nlink == 1 else "a hard link"


def _entries(folder: Path) -> list[tuple[str, str]]:
    """(name, kind) of what a folder holds. Raises OSError."""
    return [(name, _kind(folder / name)) for name in sorted(os.listdir(folder))]  # noqa: PTH208 (names, also odd ones)


def plain_files(folder: Path) -> tuple[list[str], list[tuple[str, Found]]]:
    """Names of the plain files of a submission, and (name, problem) of whatever else is there."""
    names: list[str] = []
    found: list[tuple[str, Found]] = []
    for name, kind in _entries(folder):
        if kind == "file":
            names.append(name)
        elif kind == "folder":
            found.append((name, ("-", "-", "is a folder inside of a submission", "remove it")))
        else:
            found.append((name, ("-", "-", f"is {kind}", LINKS)))
    return names, found


def _below(folder: Path, level: int) -> Iterator[Path | Problem]:
    try:
        entries = _entries(folder)
    except OSError as error:
        yield problem(str(folder), "-", "-", f"cannot be read ({error.strerror})", "mend its permissions")
        return
    for name, kind in entries:
        path = folder / name
        if kind not in ("file", "folder"):
            yield problem(str(path), "-", "-", f"is {kind}", LINKS)
        elif kind == "file":
            if level or name not in TOP:
                message = f"is no part of a submission, whose folder is {'/'.join(LEVELS)}"
                yield problem(str(path), "-", "-", message, "remove it")
        elif level == len(LEVELS) - 1:
            yield path
        else:
            yield from _below(path, level + 1)


def read_tree(root: Path) -> tuple[list[Path], list[Problem]]:
    """The folders of all submissions at `root` (a tree of them, or one submission's own folder), and problems.

    UserError where there is no such folder.
    """
    try:
        kind = _kind(root)
        single = kind == "folder" and (root / SUBMISSION) in root.iterdir()
    except OSError as error:
        raise UserError(f"{root}: cannot be read ({error.strerror}); name a folder of submissions") from None
    if kind == "file":
        raise UserError(f"{root}: is a file; name a folder of submissions, or the folder of one")
    if kind != "folder":
        return [], [problem(str(root), "-", "-", f"is {kind}", "put the folder itself there")]
    found = [root] if single else list(_below(root, 0))
    return [one for one in found if isinstance(one, Path)], [one for one in found if isinstance(one, Problem)]


def open_plain(path: Path, most: int) -> BinaryIO:
    """Open a plain file of at most so many bytes. Raises Unreadable."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise Unreadable(f"cannot be read ({error.strerror})") from None
    status = os.fstat(file)
    reason = None
    if not stat.S_ISREG(status.st_mode):
        reason = "is no plain file"
    elif status.st_size > most:
        reason = f"has more than {most:,} bytes"
    if reason:
        os.close(file)
        raise Unreadable(reason)
    return os.fdopen(file, "rb")


def read_plain(path: Path, most: int) -> bytes:
    """The bytes of such a file."""
    with open_plain(path, most) as file:
        return file.read(most + 1)
