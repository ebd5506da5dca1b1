"""Judging: one call a response and criterion, giving a verdict and a coherence."""
