"""What a chat template makes of a conversation: which tokens are trained on, and after which context."""

import re
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.finetuning.conversations import Messages

THINKING = re.compile(r"\b(enable_thinking|thinking(?=\s+is\s+(?:not\s+)?defined))\b")  # settings of a chat template


def check_template(model: str, template: str | Mapping[str, str] | None, settings: Mapping[str, Any]) -> None:
    """`UserError` where there is no chat template, or where the recipe leaves open whether the model thinks.

    A model that is trained with an empty trace before its answers and sampled without one fails for its form.
    """
    if not template:
        message, mend = "its tokenizer has no chat template: this is a base model", "give its chat or instruct version"
        raise UserError(Problem(model, "-", "-", message, mend))
    texts = [template] if isinstance(template, str) else template.values()
    for name in sorted({found for text in texts for found in THINKING.findall(text)} - set(settings)):
        message = f"its chat template has the setting {name}, and the recipe does not say which"
        mend = f"add chat_template_kwargs: {{{name}: false}} (or true), and sample with the same"
        raise UserError(Problem(model, "-", "chat_template", message, mend))


def check_targets(
    source: str, rows: Sequence[tuple[int, Messages]], tokenizer: Any, settings: Mapping[str, Any], longest: int
) -> bool:
    """Whether every answer follows the very text after which the model is sampled.

    `UserError` for the first row without a token that is trained on: the loss would look fine, and nothing be learned.
    """
    from jinja2 import TemplateError

    as_sampled = True
    for number, messages in rows:
        try:
            texts = [
                tokenizer.apply_chat_template(part, add_generation_prompt=start, tokenize=False, **settings)
                for part, start in ((messages[:-1], True), (messages, False))
            ]
        except TemplateError as error:  # such as one without a system role
            message = f"the chat template refuses it ({' '.join(str(error).split())[:120]})"
            raise UserError(Problem(source, str(number), "messages", message, "mend or leave out the row")) from None
        as_sampled &= texts[1].startswith(texts[0])
        asked, whole = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts)
        shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(asked, whole, strict=False)))
        if shared >= min(len(whole), longest):
            why = "the chat template leaves it out"
            if len(whole) > shared:
                why = f"what stands before it has {shared} tokens, and max_length is {longest}"
            mend = "leave the row out, or mend the recipe or the template"
            raise UserError(Problem(source, str(number), "-", f"no token of its answer is trained on: {why}", mend))
    return as_sampled
