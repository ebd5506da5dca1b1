"""Reports of scored runs: a page, plots, and tables as text."""
