"""The replication: the whole way on a small model, from fine-tuning to the report, by a plan that is data."""
