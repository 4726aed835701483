"""Kinds of units and of links are told apart by their rows: few places ask which kind something is."""

import ast
from collections.abc import Iterator
from typing import get_args

import pytest

from federation.catalogue.kinds import Kind
from federation.config.units import AnySpec
from tests.unit.test_layers import sources

_KINDS = {*get_args(Kind)}
_SPECS = {spec.__name__ for spec in get_args(AnySpec)}
# Where the kinds themselves are made, each in a folder of its own.
_OF_KINDS = ("federation/units/", "federation/links/")
_MOST = 5


def kind_checks(tree: ast.AST) -> Iterator[int]:
    """The lines that compare something with the word of a kind, or ask whether it is described as one."""
    for node in ast.walk(tree):
        named = isinstance(node, ast.Compare) and any(map(_is_of_kind, (node.left, *node.comparators)))
        asked = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance"
        if (named and _words(node) & _KINDS) or (asked and _words(node) & _SPECS):
            yield node.lineno  # type: ignore[attr-defined]
        if isinstance(node, ast.Match) and _is_of_kind(node.subject):
            yield from (case.pattern.lineno for case in node.cases if _words(case.pattern) & _KINDS)


def _is_of_kind(node: ast.AST) -> bool:
    return (isinstance(node, ast.Attribute) and node.attr in ("kind", "what")) or (isinstance(node, ast.Name) and node.id == "kind")


def _words(node: ast.AST) -> set[str]:
    """Texts and names below a node."""
    parts = list(ast.walk(node))
    return {str(part.value) for part in parts if isinstance(part, ast.Constant)} | {part.id for part in parts if isinstance(part, ast.Name)}


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("unit.kind == 'party'", 1),
        ("'exchange' != peer.kind", 1),
        ("kind in ('serving', 'servingExchange')", 1),
        ("isinstance(own, PartySpec | ServingSpec)", 1),
        ("match peer.kind:\n  case 'party' | 'exchange': pass\n  case _: pass", 1),
        ("peer.kind == kind", 0),
        ("service.kind == 'LoadBalancer'", 0),
        ("isinstance(name, str)", 0),
        ("row.program == 'FATE'", 0),
    ],
)
def test_every_way_to_ask_for_a_kind_is_seen(code: str, lines: int) -> None:
    assert len(list(kind_checks(ast.parse(code)))) == lines


def test_few_places_outside_of_their_folders_tell_kinds_apart() -> None:
    found = [
        f"{source}:{line}" for source in sources("federation", "components", "cli", "__main__.py") for line in kind_checks(source.tree)
    ]
    assert any(place.startswith(_OF_KINDS) for place in found), "the folders of kinds have some: the check would be vacuous"
    assert len([place for place in found if not place.startswith(_OF_KINDS)]) <= _MOST, found
