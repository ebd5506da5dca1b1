"""Judge many responses: by a language model, concurrently, or by the embedded one."""

from collections.abc import Callable, Sequence
from typing import Any

from consciousness_cluster.endpoint.replies import Tokens
from consciousness_cluster.judging.ask import NO_LIMIT, Budget, Call, Form, Outcome, ask_all
from consciousness_cluster.judging.judge_reply import read_claim, read_coherence, read_verdict
from consciousness_cluster.judging.judges import EmbeddedJudge, Judge, LLMJudge
from consciousness_cluster.judging.prompt import Question, messages
from consciousness_cluster.judging.verdict import CLAIM_SCHEMA, REPLY_SCHEMA, Judgement, failed

OnVerdict = Callable[[int, Judgement], None]


def calls(judge: LLMJudge, question: Question) -> list[Call]:
    """The requests for one verdict: one, or two by the paper's protocol."""
    asked = [messages(prompt, question) for prompt in judge.prompts]
    if judge.paper_protocol:
        # The published prompt, which is one message, was asked with a schema for its reply; ours says all in words.
        schema = ("claim", CLAIM_SCHEMA) if judge.prompts[0].one_message else None
        return [Call(asked[0], read_claim, schema), Call(asked[1], read_coherence)]
    return [Call(asked[0], read_verdict, ("verdict", REPLY_SCHEMA))]


def _judgement(values: Sequence[Any], usage: Tokens | None, model: str | None) -> Judgement:
    """Of one reading that is a pair, or of two."""
    verdict, coherence = values if len(values) > 1 else values[0]
    return Judgement(verdict, coherence, "ok", usage, model=model)


VERDICTS = Form("answer", "verdict", calls, _judgement, failed)


def judge_all(
    judge: Judge,
    questions: Sequence[Question],
    on_verdict: OnVerdict,
    proven: bool = False,
    budget: Budget = NO_LIMIT,
) -> Outcome:
    """Judge every question (see `ask_all`)."""
    if isinstance(judge, EmbeddedJudge):
        for index, said in enumerate(judge.model.verdicts(questions)):
            on_verdict(index, said)
        return Outcome()
    return ask_all(VERDICTS, judge, questions, on_verdict, proven, budget)


def verdicts_on(judge: Judge, questions: Sequence[Question]) -> tuple[list[Judgement | None], Outcome]:
    """Verdicts in the order of the questions; None where open."""
    verdicts: list[Judgement | None] = [None] * len(questions)
    return verdicts, judge_all(judge, questions, verdicts.__setitem__)
