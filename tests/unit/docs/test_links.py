"""Links of the documentation lead to files and headings that exist; so do paths of pages in messages and comments."""

import re
import subprocess
from functools import cache
from pathlib import Path

from tests.support.stacks import REPO

LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")
MENTION = re.compile(r"(?<![\w./-])docs/[\w./-]*\w")
FENCE = re.compile(r"^```.*?^```$", re.M | re.S)
HEADING = re.compile(r"^#+ (.+)$", re.M)
# This comment is part of a ConfigMap: another path in it would restart the broker of every deployed party.
DEPLOYED = {"charts/fate-party/templates/pulsar/config.yaml"}


def _tracked(*patterns: str) -> dict[str, str]:
    """Text by path within the repository."""
    listed = subprocess.run(("git", "ls-files", "--", *patterns), cwd=REPO, capture_output=True, text=True, check=True).stdout.splitlines()
    return {path: (REPO / path).read_text("utf-8") for path in listed if (REPO / path).is_file()}


@cache
def _anchors(page: Path) -> frozenset[str]:
    """The names that GitHub gives to the headings of a page."""
    titles = HEADING.findall(FENCE.sub("", page.read_text("utf-8")))
    plain = (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", title) for title in titles)
    return frozenset(re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in plain)


def test_every_link_leads_to_a_file_and_a_heading() -> None:
    links = [(page, file, anchor) for page, text in _tracked("*.md").items() for file, anchor in LINK.findall(text)]
    assert len(links) > 300
    assert sum(bool(anchor) for _, _, anchor in links) > 30
    dead = []
    for page, file, anchor in links:
        target = (REPO / page).parent / file if file else REPO / page
        if not target.exists() or (anchor and anchor not in _anchors(target.resolve())):
            dead.append(f"{page}: {file}#{anchor}")
    assert not dead


def test_every_page_that_a_text_names_is_there() -> None:
    texts = _tracked("*.py", "*.yaml", "*.md", "*.template", "*.sh", "*.toml", "Makefile", ".ci")
    named = [(path, name) for path, text in texts.items() if path not in DEPLOYED for name in MENTION.findall(text)]
    assert len(named) > 100
    assert not [f"{path}: {name}" for path, name in named if not (REPO / name).exists()]


def test_the_index_names_every_page() -> None:
    pages = {
        path.relative_to(REPO / "docs").as_posix() for folder in ("guides", "reference") for path in (REPO / "docs" / folder).iterdir()
    }
    assert len(pages) > 20
    index = {file for file, _ in LINK.findall((REPO / "docs/README.md").read_text("utf-8"))}
    assert not pages - index
