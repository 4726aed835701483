"""The objects every sandbox cluster starts with: kwok's permissions, a default StorageClass, nodes."""

from typing import Any

from sandbox.credentials import KWOK_USER
from sandbox.state import Cluster

NODES = 3
STORAGE_CLASS = "standard"
PROVISIONER = "sandbox.federation.fate/volume"  # kwok.yaml's stages look for it
NODE_ADDRESS = "sandbox.federation.fate/address"  # annotation that kwok.yaml copies into the node's status
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
NODE_PATH = "/api/v1/nodes"
STORAGE_CLASS_PATH = "/apis/storage.k8s.io/v1/storageclasses"
_RBAC_PATH = "/apis/rbac.authorization.k8s.io/v1"

Object = dict[str, Any]


def base_objects(cluster: Cluster) -> list[tuple[str, Object]]:
    """(collection path, object) pairs, in the order to apply them."""
    return [
        (f"{_RBAC_PATH}/clusterroles", _kwok_role()),
        (f"{_RBAC_PATH}/clusterrolebindings", _kwok_binding()),
        (STORAGE_CLASS_PATH, _storage_class()),
        *((NODE_PATH, _node(cluster, number)) for number in range(1, NODES + 1)),
    ]


def _kwok_role() -> Object:
    """What the stages of kwok.yaml read and write, nothing else."""
    watch = ["get", "list", "watch"]
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": KWOK_USER},
        "rules": [
            _rule("", ["nodes", "services", "persistentvolumeclaims"], watch),
            _rule("", ["nodes/status", "pods/status", "services/status"], ["patch"]),
            _rule("", ["pods"], [*watch, "delete"]),
            _rule("", ["persistentvolumes"], [*watch, "create", "patch", "update", "delete"]),
            _rule("", ["events"], ["create", "patch"]),
            _rule("networking.k8s.io", ["ingresses"], watch),
            _rule("networking.k8s.io", ["ingresses/status"], ["patch"]),
            _rule("coordination.k8s.io", ["leases"], [*watch, "create", "update"]),
        ],
    }


def _rule(group: str, resources: list[str], verbs: list[str]) -> Object:
    return {"apiGroups": [group], "resources": resources, "verbs": verbs}


def _kwok_binding() -> Object:
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": KWOK_USER},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": KWOK_USER},
        "subjects": [{"apiGroup": group, "kind": "User", "name": KWOK_USER}],
    }


def _storage_class() -> Object:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": STORAGE_CLASS,
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": PROVISIONER,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate",
    }


def _node(cluster: Cluster, number: int) -> Object:
    name = f"{cluster.organization}-{number}"
    pods = f"100.{64 + cluster.index}.{number}.0/24"
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": {NODE_ADDRESS: f"172.31.{cluster.index}.{10 + number}"},
            "labels": {
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "node-role.kubernetes.io/worker": "",
                "topology.kubernetes.io/region": cluster.organization,
                "topology.kubernetes.io/zone": f"{cluster.organization}-{number}",
            },
        },
        "spec": {"podCIDR": pods, "podCIDRs": [pods]},
    }
