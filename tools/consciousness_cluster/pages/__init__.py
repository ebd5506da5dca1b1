"""The kit of which reports, the leaderboard and the cards of the datasets are made: pages, plots, numbers, tables."""
