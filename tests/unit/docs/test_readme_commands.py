"""README's way from a clone to a party in an exchange: nine commands, each of which the command line takes."""

import re
import shlex

import pytest

from tests.support.every_verb import verbs
from tests.support.stacks import REPO

SECTION = re.compile(r"^## On your own cluster\n(.*?)^## ", re.M | re.S)
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.M | re.S)


def commands() -> list[list[str]]:
    """What a reader types, a list of words each."""
    [section] = SECTION.findall((REPO / "README.md").read_text("utf-8"))
    lines = "".join(BLOCK.findall(section)).replace("\\\n", " ").splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


FATEFED = [words[1:] for words in commands() if words[0].endswith("fatefed")]


def test_nine_commands_lead_from_a_clone_to_a_party_in_an_exchange() -> None:
    typed = commands()
    assert 5 < len(typed) <= 9
    assert not [words for words in typed if {"&&", ";", "|"} & set(words)], "each line is one command"
    assert "Nine commands lead" in (REPO / "README.md").read_text("utf-8")
    assert [words[0] for words in FATEFED] == ["new", "init", "keys", "peers", "descriptor"]


@pytest.mark.parametrize("words", FATEFED, ids=" ".join)
def test_the_command_line_takes_what_readme_tells(words: list[str]) -> None:
    [(name, verb)] = [(name, verb) for name, verb in verbs() if words[: len(name.split())] == name.split()]
    verb.make_context("fatefed", words[len(name.split()) :])  # wrong usage raises


def test_an_operator_writes_at_most_twelve_values() -> None:
    [init] = [words for words in FATEFED if words[0] == "init"]
    values = [value for word in init if not word.startswith("-") and word != "init" for value in word.split(",")]
    assert 4 < len(values) <= 12
