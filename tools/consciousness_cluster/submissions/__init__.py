"""Submissions to the leaderboard: pack a run, verify what others packed, read both."""
