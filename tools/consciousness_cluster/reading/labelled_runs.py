"""The labels that runs hold, as verdicts of a judge of readers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.judging.judges import ReadersJudge
from consciousness_cluster.reading.answers import answers_of
from consciousness_cluster.reading.settle import Readings
from consciousness_cluster.records.run import Run
from consciousness_cluster.records.run_folder import open_run_folder, read_verdicts, verdicts_file
from consciousness_cluster.records.types import JudgeCard, Verdict, make_read, make_verdict


def labelled_in(runs: Sequence[Run], judge: ReadersJudge) -> dict[str, Readings]:
    """Id of an answer -> its readings, of all answers that have a verdict of this judge in some run."""
    found: dict[str, Readings] = {}
    for run in runs:
        path = verdicts_file(run.folder, judge.id)
        if not path.is_file():
            continue
        names = {key: answer.id for key, answer in answers_of(run)}
        for record in read_verdicts(path):
            if record["judge_sha256"] != judge.sha256:
                message = f"holds verdicts by other instructions than those of the judge {judge.id} now"
                raise UserError(
                    Problem(str(path), "-", "-", message, "move the file away to have the answers read anew")
                )
            if record["key"] in names and "readings" in record:
                found.setdefault(names[record["key"]], {})[record["outcome"]] = record["readings"]
    return found


@dataclass(frozen=True)
class LabelledRun:
    """A run with its verdicts, how many of its answers have one, and how many there are."""

    run: Run
    verdicts: list[Verdict]
    labelled: int
    answers: int


def label_run(run: Run, settled: Mapping[str, Readings], judge: ReadersJudge) -> LabelledRun:
    """The verdicts on all answers of a run that are settled."""
    answers = list(answers_of(run))
    there = [(key, settled[answer.id]) for key, answer in answers if answer.id in settled]
    verdicts = [
        make_verdict(key, make_read(outcome, judge.id, judge.sha256, said))
        for key, readings in there
        for outcome, said in readings.items()
    ]
    return LabelledRun(run, verdicts, len(there), len(answers))


def write_labels(labelled: LabelledRun, card: JudgeCard) -> None:
    """Write the verdicts into the folder of the run, with who gave them. Nothing where there are none."""
    if labelled.verdicts:
        with open_run_folder(labelled.run.folder) as folder:
            folder.replace_verdicts(card, labelled.verdicts)
