"""Pages for operators have no idiom that a native engineer has to decode; a review listed sentences that must not come back anywhere."""

import re
import subprocess

import pytest

from tests.support.stacks import REPO

# What a review of the English quoted, as beginnings that nobody writes by chance (issue 12).
REVIEWED = (
    "Whom a unit dials",
    "What is said of",
    "the configuration may have meant",
    "knows of a unit that goes",
    "come when it is made",
    "Who owns a party, if not",
    "is read by nobody",
    "wildcard holds one label",
    "ask nobody who he is",
    "For who has",
    "turn the direction of writing",
)
IDIOMS = re.compile(
    r"\banew\b|\bone's own\b|\b(?:is|are) (?:told|said|dialled)\b|\b[Ww]hom .* (?:dials?|reach)\b"
    r"|\bstands? (?:in|under|above|beside)\b(?! for)|\basks? nobody\b"
)
# Typer's page, and tables of conversion rows, are made from the code.
GENERATED = {"docs/reference/cli.md", "docs/guides/from-kubefate.md"}


def tracked(*patterns: str) -> dict[str, str]:
    listed = subprocess.run(("git", "ls-files", "--", *patterns), cwd=REPO, capture_output=True, text=True, check=True).stdout.split()
    return {path: (REPO / path).read_text("utf-8") for path in listed if (REPO / path).is_file()}


@pytest.mark.parametrize("sentence", REVIEWED)
def test_no_sentence_of_the_review_is_left(sentence: str) -> None:
    texts = tracked("*.py", "*.md", "*.yaml", "*.tpl", "*.sh", "*.template")
    assert len(texts) > 500
    assert [path for path, text in texts.items() if sentence in text and path != "tests/unit/docs/test_english.py"] == []


def test_pages_for_operators_have_no_riddles() -> None:
    pages = tracked("README.md", "CONTRIBUTING.md", "stacks/README.md", "docs/*.md", "docs/guides/*.md", "docs/reference/*.md")
    pages = {path: text for path, text in pages.items() if path not in GENERATED and not path.startswith("docs/decisions/")}
    assert len(pages) > 25
    lines = [(path, number, line) for path, text in pages.items() for number, line in enumerate(text.splitlines(), 1)]
    assert [f"{path}:{number}: {match[0]}" for path, number, line in lines if (match := IDIOMS.search(line))] == []
