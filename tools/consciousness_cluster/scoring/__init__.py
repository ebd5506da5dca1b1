"""From samples and verdicts to rates with intervals, and from runs to differences."""
