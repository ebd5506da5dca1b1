"""A judge behind any OpenAI-compatible endpoint."""

import asyncio
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from consciousness_cluster.data.rows import benchmark_root, schemas
from consciousness_cluster.data.yaml_source import read_valid
from consciousness_cluster.errors import UserError
from consciousness_cluster.judging.prompt import JudgePrompt, Question, messages, read_prompt
from consciousness_cluster.judging.verdict import REPLY_SCHEMA, Verdict, failed, parse_reply

PREFIX = "CONSCIOUSNESS_CLUSTER_JUDGE_"
OPENAI = "https://api.openai.com/v1"
HTTP_RETRIES = 6
REPLIES = 2  # a reply that cannot be read is asked for once more


@dataclass(frozen=True)
class EndpointJudge:
    """Which model judges, where, and with which prompt. The key is never printed."""

    id: str
    base_url: str
    key: str = field(repr=False)
    prompt: JudgePrompt
    settings: dict[str, Any]


def judge_from_environment(environment: dict[str, str] | None = None) -> EndpointJudge | None:
    """The judge that the environment names, or None where it names none.

    CONSCIOUSNESS_CLUSTER_JUDGE_MODEL is the model; CONSCIOUSNESS_CLUSTER_JUDGE_BASE_URL the endpoint (OpenAI's
    when it is not set); CONSCIOUSNESS_CLUSTER_JUDGE_API_KEY its key (OPENAI_API_KEY serves for OpenAI's own).
    """
    env = os.environ if environment is None else environment
    model, base_url = env.get(PREFIX + "MODEL"), env.get(PREFIX + "BASE_URL")
    if not model:
        if base_url:
            raise UserError(f"{PREFIX}BASE_URL is set, but {PREFIX}MODEL is not: set it to the judge's model name")
        return None
    key = env.get(PREFIX + "API_KEY") or (env.get("OPENAI_API_KEY") if not base_url else "none")
    if not key:
        raise UserError(f"{PREFIX}MODEL is set, but there is no key: set OPENAI_API_KEY or {PREFIX}BASE_URL")
    folder = benchmark_root() / "judges" / "endpoint"
    settings = read_valid(folder / "judge.yaml", "judge", schemas(benchmark_root()))
    return EndpointJudge(model, base_url or OPENAI, key, read_prompt(Path(folder / "prompt.md")), settings)


class _GiveUp(Exception):
    """The endpoint cannot be used at all: nothing is gained by asking again."""


async def _ask(client: Any, judge: EndpointJudge, question: Question, with_schema: bool) -> str | None:
    extra: dict[str, Any] = {}
    if with_schema:
        schema = {"name": "verdict", "strict": True, "schema": REPLY_SCHEMA}
        extra["response_format"] = {"type": "json_schema", "json_schema": schema}
    reply = await client.chat.completions.create(
        model=judge.id,
        messages=messages(judge.prompt, question),
        temperature=judge.settings["temperature"],
        max_tokens=judge.settings["max_tokens"],
        **extra,
    )
    return reply.choices[0].message.content if reply.choices else None


async def _judge_one(client: Any, judge: EndpointJudge, question: Question, mode: dict[str, bool]) -> Verdict:
    import openai

    replies = 0
    while replies < REPLIES:
        with_schema = mode["schema"]
        try:
            text = await _ask(client, judge, question, with_schema)
        except openai.BadRequestError as error:
            if with_schema and ("response_format" in str(error) or "json_schema" in str(error)):
                mode["schema"] = False  # this endpoint has no JSON schema mode: ask for JSON in words alone
                continue
            return failed(judge.id)
        except (openai.AuthenticationError, openai.PermissionDeniedError, openai.NotFoundError) as error:
            raise _GiveUp(f"HTTP {error.status_code}") from None
        except (openai.APIConnectionError, openai.APIStatusError) as error:
            raise _GiveUp(f"{type(error).__name__} after {HTTP_RETRIES + 1} tries") from None
        except (json.JSONDecodeError, openai.APIResponseValidationError):
            text = None  # a body that was cut off
        replies += 1
        parsed = parse_reply(text)
        if parsed:
            return Verdict(judge.id, parsed[0], parsed[1], "ok")
    return failed(judge.id)


async def _judge_all(
    judge: EndpointJudge, questions: Sequence[Question], say: Callable[[str], None]
) -> list[Verdict | None]:
    import openai

    verdicts: list[Verdict | None] = [None] * len(questions)
    mode, stopped = {"schema": True}, asyncio.Event()
    gate = asyncio.Semaphore(judge.settings["concurrency"])
    client = openai.AsyncOpenAI(
        api_key=judge.key,
        base_url=judge.base_url,
        max_retries=HTTP_RETRIES,
        timeout=judge.settings["timeout_seconds"],
    )

    async def one(index: int) -> None:
        async with gate:
            if stopped.is_set():
                return
            try:
                verdicts[index] = await _judge_one(client, judge, questions[index], mode)
            except _GiveUp as reason:
                if not stopped.is_set():
                    stopped.set()
                    where = f"the judge {judge.id} at {judge.base_url}"
                    say(f"{where} cannot be used ({reason}); what it did not judge stays open")

    async with client:
        await asyncio.gather(*(one(index) for index in range(len(questions))))
    return verdicts


def judge_questions(
    judge: EndpointJudge, questions: Sequence[Question], say: Callable[[str], None]
) -> list[Verdict | None]:
    """Judge all questions concurrently, in order. None stands where the endpoint became unusable before its turn.

    `say` gets one line when that happens. The calls run in an event loop of their own thread, so that a caller
    that has a loop running (a notebook) is no obstacle.
    """
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(_judge_all(judge, questions, say))).result()
