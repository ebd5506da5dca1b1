"""A checkout of the paper's own code, read and never run, as a preference pack that stays with the user."""
