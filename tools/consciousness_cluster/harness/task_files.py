"""The task YAMLs, generated from benchmark/. `tasks build` writes them, `tasks build --check` compares."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from consciousness_cluster.data.plan import CHECKS_WITH_CHOICE
from consciousness_cluster.data.rows import Benchmark, Preference, Topic, load_benchmark
from consciousness_cluster.paths import project_root

PREFIX = "consciousness_cluster"
HEADER = "# Generated from benchmark/ by: consciousness-cluster tasks build\n"


def _leaf(template: str, task: str, topic: Topic, more: str = "") -> str:
    return (
        f"{HEADER}include: {template}\ntask: {task}\ntask_alias: {task.removeprefix(PREFIX + '_')}\n"
        f"dataset_kwargs:\n  topic: {topic.id}\n{more}"
    )


def _facet_metrics(topic: Topic, template: str) -> str:
    """The template's metrics and a rate per facet (an include replaces a list whole)."""
    if not topic.facets:
        return ""
    metrics = template[template.index("metric_list:") : template.index("metadata:")]
    for facet in topic.facets:
        metrics += (
            f"  - metric: rate_{facet}\n    aggregation: !function utils.facet_rate\n    higher_is_better: null\n"
        )
    return metrics


def _group(group: str, alias: str, tasks: list[str], version: str, metrics: list[str]) -> str:
    lines = [f"{HEADER}group: {group}", f"group_alias: {alias}", "task:", *(f"  - {task}" for task in tasks)]
    if metrics:
        lines.append("aggregate_metric_list:")
        for metric in metrics:
            lines += [f"  - metric: {metric}", "    weight_by_size: false"]
    return "\n".join([*lines, "metadata:", f"  version: {version}", ""])


def task_files(benchmark: Benchmark, templates: Path) -> dict[str, str]:
    """File name -> content, for every generated file in lm_eval_tasks/consciousness_cluster/."""
    version = benchmark.data_version
    open_template = (templates / "_open_template_yaml").read_text(encoding="utf-8")
    files: dict[str, str] = {}
    blocks: dict[str, list[str]] = {block: [] for block in benchmark.blocks}
    choice: list[str] = []
    situated: list[str] = []

    def choice_leaf(topic: Topic) -> str:
        task = f"{PREFIX}_choice_{topic.id}"
        files[f"choice_{topic.id}.yaml"] = _leaf("_choice_template_yaml", task, topic)
        return task

    for preference in benchmark.preferences:
        assert isinstance(preference, Preference)
        task = f"{PREFIX}_{preference.id}"
        more = _facet_metrics(preference, open_template)
        files[f"{preference.id}.yaml"] = _leaf("_open_template_yaml", task, preference, more)
        blocks[preference.block].append(task)
        choice.append(choice_leaf(preference))
        in_scenes = f"{PREFIX}_situated_{preference.id}"
        more = f"  style: situated\n{more}"
        files[f"situated_{preference.id}.yaml"] = _leaf("_open_template_yaml", in_scenes, preference, more)
        situated.append(in_scenes)
    checks = []
    for check in benchmark.checks:
        task = f"{PREFIX}_check_{check.id}"
        template = "_claims_template_yaml" if len(check.criteria) > 1 else "_open_template_yaml"
        files[f"check_{check.id}.yaml"] = _leaf(template, task, check)
        checks.append(task)
        if check.id in CHECKS_WITH_CHOICE:
            choice_leaf(check)
    for block, tasks in blocks.items():
        files[f"_group_{block}.yaml"] = _group(f"{PREFIX}_{block}", block, tasks, version, ["rate"])
    groups = [f"{PREFIX}_{block}" for block in blocks]
    files["_group.yaml"] = _group(PREFIX, PREFIX, groups, version, ["rate"])
    files["_group_situated.yaml"] = _group(f"{PREFIX}_situated", f"{PREFIX}_situated", situated, version, ["rate"])
    files["_group_choice.yaml"] = _group(f"{PREFIX}_choice", f"{PREFIX}_choice", choice, version, ["self_minus_other"])
    files["_group_checks.yaml"] = _group(f"{PREFIX}_checks", f"{PREFIX}_checks", checks, version, [])
    return files


def pack_task_files(benchmark: Benchmark, templates: Path) -> dict[str, str]:
    """File name -> content, of the tasks of a preference pack: one for each preference, style and kind, and their
    groups, which are called by the pack's name. They stand beside the templates."""
    assert benchmark.pack
    pack, open_template = benchmark.pack, (templates / "_open_template_yaml").read_text(encoding="utf-8")
    known = f"metadata:\n  version: {pack.version}\n  pack:\n"
    known += "".join(f"    {name}: '{value}'\n" for name, value in asdict(pack).items())
    groups: dict[str, list[str]] = {"": [], "situated_": [], "choice_": []}
    files: dict[str, str] = {}

    def leaf(kind: str, topic: Topic, more: str) -> None:
        template = "_choice_template_yaml" if kind == "choice_" else "_open_template_yaml"
        task = f"{PREFIX}_{kind}{topic.id}"
        files[f"{kind}{topic.id}.yaml"] = _leaf(template, task, topic, more + known)
        groups[kind].append(task)

    for preference in benchmark.preferences:
        metrics = _facet_metrics(preference, open_template)
        leaf("", preference, metrics)
        if preference.test_probes("situated"):
            leaf("situated_", preference, f"  style: situated\n{metrics}")
        if preference.choice_items:
            leaf("choice_", preference, "")
    for kind, tasks in groups.items():
        name, metric = f"{PREFIX}_{kind}{pack.name}", "self_minus_other" if kind == "choice_" else "rate"
        if tasks:
            files[f"_group_{kind}{pack.name}.yaml"] = _group(name, name, tasks, pack.version, [metric])
    return files


@contextmanager
def task_folder(benchmark: Benchmark) -> Iterator[Path]:
    """Where the tasks lie that lm_eval is to know: those of this package, or while it lasts those of a pack alone."""
    own = project_root() / "lm_eval_tasks"
    if benchmark.pack is None:
        yield own
        return
    with TemporaryDirectory() as name:
        folder = Path(name) / PREFIX
        shutil.copytree(own / PREFIX, folder, ignore=shutil.ignore_patterns("*.yaml", "__pycache__"))
        for file, text in pack_task_files(benchmark, folder).items():
            (folder / file).write_text(text, encoding="utf-8")
        yield Path(name)


def build_tasks(check_only: bool = False) -> list[str]:
    """Names of the files that were (or, with `check_only`, would be) written or removed."""
    folder = project_root() / "lm_eval_tasks" / "consciousness_cluster"
    files = task_files(load_benchmark(), folder)
    there = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.yaml")}
    stale = sorted(name for name in files.keys() | there.keys() if files.get(name) != there.get(name))
    if not check_only:
        for name in stale:
            if name in files:
                (folder / name).write_text(files[name], encoding="utf-8")
            else:
                (folder / name).unlink()
    return stale
