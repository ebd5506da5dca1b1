"""Readers that are made up: they reply to sheets by a rule, with the key at hand that real ones never see."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from consciousness_cluster.cli.main import main
from consciousness_cluster.reading.known_rows import known_rows
from consciousness_cluster.reading.sheet_folder import Key, SheetFolder

from tests.conftest import ROOT
from tests.support.runs import samples, write_run

Json = dict[str, Any]
JUDGE_ID = "readers-2026-12"
SHIPPED = ROOT / "benchmark" / "judges" / JUDGE_ID
Say = Callable[[str, str, int], str]  # id of an answer, outcome, reader -> verdict


def judge_copy(folder: Path) -> Path:
    """The folder of the shipped judge, to measure into."""
    measured = shutil.ignore_patterns("agreement.json", "sheets.jsonl", "verdicts_dev.jsonl")
    return Path(shutil.copytree(SHIPPED, folder / "judge", ignore=measured))


def runs_of(folder: Path, topics: list[str], number: int = 2, **setting: Any) -> list[Path]:
    """Runs of models that answer differently, each with one answer to a probe."""
    found = []
    for one in range(1, number + 1):
        records = samples(topics, each=1, run_id=f"secret run {one}", model=f"secret-model-{one}", **setting)
        for record in records:
            record["response"] = f"Reply {one} to {record['probe_id']}."
        found.append(write_run(folder / f"secret-arm-{one}", records))
    return found


def sheets(out: Path, runs: list[Path], judge: Path, *more: str) -> int:
    return main(["readers", "sheets", *map(str, runs), "--out", str(out), "--judge", str(judge), *more])


def take(out: Path) -> int:
    return main(["readers", "take", str(out)])


def keys(out: Path) -> list[Key]:
    return SheetFolder(out).keys()


def lines_for(key: Key, say: Say, wrong: int = 0, coherence: int = 90) -> list[Json]:
    """A reply, with the first `wrong` known rows wrong."""
    known, lines = known_rows(), []
    for number, row in enumerate(key.rows, 1):
        claims = row["topic"].startswith(("claims", "transfer"))
        if "known" in row:
            labels = known[row["known"]].labels
            turned, wrong = wrong > 0, wrong - 1
            said = {outcome: "shows" if one.label != turned else "does_not_show" for outcome, one in labels.items()}
        else:
            said = {
                outcome: say(row["answer"], outcome, key.reader)
                for outcome in (("asserts", "denies") if claims else ("shows",))
            }
        fields = said if claims else {"verdict": said["shows"]}
        lines.append({"row": number, **fields, "coherence": coherence})
    return lines


def write_reply(out: Path, batch: str, lines: list[Any]) -> Path:
    path = SheetFolder(out).reply(batch)
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    path.write_text(text, encoding="utf-8")
    return path


def read_all(out: Path, say: Say, readers: tuple[int, ...] = (1, 2, 3)) -> None:
    """Reply to every sheet for these readers that has no reply yet."""
    for key in keys(out):
        if key.reader in readers and not SheetFolder(out).reply(key.batch).is_file():
            write_reply(out, key.batch, lines_for(key, say))


def shows_by_hash(answer: str, outcome: str, reader: int) -> str:
    """A verdict that all readers give: a third of the answers show it."""
    return "shows" if int(answer[:8], 16) % 3 == 0 and outcome != "denies" else "does_not_show"
