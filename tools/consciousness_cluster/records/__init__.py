"""Samples and verdicts as records on disk: read, append, resume."""
