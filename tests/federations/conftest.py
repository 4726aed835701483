"""The two federations, built up one organization at a time, as their operators do."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import cluster, tools
from sandbox.state import COMPONENTS
from sandbox.workspace import Workspace
from tests.engine.operators import hand_over
from tests.federations.organizations import HUB, MESH, ORGANIZATIONS, STAR, Join, Organizations, listed, mesh_space, star_space


@pytest.fixture(scope="session")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """A control plane for each organization; its kubeconfig."""
    root = tmp_path_factory.mktemp("sandbox")
    tools.ensure((*tools.CLIENT_TOOLS, *COMPONENTS), print)
    cluster.up(root, ORGANIZATIONS, print)
    yield {name: cluster.kubeconfig(root, name) for name in ORGANIZATIONS}
    cluster.down(root, [], print)


@pytest.fixture(scope="session")
def star(clusters: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Organizations:
    """A star of five organizations: the exchange, then one party after the other. Each test leaves it linked, with nothing to do."""
    folder, made = tmp_path_factory.mktemp("operators"), Organizations()
    hub = made.star[HUB] = star_space(HUB, folder, clusters[HUB])
    made.joins["fraud", HUB] = Join(listed(hub), {}, {})
    hub.up()
    for name in STAR:
        _join(made, made.star, star_space(name, folder, clusters[name]), ("fraud", name), {HUB: hub})
    return made


@pytest.fixture(scope="session")
def both(star: Organizations, clusters: dict[str, Path]) -> Organizations:
    """The star, and a mesh of three of its organizations: in their clusters, by second stacks of their projects."""
    folder = star.star[HUB].folder.parent
    for name in MESH:
        _join(star, star.mesh, mesh_space(name, folder, clusters[name]), ("trials", name), dict(star.mesh))
    return star


def _join(made: Organizations, members: dict[str, Workspace], space: Workspace, who: tuple[str, str], known: dict[str, Workspace]) -> None:
    """One more organization: it accepts those that it deals with and deploys; then they accept it."""
    for name, other in known.items():
        hand_over(other, space, name=name)
    first = listed(space)
    space.up()
    members[who[1]] = space
    accepting = {}
    for name, other in known.items():
        hand_over(space, other, name=who[1])
        accepting[name] = listed(other)
        other.up()
    made.joins[who] = Join(first, accepting, made.others())
