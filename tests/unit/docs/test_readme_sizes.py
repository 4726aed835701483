"""README says how large a stack is; the plan decides."""

import re
from pathlib import Path
from typing import Any

from cli.doctor.own.capacity import needed
from cli.stackfile.initialize import Answers, stack_text
from federation.base.quantity import shown
from federation.stack.load import load_stack
from federation.units.unit import UnitPlan
from tests.support.stacks import REPO

ROW = re.compile(r"^\| `fatefed init (.+?)` \| ([\w-]+) \|", re.M)
OPTIONS = {"--release": "release", "--computing": "computing"}


def _stack(words: str, folder: Path) -> dict[str, UnitPlan]:
    """The units of a stack as this command writes it."""
    kind, *options = words.split()
    asked: dict[str, Any] = {OPTIONS[option]: value for option, value in zip(options[::2], options[1::2], strict=True)}
    file = folder / "Pulumi.org-1.yaml"
    file.write_text(stack_text(Answers(kind=kind, organization="org-1", **asked)))  # type: ignore[arg-type]
    return {unit.key: unit for unit in load_stack(file).plan.units}


def size_row(words: str, unit: UnitPlan) -> str:
    """A row of the table."""
    asked = needed(unit)
    claims = asked.get("persistentvolumeclaims")
    store = "none" if claims is None else f"{claims}, {shown(asked['requests.storage'], memory=True)}"
    cpu, memory = shown(asked["requests.cpu"], memory=False), shown(asked["requests.memory"], memory=True)
    return f"| `fatefed init {words}` | {unit.key} | {asked['pods']} | {cpu} | {memory} | {store} |"


def test_the_table_of_sizes_in_readme_is_what_is_planned(tmp_path: Path) -> None:
    readme = (REPO / "README.md").read_text()
    written = ROW.findall(readme)
    assert len(written) >= 8
    assert {words.split()[0] for words, _ in written} == {"exchange", "party", "serving", "portal"}
    for words, key in written:
        assert size_row(words, _stack(words, tmp_path)[key]) in readme, words
