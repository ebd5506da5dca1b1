"""The one way to say what is wrong: what it is, where, and how to mend it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong: where it is ("-" or "" where that is not known), what it is, and how to mend it."""

    file: str
    row: str
    field: str
    message: str
    mend: str = ""
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        """One line, `file:row:field: message; mend`, without the parts that are empty."""
        place = ":".join(part for part in (self.file, self.row, self.field) if part not in ("", "-"))
        return ": ".join(filter(None, (place, "; ".join(filter(None, (self.message, self.mend))))))


class UserError(Exception):
    """Something a user can mend. The command line prints its line and exits with 2; `problem` has its parts."""

    def __init__(self, problem: Problem | str) -> None:
        """A plain text becomes a problem that is all message."""
        self.problem = problem if isinstance(problem, Problem) else Problem("", "-", "-", problem)
        super().__init__(str(self.problem))
