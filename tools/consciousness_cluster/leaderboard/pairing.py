"""Which submission another one is compared with: a vanilla run of the same model, measured in the same way."""

from collections.abc import Hashable, Sequence

from consciousness_cluster.leaderboard.source import Entry, Json


def is_baseline(about: Json) -> bool:
    """An untrained model without a system prompt of ours."""
    return about["training"] is None and about["condition"] == "vanilla"


def measured_alike(about: Json) -> Hashable:
    """What submissions share when their numbers compare: track, model, data MAJOR, and the judge where there is one."""
    judge = about["judge"] and about["judge"]["sha256"]
    major = about["data_version"].partition(".")[0]
    return about["track"], about["org"], about["model"]["name"], major, judge


def _distance(baseline: Entry, entry: Entry) -> tuple[bool, bool, bool, bool, str, str]:
    mine, its = entry.about, baseline.about
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
        if is_baseline(entry.about):
            vanilla.setdefault(measured_alike(entry.about), []).append(entry)
    found = {}
    for entry in entries:
        there = vanilla.get(measured_alike(entry.about), [])
        if there and not is_baseline(entry.about):
            found[entry.path] = min(there, key=lambda one, entry=entry: _distance(one, entry))  # type: ignore[misc]
    return found


def remarks(about: Json, baseline: Json) -> list[str]:
    """What else differs between a submission and its baseline: the difference is then not the condition's alone."""
    names = {"engine": "another engine", "sampling": "other sampling settings"}
    found = [f"Its baseline was run with {title}." for name, title in names.items() if about[name] != baseline[name]]
    if about["model"]["revision"] != baseline["model"]["revision"]:
        found.append("Its baseline is of another revision of the model.")
    return found
