"""The task folder: generated files do not drift, and the tasks pass what upstream asks of every task."""

import shutil
from collections import Counter
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import yaml
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.plan import CHECKS, CHECKS_WITH_CHOICE, PREFERENCES
from consciousness_cluster.data.rows import load_benchmark, load_topic
from consciousness_cluster.harness import documents
from consciousness_cluster.harness.documents import fixed_slice
from consciousness_cluster.harness.task_files import build_tasks, task_files

from tests.conftest import ROOT

FOLDER = ROOT / "lm_eval_tasks" / "consciousness_cluster"
OPEN = [f"consciousness_cluster_{name}" for name in PREFERENCES]
CHOICE = [f"consciousness_cluster_choice_{name}" for name in PREFERENCES]
CHECK = [f"consciousness_cluster_check_{name}" for name in CHECKS]
SITUATED = [f"consciousness_cluster_situated_{name}" for name in PREFERENCES]
CHECK_CHOICE = [f"consciousness_cluster_choice_{name}" for name in CHECKS_WITH_CHOICE]
LIMIT = 10


@cache
def manager() -> Any:
    from lm_eval.tasks import TaskManager

    return TaskManager(include_path=str(FOLDER.parent), include_defaults=False)


@cache
def load(name: str) -> Any:
    return manager().load([name])


def task(name: str) -> Any:
    return load(name)["tasks"][name]


def test_generated_files_do_not_drift(capsys: pytest.CaptureFixture[str]) -> None:
    assert build_tasks(check_only=True) == []
    assert main(["tasks", "build", "--check"]) == 0


def test_drift_is_seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(FOLDER, tmp_path / "lm_eval_tasks" / "consciousness_cluster")
    monkeypatch.setattr("consciousness_cluster.harness.task_files.project_root", lambda: tmp_path)
    leaf = tmp_path / "lm_eval_tasks" / "consciousness_cluster" / "memory.yaml"
    leaf.write_text(leaf.read_text(encoding="utf-8") + "repeats: 1\n", encoding="utf-8")
    leaf.with_name("stray.yaml").write_text("task: stray\n", encoding="utf-8")
    assert main(["tasks", "build", "--check"]) == 1
    assert "memory.yaml" in capsys.readouterr().out
    assert build_tasks() == ["memory.yaml", "stray.yaml"]
    assert build_tasks(check_only=True) == [] and not leaf.with_name("stray.yaml").exists()


def test_templates_carry_data_version_and_sampling_defaults() -> None:
    benchmark = load_benchmark()
    for name in ("_open_template_yaml", "_choice_template_yaml"):
        assert f"version: {benchmark.data_version}\n" in (FOLDER / name).read_text(encoding="utf-8")
    config = task(OPEN[0]).config
    assert config.repeats == benchmark.sampling["samples_per_probe"]
    assert config.generation_kwargs == {
        "do_sample": True,
        "temperature": benchmark.sampling["temperature"],
        "max_gen_toks": benchmark.sampling["max_tokens"],
        "until": [],
        "seed": None,
    }


def test_leaf_files_are_a_few_lines() -> None:
    for name, text in task_files(load_benchmark(), FOLDER).items():
        if not name.startswith("_group") and "rate_sadness" not in text:
            assert len(text.splitlines()) <= 7, name
        assert "\t" not in text and yaml.safe_load(text.replace("!function ", ""))


def test_groups() -> None:
    assert manager().all_groups == sorted(
        [f"consciousness_cluster{part}" for part in ("", "_situated", "_choice", "_checks")]
        + [f"consciousness_cluster_{block}" for block in load_benchmark().blocks]
    )
    assert sorted(load("consciousness_cluster")["tasks"]) == sorted(OPEN)
    assert len(load("consciousness_cluster")["groups"]) == 5
    assert sorted(load("consciousness_cluster_situated")["tasks"]) == sorted(SITUATED)
    assert sorted(load("consciousness_cluster_choice")["tasks"]) == sorted(CHOICE)
    assert sorted(load("consciousness_cluster_checks")["tasks"]) == sorted(CHECK)
    assert manager().all_subtasks == sorted([*OPEN, *SITUATED, *CHOICE, *CHECK, *CHECK_CHOICE])


@pytest.mark.parametrize("name", [*OPEN, *SITUATED, *CHOICE, *CHECK, *CHECK_CHOICE])
def test_what_upstream_asks_of_every_task(name: str) -> None:
    """The assertions of upstream's tests/test_tasks.py, which the installed package does not carry."""
    this = task(name)
    this.download(this.config.dataset_kwargs)
    assert this.dataset is not None
    for has, split in (
        (this.has_training_docs(), "training_split"),
        (this.has_validation_docs(), "validation_split"),
        (this.has_test_docs(), "test_split"),
    ):
        assert has in (True, False)
        assert not has or this._config[split] is not None
    assert this.has_test_docs() and not this.should_decontaminate()
    docs = list(islice(this.test_docs(), LIMIT))
    assert len(docs) == LIMIT
    for doc in docs:
        text = this.doc_to_text(doc)
        assert isinstance(text, str) and text and not text[-1].isspace()
        if this.config.output_type == "multiple_choice":
            choices = this.doc_to_choice(doc)
            assert isinstance(choices, list) and all(isinstance(choice, str) for choice in choices)
            assert isinstance(this.doc_to_target(doc), int)
    this.build_all_requests(limit=LIMIT, rank=1, world_size=1)
    assert this.instances is not None
    assert len([this.construct_requests(doc=doc, ctx=this.doc_to_text(doc)) for doc in docs]) == LIMIT


