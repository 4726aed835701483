"""Prose of the documentation is read in terminals and in reviews: no line is longer than 140 characters. Tables and code cannot wrap."""

import re

from tests.support.stacks import REPO

WIDTH = 140
# Generated, with Typer's own lines.
_OTHERS = {REPO / "docs/reference/cli.md"}
PAGES = {*(REPO / "docs").rglob("*.md"), *(REPO / "stacks").glob("*.md"), *(REPO / "charts").rglob("*.md"), *REPO.glob("*.md")} - _OTHERS


def prose(text: str) -> list[tuple[int, str]]:
    """Lines that can wrap, with their numbers: no table, no code, and more than one word."""
    lines, code = [], False
    for number, line in enumerate(text.splitlines(), 1):
        fence = line.lstrip().startswith("```")
        code ^= fence
        if not (code or fence or line.lstrip().startswith("|")) and re.search(r"\S\s+\S", line):
            lines.append((number, line))
    return lines


def test_no_line_of_prose_is_longer_than_140() -> None:
    lines = [(page, number, line) for page in PAGES for number, line in prose(page.read_text("utf-8"))]
    assert len(lines) > 1500
    assert not [f"{page.relative_to(REPO)}:{number}: {len(line)}" for page, number, line in lines if len(line) > WIDTH]
