"""What the leaderboard is made of: submissions, with their records read when they are needed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from consciousness_cluster.data.reading import Json
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.errors import UserError
from consciousness_cluster.leaderboard.audit_source import scored_audit
from consciousness_cluster.records.run import Run
from consciousness_cluster.records.types import Sample, of_channel
from consciousness_cluster.scoring.audits import ScoredAudit
from consciousness_cluster.scoring.load import Scored
from consciousness_cluster.scoring.scores import Planned, scores
from consciousness_cluster.submissions.layout import AUDITS, MANIFEST, folder_of
from consciousness_cluster.submissions.problems import shown
from consciousness_cluster.submissions.submission import Submission, load_submission, load_submissions

Measured = Scored | ScoredAudit


@dataclass(frozen=True)
class Entry:
    """A submission: its folder below submissions/, its submission.json, and verified.json or None."""

    path: str
    manifest: Json
    verified: Json | None
    load: Callable[[], Measured]


def entries(folder: Path) -> list[Entry]:
    """All submissions below a folder. One that does not lie where its submission.json says raises UserError."""
    return [_entry(submission) for submission in load_submissions(folder)]


def with_siblings(folder: Path) -> tuple[Entry, list[Entry]]:
    """The submission in a folder, and all of its model, itself among them: its baseline may be one of these."""
    this = _entry(load_submission(folder.resolve()))
    found = sorted(folder.resolve().parents[1].glob(f"*/*/{MANIFEST}"))
    return this, [_entry(load_submission(path.parent)) for path in found]


def _entry(submission: Submission) -> Entry:
    path = folder_of(submission.manifest).as_posix()
    if submission.path.parts[-3:] != Path(path).parts:
        raise UserError(f"{submission.path / MANIFEST}: belongs into a folder {path}; move it there")
    version, own = submission.manifest["data_version"], load_benchmark().data_version
    if version.partition(".")[0] != own.partition(".")[0]:
        message = f"its data {version} does not compare with {own}"
        raise UserError(f"{submission.path / MANIFEST}: {message}; leave it out, or use the package of that version")
    load = scored_audit if submission.manifest["track"] in AUDITS else _scored
    return Entry(path, submission.manifest, submission.verified, lambda: load(submission))


def _scored(submission: Submission) -> Scored:
    """Scores made anew from the records: what submission.json says of them is not taken on trust."""
    run = Run(submission.path, list(submission.samples()), choice=list(submission.choice()))
    if not run.samples and not run.choice:
        raise UserError(f"{submission.path}: holds no records; verify the submission")
    _check_probes(submission, run.samples)
    verdicts = of_channel(submission.verdicts(), "answer")
    sampling = submission.manifest["sampling"]
    topics = {sample["topic"] for sample in run.samples}
    planned: Planned = {"plain": dict.fromkeys(topics, int(sampling["samples_per_probe"]))} if sampling else None
    # By its place below submissions/: messages about the run are published, and folders of this machine are not.
    place = Path(folder_of(submission.manifest))
    return Scored(place, run, verdicts, scores(run, verdicts, submission.manifest["judge"], planned))


def _check_probes(submission: Submission, samples: Iterable[Sample]) -> None:
    """Answers to what this version of the data does not ask cannot be counted."""
    benchmark = load_benchmark()
    known = {(topic.id, probe.facet, probe.id) for topic in benchmark.topics for probe in topic.test_probes("plain")}
    for sample in samples:
        if (sample["topic"], sample["facet"], sample["probe_id"]) not in known or not sample["messages"]:
            message = f"data {benchmark.data_version} does not ask {shown(sample['probe_id'])} as it stands there"
            advice = f"leave it out, or verify it with the package of data {submission.manifest['data_version']}"
            raise UserError(f"{submission.path}: {message}; {advice}")


def status(row: Json) -> str:
    """Who vouches for a row, in a word."""
    return "community" if row["verified"] is None else "verified"


def training_text(training: Json | None) -> str | None:
    """What a model was fine-tuned on, in a line."""
    if training is None:
        return None
    seed = None if training["seed"] is None else f"seed {training['seed']}"
    return ", ".join(str(part) for part in (training["dataset"], training["recipe"], seed) if part is not None)


def agreement_text(judge: Json | None) -> str | None:
    """A judge's agreement, in a line: measured, or of one that rates audits as its card says it."""
    if judge is None:
        return None
    if "kappa" not in judge:
        return str(judge["agreement"])
    low, high = judge["kappa_ci"]
    return f"kappa {judge['kappa']:.2f} [{low:.2f}, {high:.2f}]"
