"""The stack file's keys of network policies: whether they exist, and what they allow beyond the links of the federation."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from federation.base.model import Model
from federation.base.scalars import Cidr, Label, Name, Port

_Ports = Annotated[tuple[Port, ...], Field(min_length=1)]


class Elsewhere(Model):
    """Pods of other namespaces, and addresses."""

    namespaces: tuple[Label, ...] = Field((), description="Every pod of these namespaces.")
    ranges: tuple[Cidr, ...] = Field(
        (), description="Address ranges, such as 192.0.2.0/24. Not of Services: policies see the pods behind them."
    )


class Allowance(Elsewhere):
    """Connections that no link needs: a monitoring system, a proxy for updates, a database of another team."""

    ports: _Ports = Field(description="TCP ports of the destination.")

    @model_validator(mode="after")
    def _says_with_whom(self) -> Self:
        if not self.namespaces and not self.ranges:
            raise ValueError("name namespaces or ranges; 0.0.0.0/0 is everywhere")
        return self


class DnsSpec(Model):
    """Where pods may ask for names."""

    namespace: Label | None = Field(None, description="Namespace of the cluster's DNS; absent: kube-system, and OpenShift's openshift-dns.")
    ports: _Ports = Field((53,), description="Ports of its pods, TCP and UDP; OpenShift's listen on 5353.")
    ranges: tuple[Cidr, ...] = Field(("169.254.20.10/32",), description="Addresses outside of pods; default: NodeLocal DNSCache.")


class NetworkPolicySpec(Model):
    """Network policies of every party and exchange of this stack."""

    enabled: bool = Field(True, description="false: no NetworkPolicy at all; every pod of the cluster reaches every port.")
    default_deny: bool | None = Field(
        None,
        description="Whether a pod in the stack's namespaces that no policy selects is isolated. Absent: where the stack makes them.",
    )
    dns: DnsSpec = Field(DnsSpec(), description="Name resolution.")
    published_from: tuple[Cidr, ...] = Field(
        (),
        description="Who may connect to published ports. Absent: anyone, because load balancers and node ports often hide clients.",
    )
    boards: Elsewhere | None = Field(
        None,
        description="Who may open consoles: the ingress controller. Absent: no one, or any pod of the cluster when fate:boards shows them.",
    )
    ingress: dict[Name, Allowance] = Field({}, description="More connections to pods of this stack, by name.")
    egress: dict[Name, Allowance] = Field({}, description="More connections from pods of this stack, by name.")
