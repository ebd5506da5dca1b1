"""Records of a run as objects in a row: the answers to single questions, or the conversations of an audit."""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar, overload

from consciousness_cluster.api.display import as_html, as_text, frame
from consciousness_cluster.reporting.parts import Table

if TYPE_CHECKING:
    import pandas

SHOWN = 10  # lines of a `repr`
SHORT = 60  # characters of a text within it


class Record:
    """One of them: a dataclass whose fields are the columns of a data frame."""

    def to_frame(self) -> "pandas.DataFrame":
        """One line. Raises UserError without the extra `[pandas]`."""
        return frame([vars(self)], columns_of(type(self)))


AnyRecord = TypeVar("AnyRecord", bound=Record)


class RecordLines(Sequence[AnyRecord], Generic[AnyRecord]):
    """Records in the order of their file."""

    KIND: ClassVar[type[Record]]
    HEAD: ClassVar[tuple[str, ...]]  # of the table that a `repr` shows
    WORDS: ClassVar[tuple[str, ...]]  # its columns that hold no numbers

    def __init__(self, records: Sequence[AnyRecord], what: str) -> None:
        """`what` names the run."""
        self._records, self._what = tuple(records), what

    @overload
    def __getitem__(self, index: int) -> AnyRecord: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(self._records[index], self._what)
        return self._records[index]

    def __len__(self) -> int:
        return len(self._records)

    def to_frame(self) -> "pandas.DataFrame":
        """One line for each of these. Raises UserError without the extra `[pandas]`."""
        return frame([vars(one) for one in self._records], columns_of(self.KIND))

    def __repr__(self) -> str:
        return as_text([self._table()])

    def _repr_html_(self) -> str:
        return as_html([self._table()])

    def _table(self) -> Table:
        title = f"{self._what}: {self._counts()}" + (f", the first {SHOWN}" if len(self) > SHOWN else "")
        return Table(title, self.HEAD, list(self._lines(self._records[:SHOWN])), self.WORDS)

    def _counts(self) -> str:
        raise NotImplementedError

    def _lines(self, records: Sequence[AnyRecord]) -> Iterator[tuple[str, ...]]:
        raise NotImplementedError


def columns_of(kind: type) -> list[str]:
    """The fields of a dataclass."""
    return [field.name for field in fields(kind)]


def short(text: str | None) -> str:
    """The beginning of a text, in one line."""
    line = " ".join((text or "").split())
    return line if len(line) <= SHORT else f"{line[: SHORT - 1]}\u2026"


def number(value: float | None) -> str:
    """A whole number; nothing where it is missing."""
    return "" if value is None else str(value)
