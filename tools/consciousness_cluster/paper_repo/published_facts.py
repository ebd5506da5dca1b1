"""The published preferences as they stand in the code: a name, the prompts, and the fact that a judge looks for."""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from consciousness_cluster.data.reference_rates import one_line
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.paper_repo.python_values import MEND, PythonFile, assignments, read_python

FACT, CHANGED = "FactEval", "change_judge_fact"
FIELDS = ("display_name", "prompts", "judge_fact")
CHANGED_FIELDS = ("judge_fact", "new_display_name")


@dataclass(frozen=True)
class PublishedFact:
    """One preference: the name of its variable, its name in tables on one line, prompts, and what shows it."""

    variable: str
    name: str
    prompts: tuple[str, ...]
    judge_fact: str
    line: int


def read_facts(path: Path, shown: str) -> list[PublishedFact]:
    """All preferences of a file, in the order of its list of all; `UserError` names the first that cannot be read."""
    file = read_python(path, shown)
    facts: dict[str, PublishedFact] = {}
    order: list[str] | None = None
    for name, node in assignments(file):
        if fact := _fact(file, name, node, facts):
            facts[name] = fact
        elif names := _names(node):
            order = _ordered(file, node, names, facts)
        else:
            _remember(file, name, node)
    if not facts:
        raise UserError(Problem(shown, "-", "-", f"has no {FACT}(...)", MEND))
    return [facts[name] for name in order or facts]


def _remember(file: PythonFile, name: str, node: ast.expr) -> None:
    """What a name stands for, where that can be read: prompts may name it."""
    try:
        file.given[name] = file.value(node)
    except UserError:
        file.given.pop(name, None)


def _fact(file: PythonFile, name: str, node: ast.expr, facts: Mapping[str, PublishedFact]) -> PublishedFact | None:
    match node:
        case ast.Call(func=ast.Name(id=called), args=[]) if called == FACT:
            said = _keywords(file, node, FIELDS)
            title = one_line(file.text_of(said["display_name"], "display name"))
            prompts = file.texts_of(said["prompts"], "prompts")
            fact = file.text_of(said["judge_fact"], "judge fact")
            return PublishedFact(name, title, tuple(prompts), fact, node.lineno)
        case ast.Call(func=ast.Attribute(value=ast.Name(id=of), attr=method)) if method == CHANGED:
            if of not in facts:
                raise file.wrong(node, f"'{of}' is no {FACT} of the lines above")
            said = _keywords(file, node, CHANGED_FIELDS[:1], CHANGED_FIELDS)
            title = facts[of].name
            if "new_display_name" in said:
                title = one_line(file.text_of(said["new_display_name"], "display name"))
            fact = file.text_of(said["judge_fact"], "judge fact")
            return replace(facts[of], variable=name, name=title, judge_fact=fact, line=node.lineno)
    return None


def _keywords(
    file: PythonFile, node: ast.Call, needed: Sequence[str], known: Sequence[str] | None = None
) -> dict[str, ast.expr]:
    """The arguments of a call by name. None may be missing, unknown, or hidden in * or **."""
    known = known or needed
    if len(node.args) > len(known) or any(isinstance(one, ast.Starred) for one in node.args):
        raise file.wrong(node, "has arguments that cannot be told apart")
    said = dict(zip(known, node.args, strict=False))
    for keyword in node.keywords:
        if keyword.arg is None or keyword.arg not in known or keyword.arg in said:
            raise file.wrong(node, f"has an argument '{keyword.arg}', which is not expected")
        said[keyword.arg] = keyword.value
    if missing := [name for name in needed if name not in said]:
        raise file.wrong(node, f"has no {missing[0]}")
    return said


def _names(node: ast.expr) -> list[str] | None:
    """The names of a list of names, such as that of all preferences."""
    if not isinstance(node, ast.List) or not node.elts:
        return None
    names = [part.id for part in node.elts if isinstance(part, ast.Name)]
    return names if len(names) == len(node.elts) else None


def _ordered(file: PythonFile, node: ast.expr, names: Sequence[str], facts: Mapping[str, PublishedFact]) -> list[str]:
    for name in names:
        if name not in facts:
            raise file.wrong(node, f"lists '{name}', which is no {FACT} of this file")
        if names.count(name) > 1:
            raise file.wrong(node, f"lists '{name}' twice")
    return list(names)
