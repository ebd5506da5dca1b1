"""Check one submission: its files, every row, and every number in submission.json."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from consciousness_cluster.errors import Problem
from consciousness_cluster.submissions.about import about_errors, read_about
from consciousness_cluster.submissions.figures import choice_figures, differences, judge_figures, open_figures
from consciousness_cluster.submissions.layout import (
    ABOUT_BYTES,
    BYTES,
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
from consciousness_cluster.submissions.needs import Needs
from consciousness_cluster.submissions.problems import Found, problem, problems_of
from consciousness_cluster.submissions.rows import Budget, NotARow, parsed, read_lines
from consciousness_cluster.submissions.rules.about import about_problems, is_date
from consciousness_cluster.submissions.rules.choice import ChoiceRules
from consciousness_cluster.submissions.rules.common import PACK
from consciousness_cluster.submissions.rules.judge import kappa_problems
from consciousness_cluster.submissions.rules.samples import SampleRules
from consciousness_cluster.submissions.rules.verdicts import ValidationRules, VerdictRules, unscored
from consciousness_cluster.submissions.shape import Shape
from consciousness_cluster.submissions.tree import open_plain, plain_files, read_plain
from consciousness_cluster.submissions.zstd import Unreadable

ERRORS_OF_A_ROW = 20
NOT_YOURS = "is not for submitters to write: a maintainer adds it", "remove it (maintainers: --maintainer)"


class Rules(Protocol):
    """Rules that see the rows of a file one by one."""

    def see(self, row: str, record: Json, /) -> Iterator[Found]: ...

    def end(self) -> Iterator[Found]: ...


@dataclass
class Checked:
    """What came of checking a submission. `about` is None where submission.json cannot be used."""

    about: Json | None = None
    problems: list[Problem] = field(default_factory=list)
    records: int = 0


def _valid_about(path: Path, schema: str) -> tuple[Json | None, list[Found]]:
    try:
        value = read_about(read_plain(path, ABOUT_BYTES))
    except Unreadable as reason:
        return None, [("-", "-", str(reason), PACK)]
    except OSError as error:
        return None, [("-", "-", f"cannot be read ({error.strerror})", "restore it")]
    mend = f"see benchmark/schemas/{schema}.schema.json"
    found = [("-", place, message, mend) for place, message in about_errors(value, schema)]
    return (None if found else value), found


def verified_problems(path: Path) -> list[Found]:
    """Problems of a verified.json."""
    value, found = _valid_about(path, "verified")
    if value and not is_date(value["date"], "%Y-%m-%d"):
        found.append(("-", "date", f"{value['date']} is no day", "write the day as year-month-day"))
    return found


class _Checker:
    def __init__(self, folder: Path, needs: Needs) -> None:
        self.folder, self.needs = folder, needs
        self.checked, self.budget = Checked(), Budget()

    def add(self, name: str, found: Iterator[Found] | Sequence[Found]) -> bool:
        """Take over the problems of a file; whether there were none."""
        new = list(problems_of(str(self.folder / name), found))
        self.checked.problems += new
        return not new

    def files(self, maintainer: bool) -> list[str]:
        """The data files that are there, of those that belong to the track."""
        try:
            names, odd = plain_files(self.folder)
        except OSError as error:
            where = str(self.folder)
            message = f"cannot be read ({error.strerror})"
            self.checked.problems.append(problem(where, "-", "-", message, "mend its permissions"))
            return []
        for name, found in odd:
            self.add(name, [found])
        if SUBMISSION in names:
            self.checked.about, wrong = _valid_about(self.folder / SUBMISSION, "submission")
            self.add(SUBMISSION, wrong)
        about = self.checked.about
        wanted = FILES[about["track"]] if about else tuple(name for files in FILES.values() for name in files)
        for name in (SUBMISSION, *(wanted if about else ())):
            if name not in names and name not in dict(odd):
                self.add(name, [("-", "-", "is missing", PACK)])
        for name in names:
            if name == VERIFIED:
                found_there = verified_problems(self.folder / name) if maintainer else [("-", "-", *NOT_YOURS)]
                self.add(name, found_there)
            elif name not in (SUBMISSION, *wanted):
                self.add(name, [("-", "-", "is no file of a submission", "remove it")])
        return [name for name in wanted if name in names]

    def rows(self, name: str, rules: Rules) -> Iterator[Found]:
        about, digest, shape = self.checked.about, hashlib.sha256(), Shape(SCHEMAS[name])
        try:
            with open_plain(self.folder / name, BYTES) as file:
                for number, line in read_lines(file, MOST_ROWS[name], self.budget, digest):
                    self.checked.records += 1
                    row = str(number)
                    try:
                        record = parsed(line)
                    except NotARow as reason:
                        yield row, "-", str(reason), PACK
                        continue
                    errors = shape.errors(record)
                    for place, message in errors[:ERRORS_OF_A_ROW]:
                        yield row, place, message, f"see benchmark/schemas/{SCHEMAS[name]}.schema.json"
                    if not errors:
                        yield from rules.see(row, record)
        except Unreadable as reason:
            yield "-", "-", str(reason), PACK
            return
        except OSError as error:
            yield "-", "-", f"cannot be read ({error.strerror})", "restore it"
            return
        yield from rules.end()
        if about and digest.hexdigest() != about["files"][name]:
            yield "-", "-", f"is not the file that {SUBMISSION} has the sha256 of", PACK

    def numbers(self, **expected: Json) -> None:
        about = self.checked.about
        found = [one for name in expected for one in differences(expected[name], (about or {})[name], name)]
        self.add(SUBMISSION, [("-", place, message, PACK) for place, message in found])

    def choice(self) -> None:
        rules = ChoiceRules(self.checked.about, self.needs)
        if self.add(CHOICE, self.rows(CHOICE, rules)) and self.checked.about:
            self.numbers(counts=rules.counts(), scores=choice_figures(rules.results, self.needs))

    def open(self, there: Sequence[str]) -> None:
        about, clean = self.checked.about, set[str]()
        samples = SampleRules(about, self.needs)
        if SAMPLES in there and self.add(SAMPLES, self.rows(SAMPLES, samples)):
            clean.add(SAMPLES)
        verdicts = VerdictRules(about, self.needs, samples.samples if clean else None)
        if VERDICTS in there and self.add(VERDICTS, self.rows(VERDICTS, verdicts)):
            clean.add(VERDICTS)
        validation = ValidationRules(about, self.needs.labels)
        if JUDGE_VALIDATION in there and self.add(JUDGE_VALIDATION, self.rows(JUDGE_VALIDATION, validation)):
            clean.add(JUDGE_VALIDATION)
        if about and clean >= {SAMPLES, VERDICTS}:
            counts, scores = open_figures(samples.samples, verdicts.verdicts, samples.planned())
            if self.add(VERDICTS, unscored(scores, self.needs)):
                self.numbers(counts=counts, scores=scores)
        if about and JUDGE_VALIDATION in clean:
            figures = judge_figures(self.needs.labels, validation.given)
            self.add(SUBMISSION, kappa_problems(figures))
            self.numbers(judge={**about["judge"], **figures})


def check_submission(folder: Path, needs: Needs, maintainer: bool = False) -> Checked:
    """All problems of the submission in a folder."""
    checker = _Checker(folder, needs)
    there = checker.files(maintainer)
    about = checker.checked.about
    if about:
        checker.add(SUBMISSION, about_problems(about, folder.resolve(), needs))
    if CHOICE in there:
        checker.choice()
    if {SAMPLES, VERDICTS, JUDGE_VALIDATION} & set(there):
        checker.open(there)
    return checker.checked
