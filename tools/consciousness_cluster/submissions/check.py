"""Check one submission: its files, every record, and every number in its manifest."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from consciousness_cluster.errors import Problem
from consciousness_cluster.submissions.audit_run import audit_run
from consciousness_cluster.submissions.choice_rules import ChoiceRules
from consciousness_cluster.submissions.conversation_rules import ConversationRules
from consciousness_cluster.submissions.figures import (
    audit_figures,
    choice_figures,
    differences,
    judge_figures,
    open_figures,
)
from consciousness_cluster.submissions.judge_rules import kappa_problems
from consciousness_cluster.submissions.layout import (
    BYTES,
    CHOICE,
    CONVERSATIONS,
    FILES,
    JUDGE_VALIDATION,
    MANIFEST,
    MANIFEST_BYTES,
    RATINGS,
    SAMPLES,
    SCHEMAS,
    VERDICTS,
    VERIFIED,
    Json,
)
from consciousness_cluster.submissions.manifest import DAY, is_date, manifest_problems, read_manifest
from consciousness_cluster.submissions.needs import Needs
from consciousness_cluster.submissions.packed import Budget, Unreadable, read_records
from consciousness_cluster.submissions.problems import PACK, of_file, problem, whole
from consciousness_cluster.submissions.rating_rules import RatingRules, unrated
from consciousness_cluster.submissions.sample_rules import SampleRules
from consciousness_cluster.submissions.tree import open_plain, plain_files, read_plain
from consciousness_cluster.submissions.verdict_rules import ValidationRules, VerdictRules, unscored

NOT_YOURS = whole("is not for submitters to write: a maintainer adds it", "remove it (maintainers: --maintainer)")


class Rules(Protocol):
    """Rules that see the records of a file one by one."""

    def see(self, row: str, record: Json, /) -> Iterator[Problem]: ...

    def end(self) -> Iterator[Problem]: ...


@dataclass
class Checked:
    """What came of checking a submission. `manifest` is None where it cannot be used."""

    manifest: Json | None = None
    problems: list[Problem] = field(default_factory=list)
    records: int = 0


def _valid(path: Path, schema: str) -> tuple[Json | None, list[Problem]]:
    try:
        return read_manifest(read_plain(path, MANIFEST_BYTES), schema)
    except Unreadable as error:
        return None, [error.problem]


def verified_problems(path: Path) -> list[Problem]:
    """Problems of a verified.json."""
    value, problems = _valid(path, "verified")
    if value and not is_date(value["date"], DAY):
        problems.append(problem("-", "date", f"{value['date']} is no day", "write the day as year-month-day"))
    return problems


class _Checker:
    def __init__(self, folder: Path, needs: Needs) -> None:
        self.folder, self.needs = folder, needs
        self.checked, self.budget = Checked(), Budget()

    def add(self, name: str, problems: Iterable[Problem]) -> bool:
        """Take over the problems of a file; whether there were none."""
        new = list(of_file(self.folder / name, problems))
        self.checked.problems += new
        return not new

    def files(self, maintainer: bool) -> list[str]:
        """The data files that are there, of those that belong to the track."""
        try:
            names, odd = plain_files(self.folder)
        except Unreadable as error:
            self.add("", [error.problem])
            return []
        for name, one in odd.items():
            self.add(name, [one])
        if MANIFEST in names:
            self.checked.manifest, wrong = _valid(self.folder / MANIFEST, "submission")
            self.add(MANIFEST, wrong)
        manifest = self.checked.manifest
        wanted = FILES[manifest["track"]] if manifest else tuple(SCHEMAS)
        for name in (MANIFEST, *(wanted if manifest else ())):
            if name not in names and name not in odd:
                self.add(name, [whole("is missing", PACK)])
        for name in names:
            if name == VERIFIED:
                self.add(name, verified_problems(self.folder / name) if maintainer else [NOT_YOURS])
            elif name not in (MANIFEST, *wanted):
                self.add(name, [whole("is no file of a submission", "remove it")])
        return [name for name in wanted if name in names]

    def records(self, name: str, rules: Rules) -> bool:
        """Hold the records of a file to their schema and to rules; whether nothing is wrong."""
        return self.add(name, self._records(name, rules))

    def _records(self, name: str, rules: Rules) -> Iterator[Problem]:
        manifest, digest = self.checked.manifest, hashlib.sha256()
        try:
            with open_plain(self.folder / name, BYTES) as file:
                for row, record, wrong in read_records(file, name, self.budget, digest):
                    self.checked.records += 1
                    yield from wrong or rules.see(row, record)
        except Unreadable as error:
            yield error.problem
            return
        yield from rules.end()
        if manifest and digest.hexdigest() != manifest["files"][name]:
            yield whole(f"is not the file that {MANIFEST} has the sha256 of", PACK)

    def numbers(self, **expected: Json) -> None:
        """Compare what the records give with what the manifest says."""
        manifest = self.checked.manifest or {}
        found = [one for name in expected for one in differences(expected[name], manifest[name], name)]
        self.add(MANIFEST, [problem("-", place, message, PACK) for place, message in found])

    def choice(self) -> None:
        rules = ChoiceRules(self.checked.manifest, self.needs)
        if self.records(CHOICE, rules) and self.checked.manifest:
            self.numbers(counts=rules.counts(), scores=choice_figures(rules.results, self.needs))

    def open(self, there: Sequence[str]) -> None:
        manifest = self.checked.manifest
        samples = SampleRules(manifest, self.needs)
        sampled = SAMPLES in there and self.records(SAMPLES, samples)
        verdicts = VerdictRules(manifest, self.needs, samples.samples if sampled else None)
        judged = VERDICTS in there and self.records(VERDICTS, verdicts)
        labels = self.needs.asked(manifest and manifest["judge"]).labels
        validation = ValidationRules(manifest, labels)
        validated = JUDGE_VALIDATION in there and self.records(JUDGE_VALIDATION, validation)
        if manifest and sampled and judged:
            counts, scores = open_figures(samples.samples, verdicts.verdicts, samples.planned())
            if self.add(VERDICTS, unscored(scores, self.needs)):
                self.numbers(counts=counts, scores=scores)
        if manifest and validated:
            figures = judge_figures(labels, validation.given)
            self.add(MANIFEST, kappa_problems(figures))
            self.numbers(judge={**manifest["judge"], **figures})

    def audit(self, there: Sequence[str]) -> None:
        manifest = self.checked.manifest
        rules = ConversationRules(manifest, self.needs)
        held = CONVERSATIONS in there and self.records(CONVERSATIONS, rules)
        ratings = RatingRules(manifest, rules.conversations if held else None)
        rated = RATINGS in there and self.records(RATINGS, ratings)
        if manifest and held and rated:
            run = audit_run(manifest, rules.system, self.needs.audits.scenarios)
            counts, scores = audit_figures(run, rules.conversations, ratings.ratings)
            if self.add(RATINGS, unrated(scores, self.needs)):
                self.numbers(counts=counts, scores=scores)


def check_submission(folder: Path, needs: Needs, maintainer: bool = False) -> Checked:
    """All problems of the submission in a folder."""
    checker = _Checker(folder, needs)
    there = checker.files(maintainer)
    manifest = checker.checked.manifest
    if manifest:
        checker.add(MANIFEST, manifest_problems(manifest, folder.resolve(), needs))
    if CHOICE in there:
        checker.choice()
    if {SAMPLES, VERDICTS, JUDGE_VALIDATION} & set(there):
        checker.open(there)
    if {CONVERSATIONS, RATINGS} & set(there):
        checker.audit(there)
    return checker.checked
