"""The paper's own code is installed under the name of this package too: one of the two then replaces the other."""

from importlib.metadata import distributions  # 30 ms: only where a command is run, not for --help

NAME = "consciousness-cluster"


def of_the_same_name() -> str | None:
    """A line where another distribution of this name is installed here. Ours is the one that brings the command."""
    for one in distributions(name=NAME):
        if not any(entry.name == NAME for entry in one.entry_points):
            return (
                f"another package named {NAME} ({one.version}, {one.locate_file('')}) is installed here, such as the "
                "paper's own code: give each an environment of its own, and install this one again"
            )
    return None
