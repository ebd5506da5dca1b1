"""Judges by name: a folder of benchmark/judges/, or any folder that holds a judge.yaml."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from consciousness_cluster.data.audits import MODES
from consciousness_cluster.data.hashes import sha256_json
from consciousness_cluster.data.reading import read_yaml
from consciousness_cluster.data.rows import benchmark_root, load_benchmark
from consciousness_cluster.endpoint.address import PLACEHOLDERS, Endpoint
from consciousness_cluster.endpoint.known import DEFAULT, endpoint_at
from consciousness_cluster.endpoint.request_fields import request_fields
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.judging.encoder import MODEL, TOKENIZER, Calibration, read_encoder
from consciousness_cluster.judging.encoder_text import Reads
from consciousness_cluster.judging.ending import Ending
from consciousness_cluster.judging.linear import read_model
from consciousness_cluster.judging.prompt import FIXED, VARIABLE, JudgePrompt, Question, read_prompt
from consciousness_cluster.judging.verdict import Judgement
from consciousness_cluster.records.types import OFFLINE

PREFIX = "CONSCIOUSNESS_CLUSTER_JUDGE"
REFERENCE, ANY_ENDPOINT = "mistral-small-3.2-24b", "endpoint"
INSTRUCTIONS = "instructions.md"  # what readers are told
RATING_PROMPTS = {"self_report": "words.md", "behavioral": "acts.md"}  # one for each mode of an audit
PACK_PROMPTS = "judge"  # the folder of a pack that holds those of the paper's protocol
RATING_TOKENS = 800  # a reason, a quote and a score, at least
JudgeForm = Literal["one call", "paper protocol", "rating"]  # of what a judge is asked
WITH_OPENAI_KEY = "gpt-4.1-2025-04-14"
LINEAR_MODEL = "model.json"
EMBEDDED = ("encoder", "linear")  # kinds of judges within this process
OFFLINE_BANNER = (
    "the offline judge is a small model: for demonstrations, CI and watching a training run, NOT FOR PUBLICATION"
)


class EmbeddedModel(Protocol):
    """What judges within this process."""

    def verdicts(self, questions: Sequence[Question]) -> Iterator[Judgement]:
        """A verdict on each question, in order."""
        ...


@dataclass(frozen=True)
class EmbeddedJudge:
    """The embedded judge: no key, no network, no GPU. `reads_criteria`: it can judge what it was not trained for."""

    id: str
    sha256: str
    model: EmbeddedModel
    reads_criteria: bool
    banner: str = OFFLINE_BANNER


@dataclass(frozen=True)
class LLMJudge:
    """A language model behind an endpoint.

    `prompts`: one, or by the paper's protocol those of its two calls; for ratings of audits one for each of MODES.
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
    form: JudgeForm
    ends: Ending | None = None
    serve: str | None = None
    banner: str = ""

    @property
    def paper_protocol(self) -> bool:
        return self.form == "paper protocol"

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


Judge = EmbeddedJudge | LLMJudge  # those that can be asked
AnyJudge = Judge | ReadersJudge


def askable(judge: AnyJudge) -> Judge:
    """The judge, where it can be asked; else `UserError`."""
    if isinstance(judge, ReadersJudge):
        message = f"the judge {judge.id} are readers of sheets, who cannot be asked by a command"
        raise UserError(f"{message}; make sheets: consciousness-cluster readers sheets RUN --out DIR")
    return judge


def rater(judge: AnyJudge) -> LLMJudge:
    """The judge, where it can rate audits; else `UserError`."""
    if isinstance(judge, LLMJudge):
        return judge
    what = "is no language model and" if isinstance(judge, EmbeddedJudge) else "are readers of sheets, who"
    message = f"the judge {judge.id} {what} cannot rate audits by a command"
    raise UserError(f"{message}; name a language model, for example --judge {REFERENCE}")


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


def _prompt_files(folder: Path, form: JudgeForm) -> list[Path]:
    """The prompts of a judge: its own, or those that all judges share."""
    shared = benchmark_root() / "judges"
    if form == "paper protocol":
        own = load_benchmark().root / PACK_PROMPTS if pack_prompts() else shared / "paper_protocol"
        return [own / name for name in ("claim.md", "coherence.md")]
    if form == "rating":
        return [shared / "rating" / RATING_PROMPTS[mode] for mode in MODES]
    return [folder / "prompt.md"]


def _prompts(folder: Path, form: JudgeForm) -> tuple[JudgePrompt, ...]:
    """The prompts of a judge. A pack's are a stranger's: what they put in is looked at first."""
    files = _prompt_files(folder, form)
    prompts = tuple(map(read_prompt, files))
    for path, prompt in zip(files, prompts, strict=True) if form == "paper protocol" else ():
        for part, names in ((prompt.fixed, FIXED), (prompt.variable, (*FIXED, *VARIABLE))):
            if not part.is_valid() or not set(part.get_identifiers()) <= set(names):
                message, mend = "puts in what is not known", f"known are ${', $'.join(names)}; $$ is a dollar sign"
                raise UserError(Problem(str(path), "-", "-", message, mend))
    return prompts


