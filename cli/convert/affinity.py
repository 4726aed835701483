"""Affinity rules that select pods by KubeFATE's labels, which no pod of this program has: the same rules on this program's labels.

KubeFATE labels its pods `fateMoudle` (sic), `name` (the cluster's) and `partyId`; the rest of a rule (nodes, topology, namespaces, labels
of other programs' pods) means the same everywhere.
"""

from typing import Any

from cli.convert.clusters import Cluster
from federation.base.naming import INSTANCE, MODULE, PART_OF, PARTY_ID

_OWN = "fateMoudle"
# Keys that are KubeFATE's whatever their value, and the key here.
_KEYS = {_OWN: MODULE, "partyId": PARTY_ID}
# Labels that every pod of KubeFATE's has, with their value.
_EVERY_POD = {"owner": "kubefate", "cluster": "fate", "heritage": "Helm"}
_INSTANCES = {"party": "party-{}", "exchange": "exchange", "serving": "serving-{}", "servingExchange": "serving-exchange"}
_SELECTOR = "labelSelector"


def translated(value: Any, cluster: Cluster) -> tuple[Any, str]:
    """An affinity on the labels of this program, and whether that changed it. LookupError when it selects pods that do not exist here."""
    affinity, changed = _translated(value, cluster)
    return affinity, "on the labels that pods have here" if changed else ""


def _translated(value: Any, cluster: Cluster) -> tuple[Any, bool]:
    """A part of an affinity, and whether a label in it changed. LookupError when a label's value has no counterpart."""
    if isinstance(value, list):
        parts = [_translated(one, cluster) for one in value]
        return [part for part, _ in parts], any(changed for _, changed in parts)
    if not isinstance(value, dict):
        return value, False
    entries = {key: _selector(one, cluster) if key == _SELECTOR else _translated(one, cluster) for key, one in value.items()}
    return {key: part for key, (part, _) in entries.items()}, any(changed for _, changed in entries.values())


def _selector(selector: Any, cluster: Cluster) -> tuple[Any, bool]:
    if not isinstance(selector, dict):
        return selector, False
    new, labels, rules = dict(selector), selector.get("matchLabels"), selector.get("matchExpressions")
    if isinstance(labels, dict):
        new["matchLabels"] = dict(_label(name, value, cluster) for name, value in labels.items())
    if isinstance(rules, list):
        new["matchExpressions"] = [_rule(rule, cluster) for rule in rules]
    return new, new != selector


def _rule(rule: Any, cluster: Cluster) -> Any:
    if not isinstance(rule, dict):
        return rule
    key, values = rule.get("key"), rule.get("values")
    if not isinstance(values, list) or not values:
        return rule | {"key": _KEYS[key]} if key in _KEYS else rule
    labels = [_label(str(key), value, cluster) for value in values]
    if len({name for name, _ in labels}) > 1:
        return rule
    return rule | {"key": labels[0][0], "values": list(dict.fromkeys(value for _, value in labels))}


def _label(name: str, value: Any, cluster: Cluster) -> tuple[str, Any]:
    """A label of KubeFATE's pods as the one that pods have here; any other stays. LookupError when there is no such pod here."""
    if name == _OWN:
        return _KEYS[name], _module(str(value), cluster)
    if name == "partyId":
        return _KEYS[name], str(value)
    if name in ("name", "release") and str(value) == cluster.name:
        return INSTANCE, _INSTANCES[cluster.kind].format(cluster.party)
    if _EVERY_POD.get(name) == value:
        return PART_OF, "fate"
    return name, value


def _module(word: str, cluster: Cluster) -> str:
    word = "nodemanager" if word.startswith("nodemanager-") else word
    if word not in _POD_MODULES:
        raise LookupError(f"selects pods with {_OWN}: {word}, which no pod has here")
    if word == "rollsite" and cluster.engines.get("federation") == "OSX":
        return "osx"
    return "fateflow" if word == "python" else word


# The values of KubeFATE's label that its pods have.
_POD_MODULES = frozenset(
    {"python", "mysql", "rollsite", "osx", "clustermanager", "nodemanager", "spark-master", "spark-worker", "namenode", "datanode", "nginx",
     "rabbitmq", "pulsar", "fateboard", "client", "traffic-server", "serving-server", "serving-proxy", "serving-redis", "serving-zookeeper",
     "serving-admin"}
)  # fmt: skip
