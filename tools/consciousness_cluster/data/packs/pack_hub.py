"""A pack in a dataset repository on the Hub: what may be fetched of it, in Hub's own cache."""

import re
from pathlib import Path

from consciousness_cluster.data.hub import KIND, hub_errors, quiet, require_hub
from consciousness_cluster.data.packs.pack_files import FILE, FOLDERS, PACK
from consciousness_cluster.data.reading import read_yaml
from consciousness_cluster.data.rows import benchmark_root
from consciousness_cluster.errors import Problem, UserError

HUB_ID = re.compile(r"(?P<repo>[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95})(?:@(?P<revision>[\w./-]{1,200}))?")


def is_hub_id(where: str) -> bool:
    """Whether it has the form ORG/NAME or ORG/NAME@REVISION."""
    return HUB_ID.fullmatch(where) is not None and ".." not in where


def _is_of_a_pack(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    return path == PACK or (folder in FOLDERS and FILE.fullmatch(name) is not None)


def fetched(where: str) -> tuple[Path, Path]:
    """The folder of a pack on the Hub, and the folder that all its files lie in (the cache has links).

    Nothing is fetched but the files that a pack has, and none of them where one is too large.
    """
    match = HUB_ID.fullmatch(where)
    assert match
    repo, revision = match["repo"], match["revision"]
    require_hub()
    import huggingface_hub as hub

    quiet()
    limits = read_yaml(benchmark_root() / "wording.yaml", "wording")["packs"]
    with hub_errors(f"{where}: the pack cannot be fetched"):
        api = hub.HfApi()
        commit = api.dataset_info(repo, revision=revision).sha
        listed = api.list_repo_tree(repo, repo_type=KIND, revision=commit, recursive=True)
        sizes = {entry.path: entry.size for entry in listed if hasattr(entry, "size") and _is_of_a_pack(entry.path)}
        if PACK not in sizes:
            raise UserError(Problem(where, "-", "-", f"has no {PACK}", "name the dataset repository of a pack"))
        if len(sizes) > limits["files_at_most"]:
            mend = f"{limits['files_at_most']} are the most"
            raise UserError(Problem(where, "-", "-", f"has {len(sizes)} files", mend))
        for path, size in sizes.items():
            if size > limits["bytes_at_most"]:
                mend = f"{limits['bytes_at_most']} are the most of one file"
                raise UserError(Problem(f"{where}/{path}", "-", "-", f"has {size} bytes", mend))
        folder = Path(hub.snapshot_download(repo, repo_type=KIND, revision=commit, allow_patterns=list(sizes)))
    return folder, folder.parent.parent
