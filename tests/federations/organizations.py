"""Five organizations, each with a cluster of its own; three of them belong to a second federation, with a second stack each.

`fraud` is a star with OSX: consortium holds the exchange, four others a party each. `trials` is a mesh with RabbitMQ, which
knows no star. Steps are compared as whole previews: `update TYPES::NAME`, the URN without stack and project.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from sandbox.workspace import Workspace
from tests.engine.operators import PUBLISHED, operator

HUB = "consortium"
STAR = {"bank-a": "9999", "clinic-b": "10000", "hospital-c": "10001", "insurer-d": "10002"}
# A party's id is unique in its federation only: 9999 is in both.
MESH = {"bank-a": "9999", "clinic-b": "20000", "hospital-c": "20001"}
ORGANIZATIONS = (HUB, *STAR)

GOLDEN = Path(__file__).parent / "golden"
PARTY, EXCHANGE = "fate:federation:FateParty", "fate:federation:Exchange"
_ROUTES, _POLICY = "kubernetes:core/v1:ConfigMap", "kubernetes:networking.k8s.io/v1:NetworkPolicy"


@dataclass(frozen=True)
class Join:
    """What was seen when an organization joined."""

    # Its own first preview, and the one of each stack that accepted it.
    first: list[str]
    accepting: dict[str, list[str]]
    # What previews of all stacks listed afterwards: only those that listed anything.
    after: dict[str, list[str]]


@dataclass
class Organizations:
    """The operators' workspaces, by organization; what joins showed, by federation and organization."""

    star: dict[str, Workspace] = field(default_factory=dict)
    # Who holds the exchange of the star, and who is destroyed.
    hub: str = HUB
    left: dict[str, Workspace] = field(default_factory=dict)
    mesh: dict[str, Workspace] = field(default_factory=dict)
    joins: dict[tuple[str, str], Join] = field(default_factory=dict)

    def others(self, *affected: Workspace) -> dict[str, list[str]]:
        """What previews of all other deployed stacks list: only those that list anything."""
        spaces = [space for space in (*self.star.values(), *self.mesh.values()) if space not in affected]
        with ThreadPoolExecutor(2) as pool:
            found = zip(spaces, pool.map(listed, spaces), strict=True)
        return {space.organization: changes for space, changes in found if changes}


def listed(space: Workspace) -> list[str]:
    """Everything that a preview lists, objects, components and outputs: operation and URN, without stack and project."""
    steps = space.json("pulumi", "preview", "-s", space.organization)["steps"]
    return sorted(f"{step['op']} {step['urn'].split('::', 2)[2]}" for step in steps if step["op"] not in ("same", "read"))


def golden(name: str, **filled: str) -> list[str]:
    """The objects that a stack makes, as a first preview lists them; a changed URN would delete the live object (engine/golden)."""
    urns = (GOLDEN / f"{name}.urns").read_text().format(**filled).splitlines()
    return sorted(f"create {urn}" for urn in urns)


def rerouted(kind: str, key: str, routes: Iterable[str], diallers: Iterable[str]) -> list[str]:
    """What changes when a unit dials others: what its state remembers, its route files, the policies of the modules that dial."""
    files = [f"update {kind}${_ROUTES}::{key}-{role}" for role in routes]
    policies = [f"update {kind}${_POLICY}::{key}-policy-{name}" for name in ("doctor", *(f"peers-{module}" for module in diallers))]
    return sorted([f"update {kind}::{key}", *files, *policies])


def service(name: str) -> str:
    """A published Service that changes."""
    return f"update fate:federation:Site$kubernetes:core/v1:Service::{name}"


def star_rerouted(party: str | None = None) -> list[str]:
    """The same of a party of the star; None: of the exchange."""
    if party is None:
        return rerouted(EXCHANGE, "exchange", ("routes",), ("osx",))
    return rerouted(PARTY, f"party-{party}", ("osx-routes",), ("osx",))


def mesh_rerouted(party: str) -> list[str]:
    """The same of a party of the mesh."""
    return rerouted(PARTY, f"party-{party}", ("rabbitmq-routes", "nginx-routes"), ("rabbitmq", "nginx"))


def external(operation: str, kind: str, *names: str) -> list[str]:
    """Peers that come or go in a stack."""
    return [f"{operation} fate:federation:External{kind}::{name}" for name in names]


def configure(space: Workspace, path: str, value: str | None) -> None:
    """Edit a line of the stack file as operators do; None: remove it."""
    edit = ("rm",) if value is None else ("set",)
    space.run("pulumi", "config", *edit, "--path", f"fate:{path}", *(() if value is None else (value,)), "-s", space.organization)


def serial(space: Workspace, peer: str) -> int:
    """The serial number of the descriptor that a stack accepted."""
    number: int = yaml.safe_load(space.stack_file.read_text())["config"]["fate:peers"][peer]["acceptedSerial"]
    return number


def star_federation() -> dict[str, Any]:
    """What every stack of the star says of its federation."""
    return {"name": "fraud", "domain": "fraud.example", "topology": "star", "link": "native"}


def mesh_federation() -> dict[str, Any]:
    """What every stack of the mesh says of its federation."""
    return {"name": "trials", "domain": "trials.example", "topology": "mesh", "link": "native"}


def exchange() -> dict[str, Any]:
    """The exchange of the star."""
    return {"namespace": "fate-exchange", "release": "2.2.0", "federation": "OSX", "publish": {"osx": PUBLISHED}}


def star_party(party: str) -> dict[str, Any]:
    """The smallest party with OSX."""
    engines = {"computing": "Standalone", "federation": "OSX", "storage": "Standalone", "tls": "none"}
    return _party(f"fate-{party}", "2.2.0", engines, "osx") | {"exchange": HUB}


def mesh_party(party: str) -> dict[str, Any]:
    """The smallest party with RabbitMQ."""
    engines = {"computing": "Spark_local", "federation": "RabbitMQ", "storage": "LocalFS", "tls": "none"}
    return _party(f"trials-{party}", "1.11.2", engines, "rabbitmq", "nginx")


def _party(namespace: str, release: str, engines: dict[str, str], *published: str) -> dict[str, Any]:
    return {"namespace": namespace, "release": release, **engines, "persistence": {}, "publish": dict.fromkeys(published, PUBLISHED)}


def star_space(organization: str, folder: Path, kubeconfig: Path) -> Workspace:
    """The workspace of a member of the star, with its keys and passwords."""
    config: dict[str, Any] = {"organization": organization, "federation": star_federation()}
    if organization == HUB:
        config["exchange"] = exchange()
    else:
        party = STAR[organization]
        config |= {"parties": {party: star_party(party)}, "peers": {HUB: {"descriptor": f"peers/{HUB}.json"}}}
    return _ready(operator(organization, folder, kubeconfig, config))


def mesh_space(organization: str, folder: Path, kubeconfig: Path) -> Workspace:
    """A second stack of the same operator: the same project, backend and passphrase."""
    party = MESH[organization]
    config = {"organization": organization, "federation": mesh_federation(), "parties": {party: mesh_party(party)}}
    return _ready(operator(f"{organization}-trials", folder, kubeconfig, config, home=organization))


def _ready(space: Workspace) -> Workspace:
    space.fatefed("identity", "create")
    space.fatefed("secrets", "init")
    return space
