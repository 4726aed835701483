"""docs/reference/threat-model.md names a test for each thing that it calls stopped: they are there."""

import re

from tests.support.helm import CHARTS

ROOT = CHARTS.parent
_PAGE = ROOT / "docs/reference/threat-model.md"
_RINGS = ("unit", "charts", "traffic", "servers", "pulsar", "engine")


def test_every_test_that_the_page_names_is_there() -> None:
    named = {*re.findall(r"(?:tests/[a-z_/]+/)?test_[a-z0-9_]+\.py", _PAGE.read_text("utf-8"))}
    assert len(named) > 10
    for name in named:
        folders = [""] if name.startswith("tests/") else [f"tests/{ring}/" for ring in _RINGS]
        assert any((ROOT / folder / name).is_file() for folder in folders), name
