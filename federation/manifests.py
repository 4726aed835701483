"""The typed Kubernetes objects of a plan, as plain data: what components create and `fatefed render` writes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from federation.naming import selector
from federation.spec import Publication

# Pod Security level of the namespaces made here: FATE's images run as root, which `restricted` refuses.
POD_SECURITY = "baseline"


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
        place = {} if self.namespace is None else {"namespace": self.namespace}
        notes = {"annotations": dict(self.annotations)} if self.annotations else {}
        return {"name": self.name, **place, "labels": dict(self.labels), **notes}

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


def namespace(name: str, labels: Mapping[str, str]) -> Manifest:
    """A namespace with Pod Security admission switched on."""
    security = {f"pod-security.kubernetes.io/{mode}": POD_SECURITY for mode in ("enforce", "warn")}
    return Manifest("namespace", "v1", "Namespace", name, None, {**labels, **security}, {}, {})


def config_map(role: str, name: str, namespace: str, labels: Mapping[str, str], data: Mapping[str, str]) -> Manifest:
    """A ConfigMap of text files."""
    return Manifest(role, "v1", "ConfigMap", name, namespace, labels, {}, {"data": dict(data)})


def internal_service(
    name: str, module: str, instance: str, namespace: str, labels: Mapping[str, str], ports: Sequence[ServicePort]
) -> Manifest:
    """A ClusterIP Service. Nobody needs to wait for its endpoints: an awaited Service costs Pulumi 10 s."""
    fields = {"spec": {"type": "ClusterIP", "selector": selector(module, instance), "ports": [port.document() for port in ports]}}
    return Manifest(name, "v1", "Service", name, namespace, labels, {"pulumi.com/skipAwait": "true"}, fields)


def published_service(
    name: str, module: str, instance: str, namespace: str, labels: Mapping[str, str], ports: Sequence[ServicePort], publication: Publication
) -> Manifest:
    """A Service that peers reach. It is awaited for its load balancer's address only, and only where that is published."""
    reads_address = publication.type == "LoadBalancer" and publication.advertise is None
    wait = {"pulumi.com/waitFor": "jsonpath={.status.loadBalancer.ingress}"} if reads_address else {"pulumi.com/skipAwait": "true"}
    ranges = {"loadBalancerSourceRanges": list(publication.source_ranges)} if publication.source_ranges else {}
    spec = {"type": publication.type, "selector": selector(module, instance), "ports": [port.document() for port in ports], **ranges}
    return Manifest(name, "v1", "Service", name, namespace, labels, {**publication.annotations, **wait}, {"spec": spec})
