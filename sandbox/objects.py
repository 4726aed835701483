"""The objects every sandbox cluster starts with: kwok's permissions, a default StorageClass, nodes, CoreDNS where nodes are real."""

from pathlib import Path
from string import Template
from typing import Any

import yaml

from sandbox.state import Cluster

NODES = {"kwok": 3, "real": 1}
STORAGE_CLASS = "standard"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
NODE_PATH = "/api/v1/nodes"
POD_PATH = "/api/v1/pods"
STORAGE_CLASS_PATH = "/apis/storage.k8s.io/v1/storageclasses"
DNS_PATH = "/apis/apps/v1/namespaces/kube-system/deployments"
_RBAC_PATH = "/apis/rbac.authorization.k8s.io/v1"
_SYSTEM_PATH = "/api/v1/namespaces/kube-system"
_PATHS = {
    "ClusterRole": f"{_RBAC_PATH}/clusterroles",
    "ClusterRoleBinding": f"{_RBAC_PATH}/clusterrolebindings",
    "StorageClass": STORAGE_CLASS_PATH,
    "Node": NODE_PATH,
    "ServiceAccount": f"{_SYSTEM_PATH}/serviceaccounts",
    "ConfigMap": f"{_SYSTEM_PATH}/configmaps",
    "Service": f"{_SYSTEM_PATH}/services",
    "Deployment": DNS_PATH,
}

Object = dict[str, Any]


def base_objects(cluster: Cluster, dns_image: str = "") -> list[tuple[str, Object]]:
    """(collection path, object) pairs, in the order to apply them. With an image of CoreDNS, what real nodes need, too."""
    texts = [_text("objects.yaml")]
    texts += [_text("node.yaml", **_node(cluster, number)) for number in range(1, NODES[cluster.nodes] + 1)]
    if dns_image:
        texts += [_text("policies/access.yaml"), _text("real/dns.yaml", address=cluster.dns_ip, image=dns_image)]
    return [(_PATHS[item["kind"]], item) for text in texts for item in yaml.safe_load_all(text)]


def _text(file: str, **values: str) -> str:
    return Template((Path(__file__).parent / file).read_text("utf-8")).substitute(values)


def _node(cluster: Cluster, number: int) -> dict[str, str]:
    return {
        "organization": cluster.organization,
        "name": cluster.node_name(number),
        "address": cluster.node_ip(number),
        "pods": cluster.node_pods(number),
    }
