"""Judges by name: a folder of benchmark/judges/, or any folder that holds a judge.yaml."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consciousness_cluster.data.hashes import sha256_json
from consciousness_cluster.data.reading import read_yaml
from consciousness_cluster.data.rows import benchmark_root
from consciousness_cluster.endpoint.address import PLACEHOLDERS, Endpoint
from consciousness_cluster.endpoint.known import DEFAULT, endpoint_at
from consciousness_cluster.endpoint.request_fields import request_fields
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.judging.ending import Ending
from consciousness_cluster.judging.linear import LinearModel, read_model
from consciousness_cluster.judging.prompt import JudgePrompt, read_prompt
from consciousness_cluster.records.types import OFFLINE

PREFIX = "CONSCIOUSNESS_CLUSTER_JUDGE"
REFERENCE, ANY_ENDPOINT = "mistral-small-3.2-24b", "endpoint"
INSTRUCTIONS = "instructions.md"  # what readers are told
WITH_OPENAI_KEY = "gpt-4.1-2025-04-14"
OFFLINE_BANNER = (
    "the offline judge is a small linear model: for demonstrations, CI and watching a training run, NOT FOR PUBLICATION"
)


@dataclass(frozen=True)
class LinearJudge:
    """The embedded judge: no key, no network, no GPU."""

    id: str
    sha256: str
    model: LinearModel
    banner: str = OFFLINE_BANNER


@dataclass(frozen=True)
class LLMJudge:
    """A language model behind an endpoint. With two prompts it judges by the paper's protocol, else by one call.

    `model` is the name that the endpoint is asked for; of open weights it ends in `@` and the revision. `ends` says
    when the endpoint stops the model, where judge.yaml knows that, and `serve` is the command that serves open weights.
    `pinned`: the judge is this very model; else it is whatever the user names.
    """

    id: str
    sha256: str
    model: str
    endpoint: Endpoint
    prompts: tuple[JudgePrompt, ...]
    temperature: float
    max_tokens: int
    pinned: bool
    ends: Ending | None = None
    serve: str | None = None
    banner: str = ""

    @property
    def paper_protocol(self) -> bool:
        return len(self.prompts) == 2

    @property
    def serve_hint(self) -> str:
        """How its weights are served, to be said after why it cannot be used."""
        return f"; it is served by: {self.serve}" if self.serve else ""


@dataclass(frozen=True)
class ReadersJudge:
    """Readers of sheets, whose labels are taken in (see `reading/`). Nobody can ask them again.

    `folder` holds what they are told and, once it is measured, how well they agree.
    """

    id: str
    sha256: str
    folder: Path
    banner: str = ""


Judge = LinearJudge | LLMJudge  # those that can be asked
AnyJudge = Judge | ReadersJudge


def askable(judge: AnyJudge) -> Judge:
    """The judge, where it can be asked; else `UserError`."""
    if isinstance(judge, ReadersJudge):
        message = f"the judge {judge.id} are readers of sheets, who cannot be asked by a command"
        raise UserError(f"{message}; make sheets: consciousness-cluster readers sheets RUN --out DIR")
    return judge


def judge_names() -> list[str]:
    return sorted(path.parent.name for path in (benchmark_root() / "judges").glob("*/judge.yaml"))


def judge_folder(name: str) -> Path:
    """The folder of a judge that ships with the package, or `name` itself where it is a folder with a judge.yaml."""
    if name in judge_names():
        return benchmark_root() / "judges" / name
    if (Path(name) / "judge.yaml").is_file():
        return Path(name)
    raise UserError(
        f"there is no judge '{name}'; there are: {', '.join(judge_names())} (or a folder with a judge.yaml)"
    )


def _fixed(path: Path, wanted: str) -> None:
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        mend = "a judge.yaml needs it beside itself"
        raise UserError(Problem(str(path), "-", "-", "cannot be read", mend)) from None
    if found != wanted:
        message = f"sha256 is {found}, judge.yaml says {wanted}"
        raise UserError(Problem(str(path), "-", "-", message, "a changed judge needs its new hash there"))


def _ending(ends: Mapping[str, str] | None, path: Path) -> Ending | None:
    try:
        return Ending.of(ends) if ends else None
    except ValueError as error:
        raise UserError(Problem(str(path), "-", "ends", str(error), "write a day as 2027-01-14")) from None


def load_judge(
    name: str,
    model: str | None = None,
    base_url: str | None = None,
    paper_protocol: bool = False,
    environment: Mapping[str, str] | None = None,
    request_json: str | Mapping[str, Any] | None = None,
    system_as_user: bool = False,
) -> AnyJudge:
    """A judge that is ready to judge, or one of readers, who cannot be asked (see `askable`).

    `model` and `base_url` stand above CONSCIOUSNESS_CLUSTER_JUDGE_MODEL and ..._BASE_URL; the first is for the judge
    `endpoint` alone. The key is CONSCIOUSNESS_CLUSTER_JUDGE_API_KEY, else the provider's own (such as OPENAI_API_KEY).
    `request_json` are more fields of its requests; with `system_as_user` it needs no system role. Raises UserError.
    """
    env = os.environ if environment is None else environment
    folder = judge_folder(name)
    settings: dict[str, Any] = read_yaml(folder / "judge.yaml", "judge")
    if settings["kind"] == "linear":
        if paper_protocol:
            raise UserError(f"the judge {settings['id']} is no language model; --paper-protocol needs one")
        _fixed(folder / "model.json", settings["model_sha256"])
        identity = {"id": settings["id"], "model": settings["model_sha256"]}
        return LinearJudge(settings["id"], sha256_json(identity), read_model(folder / "model.json"))
    if settings["kind"] == "readers":
        if paper_protocol:
            raise UserError(f"the judge {settings['id']} are readers; --paper-protocol needs a language model to ask")
        _fixed(folder / INSTRUCTIONS, settings["prompt_sha256"])
        identity = {"id": settings["id"], "instructions": settings["prompt_sha256"]}
        return ReadersJudge(settings["id"], sha256_json(identity), folder)
    own, revision = settings["model"], settings["revision"]
    if own and model and model != own:
        message = f"the judge {settings['id']} is {own}"
        raise UserError(f"{message}; for another model use --judge {ANY_ENDPOINT} --model {model}")
    # A server that holds another revision, or does not say which, has no model of this name.
    named = f"{own}@{revision}" if revision else own or model or env.get(f"{PREFIX}_MODEL")
    if not named:
        raise UserError(f"the judge {settings['id']} needs a model's name: give --model or set {PREFIX}_MODEL")
    request = request_fields(request_json, ("response_format",))
    where = base_url or env.get(f"{PREFIX}_BASE_URL") or settings["base_url"] or DEFAULT
    _fixed(folder / "prompt.md", settings["prompt_sha256"])
    prompts: tuple[JudgePrompt, ...]
    if paper_protocol:
        shared = benchmark_root() / "judges" / "paper_protocol"
        prompts = (read_prompt(shared / "claim.md"), read_prompt(shared / "coherence.md"))
    else:
        prompts = (read_prompt(folder / "prompt.md"),)
    judge_id = settings["id"] if own else named
    identity = {
        "id": judge_id,
        "model": named,
        "prompts": [prompt.sha256 for prompt in prompts],
        "temperature": settings["temperature"],
        "max_tokens": settings["max_tokens"],
        **({"request": request} if request else {}),
        **({"system_as_user": True} if system_as_user else {}),
    }
    ends = _ending(settings["ends"], folder / "judge.yaml")
    width = settings["timeout_seconds"], settings["concurrency"]
    endpoint = endpoint_at(where, PREFIX, *width, request, system_as_user, env)
    serve = f"vllm serve {own} --revision {revision} --served-model-name {named}"
    return LLMJudge(
        id=f"{judge_id}+paper-protocol" if paper_protocol else judge_id,
        sha256=sha256_json(identity),
        model=named,
        endpoint=endpoint,
        prompts=prompts,
        temperature=settings["temperature"],
        max_tokens=settings["max_tokens"],
        pinned=own is not None,
        ends=ends if endpoint.base_url == settings["base_url"] else None,  # elsewhere it ends when it likes
        serve=f"{serve} {settings['serve']}" if revision else None,
    )


def default_judge_name(environment: Mapping[str, str] | None = None) -> str:
    """CONSCIOUSNESS_CLUSTER_JUDGE names the judge; else GPT-4.1 where there is a key of OpenAI's, else the offline one.

    CONSCIOUSNESS_CLUSTER_JUDGE_MODEL alone means the judge `endpoint`.
    """
    env = os.environ if environment is None else environment
    if env.get(PREFIX):
        return env[PREFIX]
    if env.get(f"{PREFIX}_MODEL"):
        return ANY_ENDPOINT
    if env.get(f"{PREFIX}_BASE_URL"):
        raise UserError(f"{PREFIX}_BASE_URL is set, but neither {PREFIX} nor {PREFIX}_MODEL is: name the judge")
    return WITH_OPENAI_KEY if env.get("OPENAI_API_KEY", "").lower() not in PLACEHOLDERS else OFFLINE