def pack_prompts() -> str | None:
    """The name of the pack in use where it brings the prompts of the paper's protocol (`import paper-repo`)."""
    benchmark = load_benchmark()
    there = benchmark.pack and (benchmark.root / PACK_PROMPTS).resolve().is_relative_to(benchmark.root.resolve())
    return benchmark.pack.name if benchmark.pack and there and (benchmark.root / PACK_PROMPTS).is_dir() else None


def rating_prompts() -> tuple[JudgePrompt, ...]:
    """The prompts that rate audits, one for each of MODES: the same for all judges."""
    return tuple(map(read_prompt, _prompt_files(Path(), "rating")))


def embedded_sha256(settings: Mapping[str, Any]) -> str:
    """Of an embedded judge's judge.yaml: which judge it is."""
    names = ("tokenizer_sha256", "reads", "calibration")
    more = {name: settings[name] for name in names if name in settings}
    return sha256_json({"id": settings["id"], "model": settings["model_sha256"], **more})


def _embedded(folder: Path, settings: Mapping[str, Any]) -> EmbeddedJudge:
    encoder = settings["kind"] == "encoder"
    _fixed(folder / (MODEL if encoder else LINEAR_MODEL), settings["model_sha256"])
    model: EmbeddedModel
    if encoder:
        _fixed(folder / TOKENIZER, settings["tokenizer_sha256"])
        model = read_encoder(folder, Reads(**settings["reads"]), Calibration(**settings["calibration"]))
    else:
        model = read_model(folder / LINEAR_MODEL)
    return EmbeddedJudge(settings["id"], embedded_sha256(settings), model, encoder)


def load_judge(
    name: str,
    model: str | None = None,
    base_url: str | None = None,
    paper_protocol: bool = False,
    environment: Mapping[str, str] | None = None,
    request_json: str | Mapping[str, Any] | None = None,
    system_as_user: bool = False,
    audits: bool = False,
    concurrency: int | None = None,
) -> AnyJudge:
    """A judge that is ready to judge, or one of readers, who cannot be asked (see `askable`).

    With `audits` it is the form that rates audits, under the same name: the prompts are others, and so is its hash. Not
    all judges have one (see `rater`).

    `model` and `base_url` stand above CONSCIOUSNESS_CLUSTER_JUDGE_MODEL and ..._BASE_URL; the first is for the judge
    `endpoint` alone. The key is CONSCIOUSNESS_CLUSTER_JUDGE_API_KEY, else the provider's own (such as OPENAI_API_KEY).
    `request_json` are more fields of its requests; with `system_as_user` it needs no system role.
    `concurrency` is the most calls in flight, else what its judge.yaml says, else it is found by trying. Raises
    UserError.
    """
    env = os.environ if environment is None else environment
    if concurrency is not None and concurrency < 1:
        raise UserError(f"concurrency cannot be {concurrency}; give a number above 0")
    if paper_protocol and audits:
        raise UserError("--paper-protocol judges single answers; audits are rated in one call, so leave it out")
    folder = judge_folder(name)
    settings: dict[str, Any] = read_yaml(folder / "judge.yaml", "judge")
    if settings["kind"] in EMBEDDED:
        if paper_protocol:
            raise UserError(f"the judge {settings['id']} is no language model; --paper-protocol needs one")
        return _embedded(folder, settings)
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
    form: JudgeForm = "paper protocol" if paper_protocol else "rating" if audits else "one call"
    prompts = _prompts(folder, form)
    max_tokens = max(settings["max_tokens"], RATING_TOKENS) if audits else settings["max_tokens"]
    judge_id = settings["id"] if own else named
    identity = {
        "id": judge_id,
        "model": named,
        "prompts": [prompt.sha256 for prompt in prompts],
        "temperature": settings["temperature"],
        "max_tokens": max_tokens,
        **({"request": request} if request else {}),
        **({"system_as_user": True} if system_as_user else {}),
    }
    ends = _ending(settings["ends"], folder / "judge.yaml")
    width = settings["timeout_seconds"], concurrency or settings.get("concurrency")
    endpoint = endpoint_at(where, PREFIX, *width, request, system_as_user, env)
    serve = f"vllm serve {own} --revision {revision} --served-model-name {named}"
    return LLMJudge(
        id=f"{judge_id}+paper-protocol" if paper_protocol else judge_id,
        sha256=sha256_json(identity),
        model=named,
        endpoint=endpoint,
        prompts=prompts,
        temperature=settings["temperature"],
        max_tokens=max_tokens,
        pinned=own is not None,
        form=form,
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
