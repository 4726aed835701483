"""Two stacks of one owner in one state backend, each with a passphrase of its own: the second reads the first without a file."""

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.files import private_dir, write_atomic
from sandbox.workspace import REPO, Workspace
from tests.engine.operators import OWN_RANGES, PUBLISHED, config_map, republish
from tests.federations.organizations import PARTY, configure, listed, rerouted, star_federation

pytestmark = pytest.mark.engine

NORTH = "organization/fate/north"
CANARY = "canary-of-the-other-stack"


@dataclass(frozen=True)
class Owned(Workspace):
    """A stack of the one owner: its own folder and passphrase, the common backend."""

    backend: Path

    def variables(self) -> dict[str, str]:
        """With the backend that holds both stacks."""
        return {**super().variables(), "PULUMI_BACKEND_URL": self.backend.as_uri()}


@dataclass
class Owner:
    """The stack of the exchange and the stack of a party that uses it; how the first `peers add` went."""

    north: Owned
    south: Owned
    pending: str = ""
    review: str = ""
    first_preview: tuple[str, ...] = ()


def owned(stack: str, folder: Path, kubeconfig: Path, config: dict[str, Any]) -> Owned:
    """A prepared workspace."""
    private_dir(folder)
    private_dir(folder / "backend")
    space = Owned(stack, folder / stack, kubeconfig, folder / "backend")
    said = {"organization": "bank-a", "federation": star_federation(), "cluster": {"ranges": OWN_RANGES}, **config}
    space.stack_file.parent.mkdir(parents=True)
    space.stack_file.write_text(yaml.safe_dump({"config": {f"fate:{key}": value for key, value in said.items()}}))
    space.prepare()
    space.fatefed("secrets", "init")
    return space


def preview(space: Workspace) -> str:
    """What `pulumi preview` prints."""
    return space.run("pulumi", "preview", "--non-interactive", "--color", "never", "-s", space.organization)


def warnings(space: Workspace) -> list[str]:
    """What a preview says of the peer `hub`."""
    return [line.strip() for line in preview(space).splitlines() if line.strip().startswith("warning: peer hub: ")]


def refused(space: Workspace, *arguments: str) -> str:
    """What `peers add` says when it refuses; it wrote nothing then."""
    before = space.stack_file.read_bytes()
    done = space.attempt("fatefed", "peers", "add", *arguments, "--yes", "-s", space.organization)
    assert (done.returncode, space.stack_file.read_bytes()) == (1, before)
    return done.stderr.decode()


def route(space: Workspace) -> dict[str, Any]:
    """Where the party's OSX sends what is for others."""
    table = json.loads(config_map(space, "south-9999", "osx-route-table")["route_table.json"])
    (default,) = table["route_table"]["default"]["default"]
    found: dict[str, Any] = default
    return found


def endpoint(space: Workspace) -> dict[str, Any]:
    """Where the exchange is published."""
    outputs = space.json("pulumi", "stack", "output", "-s", space.organization)
    found: dict[str, Any] = outputs["endpoints"]["exchange"]["osx"]
    return found


