"""Command lines of a control plane's five processes. Listens on loopback (API server) and unix sockets (etcd) only."""

import os
from pathlib import Path

from sandbox.state import Cluster

# Without higher client limits the default ServiceAccount appears 5 s later (measured, three clusters on 2 cores).
_CLIENT_LIMITS = ("--kube-api-qps=300", "--kube-api-burst=600")
_KWOK_CONFIG = Path(__file__).with_name("kwok.yaml")


def environment() -> dict[str, str]:
    """What the processes get of ours: no proxies, credentials or Go settings."""
    return {"PATH": os.defpath, "HOME": "/nonexistent", "LANG": "C.UTF-8"}


def arguments(cluster: Cluster, component: str) -> list[str]:
    """The arguments of a component, without its executable."""
    return {
        "etcd": _etcd,
        "kube-apiserver": _api_server,
        "kube-controller-manager": _controller_manager,
        "kube-scheduler": _scheduler,
        "kwok": _kwok,
    }[component](cluster)


def _etcd(cluster: Cluster) -> list[str]:
    # The advertised URLs are not listened on; etcd wants them to be host:port all the same.
    name = cluster.organization
    return [
        f"--name={name}",
        f"--data-dir={cluster.folder / 'etcd'}",
        f"--listen-client-urls=unix://{cluster.sockets}/etcd.sock",
        f"--listen-peer-urls=unix://{cluster.sockets}/etcd-peer.sock",
        "--advertise-client-urls=http://localhost:2379",
        "--initial-advertise-peer-urls=http://localhost:2380",
        f"--initial-cluster={name}=http://localhost:2380",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def _api_server(cluster: Cluster) -> list[str]:
    pki = cluster.pki
    return [
        f"--etcd-servers=unix://{cluster.sockets}/etcd.sock",
        *(_in_a_box if cluster.nodes == "real" else _loopback_only)(cluster),
        f"--secure-port={cluster.port}",
        f"--service-cluster-ip-range={cluster.service_cidr}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",  # Pod Security decides per namespace, as in a real cluster
        f"--client-ca-file={pki / 'ca.crt'}",
        f"--tls-cert-file={pki / 'apiserver.crt'}",
        f"--tls-private-key-file={pki / 'apiserver.key'}",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={pki / 'sa.pub'}",
        f"--service-account-signing-key-file={pki / 'sa.key'}",
    ]


def _loopback_only(_: Cluster) -> list[str]:
    return [
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        "--endpoint-reconciler-type=none",  # a loopback address may not be an endpoint of the service `kubernetes`
    ]


def _in_a_box(cluster: Cluster) -> list[str]:
    """Pods and the kubelet reach it, and it reaches the kubelet."""
    return [
        "--bind-address=0.0.0.0",
        f"--advertise-address={cluster.node_ip()}",
        "--kubelet-preferred-address-types=InternalIP",
        f"--kubelet-client-certificate={cluster.pki / 'apiserver-kubelet-client.crt'}",
        f"--kubelet-client-key={cluster.pki / 'apiserver-kubelet-client.key'}",
    ]


def _controller_manager(cluster: Cluster) -> list[str]:
    pki = cluster.pki
    return [
        f"--kubeconfig={cluster.run / 'kube-controller-manager.kubeconfig'}",
        "--use-service-account-credentials",
        f"--service-account-private-key-file={pki / 'sa.key'}",
        f"--root-ca-file={pki / 'ca.crt'}",
        f"--cluster-signing-cert-file={pki / 'ca.crt'}",
        f"--cluster-signing-key-file={pki / 'ca.key'}",
        "--leader-elect=false",
        "--secure-port=0",
        *_CLIENT_LIMITS,
        *(["--node-monitor-period=1s"] if cluster.nodes == "real" else []),  # else a new node waits up to 5 s for its first pod
    ]


def _scheduler(cluster: Cluster) -> list[str]:
    kubeconfig = cluster.run / "kube-scheduler.kubeconfig"
    return [f"--kubeconfig={kubeconfig}", "--leader-elect=false", "--secure-port=0", *_CLIENT_LIMITS]


def _kwok(cluster: Cluster) -> list[str]:
    return [
        f"--kubeconfig={cluster.run / 'kwok.kubeconfig'}",
        f"--config={cluster.folder / 'node' / 'kwok.yaml' if cluster.nodes == 'real' else _KWOK_CONFIG}",
        f"--cidr={cluster.pod_cidr}",
    ]
