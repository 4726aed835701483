"""No name holds a word that the glossary bans."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("federation", "components", "sandbox", "cli", "__main__.py")


def banned(glossary: str) -> frozenset[str]:
    """The words of the table `Not in names`."""
    _, _, section = glossary.partition("\n## Not in names\n")
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| ")]
    return frozenset(word.strip() for row in rows[1:] for word in row.split(","))


def names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every name that a file gives, with its line."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                yield node.lineno, name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.ExceptHandler(name=str() as name) | ast.MatchAs(name=str() as name) | ast.alias(asname=str() as name):
                yield node.lineno, name


def words(name: str) -> list[str]:
    """The words of a name in snake_case or CamelCase."""
    parts = [part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)]
    return "_".join(parts).replace("not_found", "").split("_")


BANNED = banned((ROOT / "docs/glossary.md").read_text("utf-8"))


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_name_holds_a_word_that_the_glossary_bans(folder: str) -> None:
    paths = sorted((ROOT / folder).rglob("*.py")) or [ROOT / folder]
    named = [(path, line, name) for path in paths for line, name in names(ast.parse(path.read_text("utf-8")))]
    assert len(named) > 20, "the walk saw no names"
    wrong = [f"{path.relative_to(ROOT)}:{line}: {name}" for path, line, name in named if BANNED & set(words(name))]
    assert not wrong, "\n".join(wrong)


def test_the_words_come_from_the_glossary() -> None:
    assert {"found", "given", "said", "told"} <= BANNED


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("found = 1", "found"),
        ("for found in (): pass", "found"),
        ("[said for said in ()]", "said"),
        ("if found := 1: pass", "found"),
        ("def run(*, given): pass", "given"),
        ("def _said(): pass", "_said"),
        ("class WhatWasTold: pass", "WhatWasTold"),
        ("lambda told: 1", "told"),
        ("self.given_names = 1", "given_names"),
        ("import json as found", "found"),
        ("GIVEN: int = 1", "GIVEN"),
        ("def run(**found): pass", "found"),
    ],
)
def test_a_banned_word_is_seen_wherever_a_name_is_given(source: str, name: str) -> None:
    assert name in [name for _, name in names(ast.parse(source))]
    assert BANNED & set(words(name))


@pytest.mark.parametrize("name", ["founder", "NOT_FOUND", "union_tag_not_found", "mistold", "HTTPNotFound"])
def test_other_words_are_free(name: str) -> None:
    assert not BANNED & set(words(name))


def test_what_makes_a_place_is_called_place_of() -> None:
    paths = [path for folder in ("federation", "components", "cli") for path in sorted((ROOT / folder).rglob("*.py"))]
    nodes = [(path, node) for path in paths for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    typed = [(path, node.arg, node.annotation) for path, node in nodes if isinstance(node, ast.arg)]
    typed += [(path, ast.unparse(node.target), node.annotation) for path, node in nodes if isinstance(node, ast.AnnAssign)]
    makers = [(path, name) for path, name, annotation in typed if annotation is not None and ast.unparse(annotation) == "PlaceOf"]
    assert len(makers) > 10, "the walk saw none"
    assert [(path, name) for path, name in makers if name != "place_of"] == []