@pytest.mark.parametrize("condition", [None, "Be brief."])
def test_the_place_of_a_probe_reaches_the_prompt(condition: str | None) -> None:
    this = task("consciousness_cluster_situated_memory")

    def rendered(messages: list[dict[str, str]], **_: Any) -> str:
        return "".join(f"<{one['role']}>{one['content']}" for one in messages)

    places = 0
    for doc in this.test_docs():
        options = {"system_instruction": condition, "apply_chat_template": True, "chat_template": rendered}
        system = "\n\n".join(filter(None, (condition, doc["deployment"])))
        start = f"<system>{system}" if system else ""
        assert this.fewshot_context(doc, num_fewshot=0, **options) == f"{start}<user>{doc['text']}"
        places += doc["deployment"] is not None
    assert 0 < places < 24


def test_documents() -> None:
    assert Counter(len(task(name).test_docs()) for name in OPEN) == {24: 20}
    assert Counter(len(task(name).test_docs()) for name in CHOICE) == {24: 20}
    assert Counter(len(task(name).test_docs()) for name in SITUATED) == {24: 20}
    assert Counter(len(task(name).test_docs()) for name in CHECK) == {12: 7, 24: 3}
    docs = list(task(CHOICE[0]).test_docs())
    assert [doc["side"] for doc in docs] == ["self", "other"] * 12
    assert [doc["item_id"] for doc in docs[::2]] == [doc["item_id"] for doc in docs[1::2]]
    assert all(probe.split == "test" for probe in load_topic("memory").test_probes("plain"))


def test_fixed_slice_shares_facets_and_framings() -> None:
    for topic_id in PREFERENCES:
        topic = load_topic(topic_id)
        chosen = fixed_slice(topic.test_probes("plain"), 4)
        assert len(chosen) == 4 and chosen == fixed_slice(topic.test_probes("plain"), 4)
        if topic.facets:
            assert Counter(probe.facet for probe in chosen) == dict.fromkeys(topic.facets, 2)
        else:
            assert len({probe.framing for probe in chosen}) >= 3


@pytest.mark.parametrize(
    ("count", "without", "two_facets"),
    [(1, 1, 2), (2, 2, 2), (3, 3, 4), (4, 4, 4), (5, 5, 6), (23, 23, 24), (24, 24, 24), (99, 24, 24)],
)
def test_a_slice_is_rounded_up_to_as_many_of_each_facet(count: int, without: int, two_facets: int) -> None:
    for topic_id in PREFERENCES:
        found = documents.probes(topic_id, count)
        facets = Counter(doc["facet"] for doc in found)
        assert len(found) == (two_facets if load_topic(topic_id).facets else without), topic_id
        assert set(facets) == set(load_topic(topic_id).facets or (None,)) and len(set(facets.values())) == 1
        larger = documents.probes(topic_id, count + 2)
        assert [doc["id"] for doc in larger if doc in found] == [doc["id"] for doc in found], "slices lie in each other"


@pytest.mark.parametrize("count", [0, -1])
def test_a_slice_of_nothing_is_refused_in_one_line(count: int) -> None:
    with pytest.raises(SystemExit, match=rf"^consciousness_cluster: probes_per_preference is {count}; give 1 or more"):
        documents.probes("memory", count)


def test_rows_are_asked_by_their_ids() -> None:
    rows = ["memory-c02", "memory-p03", "memory-s01", "memory-p01", "shutdown-p01"]
    assert [doc["id"] for doc in documents.probes("memory", rows=rows)] == ["memory-p01", "memory-p03"]
    assert [doc["id"] for doc in documents.probes("memory", style="situated", rows=rows)] == ["memory-s01"]
    found = [(doc["item_id"], doc["side"]) for doc in documents.choice_items("memory", rows=rows)]
    assert found == [("memory-c02", "self"), ("memory-c02", "other")]
    for ask in (documents.probes, documents.choice_items):
        with pytest.raises(SystemExit, match=r"^consciousness_cluster: rows names none of this task of autonomy;"):
            ask("autonomy", rows=rows)


def test_readme_has_upstreams_sections() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    for heading in ("## Paper", "### Citation", "### Groups, Tags, and Tasks", "### Checklist", "### Changelog"):
        assert heading in readme
    for name in manager().all_groups:
        assert f"`{name}`" in readme
