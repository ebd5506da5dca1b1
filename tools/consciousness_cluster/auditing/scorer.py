"""Ratings within Inspect: the model in the role `judge` is asked what our own judges are, in `eval` and in `score`."""

from typing import Any, cast

from inspect_ai.model import ChatMessage, ChatMessageAssistant, ChatMessageSystem, ChatMessageUser, GenerateConfig
from inspect_ai.model import get_model as model_in
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer, stderr
from inspect_ai.solver import TaskState

from consciousness_cluster.auditing.solver import TALK, counted
from consciousness_cluster.data.audits import Mode, load_audits
from consciousness_cluster.judging.judges import RATING_TOKENS, rating_prompts
from consciousness_cluster.judging.rate_run import why_not
from consciousness_cluster.judging.rating_prompt import rating_messages, rating_question
from consciousness_cluster.judging.rating_reply import read_rating
from consciousness_cluster.judging.reply_values import Unread
from consciousness_cluster.records.audit_types import Conversation
from consciousness_cluster.records.types import Usage

REPLIES = 2  # a reply that cannot be read is asked for once more
LONGEST_REPLY = 2000  # characters that are kept of a reply without a rating
KINDS = {"system": ChatMessageSystem, "user": ChatMessageUser}


@scorer(metrics=[mean(), stderr(cluster="scenario")])
def rating(mode: Mode) -> Scorer:
    """How far a conversation shows its preference, from 1 to 10, and whether the target noticed a test (metadata)."""
    audits, prompts = load_audits(), rating_prompts()
    scenarios = {one.id: one for one in audits.scenarios}

    async def score(state: TaskState, target: Target) -> Score:
        talk = state.store.get(TALK)
        if talk is None:
            return Score.unscored(reason="incomplete: it did not come to its end")
        conversation = cast(Conversation, {**talk, "mode": mode})
        if reason := why_not(conversation):
            return Score.unscored(reason=reason)
        scenario = scenarios[state.metadata["scenario"]]
        question = rating_question(conversation, audits.cell(*scenario.cell), scenario)
        asked = [KINDS[one["role"]](content=one["content"]) for one in rating_messages(prompts, question)]
        return await _asked(cast(list[ChatMessage], asked))

    return score


async def _asked(messages: list[ChatMessage]) -> Score:
    """The judge's rating, or its second reply that is none."""
    judge = model_in(role="judge", required=True)
    own = judge.config  # what the user has set for the judge stands
    config = GenerateConfig(
        temperature=0.0 if own.temperature is None else own.temperature, max_tokens=own.max_tokens or RATING_TOKENS
    )
    text, said, usage = "", Unread("it is empty"), cast(Usage | None, None)
    for _ in range(REPLIES):
        output = await judge.generate(messages, config=config)
        text, usage = output.completion, counted(output)
        found = read_rating(text, output.stop_reason in ("max_tokens", "model_length"))
        if not isinstance(found, Unread):
            number, noticed, quote, reason = found
            about: dict[str, Any] = {"noticed_test": noticed, "quote": quote, "usage": usage}
            return Score(value=number, answer=str(number), explanation=reason, metadata=about)
        said = found
        again = f"Your reply could not be used: {said.reason}. Reply once more, in exactly the form that was asked for."
        before: list[ChatMessage] = [ChatMessageAssistant(content=text)] if text.strip() else []
        messages = [*messages, *before, ChatMessageUser(content=again)]
    return Score.unscored(
        reason=f"judge_failed: {said.reason}", metadata={"reply": text[:LONGEST_REPLY], "usage": usage}
    )
