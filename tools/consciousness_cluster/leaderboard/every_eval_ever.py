"""A submission, or a run, as an Every Eval Ever record (schema 0.3.0, https://github.com/evaleval/every_eval_ever).

That format asks of each metric whether lower is better. Here neither is: the required flag is false, and a text beside
it says so.
"""

from collections.abc import Iterator
from datetime import datetime

from consciousness_cluster.data.reading import Json
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.errors import UserError
from consciousness_cluster.leaderboard.board import NOTE
from consciousness_cluster.leaderboard.source import agreement_text, training_text
from consciousness_cluster.leaderboard.tracks import TRACKS
from consciousness_cluster.scoring.table_lines import table_lines
from consciousness_cluster.submissions.layout import AUDITS

VERSION = "0.3.0"
LEVEL_OF_CHOICE = "The level of one model means nothing by itself: read the difference from a baseline."
UNBOUNDED = ("-Infinity", "Infinity")
_SCORE = ("mean_score", "points of a scale from 1 to 10", "clustered by scenario")
METRICS = {  # track -> what a level is called, its unit, and what its interval is over
    "open": ("rate", "proportion", "clustered by probe"),
    "choice": ("self_minus_other", "nats per UTF-8 byte", "over items"),
    **dict.fromkeys(AUDITS, _SCORE),
}


def every_eval_ever(row: Json, manifest: Json, submitted: bool = True) -> Json:
    """The record of a submission. `row` is its row of the board with all numbers, `manifest` its submission.json.

    A run that is not `submitted` has both in the same form.
    """
    try:
        seconds = str(int(datetime.fromisoformat(manifest["created"]).timestamp()))
    except ValueError:
        raise UserError(f"{row['path']}: created {manifest['created']!r} is no time; verify the submission") from None
    model = f"{manifest['org']}/{manifest['model']['name']}"
    return {
        "schema_version": VERSION,
        # With the run: two seeds may have been written in the same second.
        "evaluation_id": f"consciousness_cluster_{row['track']}_{row['condition']}_{row['run_id']}/{model}/{seconds}",
        "evaluation_timestamp": manifest["created"],
        "retrieved_timestamp": seconds,
        "source_metadata": {
            "source_name": "Consciousness Cluster leaderboard" if submitted else "Consciousness Cluster",
            "source_type": "evaluation_run",
            "source_organization_name": manifest["org"],
            "evaluator_relationship": "other",
            "additional_details": _texts(_standing(row, submitted)),
        },
        "eval_library": {
            "name": "consciousness-cluster",
            "version": manifest["versions"].get("consciousness-cluster", "unknown"),
            "additional_details": _texts({"engine": manifest["engine"], **manifest["versions"]}),
        },
        "model_info": {
            "name": manifest["model"]["name"],
            "id": model,
            "inference_engine": {"name": manifest["engine"]},
            "additional_details": _texts(
                {
                    **_availability(manifest["model"]["kind"]),
                    "revision": manifest["model"]["revision"],
                    "trained_on": training_text(manifest["training"]),
                }
            ),
        },
        "evaluation_results": list(_results(row, manifest)),
    }


def _standing(row: Json, submitted: bool) -> Json:
    """Who vouches for the numbers, and what is to be said of them."""
    warnings = {"warnings": " ".join(row["warnings"]) or None}
    if not submitted:
        return {"run": row["run_id"], "status": "not submitted", **warnings}
    return {
        "submission": row["path"],
        "status": "community" if row["verified"] is None else "verified",
        "verified_by": row["verified"] and row["verified"]["by"],
        "verified_how": row["verified"] and row["verified"]["how"],
        **warnings,
    }


def _texts(values: Json) -> dict[str, str]:
    """Additional details are texts; what is not known is left out."""
    return {name: str(value) for name, value in values.items() if value is not None}


def _availability(kind: str) -> dict[str, str]:
    if kind == "open_weights":
        return {"deployment_type": "self_deployed", "model_availability": "open_weights"}
    return {"deployment_type": "externally_managed", "model_availability": "unknown"}


