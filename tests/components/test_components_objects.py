"""Objects of Kubernetes without the SDK's class of each kind: what those classes do is still done."""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.components.programs import run_program
from tests.components.recorder import Cluster, Run
from tests.support.configs import STAR_PARTY

_PROGRAM = """
import json, sys
import components, components.cluster, components.manifests
from google.protobuf import struct_pb2
from pulumi.runtime import rpc
reference = struct_pb2.Struct()
reference.update(json.loads(sys.argv[1]))
found = rpc.deserialize_resource(reference)
print(json.dumps([type(found).__name__, sorted(name for name in sys.modules if name.startswith("pulumi_kubernetes."))]))
"""


@pytest.fixture
def party(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    return run_program(STAR_PARTY, tmp_path, monkeypatch, Cluster(preview=True))


def _reference(kind: str) -> dict[str, str]:
    return {"urn": f"urn:pulumi:s::p::{kind}::web", "id": "ns/web", "packageVersion": version("pulumi-kubernetes")}


def test_neither_the_program_nor_an_object_of_a_chart_imports_the_sdk_s_classes_of_kinds() -> None:
    command = [sys.executable, "-c", _PROGRAM, json.dumps(_reference("kubernetes:apps/v1:Deployment"))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    kind, modules = json.loads(done.stdout)
    assert kind == "DependencyResource"
    assert "pulumi_kubernetes.provider" in modules, "the list is of what was imported"
    assert {name for name in modules if name.endswith("_inputs")} == {"pulumi_kubernetes._inputs"}, "those of kinds take longest"


def test_the_values_of_secrets_are_encrypted_in_what_the_provider_answers_too(party: Run) -> None:
    secrets = party.of("Secret")
    assert len(secrets) == 2
    assert {secret.secret_outputs for secret in secrets} == {("data", "stringData")}


def test_all_of_kubernetes_is_asked_of_the_provider_that_is_pinned(party: Run) -> None:
    found = {item.label: item.version for item in party.resources if item.type.startswith("kubernetes:")}
    assert {"Namespace", "Secret", "ConfigMap", "NetworkPolicy", "Service", "Chart"} <= {kind for kind, _ in found}
    assert set(found.values()) == {version("pulumi-kubernetes")}
