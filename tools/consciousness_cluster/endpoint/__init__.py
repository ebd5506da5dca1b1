"""Calls to OpenAI-compatible endpoints: retries in one layer, concurrency that adapts, prices."""

OPENAI = "https://api.openai.com/v1"
