"""Statistics: intervals, agreement. Pure functions."""
