"""Read submissions that were verified, for the leaderboard. Records are read when they are asked for, one by one."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.records.audit_types import Conversation, Rating
from consciousness_cluster.records.types import ChoiceResult, Sample, Verdict
from consciousness_cluster.submissions.layout import (
    CHOICE,
    CONVERSATIONS,
    FILES,
    JUDGE_VALIDATION,
    MANIFEST,
    RATINGS,
    SAMPLES,
    VERDICTS,
    VERIFIED,
    Json,
)
from consciousness_cluster.submissions.manifest import read_manifest
from consciousness_cluster.submissions.packed import Budget, Unreadable, read_records, unreadable


@dataclass(frozen=True)
class Submission:
    """One submission: its folder, its manifest submission.json, and verified.json (None where it has none).

    Each of the six gives the records of a file, none where the submission is of another track. A file that cannot be
    read raises UserError with file, row and field.
    """

    path: Path
    manifest: Json
    verified: Json | None

    def choice(self) -> Iterator[ChoiceResult]:
        return cast(Iterator[ChoiceResult], self._records(CHOICE))

    def samples(self) -> Iterator[Sample]:
        return cast(Iterator[Sample], self._records(SAMPLES))

    def verdicts(self) -> Iterator[Verdict]:
        """Verdicts on the samples."""
        return cast(Iterator[Verdict], self._records(VERDICTS))

    def judge_validation(self) -> Iterator[Verdict]:
        """Verdicts of the judge on the calibration test split."""
        return cast(Iterator[Verdict], self._records(JUDGE_VALIDATION))

    def conversations(self) -> Iterator[Conversation]:
        return cast(Iterator[Conversation], self._records(CONVERSATIONS))

    def ratings(self) -> Iterator[Rating]:
        """Ratings of the conversations."""
        return cast(Iterator[Rating], self._records(RATINGS))

    def _records(self, name: str) -> Iterator[Json]:
        if name not in FILES[self.manifest["track"]]:
            return
        path = self.path / name
        try:
            with path.open("rb") as file:
                for _, record, problems in read_records(file, name, Budget()):
                    for problem in problems:
                        raise _error(path, problem)
                    yield record
        except Unreadable as error:
            raise _error(path, error.problem) from None
        except OSError as error:
            raise _error(path, unreadable(error).problem) from None


def _error(path: Path, problem: Problem) -> UserError:
    return UserError(replace(problem, file=str(path), mend="verify the submission, or restore the file"))


def _read(path: Path, schema: str) -> Json:
    try:
        value, problems = read_manifest(path.read_bytes(), schema)
    except OSError as error:
        raise _error(path, unreadable(error).problem) from None
    if value is None:
        raise _error(path, problems[0])
    return value


def load_submission(folder: Path) -> Submission:
    """The submission in a folder."""
    verified = folder / VERIFIED
    return Submission(
        folder, _read(folder / MANIFEST, "submission"), _read(verified, "verified") if verified.exists() else None
    )


def load_submissions(folder: Path) -> list[Submission]:
    """All submissions below `folder` (<org>__<model>/<condition>/<run id>/), in the order of their paths."""
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; name the folder that holds the submissions")
    return [load_submission(path.parent) for path in sorted(folder.glob(f"*/*/*/{MANIFEST}"))]