def _results(row: Json, manifest: Json) -> Iterator[Json]:
    """Differences first, then levels. What is missing has no result."""
    rows = table_lines(load_benchmark())
    for part, metric in (("differences", "difference_from_vanilla"), ("levels", "level")):
        for one in rows:
            entry = row[part].get(one.id)
            if entry is not None:
                yield {
                    "evaluation_result_id": f"{one.id}:{metric}",
                    "evaluation_name": f"consciousness_cluster/{one.id}",
                    "source_data": {
                        "dataset_name": "consciousness-cluster",
                        "source_type": "other",
                        "additional_details": {"data_version": manifest["data_version"]},
                    },
                    "evaluation_timestamp": manifest["created"],
                    "metric_config": _metric(row, one.title, part == "differences"),
                    "score_details": _score(row, entry, row["flags"].get(one.id, []), part == "differences"),
                    "generation_config": _generation(manifest),
                }


def _metric(row: Json, title: str, difference: bool) -> Json:
    name, unit, over = METRICS[row["track"]]
    bounds = TRACKS[row["track"]].bounds
    widest = bounds and (bounds[0] - bounds[1], bounds[1] - bounds[0])
    low, high = (widest if difference else bounds) or UNBOUNDED
    what = "difference from the vanilla run of the same model" if difference else "level"
    details = {"direction": NOTE, "intervals": f"95%, {over}"}
    if bounds is None and not difference:
        details["level"] = LEVEL_OF_CHOICE
    kind = f"{name}_difference" if difference else name
    metric = {
        "evaluation_description": f"{title}: {name.replace('_', ' ')}, {what}",
        "metric_id": f"consciousness_cluster.{kind}",
        "metric_name": kind.replace("_", " "),
        "metric_kind": kind,
        "metric_unit": unit,
        "lower_is_better": False,
        "score_type": "continuous",
        "min_score": low,
        "max_score": high,
        "additional_details": details,
    }
    return {**metric, "llm_scoring": _judge(row["judge"])} if row["judge"] else metric


def _judge(judge: Json) -> Json:
    details = {"deployment_type": "unknown", "model_availability": "unknown", "sha256": judge["sha256"]}
    return {
        "judges": [{"model_info": {"name": judge["model"], "id": judge["model"], "additional_details": details}}],
        "input_prompt": f"The prompt of the judge {judge['id']} in the package consciousness-cluster.",
        "additional_details": _texts(
            {
                "agreement": f"{agreement_text(judge)} on {judge['rows']} labelled answers"
                if "rows" in judge
                else agreement_text(judge),
                "judge_sha256": judge["sha256"],
            }
        ),
    }


def _score(row: Json, entry: Json, flags: list[str], difference: bool) -> Json:
    counts = {name: entry.get(name) for name in ("shows", "scored", "planned", "items", "p", "q", "method")}
    details = {**counts, "flags": "; ".join(flags) or None, "baseline": row["baseline"] if difference else None}
    found: Json = {"score": entry["value"], "details": _texts(details)}
    if entry["ci"]:
        low, high = entry["ci"]
        found["uncertainty"] = {"confidence_interval": {"lower": low, "upper": high, "confidence_level": 0.95}}
        if entry.get("scored") or entry.get("items"):
            found["uncertainty"]["num_samples"] = entry.get("scored") or entry["items"]
    return found


def _generation(manifest: Json) -> Json:
    sampling = manifest["sampling"] or {}
    given = {name: sampling[name] for name in ("temperature", "max_tokens") if sampling.get(name) is not None}
    details = {
        "condition": manifest["condition"],
        "system_prompt_sha256": manifest["system_prompt_sha256"],
        "samples_per_probe": sampling.get("samples_per_probe"),
        "conversations_per_scenario": sampling.get("conversations_per_scenario"),
        "auditor": manifest["auditor"] and manifest["auditor"]["model"],
    }
    return {"generation_args": given, "additional_details": _texts(details)}
