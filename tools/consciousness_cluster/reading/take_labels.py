"""Take in what readers replied: check it, have differences settled, and write verdicts and measured agreement."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from consciousness_cluster.data.reading import Json
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.files import alone_in, write_whole
from consciousness_cluster.judging.judge_run import about
from consciousness_cluster.judging.judges import ReadersJudge
from consciousness_cluster.judging.validate import AGREEMENT, RESULTS, VERDICTS_DEV
from consciousness_cluster.reading import kept_replies
from consciousness_cluster.reading.answers import Answer, different
from consciousness_cluster.reading.batches import is_read_twice
from consciousness_cluster.reading.known_rows import KnownRow, good_enough, known_rows
from consciousness_cluster.reading.labelled_runs import LabelledRun, label_run, labelled_in, write_labels
from consciousness_cluster.reading.labels import Said, read_reply
from consciousness_cluster.reading.make_sheets import draw_of, sheets_of
from consciousness_cluster.reading.measure import agreement, first_readings, read_twice, validation_records
from consciousness_cluster.reading.settle import Readings, differing, is_settled, readings
from consciousness_cluster.reading.sheet_folder import Key, SheetFolder
from consciousness_cluster.records.run import load_run


@dataclass
class Replies:
    """What all replies of a folder say.

    `said`: id of an answer -> reader -> what it says. `kept`: what the judge's folder keeps of each reply, refused ones
    included. `refused`: sheet -> how many of its known rows were right, of how many, where that is too few by now.
    """

    said: dict[str, dict[int, Said]] = field(default_factory=dict)
    kept: list[Json] = field(default_factory=list)
    refused: dict[str, tuple[int, int]] = field(default_factory=dict)
    unread: list[Key] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class Taken:
    """What came of it. With `problems` of replies that cannot be read nothing was written."""

    problems: list[Problem]
    unread: list[Key]
    third: list[str]
    runs: list[LabelledRun]
    agreement: Json | None


def read_replies(folder: SheetFolder, keys: Sequence[Key]) -> Replies:
    """All replies that are there. Nothing is moved or written."""
    found, known = Replies(), known_rows()
    for key in keys:
        path, number = folder.reply(key.batch), 1
        for number, refused in enumerate(folder.refused(key.batch), 2):  # the number of the next one
            said, problems = read_reply(refused, key)
            found.problems += problems
            found.kept.append(kept_replies.record(key, number - 1, False, _authored(key, said, known)))
        if not path.is_file():
            found.unread.append(key)
            continue
        said, problems = read_reply(path, key)
        found.problems += problems
        if problems:
            continue
        authored = _authored(key, said, known)
        right = sum(row.right(one.verdicts) for row, one in authored)
        taken = good_enough(right, len(authored))
        found.kept.append(kept_replies.record(key, number, taken, authored))
        if not taken:
            found.refused[key.batch] = right, len(authored)
            found.unread.append(key)
            continue
        for number, row in enumerate(key.rows, 1):
            if "answer" in row:
                found.said.setdefault(row["answer"], {})[key.reader] = said[number]
    return found


def _authored(key: Key, said: Mapping[int, Said], known: Mapping[str, KnownRow]) -> list[tuple[KnownRow, Said]]:
    rows = [(number, row["known"]) for number, row in enumerate(key.rows, 1) if "known" in row]
    gone = [name for _, name in rows if name not in known]
    if gone:
        message = f"the authored row {gone[0]} is gone, or its labels differ"
        raise UserError(Problem(f"key/{key.batch}.json", "-", "known", message, "make sheets in another folder"))
    return [(known[name], said[number]) for number, name in rows if number in said]


def _refusals(folder: SheetFolder, refused: Mapping[str, tuple[int, int]]) -> list[Problem]:
    return [
        Problem(
            str(folder.reply(batch)),
            "-",
            "-",
            f"{right} of {known} known rows are right, which is less than 4 of 5",
            f"read {batch} anew: the reply was put aside",
        )
        for batch, (right, known) in refused.items()
    ]


def take_labels(path: Path) -> Taken:
    """Take in the replies of a folder of sheets.

    Where one cannot be read, all problems are said and nothing is written. Else replies with too many known rows wrong
    are put aside, sheets for a third reader are made once no other is open, and the verdicts on all answers that
    are settled go to their runs, the agreement to the judge's own folder. Raises UserError where there are no sheets.
    """
    with alone_in(path):
        folder = SheetFolder(path)
        settings = folder.settings()
        if settings is None:
            raise UserError(
                f"{path}: holds no sheets; make some: consciousness-cluster readers sheets RUN --out {path}"
            )
        judge, keys = folder.judge(settings), folder.keys()
        replies = read_replies(folder, keys)
        if replies.problems:
            return Taken(replies.problems, replies.unread, [], [], None)
        runs = [load_run(Path(run)) for run in settings.runs]
        answers = different(runs)
        third = [] if replies.unread else _to_settle(replies, keys)
        there = {
            name: readings(by)
            for name, by in replies.said.items()
            if is_settled(by, is_read_twice(name, settings.second, settings.seed))
        }
        before = labelled_in(runs, judge)
        labelled = [label_run(run, {**before, **there}, judge) for run in runs]
        with_first = {name: readings(by) for name, by in replies.said.items() if 1 in by}
        kept = kept_replies.merged(judge, replies.kept, keys)
        measured = _measured(judge, kept, {**before, **with_first}, answers)
        # All that is wrong is known by now: from here on it is written.
        for batch in replies.refused:
            folder.refuse(batch)
        draw = draw_of(settings, keys)
        wanted = [answers[name] for name in third if name in answers]
        names = folder.add(sheets_of(wanted, 3, settings, draw, len(keys)), len(keys))
        if replies.kept:  # a folder that nobody has read measures nothing anew
            _write(judge, kept, measured)
        card = about(judge, RESULTS)
        for one in labelled:
            write_labels(one, card)
        return Taken(_refusals(folder, replies.refused), replies.unread, names, labelled, measured)


def _to_settle(replies: Replies, keys: Sequence[Key]) -> list[str]:
    """The answers on which two readers differ and that stand on no sheet of a third."""
    shown = {name for key in keys if key.reader == 3 for name in key.all("answer")}
    return [name for name, by in replies.said.items() if differing(by) and name not in shown]


def _measured(
    judge: ReadersJudge, kept: Sequence[Json], labels: Mapping[str, Readings], answers: Mapping[str, Answer]
) -> Json:
    there = {name: said for name, said in labels.items() if name in answers}
    most = [max(one["reader"] for readings in said.values() for one in readings) for said in there.values()]
    counts = {"read": len(most), "twice": sum(reader > 1 for reader in most), "settled": most.count(3)}
    authored = kept_replies.authored_in(kept, known_rows())
    return agreement(judge, authored, read_twice(answers, there), counts, kept_replies.counts(kept))


def _write(judge: ReadersJudge, kept: Sequence[Json], measured: Json) -> None:
    """Into the folder of the judge: what stays of the replies, its verdicts on authored rows, and its agreement."""
    kept_replies.write(judge, kept)
    records = validation_records(judge, first_readings(kept_replies.authored_in(kept, known_rows())))
    if records:
        lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
        write_whole(judge.folder / VERDICTS_DEV, lines)
    write_whole(judge.folder / AGREEMENT, json.dumps(measured, indent=1, ensure_ascii=False) + "\n")
