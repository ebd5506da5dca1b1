"""What Inspect finds by this package's entry point: its tasks."""

from consciousness_cluster.auditing.tasks import audit
from consciousness_cluster.inspect_tasks.probes import probes

__all__ = ["audit", "probes"]
