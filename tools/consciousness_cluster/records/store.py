"""A JSON Lines file that grows while work goes on, and from which the work can go on after a kill."""

import fcntl
import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from consciousness_cluster.data.jsonl import read_jsonl
from consciousness_cluster.data.rows import benchmark_root, schemas
from consciousness_cluster.errors import UserError

Record = dict[str, Any]


def read_records(path: Path, schema: str, torn_end: bool = False) -> list[Record]:
    """All records of a file, valid by the benchmark's schema of that name; see `read_jsonl` for `torn_end`."""
    return read_jsonl(path, schema, schemas(benchmark_root()), torn_end)


class Store:
    """`with Store(path, "verdict") as store: store.append(record)`; `store.records` are those already there.

    Each record is one line and one write, so that a process that is killed leaves at most one torn line, at the end.
    The next one removes that line. A lock keeps two processes from doing the same work.
    """

    def __init__(self, path: Path, schema: str, folder: Path | None = None) -> None:
        """`folder` holds the schemas; the benchmark's where it is None."""
        self.path, self.schema, self._schemas = path, schema, folder or schemas(benchmark_root())
        self.records: list[Record] = []

    def __enter__(self) -> "Store":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._file)
            raise UserError(f"{self.path}: another process is writing to it; wait for it or stop it") from None
        try:
            self._drop_torn_line()
            self.records = read_jsonl(self.path, self.schema, self._schemas)
        except BaseException:
            os.close(self._file)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)

    def _drop_torn_line(self) -> None:
        content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.ftruncate(self._file, whole)

    def append(self, record: Mapping[str, Any]) -> None:
        """Write one record through to the operating system."""
        self.extend([record])

    def extend(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Write several records in one go."""
        added = [dict(record) for record in records]
        lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in added)
        data = lines.encode("utf-8", "backslashreplace")  # a lone surrogate becomes its JSON escape
        before = os.fstat(self._file).st_size
        try:
            while data:
                data = data[os.write(self._file, data) :]
        except OSError as error:  # a full disk: half a line would spoil the next one that fits
            with suppress(OSError):
                os.ftruncate(self._file, before)
            raise OSError(error.errno, error.strerror, str(self.path)) from None
        self.records += added


def write_whole(path: Path, text: str) -> None:
    """Replace a file in one step: readers see the old content or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
