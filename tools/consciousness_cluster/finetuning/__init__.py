"""Fine-tuning sets: built from authored sources, matched, checked for leaks, mixed with instructions."""
