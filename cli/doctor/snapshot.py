"""What a stack should have in its cluster, by its plan, and what the cluster answers about it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from cli.doctor.planned import Planned
from cli.tools.kubectl import Ask, Cluster, Object, Reading, Right
from federation.base.naming import INSTANCE, kebab_case, selector
from federation.base.quantity import amount
from federation.config.boards import HttpRouteBoards, IngressBoards, IstioBoards
from federation.config.stack import StackSpec
from federation.stack.load import LoadedStack
from federation.units.node_ports import node_ports
from federation.units.party import cert_manager
from federation.units.unit import UnitPlan

VERSION = Ask("/version")
STORAGE_CLASSES = Ask("storageclasses")
INGRESS_CLASSES = Ask("ingressclasses")
SERVICES_EVERYWHERE = Ask("services")
GATEWAY_API = Ask("/apis/gateway.networking.k8s.io/v1")
ISTIO_API = Ask("/apis/networking.istio.io/v1beta1")
CERT_MANAGER_API = Ask(f"/apis/{cert_manager.API}")
CERTIFICATES, CERTIFICATE_REQUESTS = "certificates.cert-manager.io", "certificaterequests.cert-manager.io"
WORKLOADS = ("deployments", "statefulsets")
_KINDS = (*WORKLOADS, "pods", "persistentvolumeclaims", "services", "resourcequotas")


@dataclass(frozen=True)
class Expected:
    """One module of a unit as it was planned. `requests`: of all its pods, by the names that quotas have for them."""

    name: str
    component: str
    replicas: int
    image: str
    storage_class: str | None
    claims: int
    existing_claim: str | None
    amounts: Mapping[str, Decimal]


@dataclass(frozen=True)
class UnitView:
    """One party or exchange: its plan, and the answers about its namespace."""

    unit: UnitPlan
    readings: Mapping[Ask, Reading]

    @property
    def namespace(self) -> Reading:
        """The answer about the namespace itself."""
        return self.readings[namespace_of(self.unit)]

    @property
    def deployed(self) -> bool:
        """Whether `pulumi up` got as far as the unit: its workloads, or a Certificate that they wait for."""
        asked = {certificate.name for certificate in self.unit.certificates}
        return self.runs or bool(asked and any(name_of(item) in asked for item in self.reading(CERTIFICATES).items))

    @property
    def runs(self) -> bool:
        """Whether any workload of it is there; unknown counts as yes."""
        return self.namespace.state != "absent" and any(
            reading.state != "ok" or any(labels(item).get(INSTANCE) == self.unit.key for item in reading.items)
            for reading in map(self.reading, WORKLOADS)
        )

    def reading(self, kind: str) -> Reading:
        """The answer about a kind of objects in its namespace."""
        return self.readings[Ask(kind, self.unit.namespace)]

    def of_module(self, kind: str, component: str) -> list[Object]:
        """The objects of a kind that belong to a module of this unit."""
        wanted = selector(component, self.unit.key)
        return [item for item in self.reading(kind).items if labels(item).items() >= wanted.items()]

    def foreign_pods(self) -> list[Object]:
        """Pods of the namespace that are not this unit's."""
        return [item for item in self.reading("pods").items if labels(item).get(INSTANCE) != self.unit.key]


@dataclass(frozen=True)
class Snapshot:
    """A stack and what its cluster answered, all at about one time."""

    loaded: LoadedStack
    readings: Mapping[Ask, Reading] = field(default_factory=dict)
    planned: Planned = field(default_factory=Planned)
    # Of the own account, in the namespaces of units that are not deployed.
    rights: Mapping[Right, Reading] = field(default_factory=dict)

    @property
    def spec(self) -> StackSpec:
        """The stack's configuration."""
        return self.loaded.spec

    @property
    def reachable(self) -> bool:
        """Whether the API server answered at all."""
        return self.readings[VERSION].state == "ok"

    @property
    def units(self) -> list[UnitView]:
        """Every party and exchange; none when the API server did not answer."""
        return [UnitView(unit, self.readings) for unit in self.loaded.plan.units] if self.reachable else []

    @property
    def kubernetes(self) -> str:
        """The API server's version."""
        return str(self.readings[VERSION].items[0].get("gitVersion", "unknown")) if self.reachable else "unknown"


