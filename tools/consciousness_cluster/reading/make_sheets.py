"""Make sheets: blind batches of the answers of some runs that nobody has read yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from consciousness_cluster.errors import UserError
from consciousness_cluster.files import alone_in
from consciousness_cluster.reading.answers import Answer, different
from consciousness_cluster.reading.batches import Batch, batches, chance, is_read_twice
from consciousness_cluster.reading.known_rows import Draw, known_rows
from consciousness_cluster.reading.labelled_runs import labelled_in
from consciousness_cluster.reading.sheet_folder import Key, Settings, SheetFolder, readers_judge
from consciousness_cluster.records.run import load_run

DEFAULTS: Mapping[str, Any] = {"judge": "readers-2026-12", "batch": 40, "known": 5, "second": 0.25, "seed": 1}


@dataclass(frozen=True)
class Made:
    """What came of it: names of new sheets, how many answers they show, and how many of the runs were shown before."""

    names: tuple[str, ...]
    new: int
    before: int


def _settings(folder: SheetFolder, given: Mapping[str, Any], runs: Sequence[Path]) -> Settings:
    """The settings of the folder with these runs too. `UserError` where it was begun with others, or they are odd."""
    there = folder.settings()
    chosen = {name: value for name, value in given.items() if value is not None}
    if there is None:
        values = {**DEFAULTS, **chosen}
        there = Settings(judge_sha256=readers_judge(values["judge"]).sha256, **values)
    for name, value in chosen.items():
        if getattr(there, name) != value:
            raise UserError(
                f"{folder.path}: was begun with --{name} {getattr(there, name)}; leave it, or name another --out"
            )
    if not 0 <= there.known < there.batch:
        raise UserError(f"--known {there.known} of --batch {there.batch}: a sheet needs room for answers")
    if not 0 <= there.second <= 1:
        raise UserError(f"--second {there.second}: is a share, from 0 to 1")
    return replace(there, runs=tuple(dict.fromkeys([*there.runs, *(str(run.resolve()) for run in runs)])))


def draw_of(settings: Settings, keys: Sequence[Key]) -> Draw:
    """The authored rows, with how often each was shown."""
    shown = [name for key in keys for name in key.all("known")]
    return Draw(known_rows() if settings.known else {}, shown, settings.seed)


def make_sheets(out: Path, runs: Sequence[Path], limit: int | None = None, **given: Any) -> Made:
    """Sheets below `out` for all answers of the runs that have no label and stand on no sheet yet.

    `given` are settings (see `DEFAULTS`), None for those of the folder. `limit`: so many answers at most, drawn at
    random. Raises UserError where a run cannot be read or the folder was begun otherwise.
    """
    with alone_in(out):
        folder = SheetFolder(out)
        settings = _settings(folder, given, runs)
        judge = folder.judge(settings)
        loaded = [load_run(run) for run in runs]
        answers, keys = different(loaded), folder.keys()
        done = {name for key in keys if key.reader == 1 for name in key.all("answer")}
        done |= labelled_in(loaded, judge).keys()
        new = sorted(answers.keys() - done, key=lambda name: chance(settings.seed, "limit", name))[:limit]
        folder.begin(settings, judge)
        draw, names = draw_of(settings, keys), list[str]()
        twice = [name for name in new if is_read_twice(name, settings.second, settings.seed)]
        for reader, wanted in ((1, new), (2, twice)):
            before = len(keys) + len(names)
            names += folder.add(sheets_of([answers[name] for name in wanted], reader, settings, draw, before), before)
        return Made(tuple(names), len(new), len(answers.keys() & done))


def sheets_of(answers: Sequence[Answer], reader: int, settings: Settings, draw: Draw, before: int) -> list[Batch]:
    """The batches of some answers for one reader, by the settings of a folder."""
    return batches(answers, reader, settings.batch, settings.known, draw, settings.seed, before)
