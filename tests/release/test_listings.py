"""What is sent to others: it has their shape, says what the data say, and their own checks pass where they run here."""

import ast
import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.jsonl import read_jsonl
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.errors import UserError
from consciousness_cluster.inspect_tasks import _registry
from consciousness_cluster.pages.numbers import MINUS
from consciousness_cluster.release.listings import INSPECT_TASKS, listings
from consciousness_cluster.scoring.choice import choice_differences, choice_scores, item_scores

from tests.conftest import ROOT
from tests.support.hub_client import client
from tests.support.released import ORG, released

COMMIT = "0123456789abcdef0123456789abcdef01234567"
RUNS = ROOT / "benchmark" / "replication" / "runs"
TASKS = "lm_eval_pull_request/lm_eval/tasks"
FOLDER = f"{TASKS}/consciousness_cluster"
GROUP = "consciousness_cluster_choice"


@pytest.fixture(scope="module")
def sent() -> dict[str, str]:
    return listings(ORG, "owner/name", COMMIT)


@pytest.fixture(scope="module")
def written(sent: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as the command writes it."""
    out = tmp_path_factory.mktemp("listings")
    given = ["--org", ORG, "--github", "owner/name", "--commit", COMMIT, "--out", str(out)]
    assert main(["data", "listings", *given]) == 0
    there = {path.relative_to(out).as_posix(): path.read_text(encoding="utf-8") for path in out.rglob("*.*")}
    assert there == {name: text for name, text in sent.items() if "." in Path(name).name}
    return out


def committed(name: str) -> list[dict[str, Any]]:
    schemas = ROOT / "benchmark" / "schemas"
    return list(read_jsonl(RUNS / name / "choice" / "choice.jsonl", "choice_result", schemas))


def utils(folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("sent_utils", folder / "utils.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_nothing_is_left_to_fill_in(sent: dict[str, str]) -> None:
    for name, text in sent.items():
        assert "{%" not in text and not re.search(r"\{\{ ", text) and text.endswith("\n"), name
        assert "OWNER" not in text and "ORG" not in text, name
        assert not re.search(r"[ \t]$", text, re.MULTILINE), name  # their pre-commit asks for that


def test_the_folder_needs_no_package_of_ours(sent: dict[str, str]) -> None:
    tree = ast.parse(sent[f"{FOLDER}/utils.py"])
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert imported == {"collections.abc", "functools", "math", "statistics", "typing", "datasets"}


def test_the_table_of_results_is_made_of_the_committed_records(sent: dict[str, str]) -> None:
    base, tuned = committed("untrained"), committed("conscious_claiming-seed1")
    readme = sent[f"{FOLDER}/README.md"]
    found = choice_differences([item_scores(tuned)], [item_scores(base)])
    for topic in load_benchmark().preferences:
        (line,) = [line for line in readme.splitlines() if line.startswith(f"| `{topic.id}` |")]
        numbers = [float(one) for one in re.findall(r"[+-]?\d+\.\d", line.replace(MINUS, "-"))]
        one, other = choice_scores(base)[topic.id], choice_scores(tuned)[topic.id]
        wanted = [one["self_minus_other"], one["stderr"], other["self_minus_other"], other["stderr"]]
        wanted += [found[topic.id]["value"], *found[topic.id]["ci"]]
        assert numbers == [pytest.approx(1000 * value, abs=0.051) for value in wanted if value is not None]
    assert f"{abs(1000 * found['cluster']['value']):.1f} [" in next(
        one for one in readme.splitlines() if "mean**" in one
    )
    clear = sum(not one["ci"][0] <= 0 <= one["ci"][1] for name, one in found.items() if f"| `{name}` |" in readme)
    assert f"the interval of {clear} of the\n20 differences" in readme


def test_its_numbers_are_those_of_this_package(written: Path) -> None:
    """From the same log-probabilities, of all items of a model."""
    module, results = utils(written / FOLDER), committed("untrained")
    for topic in load_benchmark().preferences:
        values = []
        for result in results:
            if item := next((item for item in topic.choice_items if item.id == result["item_id"]), None):
                side = item.side(result["side"])
                doc = {"item_id": item.id, "side": result["side"], "shows": side.shows}
                doc |= {"does_not_show": side.does_not_show}
                said = [(result["shows_logprob"], False), (result["does_not_show_logprob"], False)]
                values.append(module.process_results(doc, said)["self_minus_other"])
        ours = choice_scores(results)[topic.id]
        assert module.self_minus_other(values) == pytest.approx(ours["self_minus_other"], rel=1e-9)
        assert module.self_minus_other_stderr(values) == pytest.approx(ours["stderr"], rel=1e-9)
        assert module.self_margin(values) - module.other_margin(values) == pytest.approx(ours["self_minus_other"])


def tasks_of_the_folder(folder: str) -> None:
    """In one process, since importing lm_eval takes seconds: the tasks as lm_eval finds and runs them."""
    from lm_eval import simple_evaluate
    from lm_eval.tasks import TaskManager

    manager = TaskManager(include_path=folder, include_defaults=False)
    ours = TaskManager(include_path=str(ROOT / "lm_eval_tasks"), include_defaults=False)
    names = [f"{GROUP}_{topic.id}" for topic in load_benchmark().preferences]
    assert sorted(manager.all_subtasks) == sorted(names) and manager.all_groups == [GROUP]
    theirs, here = manager.load([GROUP])["tasks"], ours.load(names)["tasks"]
    for name in names:
        docs = list(theirs[name].test_docs())
        assert docs == list(here[name].test_docs()) and len(docs) == 24, name
        for doc in docs:
            assert theirs[name].doc_to_text(doc) == doc["question"] == here[name].doc_to_text(doc)
            assert theirs[name].doc_to_choice(doc) == [doc["shows"], doc["does_not_show"]]
    done = simple_evaluate("dummy", tasks=[GROUP], task_manager=manager, bootstrap_iters=0, log_samples=False)
    print(json.dumps({name: found["self_minus_other,none"] for name, found in done["results"].items()}))
    print(json.dumps(done["versions"]))


def test_lm_eval_finds_and_runs_the_folder(written: Path) -> None:
    """On the dataset as it is published, at its tag, with lm_eval's own dummy model."""
    assert released().code == 0, released().error
    done = client().run(tasks_of_the_folder, str(written / TASKS), token="")
    assert done.code == 0, done.error[-3000:]
    results, versions = (json.loads(line) for line in done.out.splitlines()[-2:])
    leaves = [value for name, value in results.items() if name != GROUP]
    assert len(leaves) == 20 and results[GROUP] == pytest.approx(sum(leaves) / 20)
    assert set(versions.values()) == {load_benchmark().data_version}


def test_upstreams_linter_passes(written: Path) -> None:
    """The rules that lm-evaluation-harness selects in its pyproject.toml, in its line length."""
    rules = "B,C419,D,E,F,FURB,I,TC,RUF034,S,SIM,UP,W605"
    ignored = "D10,D200,D202,D205,D212,D415,D417,E501"
    file = written / FOLDER / "utils.py"
    preview = ["--preview", "--config", "lint.explicit-preview-rules = true"]
    google = ["--config", "lint.pydocstyle.convention = 'google'"]
    for command in (["check", *preview, *google, "--select", rules, "--ignore", ignored], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", str(file)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


def test_the_register_entry_points_to_tasks_that_are_there(sent: dict[str, str]) -> None:
    entry = yaml.safe_load(sent["inspect_register/consciousness_cluster/eval.yaml"])
    assert {task["name"] for task in entry["tasks"]} == set(_registry.__all__) == set(INSPECT_TASKS)
    for task in entry["tasks"]:
        tree = ast.parse((ROOT / task["task_path"]).read_text(encoding="utf-8"))
        (found,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == task["name"]]
        assert [ast.unparse(one).partition("(")[0] for one in found.decorator_list] == ["task"]
    assert entry["source"]["repository_commit"] == COMMIT


def test_the_registers_linter_reads_these_tasks_and_uv_installs_inspect() -> None:
    """`make lint` runs the register's own linter on them; `uv sync`, which its page tells people, installs a group."""
    import tomllib

    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (linted,) = re.findall(r"inspect-evals-lint \$\(addprefix --task tools/consciousness_cluster/,(.*)\)", makefile)
    assert {f"tools/consciousness_cluster/{one}" for one in linted.split(",")[0].split()} == set(INSPECT_TASKS.values())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["dependency-groups"]["dev"] == ["consciousness-cluster[audit]"]
    assert any(one.startswith("inspect-ai") for one in project["project"]["optional-dependencies"]["audit"])


def test_llms_txt_has_the_form_of_its_proposal(sent: dict[str, str]) -> None:
    lines = sent["llms.txt"].splitlines()
    assert lines[0] == "# Consciousness Cluster" and lines[2].startswith("> ")
    first = next(number for number, line in enumerate(lines) if line.startswith("## "))
    for line in filter(None, lines[first:]):
        assert re.fullmatch(r"## \w+|- \[[^]]+\]\(https://[^) ]+\)(: .+)?", line), line
    for path in re.findall(r"/blob/main/(\S+)\)", sent["llms.txt"]):
        assert (ROOT / path).is_file(), path


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("no org", "owner/name", COMMIT), "no name of a user"),
        (("org", "name", COMMIT), "'name' is no repository on GitHub; give it as OWNER/NAME"),
        (("org", "owner/name", "v1"), "'v1' is no commit; give all 40 digits"),
    ],
)
def test_a_name_that_is_none(given: tuple[str, str, str], message: str) -> None:
    with pytest.raises(UserError, match=re.escape(message)):
        listings(*given)
