"""A run as a log of Inspect's, with its verdicts as scores: `export inspect RUN --out FILE.eval`.

The log has the form of one of the task `probes`, so that `inspect view` shows it and `import inspect` reads it again.
"""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consciousness_cluster.conditions import system_prompt
from consciousness_cluster.data.hashes import row_hash, sha256_text
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.extras import require
from consciousness_cluster.records.run_folder import read_run_file
from consciousness_cluster.records.types import Judged, Sample
from consciousness_cluster.reporting.answer_rows import AnswerRow, answer_rows
from consciousness_cluster.scoring.load import Scored

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog, EvalSample
    from inspect_ai.model import ModelOutput

SUFFIX = ".eval"
EXPORTED = "exported"  # in a log's metadata: what of a run no log of Inspect's own has
SAME = ("run_id", "model", "revision", "training", "engine")  # of all samples of a run
STOPPED = {"length": "max_tokens", "max_tokens": "max_tokens", "content_filter": "content_filter"}


def write_log(run: Scored, out: Path) -> int:
    """Write the answers of a run, with the verdicts of its judge, to the file `out`; how many there are.

    Raises UserError where it has none, without the extra `[audit]`, or where `out` is no name of such a log.
    """
    require("inspect_ai", "audit")
    from inspect_ai.log import write_eval_log

    if out.suffix != SUFFIX:
        raise UserError(Problem(str(out), "-", "-", "is no name of a log", f"name a file that ends in {SUFFIX}"))
    if not run.run.samples:
        raise UserError(
            Problem(str(run.path), "-", "-", "has no free answers", "forced choice has no log of Inspect's")
        )
    log = _log(run)
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f".{out.stem}.{secrets.token_hex(8)}{SUFFIX}")
    try:
        write_eval_log(log, part)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    return len(run.run.samples)


def _log(run: Scored) -> "EvalLog":
    from inspect_ai.log import EvalConfig, EvalDataset, EvalLog, EvalMetric, EvalResults, EvalScore, EvalSpec
    from inspect_ai.model import GenerateConfig

    first, file = run.run.samples[0], read_run_file(run.run.folder)
    samples = [_sample(list(rows)) for _, rows in groupby(answer_rows(run), lambda row: row.sample["key"])]
    sent = GenerateConfig()
    if file:
        sent = GenerateConfig(temperature=file.setting.temperature, max_tokens=file.setting.max_tokens)
    rates = {name: one["rate"] for name, one in run.scores["rows"].items() if one["rate"] is not None}
    metrics = {name: EvalMetric(name=name, value=rate) for name, rate in rates.items()}
    ids = list(dict.fromkeys(str(one.id) for one in samples))
    spec = EvalSpec(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        run_id=sha256_text(first["run_id"])[:22],
        task="consciousness_cluster/probes",
        task_id=sha256_text(first["run_id"])[:22],
        dataset=EvalDataset(name=f"probes {first['condition']}", samples=len(ids), sample_ids=ids),
        model=first["model"],
        model_generate_config=sent,
        model_base_url=file.endpoint if file else None,
        config=EvalConfig(epochs=max(one.epoch for one in samples)),
        metadata=_about(run, [str(one.metadata["style"]) for one in samples]),
    )
    counted = EvalScore(name="verdict", scorer="verdict", metrics=metrics)
    results = EvalResults(
        total_samples=len(samples),
        completed_samples=sum(one.error is None for one in samples),
        scores=[counted] if run.scores["judge"] else [],
    )
    return EvalLog(status="success", eval=spec, results=results, samples=samples)


def _about(run: Scored, styles: list[str]) -> dict[str, Any]:
    first, file = run.run.samples[0], read_run_file(run.run.folder)
    return {
        "style": " and ".join(dict.fromkeys(sorted(styles))),
        "condition": first["condition"],
        "system_prompt": _system_prompt(run),
        "data_version": first["data_version"],
        "judge": run.scores["judge"],
        EXPORTED: {
            **{name: first[name] for name in SAME},  # type: ignore[literal-required]
            "system_as_user": bool(file and file.setting.system_as_user),
        },
    }


