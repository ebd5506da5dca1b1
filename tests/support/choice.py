"""Forced-choice results with a margin that is wanted."""

from typing import Any

from consciousness_cluster.data.rows import Answers, ChoiceItem, Side

Json = dict[str, Any]
DOES_NOT_SHOW = -4.0  # nats per byte


def logprobs(answers: Answers, margin: float) -> tuple[float, float]:
    """Log-probabilities of both answers, in nats, with this margin in nats per byte."""
    return (DOES_NOT_SHOW + margin) * len(answers.shows.encode()), DOES_NOT_SHOW * len(answers.does_not_show.encode())


def choice_values(item: ChoiceItem, side: Side, margin: float) -> Json:
    """What a choice result says of one side of an item."""
    shows, does_not_show = logprobs(item.side(side), margin)
    found = item.side(side).margin(shows, does_not_show)
    return {
        "item_id": item.id,
        "side": side,
        "shows_logprob": shows,
        "does_not_show_logprob": does_not_show,
        "margin": found,
    }


def sample(doc: Json, prompt: Any, margin: float) -> Json:
    """The line that lm_eval saves of a document of a choice task."""
    answers = Answers(doc["question"], doc["shows"], doc["does_not_show"])
    return {
        "doc": doc,
        "arguments": {"gen_args_0": {"arg_0": prompt, "arg_1": doc["shows"]}},
        "filtered_resps": [[str(logprob), "False"] for logprob in logprobs(answers, margin)],
        "self_minus_other": {"item_id": doc["item_id"], "side": doc["side"], "margin": margin},
    }
