"""What the lm-evaluation-harness tasks are made of: documents, prompt checks, judged answers, counts."""
