"""What Inspect finds by this package's entry point: its tasks."""

from consciousness_cluster.auditing.tasks import audit

__all__ = ["audit"]
