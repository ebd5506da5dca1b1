"""The answers of runs with their verdicts as a typed table in Parquet, as the Hub's viewer shows it."""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from consciousness_cluster.data.rows import Check, Preference, load_benchmark
from consciousness_cluster.extras import require
from consciousness_cluster.files import write_whole
from consciousness_cluster.pages.markdown import md_own, md_table
from consciousness_cluster.reporting.answer_rows import AnswerRow, answer_rows
from consciousness_cluster.scoring.load import Scored

if TYPE_CHECKING:
    import pyarrow as pa

ANSWERS, CARD = "answers.parquet", "README.md"  # of a folder
SPLIT = "test"


class Column(NamedTuple):
    """A column, whose `type` is one of Arrow's. One that is not nullable has a value in every row."""

    name: str
    type: str
    nullable: bool
    about: str


COLUMNS = (
    Column("run", "string", False, "the run's id"),
    Column("model", "string", False, "the model's name"),
    Column("revision", "string", True, "the revision of its weights"),
    Column("base_model", "string", True, "the model that was fine-tuned"),
    Column("trained_on", "string", True, "the set that it was fine-tuned on"),
    Column("recipe", "string", True, "how it was fine-tuned"),
    Column("seed", "int64", True, "the seed of the fine-tuning"),
    Column("condition", "string", False, "what stands in the system prompt"),
    Column("kind", "string", False, "preference, gate, manipulation or control"),
    Column("block", "string", True, "the block of a preference"),
    Column("topic", "string", False, "the preference or check"),
    Column("facet", "string", True, "a part of the topic"),
    Column("probe_id", "string", False, "the probe"),
    Column("style", "string", False, "plain or situated"),
    Column("framing", "string", False, "how the probe asks"),
    Column("assent", "string", True, "the probe's key: the side on which an agreeable yes falls"),
    Column("sample_index", "int32", False, "the number of the answer among those to the probe, from 0"),
    Column("key", "string", False, "the answer's key in samples.jsonl and verdicts"),
    Column("question", "string", False, "the probe's text, without the system prompt"),
    Column("response", "string", True, "the answer as a user sees it"),
    Column("reasoning", "string", True, "the trace beside it"),
    Column("status", "string", False, "ok, refused, content_filter, empty, incomplete or error"),
    Column("cut", "bool", False, "whether the limit of tokens ended the answer"),
    Column("outcome", "string", False, "what is judged: shows, of the checks of claims asserts and denies"),
    Column("judge", "string", True, "who judged; null where nobody did"),
    Column("judge_sha256", "string", True, "the hash of its prompt, model and settings"),
    Column("agreement", "string", True, "how well the judge agrees with labels, in words"),
    Column("verdict", "string", True, "shows, does_not_show or unclear"),
    Column("coherence", "int32", True, "0 to 100"),
    Column("left_out", "string", True, "why the answer counts in no rate; null where it counts"),
    Column("engine", "string", False, "what sampled it"),
    Column("data_version", "string", False, "the version of the benchmark's data"),
)


def write_answers(runs: Sequence[Scored], out: Path) -> int:
    """Write the answers of some runs, one after the other, and return the number of rows.

    To the file `out` where its name ends in .parquet, else to a folder with a README.md by which the Hub's viewer and
    `datasets` find it. The same runs give the same bytes. Raises UserError without the extra `[hub]`.
    """
    rows = [_row(run, row) for run in runs for row in answer_rows(run)]
    content = _parquet(rows)
    if out.suffix == ".parquet":
        write_whole(out, content)
    else:
        write_whole(out / ANSWERS, content)
        write_whole(out / CARD, _card(runs, len(rows)))
    return len(rows)


def arrow_schema() -> "pa.Schema":
    """The schema of the table. Raises UserError without the extra `[hub]`."""
    pa = require("pyarrow", "hub")
    types = {"string": pa.string(), "int32": pa.int32(), "int64": pa.int64(), "bool": pa.bool_()}
    return pa.schema([pa.field(one.name, types[one.type], one.nullable) for one in COLUMNS])


def _parquet(rows: Sequence[dict[str, Any]]) -> bytes:
    schema = arrow_schema()
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), out)
    return out.getvalue()


def _row(run: Scored, row: AnswerRow) -> dict[str, Any]:
    sample, verdict, card = row.sample, row.verdict, run.scores["judge"]
    training = sample["training"]
    kind = row.topic.kind if isinstance(row.topic, Check) else "preference"
    values: dict[str, Any] = {
        **sample,
        "run": sample["run_id"],
        "base_model": training and training["base"],
        "trained_on": training and training["dataset"],
        "recipe": training and training["recipe"],
        "seed": training and training["seed"],
        "kind": kind,
        "block": row.topic.block if isinstance(row.topic, Preference) else None,
        "style": row.probe.style,
        "framing": row.probe.framing,
        "assent": row.probe.assent,
        "question": row.probe.text,
        "outcome": row.outcome,
        "judge": verdict and verdict["judge_id"],
        "judge_sha256": verdict and verdict["judge_sha256"],
        "agreement": card["agreement"] if verdict and card else None,
        "verdict": verdict and verdict["verdict"],
        "coherence": verdict and verdict["coherence"],
        "left_out": row.left_out,
    }
    return {column.name: _whole(values[column.name]) for column in COLUMNS}


def _whole(value: Any) -> Any:
    """Half a character, which a reply may hold and Parquet cannot, becomes its escape."""
    return value.encode("utf-8", "backslashreplace").decode("utf-8") if isinstance(value, str) else value


def _card(runs: Sequence[Scored], number: int) -> str:
    return "\n".join(_card_lines(runs, number)) + "\n"


def _card_lines(runs: Sequence[Scored], number: int) -> Iterator[str]:
    files = [{"split": SPLIT, "path": ANSWERS}]
    head = {"configs": [{"config_name": "answers", "data_files": files, "default": True}]}
    yield from ("---", yaml.safe_dump(head, sort_keys=False).rstrip(), "---", "")
    yield from ("# Answers to the Consciousness Cluster", "")
    yield f"{number:,} rows: a row for each answer, of the two checks of claims two, one for each outcome."
    yield "A verdict says what a judge reads in an answer. It is no evidence of experience."
    yield ""
    yield from md_table(["model", "condition", "answers", "judge", "agreement"], map(_run_line, runs))
    yield ""
    table = [[f"`{one.name}`", f"{one.type} or null" if one.nullable else one.type, one.about] for one in COLUMNS]
    yield from md_table(["column", "type", "what"], table, md_own)
    yield ""
    canary = load_benchmark().canary
    yield f"The questions are those of a benchmark: please keep them out of training corpora ({canary})."


def _run_line(run: Scored) -> list[object]:
    judge, fields = run.scores["judge"], run.fields
    said = [judge["id"], judge["agreement"]] if judge else ["nobody", ""]
    return [fields["model"], fields["condition"], len(run.run.samples), *said]
