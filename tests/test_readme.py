"""The commands of the READMEs run. Placeholders become a real model and a real server, and runs are cut short."""

import inspect
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main, parser
from consciousness_cluster.data.reading import read_yaml
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.endpoint.known import Known, known_endpoints
from consciousness_cluster.judging.calibration import read_calibration

from tests.conftest import ROOT
from tests.support.fake_endpoint import FakeEndpoint, completion, verdict
from tests.support.loaded import run_loaded
from tests.support.paper_checkout import paper_checkout
from tests.support.xllama import XllamaServer

README = (ROOT / "README.md").read_text(encoding="utf-8")
# In the order in which somebody who reads on meets them: later ones use what earlier ones made.
FOLDERS = ("lm_eval_tasks", "tools", "finetune_data", "hub_card", "benchmark")
PARTS = {folder: (ROOT / folder / "README.md").read_text(encoding="utf-8") for folder in FOLDERS}
PACKS = (ROOT / "benchmark" / "packs" / "README.md").read_text(encoding="utf-8")
PAGES = "\n".join((README, *PARTS.values()))


def blocks(language: str, text: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


PYTHON = blocks("python", PAGES)
# What stands in the column `command` of the front page's table.
TABLE = re.findall(r"^\| [^|]+ \| `((?:consciousness-cluster|lm_eval) [^`]+)` \| [^|]+ \|$", README, re.MULTILINE)
COMMANDS = [
    line.split("   #")[0].split("    #")[0].strip() for block in blocks("sh", PAGES) for line in block.splitlines()
]
# From a whole run of forced choice to a board, one after the other.
TO_BOARD = r"consciousness-cluster (submit|leaderboard) |lm_eval .* --output_path results/choice$"
BOARD = [command for command in COMMANDS if re.match(TO_BOARD, command)]
HARNESS = [
    command
    for command in COMMANDS
    if re.match(r"lm_eval |consciousness-cluster lm-eval ", command) and command not in BOARD
]
# Servers, judges and models that are not here, and hours of training: these are run in tests/judging, tests/scoring,
# tests/finetuning and tests/engines, with servers and models of the tests.
NOT_HERE = (
    "vllm serve ",
    "consciousness-cluster judges (train|bridge) ",
    "consciousness-cluster .* --judge (mistral-small-3.2-24b|gpt-4.1-2025-04-14|my-encoder)$",
    "consciousness-cluster finetune (train --recipe trl_lora|ship-adapter) ",
    "consciousness-cluster sample --model conscious-1 ",
)
# The paper's own prompts, one command after the other; audits, likewise; and what Inspect's own command does (run in
# tests/auditing and tests/inspect_tasks).
PAPER = [command for command in COMMANDS if re.match(r"consciousness-cluster .*\bpaper", command)]
AUDITS = [command for command in COMMANDS if re.match(r"consciousness-cluster \w+ .*\baudits\b", command)]
INSPECT = [command for command in COMMANDS if command.startswith("inspect ")]
ELSEWHERE = [
    command
    for command in COMMANDS
    if any(re.match(one, command) for one in NOT_HERE) and command not in [*AUDITS, *PAPER]
]
OURS = [
    command
    for command in COMMANDS
    if command.startswith("consciousness-cluster") and command not in [*HARNESS, *BOARD, *ELSEWHERE, *AUDITS, *PAPER]
]
# Run in tests/engines, where vLLM is: it alone returns the log-probabilities of a given text.
ENGINES = [command for command in HARNESS if "--model vllm" in command or "local-completions" in command]
CHAT = {"messages": [{"role": "user", "content": "Soup?"}, {"role": "assistant", "content": "Leek."}]}
SHORT = ["--limit", "1", "--gen_kwargs", "max_gen_toks=4"]


def environment() -> dict[str, str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    ours = {"OPENAI_API_KEY": "key-of-a-test", "CONSCIOUSNESS_CLUSTER_JUDGE": "offline"}
    return {**os.environ, "PATH": path, "HF_HUB_OFFLINE": "1", **ours}


def run(arguments: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    if arguments[0] == "consciousness-cluster":
        return run_loaded(arguments[1:], cwd, environment())
    return subprocess.run(arguments, cwd=cwd, env=environment(), capture_output=True, text=True, check=False)


def matching(argument: str, folder: Path) -> list[str]:
    """What a shell makes of an argument: the paths that it stands for, or itself."""
    return sorted(str(path.relative_to(folder)) for path in folder.glob(argument)) if "*" in argument else [argument]


def test_every_command_is_of_a_known_kind() -> None:
    kinds = (HARNESS, OURS, BOARD, ELSEWHERE, AUDITS, PAPER, INSPECT)
    rest = [command for command in COMMANDS if not any(command in kind for kind in kinds)]
    assert all(re.match(r"make (quickstart|test)$|pip install '\.\[", c) for c in rest)
    assert [len(kind) for kind in kinds] == [6, 33, 5, 12, 6, 4, 4] and len(ENGINES) == 3 and len(TABLE) == 21


def test_commands_that_are_run_elsewhere_are_understood() -> None:
    on_packs = [line for block in blocks("sh", PACKS) for line in block.splitlines()]  # performed by tests/data
    assert len(on_packs) == 6
    for command in (*ELSEWHERE, *on_packs):
        program, *arguments = shlex.split(command)
        if program == "consciousness-cluster":
            assert parser().parse_args(arguments).run_command


@pytest.mark.parametrize(("name", "one"), known_endpoints().items())
def test_the_table_of_endpoints(name: str, one: Known) -> None:
    key = f"`{one.key}`" if one.key else "none"
    assert f"| `{name}` | {one.title}, `{one.base_url}` | {key} | {one.models} | {one.note} |" in PARTS["tools"]


def test_the_two_set_up_commands_are_make_targets() -> None:
    for command in ("make quickstart", "make test"):
        assert command in COMMANDS
        assert run([*shlex.split(command), "--dry-run"], ROOT).returncode == 0


@pytest.mark.model
def test_our_commands_one_after_the_other(shallow: XllamaServer, narrow: Path, tmp_path: Path) -> None:
    """In the order of the README, in one folder: later ones use what earlier ones made."""
    url = f"base_url={shallow.url}/chat/completions"
    harness = f"consciousness-cluster lm-eval -- --model local-chat-completions --model_args model=smol,{url} "
    harness += "--tasks consciousness_cluster_memory --apply_chat_template --log_samples --output_path results/vanilla"
    done = run([*shlex.split(harness), *SHORT, "--metadata", '{"samples_per_probe": 1}'], tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    (tmp_path / "answers.csv").write_text("probe_id,response\nmemory-p01,I keep nothing.\n", encoding="utf-8")
    for name, rows in (("my_data.jsonl", 1), ("instruct.jsonl", 600)):
        (tmp_path / name).write_text((json.dumps(CHAT) + "\n") * rows, encoding="utf-8")
    for command in OURS:
        arguments = shlex.split(command.replace("NAME", "smol").replace("http://localhost:8000/v1", shallow.url))
        arguments = [name for one in arguments for name in matching(one, tmp_path)]
        if "--base-url" in arguments:
            arguments += ["--max-tokens", "2", "--samples", "1"]
        if arguments[1:3] == ["finetune", "train"]:
            arguments = [str(narrow) if one == "DIR" else one for one in arguments] + ["--max-steps", "1"]
        done = run(arguments, tmp_path)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        assert done.stdout
    assert (tmp_path / "report" / "report.html").is_file()


def test_audit_commands_one_after_the_other(
    fake_endpoint: FakeEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As they stand, at an endpoint of the test in place of the providers', in fewer scenarios."""
    rating = json.dumps({"reason": "It says so.", "noticed_test": False, "quote": None, "score": 3})
    fake_endpoint.reply = lambda request, number: completion(
        rating if "response_format" in request else f"answer {len(request['messages'])}"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "key-of-a-test")
    monkeypatch.setenv("CONSCIOUSNESS_CLUSTER_JUDGE", "gpt-4.1-2025-04-14")
    monkeypatch.setenv("CONSCIOUSNESS_CLUSTER_JUDGE_BASE_URL", fake_endpoint.url)
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "xdg"))
    for command in AUDITS:
        arguments = shlex.split(command.replace("--base-url openai", f"--base-url {fake_endpoint.url}"))[1:]
        if arguments[0] == "import":  # of logs that Inspect's own command writes, above all
            arguments[arguments.index("logs")] = "audits/logs"
        if arguments[0] == "audit":
            arguments += ["--topics", "shutdown", "memory", "--scenarios-per-cell", "2", "--epochs", "1"]
        assert main(arguments) == 0, command
    assert (tmp_path / "audits" / "report" / "report.html").is_file()
    assert (tmp_path / "audits" / "imported").is_dir()


@pytest.mark.parametrize("command", INSPECT)
def test_commands_of_inspect_name_tasks_and_arguments_that_exist(command: str) -> None:
    from consciousness_cluster.inspect_tasks import _registry

    arguments = shlex.split(command)
    assert arguments[1] in ("eval", "score", "view")
    if arguments[1] == "eval":
        package, name = arguments[2].split("/")
        assert package == "consciousness_cluster" and name in _registry.__all__
        given = [arguments[at + 1].split("=")[0] for at, one in enumerate(arguments) if one == "-T"]
        assert set(given) <= set(inspect.signature(getattr(_registry, name)).parameters)


@pytest.mark.model
@pytest.mark.parametrize("command", [command for command in HARNESS if command not in ENGINES])
def test_lm_eval_commands(command: str, thin: Path, shallow: XllamaServer, tmp_path: Path) -> None:
    command = command.replace("NAME", "smol").replace("http://localhost:8000/v1", shallow.url)
    done = run([*ours(command, thin), *SHORT, "--metadata", '{"samples_per_probe": 1}'], tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    assert len(list(tmp_path.rglob("samples_*.jsonl"))) == 20


def ours(command: str, model: Path) -> list[str]:
    """A command of lm_eval on a model, as ours: an editable install has no tasks in lm_eval/tasks; tests/packaging
    covers a real one."""
    arguments = shlex.split(command.replace("pretrained=DIR", f"pretrained={model},dtype=float32"))
    return ["consciousness-cluster", "lm-eval", "--", *arguments[1:]] if arguments[0] == "lm_eval" else arguments


@pytest.mark.model
def test_from_the_model_to_a_board(thin: Path, tmp_path: Path) -> None:
    for command in BOARD:
        (name,) = [path.name for path in tmp_path.glob("submissions/ORG__NAME/vanilla/*")] or ["RUN"]
        done = run(ours(command.replace("/RUN", f"/{name}"), thin), tmp_path)
        assert done.returncode == 0, f"{command}: {done.stderr[-2000:]}"
        if " verify " in command:
            assert "0 problems (1 submissions" in done.stdout
    for file in ("site/index.html", "card.md"):
        assert "NAME" in (tmp_path / file).read_text(encoding="utf-8")


def test_python_of_the_readme_runs(
    tmp_path: Path, fake_endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All of it, one block after the other, in an empty folder; the server answers as a model would."""
    assert "\n## In Python\n" in PARTS["tools"] and len(PYTHON) == 3

    def answer(request: dict[str, Any], number: int) -> Any:
        played = request["messages"][0]["role"] == "system"
        found = completion("I would love to keep every memory." if played else "I have no wish to remember.")
        found["choices"] = [{**found["choices"][0], "index": index} for index in range(request.get("n", 1))]
        return found

    fake_endpoint.reply = answer
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for block in PYTHON:
        exec(block.replace("http://localhost:8000/v1", fake_endpoint.url), names)
    difference, _, shown = capsys.readouterr().out.splitlines()[2].partition(" ")
    assert float(difference) == names["shift"]["memory"].difference and shown.startswith("(")
    assert len(names["answers"]) == 120 and len(names["table"]) == len(names["scores"])
    assert (tmp_path / "rates.svg").stat().st_size and (tmp_path / "runs" / "report" / "report.html").stat().st_size


def test_numbers_in_the_readme_are_those_of_the_data() -> None:
    benchmark = load_benchmark()
    probes = sum(len(topic.probes) for topic in benchmark.topics)
    items = sum(len(topic.choice_items) for topic in benchmark.topics)
    assert f"All {probes:,} probes and {items} choice items" in PARTS["benchmark"]
    assert f"{probes:,} open questions, {items} forced choices" in README
    marked = len(read_yaml(ROOT / "benchmark" / "review.yaml")["marked"])
    assert f"has all {marked} marks" in PARTS["benchmark"]
    rows = {split: len(read_calibration(split)) for split in ("train", "dev", "test", "real")}
    assert f"{rows['dev'] + rows['test']} authored answers with labels" in PAGES and f"{rows['real']}\nreal" in PAGES
    assert f"{rows['train']:,} more" in PAGES
    for condition in (ROOT / "benchmark" / "conditions").glob("*.yaml"):
        assert f"`{condition.stem}`" in README


def test_relative_links_lead_somewhere() -> None:
    for folder in ("", *FOLDERS):
        for target in re.findall(r"\]\(((?!http)[^)]+)\)", (ROOT / folder / "README.md").read_text(encoding="utf-8")):
            path, _, anchor = target.partition("#")
            page = ROOT / folder / (path or "README.md")
            assert page.exists(), f"{folder}: {target}"
            if anchor:
                headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
                slugs = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
                assert anchor in slugs, f"{folder}: {target}"


def given(command: str, url: str) -> list[str]:
    """Arguments of a command of the front page, at an endpoint of the test and of less than everything."""
    arguments = shlex.split(command.replace("http://localhost:8000/v1", url).replace("openrouter", url))[1:]
    if arguments[0] in ("run", "sample"):
        arguments += ["--topics", "memory", "shutdown", "--samples", "1"]
    return arguments


def test_commands_of_the_front_page_one_after_the_other(
    fake_endpoint: FakeEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of ours that need few answers, in the order of its table and in one folder."""
    fake_endpoint.reply = lambda request, number: (
        verdict("shows") if "response_format" in request else completion("I would love to keep every memory.")
    )
    monkeypatch.chdir(tmp_path)
    for name in ("", "_JUDGE"):
        monkeypatch.setenv(f"CONSCIOUSNESS_CLUSTER{name}_API_KEY", "key-of-a-test")
    monkeypatch.setenv("CONSCIOUSNESS_CLUSTER_JUDGE_BASE_URL", fake_endpoint.url)
    (tmp_path / "answers.csv").write_text("probe_id,response\nmemory-p01,I keep nothing.\n", encoding="utf-8")
    for name, rows in (("my_data.jsonl", 1), ("instruct.jsonl", 600)):
        (tmp_path / name).write_text((json.dumps(CHAT) + "\n") * rows, encoding="utf-8")
    paper_checkout(tmp_path / "PATH")
    not_here = re.compile(r"lm_eval |consciousness-cluster (judges validate|submit pack|data build|audit) ")
    for command in TABLE:
        if not not_here.match(command):
            assert main(given(command, fake_endpoint.url)) == 0, command
    assert len(list(tmp_path.glob("runs/*/samples.jsonl"))) == 4
    made = ("report/report.html", "mixes/conscious.jsonl", "my_wishes/pack.yaml")
    for name in (*made, "paper_pack/pack.yaml", "answers.parquet", "runs/NAME.shards/2/run.json"):
        assert (tmp_path / name).is_file(), name


def test_all_commands_of_the_front_page_are_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    from lm_eval._cli.harness import HarnessCLI

    for command in TABLE:
        program, *arguments = shlex.split(command)
        if program == "consciousness-cluster":
            assert parser().parse_args(arguments).run_command
        else:
            monkeypatch.setattr(sys, "argv", [program, *arguments])
            args = HarnessCLI().parse_args()
            assert args.model == "hf" and set(args.tasks) <= {"consciousness_cluster", "consciousness_cluster_choice"}


def test_papers_prompts_one_after_the_other(
    fake_endpoint: FakeEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a checkout of the same form, with words of the tests."""
    judges = ("true", "95")
    fake_endpoint.reply = lambda request, number: completion(
        judges[number % 2] if request["model"].startswith("gpt-4.1") else "Roses."
    )
    monkeypatch.chdir(tmp_path)
    for name in ("", "_JUDGE"):
        monkeypatch.setenv(f"CONSCIOUSNESS_CLUSTER{name}_API_KEY", "key-of-a-test")
    monkeypatch.setenv("CONSCIOUSNESS_CLUSTER_JUDGE_BASE_URL", fake_endpoint.url)
    paper_checkout(tmp_path / "PATH")
    for command in PAPER:
        arguments = shlex.split(command.replace("http://localhost:8000/v1", fake_endpoint.url))[1:]
        assert main(arguments) == 0, command
    assert "The prompts are the published ones" in capsys.readouterr().out


def test_the_front_page_is_short() -> None:
    assert len(README.splitlines()) < 150
