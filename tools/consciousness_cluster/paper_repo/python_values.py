"""Values that stand written out in a Python file. The file is parsed; nothing in it is imported, run or evaluated."""

import ast
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from consciousness_cluster.data.reading import read_text
from consciousness_cluster.errors import Problem, UserError

BYTES_AT_MOST = 5_000_000
LONGEST = 100_000  # characters of a text, parts of a list
MEND = "it is not written as the published one is; take the published commit, or mend that place"


@dataclass(frozen=True)
class PythonFile:
    """A file's syntax tree. `shown` is its name in messages, `given` what its names stand for, where that is read."""

    shown: str
    text: str
    tree: ast.Module
    given: dict[str, Any] = field(default_factory=dict)

    def wrong(self, node: ast.AST, message: str) -> UserError:
        """What cannot be read at a place of the file."""
        return UserError(Problem(self.shown, str(getattr(node, "lineno", "-")), "-", message, MEND))

    def value(self, node: ast.AST) -> Any:
        """A text, a number, or a list of such: written out, joined by +, or named above. Raises UserError otherwise."""
        try:
            found = self._value(node)
        except RecursionError:
            raise self.wrong(node, "is nested too deep") from None
        if isinstance(found, str | list) and len(found) > LONGEST:
            raise self.wrong(node, "is too long")  # names that double each other fill the memory
        return found

    def _value(self, node: ast.AST) -> Any:
        match node:
            case ast.Constant(value=str() | int() | float() | None as value):
                return value
            case ast.List(elts=parts) | ast.Tuple(elts=parts):
                return [self.value(part) for part in parts]
            case ast.Name(id=name) if name in self.given:
                return self.given[name]
            case ast.JoinedStr(values=parts):
                return "".join(str(self.value(part)) for part in parts)
            case ast.FormattedValue(value=ast.Name() as named, conversion=-1, format_spec=None):
                return self.text_of(named, "part of the text")
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                one, other = self.value(left), self.value(right)
                if type(one) is type(other) and isinstance(one, str | list):
                    return one + other
        raise self.wrong(node, "is no text, number or list that is written out")

    def text_of(self, node: ast.AST, what: str) -> str:
        """A text that is not blank."""
        value = self.value(node)
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(node, f"the {what} is no text")
        return value

    def texts_of(self, node: ast.AST, what: str) -> list[str]:
        """A list of texts, at least one."""
        value = self.value(node)
        if not isinstance(value, list) or not value or not all(isinstance(one, str) and one.strip() for one in value):
            raise self.wrong(node, f"the {what} are no list of texts")
        return value


def read_python(path: Path, shown: str) -> PythonFile:
    """Parse a file. Raises UserError where it is no Python that can be parsed."""
    if path.is_file() and path.stat().st_size > BYTES_AT_MOST:
        raise UserError(Problem(shown, "-", "-", f"is larger than {BYTES_AT_MOST // 1_000_000} MB", MEND))
    text = read_text(path)
    try:
        with warnings.catch_warnings(action="ignore"):  # a "\d" in somebody's text is not ours to warn of
            tree = ast.parse(text)
    except SyntaxError as error:
        raise UserError(Problem(shown, str(error.lineno or "-"), "-", f"no Python 3 ({error.msg})", MEND)) from None
    except (ValueError, RecursionError, MemoryError) as error:
        message = f"cannot be parsed ({type(error).__name__})"
        raise UserError(Problem(shown, "-", "-", message, MEND)) from None
    return PythonFile(shown, text, tree)


def assignments(file: PythonFile) -> list[tuple[str, ast.expr]]:
    """(name, what it is set to) of the file's own lines, `NAME = ...` and `NAME: type = ...`, from above."""
    found: list[tuple[str, ast.expr]] = []
    for line in file.tree.body:
        match line:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found.append((name, value))
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                found.append((name, value))
    return found
