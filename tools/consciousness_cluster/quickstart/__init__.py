"""The demonstration: a small real model, on a CPU, in minutes."""
