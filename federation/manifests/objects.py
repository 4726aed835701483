"""The typed Kubernetes objects of a plan, as plain data: what components create and `fatefed render` writes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from federation.base.naming import selector
from federation.base.scalars import limits_of
from federation.config.modules import ServiceSpec
from federation.config.publish import Publication

# Pod Security levels of the namespaces made here. FATE's images run as root, which `restricted` refuses, and so does the Job of
# `fatefed doctor --in-cluster`, which runs beside a party or an exchange in FATE-Flow's image.
PodSecurity = Literal["baseline", "restricted"]


@dataclass(frozen=True)
class Manifest:
    """One object: `role` is its stable logical name inside its component, `fields` what stands beside the metadata."""

    role: str
    api_version: str
    kind: str
    name: str
    namespace: str | None
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    fields: Mapping[str, Any]

    @property
    def metadata(self) -> dict[str, Any]:
        """The object's metadata."""
        in_namespace = {} if self.namespace is None else {"namespace": self.namespace}
        notes = {"annotations": dict(self.annotations)} if self.annotations else {}
        return {"name": self.name, **in_namespace, "labels": dict(self.labels), **notes}

    def document(self) -> dict[str, Any]:
        """The whole object."""
        return {"apiVersion": self.api_version, "kind": self.kind, "metadata": self.metadata, **self.fields}


@dataclass(frozen=True)
class SecretPlan:
    """A Secret whose values come from fate:secrets: {key in the Secret: name under fate:secrets}."""

    role: str
    name: str
    namespace: str
    labels: Mapping[str, str]
    type: str
    sources: Mapping[str, str]
    # Keys whose value must be a PKCS#8 PEM; a key in another PEM form is converted.
    pkcs8: frozenset[str] = frozenset()
    annotations: Mapping[str, str] = field(default_factory=dict)
    # Whether its values are passwords, which change by naming another entry only (`federation.changes.passwords`).
    passwords: bool = False
    # Whether a server that keeps one of them is a module of the party.
    own_server: bool = False

    @property
    def metadata(self) -> dict[str, Any]:
        """The object's metadata."""
        notes = {"annotations": dict(self.annotations)} if self.annotations else {}
        return {"name": self.name, "namespace": self.namespace, "labels": dict(self.labels), **notes}


@dataclass(frozen=True)
class ServicePort:
    """One port of a Service; `target` is the name of a container port."""

    name: str
    port: int
    target: str
    node_port: int | None = None

    def document(self) -> dict[str, Any]:
        """The port as Kubernetes writes it."""
        node = {} if self.node_port is None else {"nodePort": self.node_port}
        return {"name": self.name, "port": self.port, "targetPort": self.target, "protocol": "TCP", **node}


def namespace(name: str, labels: Mapping[str, str], level: PodSecurity = "baseline") -> Manifest:
    """A namespace with Pod Security admission switched on."""
    security = {f"pod-security.kubernetes.io/{mode}": level for mode in ("enforce", "warn")}
    return Manifest("namespace", "v1", "Namespace", name, None, {**labels, **security}, {}, {})


def config_map(role: str, name: str, namespace: str, labels: Mapping[str, str], data: Mapping[str, str]) -> Manifest:
    """A ConfigMap of text files."""
    return Manifest(role, "v1", "ConfigMap", name, namespace, labels, {}, {"data": dict(data)})


def internal_service(
    name: str,
    module: str,
    instance: str,
    namespace: str,
    labels: Mapping[str, str],
    ports: Sequence[ServicePort],
    settings: ServiceSpec | None = None,
) -> Manifest:
    """A Service of the own cluster. Nobody needs to wait for its endpoints: an awaited Service costs Pulumi 10 s."""
    service = settings or ServiceSpec()
    numbered = [replace(port, node_port=service.node_ports.get(port.name)).document() for port in ports]
    balancer: dict[str, Any] = {"loadBalancerIP": service.load_balancer_ip} if service.load_balancer_ip else {}
    balancer |= _limits(service.source_ranges)
    spec = {"type": service.type, "selector": selector(module, instance), "ports": numbered, **balancer}
    return Manifest(name, "v1", "Service", name, namespace, labels, {**service.annotations, "pulumi.com/skipAwait": "true"}, {"spec": spec})


def published_service(
    name: str, module: str, instance: str, namespace: str, labels: Mapping[str, str], ports: Sequence[ServicePort], publication: Publication
) -> Manifest:
    """A Service that peers reach. It is awaited for its load balancer's address only, and only where that is published."""
    reads_address = publication.type == "LoadBalancer" and publication.advertise is None
    wait = {"pulumi.com/waitFor": "jsonpath={.status.loadBalancer.ingress}"} if reads_address else {"pulumi.com/skipAwait": "true"}
    balancer: dict[str, Any] = {"loadBalancerIP": publication.load_balancer_ip} if publication.load_balancer_ip else {}
    balancer |= _limits(publication.source_ranges)
    spec = {"type": publication.type, "selector": selector(module, instance), "ports": [port.document() for port in ports], **balancer}
    return Manifest(name, "v1", "Service", name, namespace, labels, {**publication.annotations, **wait}, {"spec": spec})


def _limits(sources: Sequence[str]) -> dict[str, list[str]]:
    limits = limits_of(sources)
    return {"loadBalancerSourceRanges": list(limits)} if limits else {}


TLS_SECRET_TYPE = "kubernetes.io/tls"  # noqa: S105 - a type of Secret

PULL_SECRET_TYPE = "kubernetes.io/dockerconfigjson"  # noqa: S105 - a type of Secret
