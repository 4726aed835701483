"""Certificates of one control plane and the kubeconfigs that hold them. Clients get what they need and no more."""

import base64
import os
import shutil

import yaml

from sandbox import pki
from sandbox.files import private_dir, write_atomic
from sandbox.state import Cluster

KWOK_USER = "sandbox:kwok"

# file -> (common name, organization). The components' names carry the roles that Kubernetes binds by itself
# (kubernetes.io/docs/reference/access-authn-authz/rbac, "Core component roles").
CLIENTS = {
    "admin": ("admin", "system:masters"),
    "kube-controller-manager": ("system:kube-controller-manager", ""),
    "kube-scheduler": ("system:kube-scheduler", ""),
    "kwok": (KWOK_USER, ""),
}
# Of a real node. kubelet's authorizer knows a node by its certificate's name and group.
REAL_CLIENTS = {
    "kube-proxy": ("system:kube-proxy", ""),
    "policies": ("sandbox:policies", ""),
    "kubelet": ("system:node:{node}", "system:nodes"),
}


def ensure_pki(cluster: Cluster) -> None:
    """Make all keys and certificates, or nothing: the folder appears in one step."""
    if cluster.pki.is_dir():
        return
    draft = cluster.folder / "pki.new"
    shutil.rmtree(draft, ignore_errors=True)
    private_dir(draft)
    authority = pki.new_authority(f"{cluster.organization} sandbox CA")
    files = {"ca.crt": pki.pem(authority.certificate), "ca.key": pki.key_pem(authority.key)}
    files |= _leaf(authority, "apiserver", "kube-apiserver", "", names=_server_names(cluster))
    for name, (common_name, organization) in _clients(cluster).items():
        files |= _leaf(authority, name, common_name, organization)
    if cluster.nodes == "real":
        node = cluster.node_name()
        files |= _leaf(authority, "kubelet-server", f"system:node:{node}", "system:nodes", names=(node, cluster.node_ip(), "127.0.0.1"))
        files |= _leaf(authority, "apiserver-kubelet-client", "kube-apiserver-kubelet-client", "system:masters")
    tokens = pki.new_key()
    files |= {"sa.key": pki.key_pem(tokens), "sa.pub": pki.public_pem(tokens)}
    for file, data in files.items():
        write_atomic(draft / file, data)
    os.rename(draft, cluster.pki)


def write_kubeconfigs(cluster: Cluster) -> None:
    """Write every kubeconfig for the cluster's current URL; the administrator's is `cluster.kubeconfig`."""
    for name in _clients(cluster):
        path = cluster.kubeconfig if name == "admin" else cluster.run / f"{name}.kubeconfig"
        write_atomic(path, yaml.safe_dump(_kubeconfig(cluster, name), sort_keys=False))


def _clients(cluster: Cluster) -> dict[str, tuple[str, str]]:
    real = {file: (name.format(node=cluster.node_name()), group) for file, (name, group) in REAL_CLIENTS.items()}
    return CLIENTS | (real if cluster.nodes == "real" else {})


def _leaf(authority: pki.Authority, file: str, common_name: str, organization: str, names: tuple[str, ...] = ()) -> dict[str, bytes]:
    key = pki.new_key()
    usages: tuple[pki.Usage, ...] = ("server",) if names else ("client",)
    certificate = pki.issue(authority, key.public_key(), common_name, organization=organization, names=names, usages=usages, days=3650)
    return {f"{file}.crt": pki.pem(certificate), f"{file}.key": pki.key_pem(key)}


def _server_names(cluster: Cluster) -> tuple[str, ...]:
    inside = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
    return (*inside, "localhost", "127.0.0.1", cluster.service_ip, *([cluster.node_ip()] if cluster.nodes == "real" else []))


def _kubeconfig(cluster: Cluster, name: str) -> dict[str, object]:
    def text(file: str) -> str:
        return base64.b64encode((cluster.pki / file).read_bytes()).decode()

    context = cluster.organization
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context,
        "clusters": [{"name": context, "cluster": {"server": cluster.url, "certificate-authority-data": text("ca.crt")}}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": name}}],
        "users": [
            {
                "name": name,
                "user": {"client-certificate-data": text(f"{name}.crt"), "client-key-data": text(f"{name}.key")},
            }
        ],
    }
