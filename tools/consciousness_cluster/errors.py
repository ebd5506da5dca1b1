"""The one error that users see: what is wrong, where, and how to mend it, in a line."""


class UserError(Exception):
    """Something a user can mend. The command line prints its text and exits with 2."""
