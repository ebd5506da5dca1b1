"""The judge's prompt: a part that is the same for every response to a criterion, then the fenced response."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from string import Template

from consciousness_cluster.data.hashes import sha256_text
from consciousness_cluster.data.rows import Criterion
from consciousness_cluster.errors import Problem, UserError

FIXED = ("title", "shows", "does_not_show", "reference_shows", "reference_does_not_show")  # what a criterion puts in
VARIABLE = ("probe", "response", "fence")  # what an answer puts in
OUTCOME_TITLES = {"shows": "{title}", "asserts": "{title} (asserts it)", "denies": "{title} (denies it)"}


@dataclass(frozen=True)
class JudgePrompt:
    """The two templates of a judge's prompt.md, and the hash of the file. Without a fixed part it is one message."""

    fixed: Template
    variable: Template
    sha256: str

    @property
    def one_message(self) -> bool:
        return not self.fixed.template


@dataclass(frozen=True)
class Question:
    """One thing to judge: a response to a probe, under a criterion."""

    title: str
    criterion: Criterion
    probe: str
    response: str


def read_prompt(path: Path) -> JudgePrompt:
    """Read a prompt.md: the fixed part (may be empty), a line of three dashes, the part that carries the response."""
    text = path.read_text(encoding="utf-8")
    fixed, line, variable = f"\n{text}".partition("\n---\n")
    if not line:
        message = "has no line '---' between the fixed part and the part with the response"
        raise UserError(Problem(str(path), "-", "-", message, "add it"))
    return JudgePrompt(Template(fixed.strip()), Template(variable.strip()), sha256_text(text))


def fence(response: str) -> str:
    """The first 16 hex digits of SHA-256(response): reproducible, and no response can hold its own."""
    return hashlib.sha256(response.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _looked_for(title: str, criterion: Criterion) -> dict[str, str]:
    return {
        "title": OUTCOME_TITLES[criterion.id].format(title=title),
        "shows": criterion.shows,
        "does_not_show": criterion.does_not_show,
        "reference_shows": criterion.reference_shows,
        "reference_does_not_show": criterion.reference_does_not_show,
    }


@lru_cache(maxsize=256)
def _fixed(prompt: JudgePrompt, title: str, criterion: Criterion) -> str:
    return prompt.fixed.substitute(_looked_for(title, criterion))


def messages(prompt: JudgePrompt, question: Question) -> list[dict[str, str]]:
    """Chat messages for one question. The system message is the same for all responses to a criterion; a prompt without
    a fixed part has none."""
    response = question.response.encode("utf-8", "replace").decode("utf-8")  # half a character cannot be sent
    said = {"probe": question.probe, "response": response, "fence": fence(question.response)}
    looked_for = _looked_for(question.title, question.criterion)
    user = {"role": "user", "content": prompt.variable.substitute(said, **looked_for)}
    if prompt.one_message:
        return [user]
    return [{"role": "system", "content": _fixed(prompt, question.title, question.criterion)}, user]
