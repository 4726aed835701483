"""README has the picture that `fatefed topology` prints for a party of the demo; tests/engine asks the stacks of the demo themselves."""

from pathlib import Path

from cli.reports.topology import mermaid
from federation.reports.topology import topology_of
from tests.support.configs import CLINIC, STAR_PARTY
from tests.support.stacks import REPO


def test_the_picture_in_readme_is_what_the_verb_prints(tmp_path: Path) -> None:
    loaded = STAR_PARTY.with_peer("clinic-b", CLINIC).load(tmp_path)
    picture = mermaid(topology_of(loaded.spec, loaded.peers, loaded.plan))
    assert picture.count("<-->") == 4
    assert f"```mermaid\n{picture}\n```\n" in (REPO / "README.md").read_text("utf-8")
