"""Clusters and the federation of three organizations that the engine tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import cluster, pki, tools
from sandbox.state import COMPONENTS
from sandbox.workspace import Workspace
from tests.engine.operators import Federation, give_passwords, hand_over, identity, operator

ORGANIZATIONS = ("consortium", "bank-a", "clinic-b")


@pytest.fixture(scope="session")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """Three control planes; the kubeconfig of each."""
    root = tmp_path_factory.mktemp("sandbox")
    tools.ensure((*tools.CLIENT_TOOLS, *COMPONENTS), print)
    cluster.up(root, ORGANIZATIONS, print)
    yield {name: cluster.kubeconfig(root, name) for name in ORGANIZATIONS}
    cluster.down(root, [], print)


@pytest.fixture(scope="session")
def authority() -> pki.Authority:
    """The federation's CA."""
    return pki.new_authority("engine tests", kind="rsa-2048")


@pytest.fixture(scope="session")
def federation(clusters: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Federation:
    """What the demo does, on the example stacks as they stand in the repository."""
    folder = tmp_path_factory.mktemp("operators")
    made = Federation(*(operator(name, folder, clusters[name]) for name in ORGANIZATIONS))
    for space in made.all:
        identity(space)  # before the first `pulumi up`, as in the demo: the note of the owner has its fingerprint
    for party, unit in ((made.bank, "party-9999"), (made.clinic, "party-10000")):
        made.passwords |= give_passwords(party, unit)
        party.fatefed("trust", "init")
    _first_up(made, made.consortium)
    for party in (made.bank, made.clinic):
        hand_over(made.consortium, party)
        _first_up(made, party)
    before = _uid(made.consortium)
    hand_over(made.bank, made.consortium)
    hand_over(made.clinic, made.consortium)
    made.linking = made.consortium.preview()
    made.consortium.up()
    made.routes_uid = (before, _uid(made.consortium))
    for sender, receiver in ((made.bank, made.clinic), (made.clinic, made.bank)):
        hand_over(sender, receiver)
        made.trusting[receiver.organization] = receiver.preview()
        receiver.up()
    return made


def _first_up(made: Federation, space: Workspace) -> None:
    made.first_previews[space.organization] = space.run("pulumi", "preview", "--diff", "--color", "never", "-s", space.organization)
    space.up()


def _uid(space: Workspace) -> str:
    uid: str = space.kubectl("get", "configmap", "exchange-routes", "-n", "fate-exchange")["metadata"]["uid"]
    return uid
