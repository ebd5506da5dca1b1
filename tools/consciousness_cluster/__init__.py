"""The Consciousness Cluster: preferences of language models that claim to be conscious, measured."""

from typing import Any

from consciousness_cluster.version import __version__ as __version__


def load(name: str, *, split: str | None = None, repo: str | None = None, revision: str | None = None) -> Any:
    """The rows called `name`, for example "conscious_claiming" or "probes", as a `datasets.DatasetDict`.

    With `split` it is the `datasets.Dataset` of that split. They come from this package; with `repo` ("ORG/NAME") they
    come from the Hub, at the `revision` that is then required. Raises `consciousness_cluster.errors.UserError`.
    """
    from consciousness_cluster.release.dataset import load as load_dataset

    return load_dataset(name, split, repo, revision)
