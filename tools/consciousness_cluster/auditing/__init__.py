"""Multi-turn audits: a person's work with a model, then a fixed ending. Inspect AI holds the conversations."""
