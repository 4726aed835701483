"""Every object that a stack should have in its cluster, and the question to the cluster that shows it.

Not Secrets, which are never read; not Jobs, which end; not Certificates, of which `cli.doctor.own.certificates` knows more.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cli.reports.rendering import chart_objects
from cli.tools.errors import CommandError
from cli.tools.kubectl import Ask, Object
from federation.stack.plan import StackPlan
from federation.units.own_objects import CLUSTER_KINDS
from federation.units.unit import UnitPlan

_LEFT_OUT = frozenset({"Secret", "Job", "Certificate"})
# Kinds of which all objects of a namespace are asked for at once; of others each by its name.
_LISTED = {
    "Deployment": "deployments",
    "StatefulSet": "statefulsets",
    "Service": "services",
    "Ingress": "ingresses",
    "NetworkPolicy": "networkpolicies",
}
_BY_NAME = {"ConfigMap": "configmaps", "Namespace": "namespaces"}


@dataclass(frozen=True)
class Planned:
    """The objects of a stack by whose they are: a unit's key, or `fate:manifests.<file>`."""

    objects: Mapping[str, tuple[Object, ...]] = field(default_factory=dict)
    # Why the objects of the charts are not among them.
    unrendered: str = ""

    @property
    def asks(self) -> Iterator[Ask]:
        """What the cluster is asked for."""
        yield from (question(document) for documents in self.objects.values() for document in documents)


def planned_objects(plan: StackPlan) -> Planned:
    """The objects of a plan. Without helm, those of the charts are missing."""
    unrendered, objects = "", {}
    for unit in plan.units:
        documents = _typed(unit)
        try:
            documents += chart_objects(unit)
        except CommandError as error:
            unrendered = f"{error.problems[0].place}: {error.problems[0].problem}"
        objects[unit.key] = _compared(documents)
    for file in plan.manifests:
        objects[f"fate:manifests.{file.name}"] = _compared([*file.documents()])
    return Planned(objects, unrendered)


def question(document: Object) -> Ask:
    """The check whether an object exists."""
    kind, metadata = document["kind"], document["metadata"]
    namespace = None if kind in CLUSTER_KINDS else metadata.get("namespace")
    if kind in _LISTED:
        return Ask(_LISTED[kind], namespace)
    return Ask(resource(document), namespace, metadata["name"])


def resource(document: Object) -> str:
    """The kind of an object as kubectl takes it, with its group and version where that may not be plain."""
    kind, (group, _, version) = document["kind"], document["apiVersion"].rpartition("/")
    plain = {**_LISTED, **_BY_NAME}.get(kind, kind.lower())
    return plain if plain != kind.lower() or not group else f"{plain}.{version}.{group}"


def _typed(unit: UnitPlan) -> list[Object]:
    manifests = (*unit.namespace_object, *unit.owner, *unit.services, *unit.routes, *unit.policies, *unit.console_objects)
    return [manifest.document() for manifest in manifests]


def _compared(documents: list[Object]) -> tuple[Object, ...]:
    return tuple(document for document in documents if document["kind"] not in _LEFT_OUT)
