"""The objects every sandbox cluster starts with: kwok's permissions, a default StorageClass, nodes."""

from pathlib import Path
from string import Template
from typing import Any

import yaml

from sandbox.state import Cluster

NODES = 3
STORAGE_CLASS = "standard"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
NODE_PATH = "/api/v1/nodes"
STORAGE_CLASS_PATH = "/apis/storage.k8s.io/v1/storageclasses"
_RBAC_PATH = "/apis/rbac.authorization.k8s.io/v1"
_PATHS = {
    "ClusterRole": f"{_RBAC_PATH}/clusterroles",
    "ClusterRoleBinding": f"{_RBAC_PATH}/clusterrolebindings",
    "StorageClass": STORAGE_CLASS_PATH,
    "Node": NODE_PATH,
}

Object = dict[str, Any]


def base_objects(cluster: Cluster) -> list[tuple[str, Object]]:
    """(collection path, object) pairs, in the order to apply them."""
    shared, node = (Path(__file__).with_name(name).read_text("utf-8") for name in ("objects.yaml", "node.yaml"))
    texts = [shared, *(_node(Template(node), cluster, number) for number in range(1, NODES + 1))]
    return [(_PATHS[item["kind"]], item) for text in texts for item in yaml.safe_load_all(text)]


def _node(text: Template, cluster: Cluster, number: int) -> str:
    address, pods = f"172.31.{cluster.index}.{10 + number}", f"100.{64 + cluster.index}.{number}.0/24"
    return text.substitute(organization=cluster.organization, number=number, address=address, pods=pods)
