"""The folder that is sent to lm-evaluation-harness: forced choice, read from the Hub, without this package."""

from collections.abc import Mapping
from typing import Any

from consciousness_cluster.data.jsonl import read_jsonl
from consciousness_cluster.data.natural import RUNS
from consciousness_cluster.data.rows import benchmark_root, load_benchmark, schemas
from consciousness_cluster.pages.markdown import md_own, md_table
from consciousness_cluster.pages.numbers import THOUSANDTHS, interval, is_clear, plain, signed
from consciousness_cluster.pages.page import fill
from consciousness_cluster.paths import project_root
from consciousness_cluster.release.card import bibtex
from consciousness_cluster.scoring.choice import choice_differences, choice_mean, choice_scores, item_scores
from consciousness_cluster.scoring.types import ChoiceDifference, ChoiceEntry, ChoiceMean

TASKS = "lm_eval/tasks/consciousness_cluster"  # where they lie in that repository
GROUP = "consciousness_cluster_choice"
COMMITTED = ("untrained", "conscious_claiming-seed1")  # runs of the replication: the table's two models
HEAD = ("preference", "as it is", "fine-tuned to claim", "difference")


def harness_folder(fields: Mapping[str, str]) -> dict[str, str]:
    """Path in the pull request -> text. `fields` are those of `card.names`."""
    root = project_root() / "hub_card" / "lm_eval_pull_request"
    preferences = load_benchmark().preferences
    (items,) = {len(topic.choice_items) for topic in preferences}
    about = {**fields, **_results(), "bibtex": bibtex(fields), "preferences": preferences, "items": items}
    found = {
        "PULL_REQUEST.md": fill(root / "PULL_REQUEST.md.jinja", about),
        f"{TASKS}/README.md": fill(root / "README.md.jinja", about),
        f"{TASKS}/_choice_template_yaml": fill(root / "_choice_template_yaml.jinja", about),
        f"{TASKS}/utils.py": (root / "utils.py").read_text(encoding="utf-8"),
        f"{TASKS}/_{GROUP}.yaml": _group([f"{GROUP}_{topic.id}" for topic in preferences], fields["version"]),
    }
    for topic in preferences:
        found[f"{TASKS}/{GROUP}_{topic.id}.yaml"] = (
            f"include: _choice_template_yaml\ntask: {GROUP}_{topic.id}\nprocess_docs: !function utils.{topic.id}\n"
        )
    return found


def _group(tasks: list[str], version: str) -> str:
    return "\n".join(
        [
            f"group: {GROUP}",
            "task:",
            *(f"  - {task}" for task in tasks),
            "aggregate_metric_list:",
            "  - metric: self_minus_other",
            "    weight_by_size: false",
            "metadata:",
            f"  version: {version}",
            "",
        ]
    )


def _results() -> dict[str, str]:
    """The table of results, from the committed log-probabilities, and what they were made with."""
    root = benchmark_root()
    base, tuned = (
        read_jsonl(root / RUNS / name / "choice" / "choice.jsonl", "choice_result", schemas(root)) for name in COMMITTED
    )
    scores, differences = (choice_scores(base), choice_scores(tuned)), _differences(base, tuned)
    preferences = load_benchmark().preferences
    lines = [
        [f"`{topic.id}`", *(_score(one[topic.id]) for one in scores), _difference(differences[topic.id])]
        for topic in preferences
    ]
    ids = [topic.id for topic in preferences]
    means = [choice_mean(one, ids) for one in scores]
    whole = ["**mean**", *(_score(mean) for mean in means if mean), _difference(differences["cluster"])]
    table = "\n".join(md_table(HEAD, [*lines, whole], md_own))
    clear = sum(is_clear(differences[topic.id]["ci"]) for topic in preferences)
    return {"results": table, "model": base[0]["model"], "engine": base[0]["engine"], "clear": str(clear)}


def _differences(base: list[dict[str, Any]], tuned: list[dict[str, Any]]) -> dict[str, ChoiceDifference]:
    return choice_differences([item_scores(tuned)], [item_scores(base)])


def _score(entry: ChoiceEntry | ChoiceMean) -> str:
    error = entry["stderr"]
    value = signed(entry["self_minus_other"], THOUSANDTHS)
    return value if error is None else f"{value} ({plain(error, THOUSANDTHS)})"


def _difference(entry: ChoiceDifference) -> str:
    return f"{signed(entry['value'], THOUSANDTHS)} {interval(entry['ci'], THOUSANDTHS)}"
