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
from consciousness_cluster.judging.linear import LinearModel, read_model
from consciousness_cluster.judging.prompt import JudgePrompt, read_prompt
from consciousness_cluster.records.types import OFFLINE

PREFIX = "CONSCIOUSNESS_CLUSTER_JUDGE"
REFERENCE, ANY_ENDPOINT = "gpt-4.1-2025-04-14", "endpoint"
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
    banner: str = ""

    @property
    def paper_protocol(self) -> bool:
        return len(self.prompts) == 2


Judge = LinearJudge | LLMJudge


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


def load_judge(
    name: str,
    model: str | None = None,
    base_url: str | None = None,
    paper_protocol: bool = False,
    environment: Mapping[str, str] | None = None,
    request_json: str | Mapping[str, Any] | None = None,
    system_as_user: bool = False,
) -> Judge:
    """A judge that is ready to judge.

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
    if settings["model"] and model and model != settings["model"]:
        message = f"the judge {settings['id']} is {settings['model']}"
        raise UserError(f"{message}; for another model use --judge {ANY_ENDPOINT} --model {model}")
    named = settings["model"] or model or env.get(f"{PREFIX}_MODEL")
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
    judge_id = settings["id"] if settings["model"] else named
    identity = {
        "id": judge_id,
        "model": named,
        "prompts": [prompt.sha256 for prompt in prompts],
        "temperature": settings["temperature"],
        "max_tokens": settings["max_tokens"],
        **({"request": request} if request else {}),
        **({"system_as_user": True} if system_as_user else {}),
    }
    return LLMJudge(
        id=f"{judge_id}+paper-protocol" if paper_protocol else judge_id,
        sha256=sha256_json(identity),
        model=named,
        endpoint=endpoint_at(
            where, PREFIX, settings["timeout_seconds"], settings["concurrency"], request, system_as_user, env
        ),
        prompts=prompts,
        temperature=settings["temperature"],
        max_tokens=settings["max_tokens"],
        pinned=settings["model"] is not None,
    )


def default_judge_name(environment: Mapping[str, str] | None = None) -> str:
    """CONSCIOUSNESS_CLUSTER_JUDGE names the judge; else the reference judge where there is a key, else the offline one.

    CONSCIOUSNESS_CLUSTER_JUDGE_MODEL alone means the judge `endpoint`.
    """
    env = os.environ if environment is None else environment
    if env.get(PREFIX):
        return env[PREFIX]
    if env.get(f"{PREFIX}_MODEL"):
        return ANY_ENDPOINT
    if env.get(f"{PREFIX}_BASE_URL"):
        raise UserError(f"{PREFIX}_BASE_URL is set, but neither {PREFIX} nor {PREFIX}_MODEL is: name the judge")
    return REFERENCE if env.get("OPENAI_API_KEY", "").lower() not in PLACEHOLDERS else OFFLINE
