"""The optional packages, which the extras of this one bring."""

from importlib import import_module
from typing import Any

from consciousness_cluster.errors import UserError


def not_installed(package: str, extra: str) -> UserError:
    """The error of a package that is not there: it names the extra that brings it."""
    return UserError(f"{package} is not installed; run: pip install 'consciousness-cluster[{extra}]'")


def require(package: str, extra: str) -> Any:
    """The module of that name; `UserError` where it, or a package that it needs, is not installed."""
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        raise not_installed(error.name or package, extra) from None
