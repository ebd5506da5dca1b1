"""The folders of a submissions tree. Nothing is followed, nothing but plain files is opened."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.submissions.layout import MANIFEST
from consciousness_cluster.submissions.packed import Unreadable, unreadable
from consciousness_cluster.submissions.problems import of_file, whole

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
    """(name, kind) of what a folder holds. Raises Unreadable."""
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208 (names, also odd ones)
        return [(name, _kind(folder / name)) for name in names]
    except OSError as error:
        raise Unreadable(unreadable(error).problem.message, "mend its permissions") from None


def plain_files(folder: Path) -> tuple[list[str], dict[str, Problem]]:
    """Names of the plain files of a submission, and name -> problem of whatever else is there. Raises Unreadable."""
    names: list[str] = []
    odd: dict[str, Problem] = {}
    for name, kind in _entries(folder):
        if kind == "file":
            names.append(name)
        elif kind == "folder":
            odd[name] = whole("is a folder inside of a submission", "remove it")
        else:
            odd[name] = whole(f"is {kind}", LINKS)
    return names, odd


def _below(folder: Path, level: int) -> Iterator[Path | Problem]:
    try:
        entries = _entries(folder)
    except Unreadable as error:
        yield from of_file(folder, [error.problem])
        return
    for name, kind in entries:
        path = folder / name
        if kind not in ("file", "folder"):
            yield from of_file(path, [whole(f"is {kind}", LINKS)])
        elif kind == "file":
            if level or name not in TOP:
                message = f"is no part of a submission, whose folder is {'/'.join(LEVELS)}"
                yield from of_file(path, [whole(message, "remove it")])
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
        single = kind == "folder" and (root / MANIFEST) in root.iterdir()
    except OSError as error:
        raise UserError(f"{root}: cannot be read ({error.strerror}); name a folder of submissions") from None
    if kind == "file":
        raise UserError(f"{root}: is a file; name a folder of submissions, or the folder of one")
    if kind != "folder":
        return [], list(of_file(root, [whole(f"is {kind}", "put the folder itself there")]))
    found = [root] if single else list(_below(root, 0))
    return [one for one in found if isinstance(one, Path)], [one for one in found if isinstance(one, Problem)]


def open_plain(path: Path, most: int) -> BinaryIO:
    """Open a plain file of at most so many bytes. Raises Unreadable."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise unreadable(error) from None
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
        try:
            return file.read(most + 1)
        except OSError as error:
            raise unreadable(error) from None
