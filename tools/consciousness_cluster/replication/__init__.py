"""The small replication: the whole way on SmolLM2-135M, from fine-tuning to the report."""