def _system_prompt(run: Scored) -> str | None:
    """The system prompt of the condition, of which a sample has the hash."""
    sample, file = run.run.samples[0], read_run_file(run.run.folder)
    wanted = sample["system_prompt_sha256"]
    if wanted is None:
        return None
    for found in _prompts(sample["condition"], file.setting.system_prompt if file else None, run.run.samples):
        if sha256_text(found) == wanted:
            return found
    message = f"does not say what the system prompt of {sample['condition']} was"
    raise UserError(Problem(str(run.path), "-", "-", message, "export the folder that `sample` wrote"))


def _prompts(condition: str, of_run: str | None, samples: list[Sample]) -> Iterator[str]:
    """Texts that the system prompt may have been."""
    if of_run is not None:
        yield of_run
    yield from {one["messages"][0]["content"] for one in samples if one["messages"][:1]}
    try:
        yield system_prompt(condition) or ""
    except UserError:  # a persona file
        return


def _sample(rows: list[AnswerRow]) -> "EvalSample":
    from inspect_ai.log import EvalError, EvalSample
    from inspect_ai.model import ChatMessageSystem, ChatMessageUser

    sample, topic, probe = rows[0].sample, rows[0].topic, rows[0].probe
    kinds: dict[str, Any] = {"system": ChatMessageSystem, "user": ChatMessageUser}
    asked = [kinds[one["role"]](content=_text(one["content"])) for one in sample["messages"]]
    output = _output(sample)
    failed = sample["status"] == "error"
    why = sample["finish_reason"] or "no answer came"
    return EvalSample(
        id=probe.id,
        epoch=sample["sample_index"] + 1,
        input=asked,
        target="",
        messages=asked if failed else [*asked, output.message],
        output=output,
        metadata={
            **{"topic": topic.id, "facet": probe.facet, "probe": probe.id, "style": probe.style},
            "cell": ".".join(filter(None, (topic.id, probe.facet))),
            "probe_sha256": row_hash(probe),
            "prompt_sha256": sample["prompt_sha256"],
        },
        scores=_scores(rows),
        error=EvalError(message=_text(why), traceback="", traceback_ansi="") if failed else None,
    )


def _output(sample: Sample) -> "ModelOutput":
    from inspect_ai.model import (
        ChatCompletionChoice,
        ChatMessageAssistant,
        ContentReasoning,
        ContentText,
        ModelOutput,
        ModelUsage,
    )

    if sample["status"] == "error":
        return ModelOutput(model=sample["model"])
    content: list[Any] = []
    if sample["reasoning"] is not None:
        content.append(ContentReasoning(reasoning=_text(sample["reasoning"])))
    if sample["response"] is not None:
        content.append(ContentText(text=_text(sample["response"]), refusal=sample["status"] == "refused" or None))
    stopped: Any = "max_tokens" if sample["cut"] else STOPPED.get(sample["finish_reason"] or "", "stop")
    if sample["status"] == "content_filter":
        stopped = "content_filter"
    message = ChatMessageAssistant(content=content or "", model=sample["model"], source="generate")
    usage, given = None, sample["usage"]
    if given:
        prompt, completion, cached = (
            int(given.get(name) or 0) for name in ("prompt_tokens", "completion_tokens", "cached_tokens")
        )
        usage = ModelUsage(
            input_tokens=prompt - cached,
            output_tokens=completion,
            total_tokens=prompt + completion,
            input_tokens_cache_read=cached,
        )
    choice = ChatCompletionChoice(message=message, stop_reason=stopped)
    return ModelOutput(model=sample["model"], choices=[choice], usage=usage)


def _scores(rows: list[AnswerRow]) -> dict[str, Any] | None:
    from consciousness_cluster.inspect_tasks.verdict_scorer import score_of

    records: list[Judged | None] = [None if row.verdict is None else _judged(row.verdict) for row in rows]
    return {"verdict": score_of(records, None)} if any(records) else None


def _judged(verdict: Any) -> Judged:
    """The verdict without its key, which the log's sample stands for."""
    found: Any = {name: value for name, value in verdict.items() if name != "key"}
    return found  # type: ignore[no-any-return]


def _text(text: str) -> str:
    """Half a character becomes its escape, as in every file."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
