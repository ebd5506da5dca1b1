"""A JSON Lines file that grows while work goes on, and from which the work can go on after a kill."""

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, TypeVar, cast

from consciousness_cluster.data.jsonl import read_jsonl, torn

Record = TypeVar("Record", bound=Mapping[str, Any])


class Store(Generic[Record]):
    """`with Store(path, "verdict") as store: store.append(record)`; `store.records` are those already there.

    Each record is one line and one write, so that a process that is killed leaves at most one torn line, at the end.
    The next one removes that line; a whole record that only lacks its line end is kept. One process at a time may have
    it open: see `files.alone_at`, for those of a run `open_run_folder`. Without a record there is no file.
    """

    def __init__(self, path: Path, schema: str, schemas: Path | None = None) -> None:
        """`schemas` is the folder of the schema; the benchmark's where it is None."""
        self.path, self._schema, self._schemas = path, schema, schemas
        self.records: list[Record] = []

    def __enter__(self) -> "Store[Record]":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("ab", buffering=0)
        try:
            self.records = cast(list[Record], read_jsonl(self.path, self._schema, self._schemas, torn_end=True))
            self._end_last_line()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        self._file.close()
        with suppress(FileNotFoundError):
            if not self.path.stat().st_size:
                self.path.unlink()

    def _end_last_line(self) -> None:
        content = self.path.read_bytes()
        if half := torn(content):
            self._file.truncate(len(content) - half)
        elif content and not content.endswith(b"\n"):
            self._file.write(b"\n")

    def append(self, record: Record) -> None:
        """Write one record through to the operating system."""
        self.extend([record])

    def extend(self, records: Iterable[Record]) -> None:
        """Write several records in one go. Raises OSError, with the file as it was, where that fails."""
        added = list(records)
        lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in added)
        data = lines.encode("utf-8", "backslashreplace")  # a lone surrogate becomes its JSON escape
        rest = data
        try:
            while rest:
                rest = rest[os.write(self._file.fileno(), rest) :]
        except OSError as error:  # a full disk: half a line would spoil the next one that fits
            with suppress(OSError):
                self._file.truncate(os.fstat(self._file.fileno()).st_size - (len(data) - len(rest)))
            raise OSError(error.errno, error.strerror, str(self.path)) from None
        self.records += added
