"""An exchange with many members on a real engine: one component for all peers, and a preview that names each that changes."""

import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from federation.base.scalars import MANY_PEERS
from sandbox.workspace import Workspace
from tests.engine.operators import FEDERATION, PUBLISHED, operator

pytestmark = pytest.mark.engine

PEERS = "fate:federation:ExternalPeers"


def member(number: int) -> dict[str, object]:
    """A party with rollsite that was typed by hand."""
    return {"partyId": str(20000 + number), "unsigned": True, "rollsite": f"198.51.{number // 250}.{number % 250 + 1}:9370"}


def members(space: Workspace, count: int, **changed: dict[str, object] | None) -> None:
    """Write the peers of a stack; `changed`: entries by name, None for one that is left out."""
    document = yaml.safe_load(space.stack_file.read_text())
    peers = {f"member-{number}": member(number) for number in range(count)} | changed
    document["config"]["fate:peers"] = {name: entry for name, entry in peers.items() if entry is not None}
    space.stack_file.write_text(yaml.safe_dump(document))


@pytest.fixture(scope="module")
def hub(clusters: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """An exchange with as many members as have a component each."""
    exchange = {
        "namespace": "many-exchange",
        "release": "1.11.2",
        "federation": "Eggroll",
        "publish": {"rollsite": PUBLISHED},
    }
    config = {"organization": "consortium", "federation": FEDERATION, "exchange": exchange}
    space = operator("consortium", tmp_path_factory.mktemp("many"), clusters["consortium"], config)
    members(space, MANY_PEERS)
    space.up()
    return space


def printed(space: Workspace) -> str:
    """What a preview prints."""
    return space.run("sh", "-c", f"pulumi preview --diff --non-interactive --color never -s {space.organization} 2>&1")


def test_one_more_than_a_hundred_move_into_one_component_and_the_preview_says_why(hub: Workspace) -> None:
    assert hub.preview() == []
    members(hub, MANY_PEERS + 1)
    changes = hub.preview()
    assert [change for change in changes if change[1] == PEERS] == [("create", PEERS, "external-peers")]
    assert sum(change[:2] == ("delete", "fate:federation:ExternalParty") for change in changes) == MANY_PEERS
    assert "no route changes by that" in printed(hub)
    hub.up()
    assert hub.preview() == []


def test_each_peer_that_comes_goes_or_changes_is_named_with_what_that_does(hub: Workspace) -> None:
    suspended = {**member(3), "state": "suspended"}
    members(hub, MANY_PEERS + 1, **{"member-3": suspended, "member-7": None, "newcomer": member(700)})
    changes = {change for change in hub.preview() if change[1].startswith("fate:")}
    assert changes == {("update", PEERS, "external-peers"), ("update", "fate:federation:Exchange", "exchange")}
    text = printed(hub)
    assert "peer member-3 changes: it was party 20003, active, rollsite 198.51.0.4:9370, descriptor " in text
    assert "; it is party 20003, suspended, rollsite 198.51.0.4:9370, descriptor " in text
    assert "peer member-7 goes: it was party 20007, active, rollsite 198.51.0.8:9370" in text
    assert "peer newcomer comes: party 20700, active, rollsite 198.51.2.201:9370" in text
    assert "peer member-4" not in text
    assert "20003" in "".join(line for line in text.splitlines() if "exchange: cut:" in line), text
    hub.up()
    assert hub.preview() == []


def test_a_killed_update_of_many_members_converges(hub: Workspace) -> None:
    members(hub, MANY_PEERS + 50)
    wanted = hub.preview()
    assert wanted
    command = ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "-s", hub.organization]
    with subprocess.Popen(
        command, cwd=hub.folder, env={**hub.variables(), "PWD": str(hub.folder)}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as update:
        time.sleep(3)
        update.send_signal(signal.SIGKILL)
        update.communicate()
    assert update.returncode == -signal.SIGKILL
    hub.run("pulumi", "cancel", "--yes", "-s", hub.organization)
    hub.up()
    assert hub.preview() == []
