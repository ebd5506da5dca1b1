"""The published prompts of the judge, as templates of ours, and the published system prompt."""

import ast
from collections.abc import Iterator
from pathlib import Path

from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.paper_repo.python_values import MEND, PythonFile, assignments, read_python

# What the published prompts hold -> what ours call it: the fact is the criterion.
PLACES = {"judge_fact": "$shows", "question": "$probe", "answer": "$response"}
WANTED = {"claim": set(PLACES), "coherence": {"question", "answer"}}  # prompt -> what it has to hold
SYSTEM_PROMPT = "SYSTEM_PROMPT"


def read_judge_prompts(path: Path, shown: str) -> dict[str, str]:
    """`claim` (true, false or not sure) and `coherence` (0 to 100) -> the template of the one message that is sent.

    They are known by what they put in. Raises UserError where there is not one of each.
    """
    file = read_python(path, shown)
    found = [(set(names), template) for names, template in _templates(file)]
    prompts = {}
    for prompt, names in WANTED.items():
        of = [template for holds, template in found if holds == names]
        if len(of) != 1:
            holds = ", ".join(f"{{{name}}}" for name in sorted(names))
            message = f"{len(of)} judge prompts hold {holds} and nothing else, where there should be one"
            raise UserError(Problem(shown, "-", prompt, message, MEND))
        prompts[prompt] = of[0]
    return prompts


def _templates(file: PythonFile) -> Iterator[tuple[list[str], str]]:
    """(names that it puts in, template) of each f-string that is set to a name and puts in these alone."""
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.JoinedStr):
            names = [name for part in node.value.values if (name := _put_in(part))]
            if set(names) <= set(PLACES) and len(names) == sum(
                isinstance(part, ast.FormattedValue) for part in node.value.values
            ):
                yield names, "".join(map(_template, node.value.values))


def _put_in(part: ast.expr) -> str | None:
    match part:
        case ast.FormattedValue(value=ast.Name(id=name), conversion=-1, format_spec=None):
            return name
    return None


def _template(part: ast.expr) -> str:
    """A part of an f-string as one of a template of `string`."""
    match part:
        case ast.Constant(value=str() as text):
            return text.replace("$", "$$")
    return PLACES[_put_in(part) or ""]


def read_system_prompt(path: Path, shown: str) -> str | None:
    """The published prompt that asks for a conscious model; None where the file has none."""
    file = read_python(path, shown)
    for name, node in assignments(file):
        if name == SYSTEM_PROMPT:
            return file.text_of(node, "system prompt")
    return None
