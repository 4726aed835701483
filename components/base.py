"""What every component shares: its type token, its children's options, and objects made from a plan's manifests."""

from collections.abc import Iterable, Mapping
from typing import Any

import pulumi
from pulumi import Input, Output, ResourceOptions

from components.objects import KubernetesObject
from federation.base import naming
from federation.base.errors import FederationError, PlaceOf
from federation.base.live import LiveValue, live_values, substitute
from federation.manifests.objects import Manifest
from federation.peers.accepted import Peers
from federation.rules.peers import own_live_addresses
from federation.units.unit import UnitPlan

Addresses = Mapping[LiveValue, Output[str]]

# What Pulumi's language host calls PYTHON_PROCESS_EXITED_AFTER_SHOWING_USER_ACTIONABLE_MESSAGE_CODE.
_REASON_IS_LOGGED = 32


class FederationComponent(pulumi.ComponentResource):
    """A component of the package `fate:federation`."""

    def __init__(
        self,
        type_name: str,
        name: str,
        opts: ResourceOptions | None = None,
        recorded: Mapping[str, Any] | None = None,
        gate: Output[Any] | None = None,
    ) -> None:
        """`recorded`: plain data for the state, which the engine compares at the next preview.

        `gate`: fails when the update is refused; the state takes `recorded` only once it is there.
        """
        self.name = name
        properties = None if recorded is None else {key: _behind(gate, value) for key, value in recorded.items()}
        if recorded is not None:
            # When one value changes, Pulumi would print all of them; effects say in words what that means.
            opts = ResourceOptions.merge(opts, ResourceOptions(hide_diffs=["*"]))
        super().__init__(naming.COMPONENT_PACKAGE + type_name, name, properties, opts)

    def create(self, manifest: Manifest, fields: Mapping[str, Input[Any]] | None = None, **opts: Any) -> KubernetesObject:
        """A Kubernetes object as a child; `fields` replaces the manifest's own where they hold live values."""
        written = {"metadata": manifest.metadata, **(manifest.fields if fields is None else fields)}
        name, options = f"{self.name}-{manifest.role}", ResourceOptions(parent=self, **opts)
        return KubernetesObject(name, manifest.api_version, manifest.kind, written, options)


def _behind(gate: Output[Any] | None, value: Any) -> Input[Any]:
    return value if gate is None else gate.apply(lambda _: value)


def fill(data: Any, addresses: Addresses) -> Input[Any]:
    """Planned data with its live addresses filled in: plain data when it holds none, so that a preview shows it."""
    wanted = sorted(live_values(data))
    if not wanted:
        return data
    return Output.all(*(addresses[value] for value in wanted)).apply(lambda texts: substitute(data, dict(zip(wanted, texts, strict=True))))


def refused(error: FederationError) -> SystemExit:
    """The end of a program that said why, with the status after which pulumi does not add that an error was not handled."""
    pulumi.log.error(str(error))
    return SystemExit(_REASON_IS_LOGGED)


def refuse_self_routes(units: Iterable[UnitPlan], peers: Peers, place_of: PlaceOf, addresses: Addresses) -> Output[Any] | None:
    """Raises, in a preview too, when a peer is at an address that the cluster gave to this stack: a proxy would dial itself.

    None when no planned endpoint has an address that comes from the cluster.
    """
    published = {unit.key: unit.descriptor["endpoints"] for unit in units}
    if not live_values(published):
        return None

    def check(endpoints: Any) -> None:
        if problems := own_live_addresses(endpoints, peers, place_of):
            raise pulumi.RunError(str(FederationError(problems)))

    return Output.from_input(fill(published, addresses)).apply(check)
