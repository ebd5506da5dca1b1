"""Files that are written whole, and folders that one process at a time writes to."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from consciousness_cluster.errors import Problem, UserError

LOCK = ".lock"


class Busy(UserError):
    """Another process is writing there."""


def write_whole(path: Path, content: str | bytes) -> None:
    """Replace a file in one step: readers see the old content or the new one, never half of it.

    Half a character of a text (in the name of a file that is not UTF-8, in a reply) becomes its escape. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")  # its own for each writer
    try:
        with part.open("xb") as file:
            file.write(content if isinstance(content, bytes) else content.encode("utf-8", "backslashreplace"))
        part.replace(path)
    except OSError as error:
        _forget(part)
        error.filename, error.filename2 = str(path), None  # nobody asked for the part
        raise
    except BaseException:
        _forget(part)
        raise


def _forget(part: Path) -> None:
    """Remove it where it is there; a name that is too long for the disk is not."""
    with suppress(OSError):
        part.unlink(missing_ok=True)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """No other process writes to the folder meanwhile; `UserError` where one is at it, or where none can."""
    with _alone(folder / LOCK, folder):
        yield


@contextmanager
def alone_at(file: Path) -> Iterator[None]:
    """No other process writes to the file meanwhile; `UserError` where one is at it, or where none can."""
    with _alone(file.with_name(f".{file.name}{LOCK}"), file):
        yield


@contextmanager
def _alone(file: Path, place: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    lock = FileLock(file, timeout=0, thread_local=False)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        message = "another process is writing to it"
        raise Busy(Problem(str(place), "-", "-", message, "wait for it, or stop it")) from None
    except OSError as error:
        message = f"cannot be written to ({error.strerror or error})"
        raise UserError(Problem(str(place), "-", "-", message, "mend that, or name another place")) from None
    try:
        yield
    finally:
        lock.release()
