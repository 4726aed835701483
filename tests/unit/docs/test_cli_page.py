"""docs/reference/cli.md is what Typer says of the command."""

import subprocess
import sys

from tests.support.stacks import REPO

PAGE = "docs/reference/cli.md"
GENERATE = (sys.executable, "-m", "typer", "cli.main", "utils", "docs", "--name", "fatefed", "--title", "`fatefed`")


def test_the_page_of_verbs_is_generated() -> None:
    made = subprocess.run(GENERATE, cwd=REPO, capture_output=True, text=True, check=True).stdout
    assert made.count("\n## ") + made.count("\n### ") > 30
    written = (REPO / PAGE).read_text("utf-8")
    assert written == made, f"`python -m typer cli.main utils docs --name fatefed --title '`fatefed`' > {PAGE}`"
