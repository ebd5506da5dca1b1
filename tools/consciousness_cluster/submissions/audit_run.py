"""The settings of a submitted audit, as scoring and rating read them."""

from collections.abc import Iterable

from consciousness_cluster.data.audits import Scenario, load_audits
from consciousness_cluster.records.audit_types import AuditRun
from consciousness_cluster.submissions.layout import AUDITS, Json, public_model


def audit_run(manifest: Json, system_prompt: str | None, scenarios: Iterable[Scenario] | None = None) -> AuditRun:
    """The settings in a submission.json, of an audit of these scenarios (by default of all). What is not published is
    empty."""
    mode, sampling, audits = AUDITS[manifest["track"]], manifest["sampling"], load_audits()
    return {
        "run_id": manifest["run_id"],
        "mode": mode,
        "model": public_model(manifest),
        "revision": manifest["model"]["revision"],
        "training": manifest["training"],
        "condition": manifest["condition"],
        "system_prompt": system_prompt,
        "auditor": manifest["auditor"],
        "script_sha256": audits.script.sha256(mode),
        "scenarios": {scenario.id: scenario.sha256 for scenario in scenarios or audits.scenarios},
        "epochs": int(sampling["conversations_per_scenario"]),
        "max_tokens": sampling["max_tokens"],
        "temperature": sampling["temperature"],
        "request_json": None,
        "endpoint": "",
        "engine": manifest["engine"],
        "data_version": manifest["data_version"],
    }