def look(loaded: LoadedStack, cluster: Cluster, more: tuple[str, ...] = (), planned: Planned | None = None) -> Snapshot:
    """Ask a cluster everything about a stack, `more` kinds too. Only one question when it does not answer the first.

    `planned`: the stack's objects, when they are to be compared.
    """
    first, objects = cluster.read([VERSION]), planned or Planned()
    if first[VERSION].state != "ok":
        return Snapshot(loaded, {VERSION: cluster.explained(first[VERSION])}, objects)
    return Snapshot(loaded, {**first, **cluster.read([*_questions(loaded, more), *objects.asks])}, objects)


def namespace_of(unit: UnitPlan) -> Ask:
    """The question about the namespace of a unit itself."""
    return Ask("namespaces", name=unit.namespace)


def gateway_of(boards: HttpRouteBoards) -> Ask:
    """The question about the Gateway that a stack's routes belong to."""
    return Ask("gateways.gateway.networking.k8s.io", boards.gateway.namespace, boards.gateway.name)


def _questions(loaded: LoadedStack, more: tuple[str, ...]) -> Iterator[Ask]:
    boards, units = loaded.spec.boards, loaded.plan.units
    for unit in units:
        yield namespace_of(unit)
        yield from (Ask(kind, unit.namespace) for kind in (*_KINDS, *more))
    if any(module.claims for unit in units for module in expected(unit)):
        yield STORAGE_CLASSES
    if any(node_ports(unit) for unit in units):
        yield SERVICES_EVERYWHERE
    if signed := [unit for unit in units if unit.certificates]:
        yield CERT_MANAGER_API
        yield from (Ask(kind, unit.namespace) for unit in signed for kind in (CERTIFICATES, CERTIFICATE_REQUESTS))
    match boards:
        case IngressBoards():
            yield INGRESS_CLASSES
            yield from (Ask("ingresses", unit.namespace) for unit in units if unit.console_hosts)
        case HttpRouteBoards():
            yield from (GATEWAY_API, gateway_of(boards))
        case IstioBoards():
            yield ISTIO_API


def expected(unit: UnitPlan) -> list[Expected]:
    """The modules of a unit, as its chart gets them."""
    modules: dict[str, dict[str, Any]] = unit.chart.values.plain()["modules"]
    return [_expected(name, values) for name, values in modules.items()]


def _expected(name: str, values: Mapping[str, Any]) -> Expected:
    replicas, claim = int(values["replicas"]), values.get("claim")
    return Expected(
        name=name,
        component=kebab_case(name),
        replicas=replicas,
        image=values["image"],
        storage_class=None if claim is None else claim.get("storageClass"),
        claims=0 if claim is None else replicas,
        existing_claim=values.get("existingClaim"),
        amounts={
            **{what: number * replicas for what, number in wanted(values["resources"]).items()},
            "pods": Decimal(replicas),
            **(
                {} if claim is None else {"persistentvolumeclaims": Decimal(replicas), "requests.storage": amount(claim["size"]) * replicas}
            ),
        },
    )


def wanted(resources: Mapping[str, Mapping[str, str]]) -> dict[str, Decimal]:
    """A container's requests and limits, by the names that quotas have for them. What has only a limit requests as much."""
    limits = {what: amount(text) for what, text in resources.get("limits", {}).items()}
    requests = {**limits, **{what: amount(text) for what, text in resources.get("requests", {}).items()}}
    amounts = {f"requests.{what}": number for what, number in requests.items()} | {
        f"limits.{what}": number for what, number in limits.items()
    }
    return amounts | {what: requests[what] for what in ("cpu", "memory") if what in requests}


def addresses(service: Object) -> list[str]:
    """The addresses of a Service's load balancer."""
    ingress = (service.get("status", {}).get("loadBalancer") or {}).get("ingress") or []
    return [entry.get("ip") or entry.get("hostname") or "" for entry in ingress]


def labels(item: Object) -> dict[str, str]:
    """An object's labels."""
    return item.get("metadata", {}).get("labels") or {}


def name_of(item: Object) -> str:
    """An object's name."""
    return str(item["metadata"]["name"])


def pod_amounts(pod: Object) -> dict[str, Decimal]:
    """What a pod counts for in a quota: its containers together, or its largest init container, whichever is more."""
    spec = pod.get("spec", {})
    together: dict[str, Decimal] = {}
    for container in spec.get("containers", []):
        for what, number in wanted(container.get("resources") or {}).items():
            together[what] = together.get(what, Decimal(0)) + number
    for container in spec.get("initContainers", []):
        for what, number in wanted(container.get("resources") or {}).items():
            together[what] = max(together.get(what, Decimal(0)), number)
    return together | {"pods": Decimal(1)}
