"""Answers labelled by readers: blind sheets for them, and their labels taken in as the verdicts of a judge."""
