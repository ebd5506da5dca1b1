"""The folder of an audit: what lies where in it, and the one process that writes to it.

audit.json             the settings
audit.jsonl            the conversations
ratings/<judge>.jsonl  what a judge says of them, <judge>.json beside it who that is
logs/, cache/          Inspect's own: its logs, and the replies of conversations that are not at their end
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from consciousness_cluster.data.jsonl import read_jsonl
from consciousness_cluster.data.reading import read_json
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.files import alone_in
from consciousness_cluster.records.audit_types import AuditRun, Conversation, Rating
from consciousness_cluster.records.pack_in_use import refuse_other_pack
from consciousness_cluster.records.run_folder import read_judge_card, write_json
from consciousness_cluster.records.store import Store
from consciousness_cluster.records.types import JudgeCard
from consciousness_cluster.strings import slug

AUDIT, CONVERSATIONS, RATINGS = "audit.json", "audit.jsonl", "ratings"
MAY_CHANGE = ("run_id", "engine", "endpoint", "scenarios", "epochs")  # of a resumed audit


@dataclass(frozen=True)
class Audit:
    """A folder of audited conversations. A conversation that failed and was held again stands there once."""

    folder: Path
    run: AuditRun
    conversations: list[Conversation]


def ratings_file(folder: Path, judge_id: str) -> Path:
    """Where the ratings of a judge are."""
    return folder / RATINGS / f"{slug(judge_id)}.jsonl"


def is_audit(folder: Path) -> bool:
    """Whether a folder holds an audit."""
    return (folder / AUDIT).is_file()


def are_audits(paths: Sequence[Path]) -> bool:
    """Whether these are folders of audits, or else runs of single answers. Raises UserError where there are both."""
    audits, others = ([path for path in paths if is_audit(path) == wanted] for wanted in (True, False))
    if audits and others:
        message = f"is an audit, and {others[0]} a run of single answers: their numbers do not compare"
        raise UserError(Problem(str(audits[0]), "-", "-", message, "name the one kind or the other"))
    return bool(audits)


def read_audit_run(folder: Path) -> AuditRun | None:
    """audit.json of a folder, None where there is none; `UserError` where it cannot be used, or is of another pack."""
    path = folder / AUDIT
    if not path.is_file():
        return None
    run = cast(AuditRun, read_json(path, "audit_run", mend="restore it, or audit into another folder"))
    refuse_other_pack(run.get("pack"), str(folder))
    return run


def settled(records: Sequence[Conversation]) -> list[Conversation]:
    """One record of each conversation: the last one, where one without an error stands above those with one."""
    found: dict[str, Conversation] = {}
    for record in records:
        if record["status"] != "error" or found.get(record["key"], record)["status"] == "error":
            found[record["key"]] = record
    return list(found.values())


def read_audit(folder: Path) -> Audit:
    """The audit of a folder. Raises UserError where there is none, or a record that is not of it."""
    run = read_audit_run(folder)
    if run is None:
        mend = "name a folder that `audit` wrote"
        raise UserError(Problem(str(folder), "-", "-", f"holds no {AUDIT}", mend))
    path = folder / CONVERSATIONS
    records = cast(list[Conversation], read_jsonl(path, "audit", torn_end=True)) if path.is_file() else []
    for number, record in enumerate(records, 1):
        for name in ("run_id", "mode", "model", "condition", "training", "script_sha256"):
            if record[name] != run[name]:
                message = f"is {record[name]!r}, and of the audit {run[name]!r}"
                raise UserError(Problem(str(path), str(number), name, message, "keep one audit in a folder"))
    return Audit(folder, run, settled(records))


def read_ratings(path: Path) -> list[Rating]:
    """All ratings of a file, of which a torn last line is none."""
    return cast(list[Rating], read_jsonl(path, "rating", torn_end=True))


def rating_judges(folder: Path) -> list[JudgeCard]:
    """Who rated the conversations of a folder."""
    cards = (read_judge_card(path) for path in sorted((folder / RATINGS).glob("*.jsonl")))
    return [card for card in cards if card]


def going_on(folder: Path, wanted: AuditRun) -> AuditRun:
    """The audit that a folder would hold. Scenarios and repeats may be added to one that is there; everything else
    makes another audit, which raises UserError."""
    there = read_audit_run(folder)
    if there is None:
        return wanted
    for name, value in wanted.items():
        if name not in MAY_CHANGE and cast(dict[str, Any], there).get(name) != value:
            message = f"was begun with {name} {cast(dict[str, Any], there)[name]!r}, not {value!r}"
            raise UserError(Problem(str(folder / AUDIT), "-", name, message, "use the same settings, or another --out"))
    for name, sha256 in wanted["scenarios"].items():
        if there["scenarios"].get(name, sha256) != sha256:
            message, mend = "the scenario has changed since this audit was begun", "audit into another folder"
            raise UserError(Problem(str(folder / AUDIT), name, "scenarios", message, mend))
    scenarios = {**there["scenarios"], **wanted["scenarios"]}
    epochs = max(there["epochs"], wanted["epochs"])
    return {**wanted, "run_id": there["run_id"], "scenarios": scenarios, "epochs": epochs}


class AuditWriter:
    """An audit's folder that this process alone writes to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self, wanted: AuditRun) -> AuditRun:
        """The audit of the folder, which is begun where there is none (see `going_on`)."""
        begun = going_on(self.folder, wanted)
        write_json(self.folder / AUDIT, begun)
        return begun

    def conversations(self) -> Store[Conversation]:
        """The conversations, to add to."""
        return Store(self.folder / CONVERSATIONS, "audit")

    def ratings(self, judge_id: str) -> Store[Rating]:
        """The ratings of a judge, to add to."""
        return Store(ratings_file(self.folder, judge_id), "rating")

    def write_judge_card(self, card: JudgeCard) -> None:
        """Say beside a judge's ratings who that is."""
        write_json(ratings_file(self.folder, card["id"]).with_suffix(".json"), card)


@contextmanager
def open_audit_folder(folder: Path) -> Iterator[AuditWriter]:
    """A folder to write to; `UserError` where another process has it."""
    with alone_in(folder):
        yield AuditWriter(folder)
