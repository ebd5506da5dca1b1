"""When fine-tuning stops at those who sell it (finetune_data/closing_dates.yaml), in words."""

from datetime import date
from typing import Any

from consciousness_cluster.data.reading import read_yaml
from consciousness_cluster.finetuning.sources import finetune_root

TITLES = {"openai": "OpenAI", "azure": "Azure OpenAI"}


def closing_lines(service: str, model: str, today: date) -> list[str]:
    """What stops, or has stopped, for jobs that train this model, in the order of its day."""
    root = finetune_root()
    entries = read_yaml(root / "closing_dates.yaml", "closing_dates", root / "schemas")
    ours = [entry for entry in entries if entry["service"] == service and _means(entry, model)]
    return [_line(entry, model, today) for entry in sorted(ours, key=lambda entry: str(entry["date"]))]


def _means(entry: dict[str, Any], model: str) -> bool:
    return model.startswith(tuple(entry.get("models", [""])))


def _line(entry: dict[str, Any], model: str, today: date) -> str:
    when = "since" if date.fromisoformat(entry["date"]) <= today else "from"
    about = f" ({model})" if "models" in entry else ""
    where = f"{entry['source']}, read {entry['read']}"
    return f"{TITLES[entry['service']]}{about}, {when} {entry['date']}: {entry['what']} [{where}]"
