"""Clusters of KubeFATE, converted as they stand, preview and come up on a real engine and a real API server.

Every YAML of the documents that this project began with is among them:

| document | its YAML | here |
|---|---|---|
| KubeFATE's guide | `Spec` of `kubefate cluster describe`, fate-10000 | guide-describe |
| KubeFATE's guide | `cluster-exchange.yaml`: rollsite alone | guide-exchange |
| KubeFATE's guide | `serving-exchange.yaml`: servingProxy alone | guide-serving-exchange |
| KubeFATE's guide | `cluster.yaml`: named, its keys described | v1.11.2-eggroll |
| KubeFATE's guide | `cluster-spark.yaml`: named, its keys described | v1.10.0-spark-rabbitmq |
| KubeFATE's guide | `cluster-serving.yaml`: named, its keys described | v1.5.0-serving |
| KubeFATE for Kubernetes | the beginning of a `Spec`, fate-9999, cut off after partyId | guide-describe has the same keys |
| notes on FedLCM, article on cube-studio | none | - |
"""

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.convert.clusters import Choices
from cli.convert.files import convert_files
from cli.convert.report import secret_steps
from sandbox import pki
from sandbox.workspace import Workspace
from tests.engine.operators import STATIC_NODE_PORTS, give_secrets, objects
from tests.support.kubefate import filled

pytestmark = pytest.mark.engine

_FILES = Path(__file__).resolve().parents[1] / "unit" / "cli" / "convert" / "kubefate"
# What is deployed in namespaces of their own, because the files were written for clusters of their own.
_EGGROLL = {"python", "mysql", "clustermanager", "nodemanager", "fateboard", "client"}
_SPARK = {"python", "mysql", "nginx", "spark-master", "spark-worker", "namenode", "datanode", "fateboard", "client"}
_WORKLOADS = {
    "guide-exchange": {"rollsite"},
    "guide-describe": {*_EGGROLL, "rollsite"},
    "v1.6.0-spark-pulsar": {*_SPARK, "pulsar"},
    "v1.7.2-slim": {"python", "mysql", "nginx", "pulsar", "fateboard"},
    "v1.9.0-external": {"python", "nginx", "fateboard", "client"},
    "v1.10.0-spark-rabbitmq": {*_SPARK, "rabbitmq"},
    "v1.11.2-eggroll": {*_EGGROLL, "rollsite"},
    "v1.11.2-eggroll-lbrollsite": {"python", "mysql", "clustermanager", "nodemanager", "rollsite", "lbrollsite"},
    "v1.11.2-exchange-pulsar": {"traffic-server", "nginx"},
    "v2.0.0-eggroll": {*_EGGROLL, "osx"},
    "guide-serving-exchange": {"serving-proxy"},
    "v1.5.0-serving": {"serving-proxy", "serving-server"},
    "v2.1.6-serving": {"serving-proxy", "serving-server", "serving-redis", "serving-zookeeper", "serving-admin"},
}


_NODE_PORT = re.compile(r"\b(\w*[nN]odePort): \d+")


@pytest.mark.parametrize("name", _WORKLOADS)
def test_a_converted_cluster_previews_and_comes_up(name: str, clusters: dict[str, Path], authority: pki.Authority, tmp_path: Path) -> None:
    namespace = "kubefate-" + name.replace(".", "-")
    source = tmp_path / f"{name}.yaml"
    text = (_FILES / f"{name}.yaml").read_text()
    source.write_text(_moved(name, namespace))
    (one,) = convert_files([source], tmp_path / "stacks", Choices(node_address="198.51.100.7"))
    one.file.write_text(filled(one.file.read_text(), STATIC_NODE_PORTS[26]))
    space = Workspace(one.stack, tmp_path, clusters["clinic-b"])
    space.prepare()
    units = {unit.key: unit.tls.server_name for unit in one.done.loaded.plan.units if unit.tls is not None}
    give_secrets(space, authority, units)
    for step in secret_steps(one.done, one.stack):
        if not space.has_secret(step.name):
            space.set_secret(step.name, f"canary-{step.name}".encode())
    for manifest in _what_the_files_expect(namespace, text + one.done.text):
        space.run("kubectl", "apply", "-f", "-", stdin=json.dumps(manifest).encode())
    space.run("kubectl", "label", "nodes", "--all", "--overwrite", "disk=ssd")
    previewed = objects(space.preview())
    assert {operation for operation, _, _ in previewed} == {"create"}
    space.up()
    assert set(space.up()) == {"unchanged"}
    workloads = space.kubectl("get", "deployments,statefulsets", "-n", namespace)["items"]
    assert {item["metadata"]["name"] for item in workloads} == _WORKLOADS[name]
    assert [item["metadata"]["name"] for item in workloads if item["status"].get("readyReplicas", 0) != item["spec"]["replicas"]] == []
    exposed = space.run("kubectl", "get", "configmaps,deployments,statefulsets,pods", "-n", namespace, "-o", "json")
    assert "canary-" not in exposed
    assert not re.search(r"old-[a-z]+-secret", exposed)


def _moved(name: str, namespace: str) -> str:
    """The file, in a namespace and with node ports of its own: the sandbox is one cluster for all of them."""
    texts = {other: (_FILES / f"{other}.yaml").read_text() for other in _WORKLOADS}
    before = [text for other, text in texts.items() if list(_WORKLOADS).index(other) < list(_WORKLOADS).index(name)]
    ports = itertools.count(STATIC_NODE_PORTS[0] + sum(len(_NODE_PORT.findall(text)) for text in before))
    text = _NODE_PORT.sub(lambda found: f"{found[1]}: {next(ports)}", texts[name])
    text = text.replace("driverStartPort: 31000", f"driverStartPort: {STATIC_NODE_PORTS[30]}").replace(
        "blockManagerStartPort: 31100", f"blockManagerStartPort: {STATIC_NODE_PORTS[60]}"
    )
    return re.sub(r"^namespace: .*", f"namespace: {namespace}", text, flags=re.M)


def _what_the_files_expect(namespace: str, text: str) -> Iterator[dict[str, Any]]:
    """What the old cluster has already: the namespace, existing claims, storage classes."""
    yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    for name in sorted(set(re.findall(r'storageClass: "?([a-z-]+)', text))):
        yield {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": name},
            "provisioner": "sandbox.federation.fate/volume",
        }
    for name in sorted(set(re.findall(r'existingClaim: "?([a-z0-9-]+)', text))):
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        yield {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name, "namespace": namespace}, "spec": spec}
