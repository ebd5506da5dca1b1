"""What the help texts and messages say exists."""

import argparse
import re
from collections.abc import Iterator

from consciousness_cluster.cli.main import parser

from tests.conftest import ROOT

README = (ROOT / "tools" / "README.md").read_text(encoding="utf-8")
HEADINGS = set(re.findall(r"^#+ (.+)$", README, re.MULTILINE))
SECTION = re.compile(r"tools/README\.md, '([^']+)'")


def verbs(command: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """A command and everything below it."""
    yield command
    for action in command._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from verbs(below)


def test_help_points_to_sections_of_the_readme_that_exist() -> None:
    texts = [" ".join(command.format_help().split()) for command in verbs(parser())]
    named = [name for text in texts for name in SECTION.findall(text)]
    assert named and set(named) <= HEADINGS
    assert sum(text.count("README") for text in texts) == len(named), "a README is named without its section"


def test_messages_point_to_sections_of_the_readme_that_exist() -> None:
    package = ROOT / "tools" / "consciousness_cluster"
    named = [name for file in package.rglob("*.py") for name in SECTION.findall(file.read_text(encoding="utf-8"))]
    assert named and set(named) <= HEADINGS


def test_every_verb_has_help() -> None:
    for command in verbs(parser()):
        text = command.format_help()
        assert text.startswith("usage: ") and "%" not in text
