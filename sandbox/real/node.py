"""The files of a real node's processes, and their command lines."""

from pathlib import Path
from string import Template

import yaml

from sandbox.files import private_dir, write_atomic
from sandbox.real import box
from sandbox.state import Cluster

CNI_PLUGINS = Path("/usr/lib/cni")  # Debian's
_BESIDE = Path(__file__).parent
_VOLUME_DRIVER = "sandbox.federation.fate/folder"
_NO_NODE = "sandbox.federation.fate/no-node=none"  # kwok manages no node


def write_files(cluster: Cluster, pause_image: str) -> None:
    """Write what containerd, its CNI plugins, kubelet, kube-proxy and kwok read."""
    folder = cluster.folder / "node"
    vendor, driver = _VOLUME_DRIVER.split("/")
    plugins = folder / "volume-plugins" / f"{vendor}~{driver}"
    for path in (folder, folder / "cni", cluster.folder / "volumes", plugins.parent, plugins):
        private_dir(path)
    values = {
        "folder": str(cluster.folder),
        "run": str(cluster.run),
        "pki": str(cluster.pki),
        "name": cluster.node_name(),
        "pods": cluster.node_pods(),
        "dns": cluster.dns_ip,
        "socket": box.CONTAINERD_SOCKET,
        "plugins": str(CNI_PLUGINS),
        "pause": pause_image,
    }
    for file, target in (
        ("containerd.toml", "containerd.toml"),
        ("kubelet.yaml", "kubelet.yaml"),
        ("kube-proxy.yaml", "kube-proxy.yaml"),
        ("pods.conflist", "cni/10-pods.conflist"),
    ):
        write_atomic(folder / target, Template((_BESIDE / file).read_text("utf-8")).substitute(values))
    write_atomic(folder / "resolv.conf", "nameserver 127.0.0.1\n")  # CoreDNS asks no other server
    write_atomic(plugins / driver, (_BESIDE / "folder-volume.sh").read_bytes(), mode=0o700)
    write_atomic(folder / "kwok.yaml", _kwok_config())


def arguments(cluster: Cluster, component: str) -> list[str]:
    """The arguments of a process that only real nodes have, without its executable."""
    node = cluster.folder / "node"
    return {
        "containerd": [f"--config={node / 'containerd.toml'}"],
        "kubelet": [
            f"--config={node / 'kubelet.yaml'}",
            f"--kubeconfig={cluster.run / 'kubelet.kubeconfig'}",
            f"--root-dir={cluster.folder / 'kubelet'}",
            f"--hostname-override={cluster.node_name()}",
            f"--node-ip={cluster.node_ip()}",
            "--oom-score-adj=0",
        ],
        "kube-proxy": [f"--config={node / 'kube-proxy.yaml'}"],
        "policies": ["-m", "sandbox.policies", str(cluster.folder.parent), cluster.organization, cluster.node_name()],
    }[component]


def _kwok_config() -> str:
    """What kwok does besides nodes and pods: volumes, and the addresses of load balancers and ingresses."""
    documents = []
    for document in yaml.safe_load_all((_BESIDE.parent / "kwok.yaml").read_text("utf-8")):
        if document["kind"] == "KwokConfiguration":
            del document["options"]["manageAllNodes"]
            document["options"]["manageNodesWithAnnotationSelector"] = _NO_NODE
        elif document["spec"]["resourceRef"]["kind"] in ("Node", "Pod"):
            continue
        elif document["metadata"]["name"] == "claim-gets-a-volume":
            (step,) = document["spec"]["steps"]
            real = f"flexVolume: {{driver: {_VOLUME_DRIVER}}}"
            step["apply"]["template"] = step["apply"]["template"].replace(_NO_VOLUME, real)
        documents.append(document)
    return yaml.safe_dump_all(documents, sort_keys=False)


_NO_VOLUME = 'hostPath: {path: /sandbox/no-such-volume, type: ""}'
