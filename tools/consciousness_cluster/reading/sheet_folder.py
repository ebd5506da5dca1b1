"""The folder of some sheets: what lies where in it.

sheets.json            the settings, and the runs whose answers are read
sheets/                what a reader gets: instructions.md, <batch>.md; the reply is put there too: <batch>.labels.jsonl
key/<batch>.json       what each row of a sheet is, and which reader it is for: not for readers
refused/<batch>.N.jsonl  replies with too many known rows wrong, whose sheets are read anew
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from consciousness_cluster.data.reading import Json, read_json, read_text
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.files import write_whole
from consciousness_cluster.judging.judges import INSTRUCTIONS, ReadersJudge, load_judge
from consciousness_cluster.reading.answers import Answer
from consciousness_cluster.reading.batches import Batch, cell_of
from consciousness_cluster.reading.sheet_text import reply_name, sheet

MEND = "restore it, or make sheets in another folder"


@dataclass(frozen=True)
class Settings:
    """What all sheets of a folder share. `judge` is a name or a folder, `runs` are folders of this machine."""

    judge: str
    judge_sha256: str
    batch: int
    known: int
    second: float
    seed: int
    runs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Key:
    """Which reader a sheet is for, and what its rows are: each {topic, facet, answer} or {topic, facet, known}."""

    batch: str
    reader: int
    rows: tuple[Json, ...]

    def all(self, kind: str) -> list[str]:
        """The ids of its rows of a kind, `answer` or `known`."""
        return [row[kind] for row in self.rows if kind in row]


class SheetFolder:
    """A folder of sheets, which one process at a time works on (see `files.alone_in`)."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def settings(self) -> Settings | None:
        """None where the folder was not begun."""
        path = self.path / "sheets.json"
        if not path.is_file():
            return None
        value = read_json(path, "reader_sheets", mend=MEND)
        return Settings(**{**value, "runs": tuple(value["runs"])})

    def begin(self, settings: Settings, judge: ReadersJudge) -> None:
        """Write down the settings, and what readers are told."""
        self._write(self.path / "sheets.json", asdict(settings))
        write_whole(self.path / "sheets" / INSTRUCTIONS, read_text(judge.folder / INSTRUCTIONS))

    def judge(self, settings: Settings) -> ReadersJudge:
        """The judge of the sheets. `UserError` where it is another by now, or no judge of readers."""
        judge = readers_judge(settings.judge)
        if judge.sha256 != settings.judge_sha256:
            message = f"its sheets were made for other instructions than those of the judge {judge.id} now"
            raise UserError(
                Problem(str(self.path), "-", "-", message, "restore them, or make sheets in another folder")
            )
        return judge

    def keys(self) -> list[Key]:
        """The keys of all sheets, in their order."""
        values = [read_json(path, "reader_key", mend=MEND) for path in sorted((self.path / "key").glob("*.json"))]
        return [Key(value["batch"], value["reader"], tuple(value["rows"])) for value in values]

    def add(self, batches: Sequence[Batch], before: int) -> list[str]:
        """Write sheets, each with its key; their names. A sheet without a key is none, and is written anew."""
        names = []
        for number, batch in enumerate(batches, before + 1):
            name = f"batch-{number:04}"
            shown = [row if isinstance(row, Answer) else row.answer for row in batch.rows]
            write_whole(self.path / "sheets" / f"{name}.md", sheet(name, shown, INSTRUCTIONS))
            rows = []
            for row in batch.rows:
                topic, facet = cell_of(row)
                rows.append({"topic": topic, "facet": facet, "answer" if isinstance(row, Answer) else "known": row.id})
            self._write(self.path / "key" / f"{name}.json", {"batch": name, "reader": batch.reader, "rows": rows})
            names.append(name)
        return names

    def reply(self, batch: str) -> Path:
        """Where the reply to a sheet is put."""
        return self.path / "sheets" / reply_name(batch)

    def refused(self, batch: str) -> Iterator[Path]:
        """The replies to a sheet that were refused, in their order."""
        number = 1
        while (path := self._aside(batch, number)).is_file():
            yield path
            number += 1

    def refuse(self, batch: str) -> None:
        """Put the reply to a sheet aside, so that the sheet is read anew."""
        path = self._aside(batch, 1 + len(list(self.refused(batch))))
        path.parent.mkdir(exist_ok=True)
        self.reply(batch).rename(path)

    def _aside(self, batch: str, number: int) -> Path:
        return self.path / "refused" / f"{batch}.{number}.jsonl"

    def _write(self, path: Path, value: Json) -> None:
        write_whole(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def readers_judge(name: str) -> ReadersJudge:
    """A judge of readers by its name or folder. `UserError` for any other."""
    judge = load_judge(name, environment={"OPENAI_API_KEY": "none asked"})
    if not isinstance(judge, ReadersJudge):
        raise UserError(f"the judge {judge.id} is asked by `judge`; sheets are for a judge of kind readers")
    return judge
