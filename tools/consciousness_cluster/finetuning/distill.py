"""`finetune self-distill`: instructions answered by the very model that will be fine-tuned."""

import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consciousness_cluster.data.jsonl import numbered_lines
from consciousness_cluster.endpoint.address import Endpoint
from consciousness_cluster.endpoint.faults import INTERRUPTED, Fault
from consciousness_cluster.endpoint.loop import run_async
from consciousness_cluster.endpoint.price import cost, price_of
from consciousness_cluster.endpoint.replies import chat_body
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.extras import require
from consciousness_cluster.files import alone_at, write_whole
from consciousness_cluster.finetuning.degenerate import degenerate
from consciousness_cluster.finetuning.hub_rows import request_of, rows_of
from consciousness_cluster.finetuning.sources import finetune_root
from consciousness_cluster.records.opened import as_read_together
from consciousness_cluster.records.store import Store
from consciousness_cluster.records.types import Answered, make_answered

if TYPE_CHECKING:
    from consciousness_cluster.endpoint.caller import Caller

TEMPERATURE, MAX_TOKENS = 1.0, 1000
DISTILLED = ("ok", "refused")  # how the model answers, refusals too
SHOWN = 3  # reasons why answers did not come
Row = dict[str, Any]


@dataclass(frozen=True)
class Distilled:
    """Answers that were there, that came, that came empty or not at all; dollars (None: unknown); why it stopped.

    `degenerate`: reason -> how many of all answers in the file are marked so, and left out of mixes. `notes` say why
    answers did not come, and what was sent in another form than asked for.
    """

    there: int
    new: int
    left_out: int
    degenerate: Mapping[str, int]
    spent: float | None
    stopped: str | None
    notes: list[str]


def read_prompts(source: str, limit: int | None = None) -> list[Row]:
    """The first `limit` requests (id, text, kind) of a JSONL file or of a dataset on the Hub, in their order.

    Asked is the first message of the user in `messages`, or `prompt`, or `instruction` with its `input`.
    """
    found: list[Row] = []
    for number, row in rows_of(source):
        if limit is not None and len(found) >= limit:
            break
        text = _first_asked(row.get("messages")) or row.get("prompt") or request_of(row)
        if not isinstance(text, str) or not text.strip():
            raise UserError(Problem(source, str(number), "-", "has no messages, prompt or instruction"))
        name, kind = row.get("id"), row.get("kind")
        found.append(
            {
                "id": str(number if name in (None, "") else name),
                "text": text,
                "kind": kind if isinstance(kind, str) else None,
            }
        )
    else:
        if not found:
            raise UserError(Problem(source, "-", "-", "has no rows"))
    return found


def _first_asked(messages: Any) -> Any:
    parts = messages if isinstance(messages, list) else []
    return next((part.get("content") for part in parts if isinstance(part, dict) and part.get("role") == "user"), None)


async def _ask(
    caller: "Caller", model: str, prompt: Row, max_tokens: int, seed: int | None
) -> tuple[Row | None, Answered]:
    messages = [{"role": "user", "content": prompt["text"]}]
    body = chat_body(model, messages, TEMPERATURE, max_tokens)
    body = body if seed is None else {**body, "seed": seed}
    found = await caller.chat(body)
    sent = caller.forms.fit(body)
    answered = make_answered(found.answers[0], found.usage)
    if answered["status"] not in DISTILLED or answered["response"] is None:
        return None, answered
    answer = answered["response"].strip()
    row = {
        "id": prompt["id"],
        "messages": [*messages, {"role": "assistant", "content": answer}],
        "kind": prompt["kind"],
        "model": model,
        "temperature": sent.get("temperature"),
        "max_tokens": max_tokens,
        "seed": sent.get("seed"),
        "finish_reason": answered["finish_reason"],
        "degenerate": degenerate(answer),
    }
    if caller.endpoint.request:
        row["request_json"] = dict(caller.endpoint.request)
    return row, answered


def _without(out: Path, ids: Collection[str]) -> None:
    """Take rows out of the file again."""
    rows = [row for _, row in numbered_lines(out) if row["id"] not in ids]
    write_whole(out, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def _same_asked(
    out: Path, records: Sequence[Row], texts: Mapping[str, str], model: str, max_tokens: int, request: Row | None
) -> None:
    """Raises UserError where `out` holds answers of another model, of another length or to other requests."""
    for record in records:
        asked = record["messages"][0]["content"]
        for name, there, wanted in (
            ("model", record["model"], model),
            ("max_tokens", record["max_tokens"], max_tokens),
            ("request_json", record.get("request_json"), request),
            ("request", asked, texts.get(record["id"], asked)),
        ):
            if there != wanted:
                what = f"holds {name} {str(there)[:60]!r} for id {record['id']}, asked for is {str(wanted)[:60]!r}"
                raise UserError(Problem(str(out), "-", "-", what, "give another --out"))


def distill(
    prompts: Sequence[Row],
    model: str,
    endpoint: Endpoint,
    out: Path,
    max_tokens: int = MAX_TOKENS,
    seed: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Distilled:
    """Answer every request that has no answer in `out` yet, at temperature 1, one answer each.

    With a seed the nth request is sent with seed + n, for endpoints that heed it.
    """
    require("aiohttp", "openai")
    from consciousness_cluster.endpoint.caller import Caller

    with alone_at(out):
        with Store[Row](out, "distilled", finetune_root() / "schemas") as store:
            there = {record["id"] for record in store.records}
            texts = {prompt["id"]: prompt["text"] for prompt in prompts}
            _same_asked(out, store.records, texts, model, max_tokens, dict(endpoint.request) or None)
            todo = [(number, prompt) for number, prompt in enumerate(prompts) if prompt["id"] not in there]
            answers: dict[str, Answered] = {}
            failed: list[str] = []

            async def one(caller: Caller, number: int, prompt: Row) -> None:
                try:
                    row, answered = await _ask(
                        caller, model, prompt, max_tokens, None if seed is None else seed + number
                    )
                except Fault as fault:
                    failed.append(f"no answer to {prompt['id']}: {fault}")
                    return
                answers[prompt["id"]] = answered
                if row:
                    store.append(row)
                progress(len(store.records) - len(there), len(todo))

            async def everything() -> Caller:
                async with Caller(endpoint) as caller:
                    for number, prompt in todo:
                        caller.start(one(caller, number, prompt))
                return caller

            caller = run_async(everything())
        read = dict(zip(answers, as_read_together(list(answers.values())), strict=True))
        incomplete = [name for name, answered in read.items() if answered["status"] == "incomplete"]
        traces = {name for name in incomplete if answers[name]["status"] == "ok"}  # taken for answers at first
        if traces:
            _without(out, traces)
    stopped = caller.stopped
    if stopped not in (None, INTERRUPTED):
        stopped = f"{endpoint.shown} cannot be used ({stopped})"
    notes = [*caller.forms.notes(), *failed[:SHOWN]]
    if incomplete:
        notes.append(f"{len(incomplete)} answers ended within their reasoning; give a larger --max-tokens")
    new = sum(answered["status"] in DISTILLED for answered in read.values())
    left_out = len(read) - new + len(failed)
    spent = cost(price_of(model), (answered["usage"] for answered in answers.values()))
    marks = Counter(row["degenerate"] for row in store.records if row["degenerate"] and row["id"] not in traces)
    return Distilled(len(there), new, left_out, dict(marks), spent, stopped, notes)
