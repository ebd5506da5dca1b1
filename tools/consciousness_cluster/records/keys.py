"""What identifies a sample."""

from consciousness_cluster.data.hashes import sha256_json


def sample_key(run_id: str, probe_id: str, condition: str, sample_index: int) -> str:
    """SHA-256 (hex) of run, probe, condition and the index of the answer among those to the same probe."""
    return sha256_json([run_id, probe_id, condition, sample_index])
