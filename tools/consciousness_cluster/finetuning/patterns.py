"""Regular expressions that stand in files as data."""

import re
from pathlib import Path

from consciousness_cluster.errors import Problem, UserError


def compiled(path: Path, row: str, entry: str) -> re.Pattern[str]:
    """The pattern of an entry; `UserError` names the file and the row where it is none."""
    try:
        return re.compile(entry)
    except re.error as error:
        message = f"'{entry}' is no regular expression ({error})"
        raise UserError(Problem(str(path), row, "-", message, "mend the pattern")) from None