@pytest.fixture(scope="module")
def owner(clusters: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Owner:
    """Both stacks deployed; the second learned of the first by its name alone."""
    folder = tmp_path_factory.mktemp("owner")
    exchange = {"namespace": "north-exchange", "release": "2.2.0", "federation": "OSX", "publish": {"osx": PUBLISHED}}
    party = {
        "namespace": "south-9999",
        "release": "2.2.0",
        **{"computing": "Standalone", "federation": "OSX", "storage": "Standalone", "tls": "none"},
        "exchange": "hub",
        "persistence": {},
        "publish": {"osx": PUBLISHED},
    }
    made = Owner(
        owned("north", folder, clusters["consortium"], {"exchange": exchange}),
        owned("south", folder, clusters["bank-a"], {"parties": {"9999": party}, "peers": {"hub": {"stack": NORTH}}}),
    )
    assert (made.north.folder / "passphrase").read_bytes() != (made.south.folder / "passphrase").read_bytes()
    made.pending = made.south.fatefed("check") + refused(made.south, "--name", "hub")
    made.north.up()
    made.first_preview = tuple(listed(made.south))
    made.review = made.south.fatefed("peers", "add", "--name", "hub", "--yes")
    made.south.up()
    return made


def test_a_stack_that_is_named_is_pending_until_it_is_deployed_and_accepted(owner: Owner) -> None:
    assert "hub is pending, and without it nobody is reached: `fatefed peers add --name hub -s south`" in owner.pending
    assert f"stack {NORTH}: publishes no descriptor: it is not deployed" in owner.pending
    assert len(owner.first_preview) >= 20
    assert "create fate:federation:ExternalExchange::hub" not in owner.first_preview, "nothing is taken over without a command"


def test_a_descriptor_is_reviewed_and_leads_to_the_right_place(owner: Owner) -> None:
    assert f"not signed: read from unit exchange of stack {NORTH}" in owner.review
    assert "routes of party-9999 would change:" in owner.review
    published = endpoint(owner.north)
    assert (route(owner.south)["ip"], route(owner.south)["port"]) == (published["host"], published["ports"]["grpc"])
    said = yaml.safe_load(owner.south.stack_file.read_text())["config"]["fate:peers"]["hub"]
    assert (said["stack"], said["unit"], said["unsigned"]) == (NORTH, "exchange", True)
    assert listed(owner.south) == []
    assert warnings(owner.south) == []


def test_nothing_of_the_other_stack_but_its_descriptor_is_kept(owner: Owner) -> None:
    theirs = owner.north.json("pulumi", "stack", "output", "-s", "north")
    revision = theirs["routeRevision"]["exchange"]
    assert len(revision) >= 16
    state = owner.south.run("pulumi", "stack", "export", "-s", "south")
    assert theirs["descriptors"]["exchange"]["endpoints"]["osx"]["host"] in state
    assert revision not in state
    assert "StackReference" not in state
    assert sorted(theirs["descriptors"]) == ["exchange"]


def test_a_changed_endpoint_is_a_warning_until_it_is_accepted_and_then_a_change_of_routes_only(owner: Owner) -> None:
    before = route(owner.south)
    configure(owner.north, "exchange.publish.osx.port", "9371")
    republish(owner.north)
    assert listed(owner.south) == []
    (warning,) = warnings(owner.south)
    assert f"stack {NORTH} publishes a descriptor that differs from the accepted one, which stays in force" in warning
    assert f"(endpoints.osx.ports.grpc: {before['port']} -> 9371)" in warning
    assert set(owner.south.up()) == {"unchanged"}
    assert route(owner.south) == before

    (command,) = re.findall(r"`(fatefed .*?)`", warning)
    assert "endpoints.osx.ports.grpc: " in owner.south.run(*shlex.split(command), "--yes")
    assert listed(owner.south) == rerouted(PARTY, "party-9999", ("osx-routes",), ("osx",))
    owner.south.up()
    assert (route(owner.south)["port"], warnings(owner.south), listed(owner.south)) == (9371, [], [])


@pytest.mark.parametrize(
    ("stack", "arguments", "expected"),
    [
        ("organization/fate/nobody", (), "is not in this state backend (no stack named 'organization/fate/nobody' found)"),
        ("bank-a/fate/north", (), "is not in this state backend (organization name must be 'organization')"),
        (NORTH, ("--unit", "party-9999"), "has no deployed unit party-9999"),
        ("organization/fate/south", (), "party 9999 is a party of this stack"),
        ("organization/elsewhere/secret", (), "its output `descriptors` is a secret"),
        ("organization/elsewhere/empty", (), "publishes no descriptor: it is not deployed"),
    ],
)
def test_what_is_not_published_is_refused_with_a_remedy(
    owner: Owner, elsewhere: Path, stack: str, arguments: tuple[str, ...], expected: str
) -> None:
    assert elsewhere.is_dir()
    said = refused(owner.south, "--from-stack", stack, *arguments)
    assert (f"stack {stack}" in said, expected in said, "remedy: " in said) == (True, True, True), said
    assert CANARY not in said


@pytest.fixture(scope="module")
def elsewhere(owner: Owner, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of another kind in the same backend: a stack whose descriptors are a secret, and one without."""
    folder = tmp_path_factory.mktemp("elsewhere")
    write_atomic(folder / "passphrase", b"neither of the two")
    project = {"name": "elsewhere", "runtime": {"name": "python", "options": {"virtualenv": str(REPO / ".venv")}}}
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(project))
    (folder / "__main__.py").write_text(
        "import pulumi\nif pulumi.get_stack() == 'secret':\n"
        f"    pulumi.export('descriptors', pulumi.Output.secret({{'exchange': '{CANARY}'}}))\n"
    )
    for stack in ("secret", "empty"):
        run_there(owner, folder, "stack", "init", stack)
        run_there(owner, folder, "up", "--yes", "--skip-preview", "-s", stack)
    return folder


def run_there(owner: Owner, folder: Path, *command: str) -> str:
    """Pulumi in that project."""
    return owner.south.run(
        "env", f"PULUMI_CONFIG_PASSPHRASE_FILE={folder / 'passphrase'}", "pulumi", "-C", str(folder), *command, "--non-interactive"
    )


def test_a_secret_that_the_passphrase_does_not_open_is_said_and_changes_nothing(owner: Owner, elsewhere: Path) -> None:
    text = owner.south.stack_file.read_text()
    try:
        configure(owner.south, "peers.hub.stack", "organization/elsewhere/secret")
        assert listed(owner.south) == []
        (warning,) = warnings(owner.south)
        assert (
            "its output `descriptors` is a secret, but a descriptor never holds a secret; its accepted descriptor stays in force" in warning
        )
        assert CANARY not in preview(owner.south)
    finally:
        owner.south.stack_file.write_text(text)
    assert elsewhere.is_dir()


def test_a_stack_that_is_destroyed_and_removed_leaves_its_peer_the_route(owner: Owner) -> None:
    before = route(owner.south)
    owner.north.run("pulumi", "destroy", "--yes", "--skip-preview", "--non-interactive", "-s", "north")
    for expected in ("publishes no descriptor: it is not deployed", f'cannot be read: unknown stack "{NORTH}"'):
        assert listed(owner.south) == []
        (warning,) = warnings(owner.south)
        assert f"stack {NORTH} {expected}" in warning
        assert "its accepted descriptor stays in force" in warning
        assert set(owner.south.up()) == {"unchanged"}
        assert route(owner.south) == before
        assert "remedy: " in refused(owner.south, "--name", "hub")
        owner.north.attempt("pulumi", "stack", "rm", "--yes", "--non-interactive", "north")
