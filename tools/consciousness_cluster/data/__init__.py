"""The benchmark as typed rows: load, validate, hash, check."""
