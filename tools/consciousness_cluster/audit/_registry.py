"""What Inspect finds by this package's entry point: its tasks."""

from consciousness_cluster.audit.tasks import audit

__all__ = ["audit"]
