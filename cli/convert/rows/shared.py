"""What rows of several subjects have in common: when a key counts, and the keys of every module, claim and Service."""

from collections.abc import Iterator

from packaging.version import Version

from cli.convert.affinity import translated
from cli.convert.clusters import Cluster, ClusterKind
from cli.convert.rows.row import PARTY, Condition, ForType, Part, PublishedPort, Row, To

PEERS = "fate:peers.party-<id>"
HUB = "fate:peers.exchange"
STAR = "with an exchange, the topology is a star, otherwise a mesh"


def engine(kind: str, *engines: str) -> Condition:
    """Keys that count with these engines; `kind`: computing or federation."""

    def used(cluster: Cluster) -> str | None:
        return None if cluster.engines.get(kind) in engines else f"{kind} is {cluster.engines.get(kind)}"

    return used


def charts_to(last: str, why: str = "does not know it") -> Condition:
    """Keys that count up to a chart version, inside the series that a row's `until` can tell; `why`: what a later chart does."""

    def used(cluster: Cluster) -> str | None:
        return None if cluster.version <= Version(last) else f"chart {cluster.chart} v{cluster.version} {why}"

    return used


def persistent(cluster: Cluster) -> str | None:
    """Keys that count when KubeFATE made claims."""
    return None if cluster.persistent else "persistence is not true, so KubeFATE made no claims"


def module_rows(word: str, place: str, kinds: tuple[ClusterKind, ...] = PARTY) -> Iterator[Row]:
    """The keys that every module has."""
    yield Row(f"{word}.nodeSelector", To(f"{place}.nodeSelector"), kinds, "map")
    here = "selectors on KubeFATE's labels become selectors on the labels here"
    yield Row(f"{word}.affinity", To(f"{place}.affinity", here, translated), kinds, "map")
    yield Row(f"{word}.tolerations", To(f"{place}.tolerations"), kinds, "list")
    for part in ("requests", "limits"):
        what = Part(f"{place}.resources.{part}.*", "values that you omit are the release's")
        yield Row(f"{word}.resources.{part}.*", what, kinds, "any")
    image = Part(f"{place}.image.repository", "only if it differs from FATE's own")
    yield Row(f"{word}.image", image, kinds, since="2.0")
    yield Row(f"{word}.imageTag", Part(f"{place}.image.tag", "only if it differs from the release's"), kinds, since="2.0")


def claim_rows(word: str, place: str, kinds: tuple[ClusterKind, ...] = PARTY, *, sub_path: bool = True) -> Iterator[Row]:
    """The keys of a module's claim."""
    for key in ("existingClaim", "storageClass", "accessMode", "size", *(["subPath"] if sub_path else [])):
        yield Row(f"{word}.{key}", To(f"{place}.persistence.{key}"), kinds, used=(persistent,))


def service_rows(
    word: str, place: str, ports: dict[str, str], kinds: tuple[ClusterKind, ...] = PARTY, *, default: bool = False
) -> Iterator[Row]:
    """The Service of a module that peers do not dial."""
    yield Row(f"{word}.type", To(f"{place}.service.type"), kinds, default=default)
    for key, port in ports.items():
        how = ForType(f"{place}.service.nodePorts.{port}", f"{word}.type", note="with type NodePort or LoadBalancer")
        yield Row(f"{word}.{key}", how, kinds, "number", default=default)


def published_rows(
    word: str, endpoint: str, service: str, ports: dict[str, tuple[str, str]], kinds: tuple[ClusterKind, ...] = PARTY, since: str = "1.5.0"
) -> Iterator[Row]:
    """The Service that peers dial, its type and its node ports: by key, the port here and its name in KubeFATE's Service."""
    yield Row(f"{word}.type", To(f"publish.{endpoint}.type"), kinds, default=True)
    for key, (port, name) in ports.items():
        how = PublishedPort(f"publish.{endpoint}.{port}", f"{word}.type", service, name)
        yield Row(f"{word}.{key}", how, kinds, "number", since, default=True)
    balanced = ForType(f"publish.{endpoint}.loadBalancerIP", f"{word}.type", "LoadBalancer", "with type LoadBalancer")
    yield Row(f"{word}.loadBalancerIP", balanced, kinds)
