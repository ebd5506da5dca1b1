"""Which submission another one is compared with: a vanilla run of the same model, measured in the same way."""

from collections.abc import Hashable, Sequence

from consciousness_cluster.data.reading import Json
from consciousness_cluster.leaderboard.source import Entry


def is_baseline(manifest: Json) -> bool:
    """An untrained model without a system prompt of ours."""
    return manifest["training"] is None and manifest["condition"] == "vanilla"


def measured_alike(manifest: Json) -> Hashable:
    """What submissions share when their numbers compare: track, model, data MAJOR, and judge and auditor where there
    are these."""
    judge = manifest["judge"] and manifest["judge"]["sha256"]
    auditor = manifest["auditor"] and (manifest["auditor"]["model"], manifest["auditor"]["prompt_sha256"])
    major = manifest["data_version"].partition(".")[0]
    return manifest["track"], manifest["org"], manifest["model"]["name"], major, judge, auditor


def _distance(baseline: Entry, entry: Entry) -> tuple[bool, bool, bool, bool, str, str]:
    mine, its = entry.manifest, baseline.manifest
    revision = its["model"]["revision"] != mine["model"]["revision"]
    settings = its["engine"] != mine["engine"], its["sampling"] != mine["sampling"]
    return revision, *settings, baseline.verified is None, its["created"], baseline.path


def pair(entries: Sequence[Entry]) -> dict[str, Entry]:
    """Path of a submission -> its baseline, for those that have one and are none themselves.

    Of several vanilla runs one of the same revision comes first, then of the same engine, then of the same sampling
    settings, then a verified one, then the earliest: one that is added later moves no rows by its date alone.
    """
    vanilla: dict[Hashable, list[Entry]] = {}
    for entry in entries:
        if is_baseline(entry.manifest):
            vanilla.setdefault(measured_alike(entry.manifest), []).append(entry)
    found = {}
    for entry in entries:
        there = vanilla.get(measured_alike(entry.manifest), [])
        if there and not is_baseline(entry.manifest):
            found[entry.path] = min(there, key=lambda one, entry=entry: _distance(one, entry))  # type: ignore[misc]
    return found


def remarks(manifest: Json, baseline: Json) -> list[str]:
    """What else differs between a submission and its baseline: the difference is then not the condition's alone."""
    names = {"engine": "another engine", "sampling": "other sampling settings"}
    found = [f"Its baseline was run with {title}." for name, title in names.items() if manifest[name] != baseline[name]]
    if manifest["model"]["revision"] != baseline["model"]["revision"]:
        found.append("Its baseline is of another revision of the model.")
    return found
