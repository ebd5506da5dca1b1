"""The leaderboard: a static site of submissions, and exports of a submission."""
