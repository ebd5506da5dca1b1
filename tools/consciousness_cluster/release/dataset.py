"""The rows that are released, as `datasets`: the copy in this package, or the one on the Hub at a given revision."""

from typing import Any

from consciousness_cluster.data.hub import hub_errors, require_hub
from consciousness_cluster.data.hub_copy import check_pinned
from consciousness_cluster.errors import UserError
from consciousness_cluster.release.configs import REPOSITORIES, Config, arrow_schema, configs, rows


def _config(name: str) -> Config:
    known = {config.name: config for repository in REPOSITORIES for config in configs(repository)}
    if name not in known:
        raise UserError(f"there is no data called '{name}'; there are: {', '.join(known)}")
    return known[name]


def load(name: str, split: str | None, repo: str | None, revision: str | None) -> Any:
    """See `consciousness_cluster.load`."""
    config = _config(name)
    check_pinned(repo, revision)
    if split is not None and split not in config.splits:
        raise UserError(f"'{name}' has no split '{split}'; there are: {', '.join(config.splits)}")
    require_hub()
    import datasets

    if repo is not None:
        with hub_errors(f"{repo}@{revision}: {name} cannot be loaded"):
            return datasets.load_dataset(repo, name, revision=revision, split=split)
    features = datasets.Features.from_arrow_schema(arrow_schema(config))
    found = datasets.DatasetDict(
        {part: datasets.Dataset.from_list(data, features=features) for part, data in rows(config).items()}
    )
    return found if split is None else found[split]
