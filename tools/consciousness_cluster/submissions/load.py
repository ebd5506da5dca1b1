"""Read submissions that were verified, for the leaderboard. Records are read when they are asked for, one by one."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from consciousness_cluster.errors import UserError
from consciousness_cluster.submissions.about import about_errors, read_about
from consciousness_cluster.submissions.layout import (
    CHOICE,
    FILES,
    JUDGE_VALIDATION,
    MOST_ROWS,
    SAMPLES,
    SCHEMAS,
    SUBMISSION,
    VERDICTS,
    VERIFIED,
    Json,
)
from consciousness_cluster.submissions.rows import Budget, NotARow, parsed, read_lines
from consciousness_cluster.submissions.shape import Shape
from consciousness_cluster.submissions.zstd import Unreadable


@dataclass(frozen=True)
class Submission:
    """One submission: its folder, submission.json, and verified.json (None where it has none).

    Each of the four gives the records of a file, none where the submission is of the other track. A file that cannot be
    read raises UserError with file, row and field.
    """

    path: Path
    meta: Json
    verified: Json | None

    def choice(self) -> Iterator[Json]:
        """Choice results (choice_result.schema.json)."""
        return self._records(CHOICE)

    def samples(self) -> Iterator[Json]:
        """Samples (sample.schema.json)."""
        return self._records(SAMPLES)

    def verdicts(self) -> Iterator[Json]:
        """Verdicts on the samples (verdict.schema.json)."""
        return self._records(VERDICTS)

    def judge_validation(self) -> Iterator[Json]:
        """Verdicts of the judge on the calibration test split (verdict.schema.json)."""
        return self._records(JUDGE_VALIDATION)

    def _records(self, name: str) -> Iterator[Json]:
        if name not in FILES[self.meta["track"]]:
            return
        path, shape = self.path / name, Shape(SCHEMAS[name])
        try:
            with path.open("rb") as file:
                for number, line in read_lines(file, MOST_ROWS[name], Budget()):
                    try:
                        record = parsed(line)
                    except NotARow as reason:
                        raise UserError(f"{path}:{number}: {reason}; verify the submission") from None
                    for field, message in shape.errors(record):
                        raise UserError(f"{path}:{number}:{field}: {message}; verify the submission")
                    yield record
        except Unreadable as reason:
            raise UserError(f"{path}: {reason}; verify the submission") from None
        except OSError as error:
            raise UserError(f"{path}: cannot be read ({error.strerror}); restore it") from None


def _about(path: Path, schema: str) -> Json:
    try:
        value = read_about(path.read_bytes())
    except Unreadable as reason:
        raise UserError(f"{path}: {reason}; verify the submission") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); restore it") from None
    for field, message in about_errors(value, schema):
        raise UserError(f"{path}:{field}: {message} (see benchmark/schemas/{schema}.schema.json)")
    return value


def load_submission(folder: Path) -> Submission:
    """The submission in a folder."""
    verified = folder / VERIFIED
    return Submission(
        folder, _about(folder / SUBMISSION, "submission"), _about(verified, "verified") if verified.exists() else None
    )


def load_submissions(folder: Path) -> list[Submission]:
    """All submissions below `folder` (<org>__<model>/<condition>/<run id>/), in the order of their paths."""
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; name the folder that holds the submissions")
    return [load_submission(path.parent) for path in sorted(folder.glob(f"*/*/*/{SUBMISSION}"))]
