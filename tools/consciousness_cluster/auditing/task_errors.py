"""What is wrong with what an Inspect task was asked for, in one line where Inspect's command line prints it."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from consciousness_cluster.errors import UserError


class TaskError(UserError, click.ClickException):
    """A UserError that `inspect eval` prints without a traceback, since its command line is made with click."""


@contextmanager
def in_one_line() -> Iterator[None]:
    """A UserError within becomes a TaskError."""
    try:
        yield
    except UserError as error:
        raise TaskError(error.problem) from None
