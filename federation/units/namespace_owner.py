"""Who owns a namespace. Each unit writes a note there, the ConfigMap `fate-owner`, and reads others' notes before it touches anything.

`pulumi destroy` deletes the note; the namespace and its claims stay. So a note that is not in the state belongs to another stack, or
to this stack with another state: a lost one, or one in another backend.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from federation.base import naming
from federation.config.stack import StackSpec
from federation.manifests.objects import Manifest, config_map
from federation.units.unit import UnitPlan

# What a new unit's namespace is searched for: resources as kubectl names them.
WORKLOADS, CLAIMS = ("deployments", "statefulsets"), "persistentvolumeclaims"
_SHOWN = 4
# The names of a module's claims without their numbers: the claim template and the StatefulSet of its chart.
CLAIM_NAMES: Mapping[str, str] = {
    "client": "persistence-client",
    "datanode": "dfs-datanode",
    "fateflow": "python-data-python",
    "mysql": "data-mysql",
    "namenode": "dfs-namenode",
    "nodemanager": "data-dir-nodemanager",
    "postgres": "postgres-data-postgres",
    "pulsar": "pulsar-data-pulsar",
    "rabbitmq": "rabbitmq-data-rabbitmq",
    "servingRedis": "serving-redis-data-serving-redis",
    "servingServer": "serving-server-data-serving-server",
    "sitePortalServer": "site-portal-server-uploaded-data-site-portal-server",
    "servingZookeeper": "serving-zookeeper-data-serving-zookeeper",
}
_BACKEND = "use the backend that deployed it (`pulumi whoami --verbose` shows the current one)"


@dataclass(frozen=True)
class Occupants:
    """What is in a namespace: the note of its owner (None: there is none), workloads with names of this program, claims by name."""

    note: Mapping[str, str] | None
    workloads: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()


def owner_note(spec: StackSpec, unit: UnitPlan, stack: str) -> Manifest:
    """The ConfigMap that names the owner of a unit's namespace. `stack`: its name without organization and project."""
    key = {} if spec.identity is None else {"key": spec.identity.key}
    entries = {"organization": spec.organization, "stack": stack, "unit": unit.key} | key
    labels = naming.common_labels(spec.federation.name, unit.descriptor.get("partyId"))
    note = config_map("owner", naming.OWNER, unit.namespace, labels, entries)
    # Without it the API server refuses to let one stack overwrite another's note.
    return replace(note, annotations={"pulumi.com/patchForce": "true"}) if unit.namespace in spec.cluster.take_over else note


def granted(namespace: str) -> str:
    """The remedy for a namespace that a stack with `scope: namespaced` cannot use yet."""
    role = f"kubectl apply -n {namespace} -f docs/rbac/namespaced.yaml"
    return f"let the cluster's administrator run `kubectl create namespace {namespace}`, then `{role}`"


def foreign_owner(unit: UnitPlan, note: Mapping[str, str]) -> tuple[str, str] | None:
    """Problem and remedy when a namespace's note names another owner; None: it names this stack."""
    mine = _note(unit)
    # A renamed stack keeps its key, and a stack that replaced its key keeps its name.
    if _names(mine) == _names(note) or mine.get("key", "") == note.get("key"):
        return None
    return (
        f"namespace {unit.namespace} belongs to {_shown(note)}",
        f"give {unit.key} a namespace of its own; if that stack no longer exists, {_take_over(unit)}",
    )


def occupied(unit: UnitPlan, occupants: Occupants) -> tuple[str, str] | None:
    """Problem and remedy when a unit that is not in the state finds its namespace in use; None: nobody uses it."""
    if occupants.note is not None:
        return (
            f"namespace {unit.namespace} is in use by {_shown(occupants.note)}, which is not in the state of this backend",
            f"{_BACKEND}; of another stack, give {unit.key} a namespace of its own; if the state is lost, {_take_over(unit)}",
        )
    if occupants.workloads:
        return (
            f"namespace {unit.namespace} holds {_some(occupants.workloads)}, which are not in the state of this backend: names that "
            f"{unit.key} uses, too",
            f"give {unit.key} a namespace of its own, or remove them first (docs/guides/from-kubefate.md); {_BACKEND}, if this stack made "
            f"them; if the state is lost, {_take_over(unit)}",
        )
    return None


def left_claims(unit: UnitPlan, occupants: Occupants) -> tuple[str, str] | None:
    """Warning and remedy when a unit would start with the claims of an earlier deployment; None: there are none."""
    mine = [CLAIM_NAMES[name] for name, claim in unit.data.get("claims", {}).items() if "existingClaim" not in claim]
    used = tuple(name for name in occupants.claims if (parts := name.rpartition("-"))[0] in mine and parts[2].isdigit())
    if not used:
        return None
    return (
        f"namespace {unit.namespace} has claims that no deployment of this state owns, and {unit.key} will start with the data on them: "
        f"{_some(used)}. Servers keep their old passwords: with new ones in fate:secrets they refuse every client",
        "if the data is wanted, restore the stack file of then (docs/guides/state.md), or its passwords; if not, choose another namespace, "
        f"name other claims with modules.<module>.persistence.existingClaim, or delete them by hand: `kubectl -n {unit.namespace} delete "
        f"pvc {' '.join(used)}`",
    )


def names_of_ours(resource: str, items: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Workloads with a name that this program uses, each with its maker if its labels name one. `items`: as kubectl returns them."""
    workloads = []
    for item in items:
        name, labels = item["metadata"]["name"], item["metadata"].get("labels") or {}
        if name in naming.CHART_OBJECTS:
            made = "KubeFATE" if labels.get("owner") == "kubefate" else labels.get(naming.MANAGED_BY) or labels.get("heritage")
            workloads.append(f"{resource.removesuffix('s')} {name}{f' of {made}' if made else ''}")
    return tuple(sorted(workloads))


def _note(unit: UnitPlan) -> Mapping[str, str]:
    note: Mapping[str, str] = unit.owner[0].fields["data"]
    return note


def _names(note: Mapping[str, str]) -> tuple[str | None, str | None]:
    return note.get("organization"), note.get("stack")


def _shown(note: Mapping[str, str]) -> str:
    return f"stack {note.get('stack')} of organization {note.get('organization')} ({note.get('unit')})"


def _some(names: tuple[str, ...]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _take_over(unit: UnitPlan) -> str:
    return f"take it over: fate:cluster.takeOver: [{unit.namespace}] (docs/guides/state.md)"
