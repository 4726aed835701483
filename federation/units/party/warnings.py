"""What a preview warns of, although it is legal: missing devices, patches, what only works inside, keys without effect."""

from collections.abc import Iterable, Iterator
from typing import Any

from federation.base import naming
from federation.base.scalars import PartyId
from federation.catalogue.releases import DeviceRow, Release
from federation.config.modules import ModuleSpec
from federation.config.party import PartySpec, module_specs
from federation.config.publish import Publish, PublishNginx
from federation.config.stack import StackSpec
from federation.units.module_rules import module_path
from federation.units.own_objects import ExtraManifests, images_of
from federation.units.party.values import device_of
from federation.units.patches import patched_keys
from federation.units.unit import UnitPlan


def cautions(spec: StackSpec, units: dict[str, UnitPlan]) -> Iterator[str]:
    """A sentence for each; `units`: the plans of units by key."""
    for namespace in spec.cluster.take_over:
        yield f"cluster.takeOver takes namespace {namespace} from whichever stack deployed into it: remove it after this `pulumi up`"
    if spec.exchange is not None:
        yield from _inside_only("exchange", spec.exchange.publish)
        yield from _without_effect("exchange", spec.exchange.publish)
        yield from _patched("exchange", spec.exchange.chart_values)
    for party, own in spec.parties_in_order:
        yield from _in_the_clear(spec, party, own)
        # An exchange of the same stack dials its parties inside the cluster.
        yield from _inside_only(f"parties.{party}", own.publish) if "local" not in own.exchanges else ()
        yield from _without_effect(f"parties.{party}", own.publish)
        yield from _rotated(party, own)
        yield from _patched(f"parties.{party}", own.chart_values)
        deployed = units[naming.party_key(party)].chart.values.modules.plain()
        for name, given in module_specs(own).items():
            if name in deployed:
                where = f"parties.{party}.modules.{'.'.join(module_path(name))}"
                yield from _unread(where, spec.catalogue[own.release], given or ModuleSpec())
                asked = device_of(name, own, spec.catalogue[own.release])
                yield from _without_device(where, asked, given or ModuleSpec(), own, deployed[name]["resources"])


def unpinned_images(units: Iterable[UnitPlan], manifests: Iterable[ExtraManifests]) -> Iterator[str]:
    """One sentence for all images whose tags alone say what runs."""
    found = {image.reference for unit in units for image in unit.images.values()}
    found |= {reference for file in manifests for reference in images_of(file.documents())}
    count = sum("@" not in reference for reference in found)
    if count:
        images = f"{count} image{'s have' if count > 1 else ' has'} no digest"
        yield f"{images}: who can write to a registry chooses what runs; `fatefed images pin` writes digests into the stack file"


def _in_the_clear(spec: StackSpec, party: PartyId, own: PartySpec) -> Iterator[str]:
    if not spec.federation.links.tls(own.federation):
        engine = own.federation
        yield f"party {party} exchanges data without encryption, as FATE's {engine} does by itself: keep it inside a private network"


def _inside_only(where: str, publish: Publish) -> Iterator[str]:
    """What a descriptor would offer to others at an address that only its own cluster knows."""
    for endpoint, publication in publish.given.items():
        if publication.type == "ClusterIP" and publication.advertise is None:
            yield f"{where}.publish.{endpoint} can be dialled inside its own cluster only (type ClusterIP): add advertise, or another type"


def _without_effect(where: str, publish: Publish) -> Iterator[str]:
    nginx = publish.given.get("nginx")
    if isinstance(nginx, PublishNginx) and nginx.grpc_port is not None:
        yield (
            f"{where}.publish.nginx.grpcPort has no effect: nginx publishes HTTP only, by which FATE-Flow calls its partners; "
            "remove it, and close the port in your firewall"
        )


def _rotated(party: PartyId, own: PartySpec) -> Iterator[str]:
    for slot in ("mysql", "rabbitmq"):
        given = own.credentials.of(slot)
        if given is not None and given.previous is not None:
            where = f"party {party}: credentials.{slot}.previous"
            yield f"{where} is still there: remove it once `pulumi up` has changed the password; a new deployment would wait for it"


def _patched(where: str, patch: dict[str, Any]) -> Iterator[str]:
    if patch:
        yield f"{where}.chartValues changes what this program derived: {', '.join(patched_keys(patch))}"


def _unread(where: str, release: Release, given: ModuleSpec) -> Iterator[str]:
    # fate_flow/runtime/system_settings.py of 2.2.0 reads LOG_LEVEL as a number; FATE_LOG_LEVEL is FATE 1.x's.
    if "FATE_LOG_LEVEL" in given.env and release.major == 2:
        yield f"{where}.env.FATE_LOG_LEVEL has no effect in FATE {release.release}: set LOG_LEVEL to a number (10 for debug)"


def _without_device(where: str, asked: DeviceRow, given: ModuleSpec, own: PartySpec, resources: dict[str, dict[str, str]]) -> Iterator[str]:
    if asked.gpus and resources["limits"].get("nvidia.com/gpu", "0") == "0":
        yield f"{where} asks for no GPU, though the party's device is {own.device}"
    if asked.node_selector and given.node_selector is not None and not asked.node_selector.keys() & given.node_selector.keys():
        label = ", ".join(f"{key}: {value}" for key, value in asked.node_selector.items())
        yield f"{where}.nodeSelector replaces the one of device {own.device} ({label}): its nodes must have what that label says"
