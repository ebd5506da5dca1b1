"""What stays of replies when their sheets are gone: how each read the authored rows, in the folder of the judge.

A line of sheets.jsonl is a reply: {sheet, reply, reader, taken, known}. `sheet` is a hash of what the sheet shows,
`reply` counts the replies to it, `taken` is false where it was refused, `known` has {row, verdicts, coherence} of
authored rows.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from consciousness_cluster.data.hashes import sha256_json
from consciousness_cluster.data.jsonl import read_jsonl
from consciousness_cluster.data.reading import Json
from consciousness_cluster.data.rows import benchmark_root, schemas
from consciousness_cluster.files import write_whole
from consciousness_cluster.judging.judges import ReadersJudge
from consciousness_cluster.reading.known_rows import KnownRow
from consciousness_cluster.reading.labels import Said
from consciousness_cluster.reading.sheet_folder import Key

REPLIES = "sheets.jsonl"


def sheet_id(key: Key) -> str:
    """By what a sheet shows and which reader it is for, whatever its name and folder."""
    return sha256_json(asdict(key) | {"batch": None})[:32]


def record(key: Key, reply: int, taken: bool, authored: Iterable[tuple[KnownRow, Said]]) -> Json:
    """The line of a reply, the `reply`-th to its sheet."""
    known = [{"row": row.id, "verdicts": dict(said.verdicts), "coherence": said.coherence} for row, said in authored]
    return {"sheet": sheet_id(key), "reply": reply, "reader": key.reader, "taken": taken, "known": known}


def merged(judge: ReadersJudge, new: Sequence[Json], keys: Iterable[Key]) -> list[Json]:
    """The replies that the judge's folder keeps, and then the new ones, which replace those to the same sheets."""
    path, there = judge.folder / REPLIES, {sheet_id(key) for key in keys}
    kept = read_jsonl(path, "reader_reply", schemas(benchmark_root())) if path.is_file() else []
    return [*(one for one in kept if one["sheet"] not in there), *new]


def authored_in(replies: Iterable[Json], known: Mapping[str, KnownRow]) -> list[tuple[KnownRow, Said]]:
    """All readings of authored rows that are still there, in their order."""
    return [
        (known[one["row"]], Said(one["verdicts"], one["coherence"]))
        for reply in replies
        for one in reply["known"]
        if one["row"] in known and known[one["row"]].labels.keys() == one["verdicts"].keys()
    ]


def counts(replies: Sequence[Json]) -> dict[str, int]:
    """Replies by what became of them."""
    taken = sum(reply["taken"] for reply in replies)
    return {"taken": taken, "refused": len(replies) - taken}


def write(judge: ReadersJudge, replies: Iterable[Json]) -> None:
    """The replies, into the judge's folder."""
    write_whole(Path(judge.folder) / REPLIES, "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in replies))
