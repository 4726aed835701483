"""Settings of modules, patches of chart values and a stack's own objects on a real engine: a preview shows what they touch."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox import pki
from sandbox.workspace import Workspace
from tests.engine.operators import DOMAIN, STATIC_NODE_PORTS, give_secrets, objects, operator

pytestmark = pytest.mark.engine

NAMESPACE = "knobs"
NODE_PORT = STATIC_NODE_PORTS[-1]
CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "kept-from-before", "namespace": NAMESPACE},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}
ACCOUNT = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "runner", "namespace": NAMESPACE}}
CA = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "company-ca", "namespace": NAMESPACE}, "data": {"ca.crt": "one"}}
CLASS = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "knobs-training"}, "value": 1000}
KIND = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "knobs.test.example"},
    "spec": {
        "group": "test.example",
        "names": {"kind": "Knob", "plural": "knobs", "singular": "knob"},
        "scope": "Namespaced",
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}],
    },
}
KNOB = {"apiVersion": "test.example/v1", "kind": "Knob", "metadata": {"name": "one", "namespace": NAMESPACE}}


def write(space: Workspace, name: str, *documents: dict[str, Any]) -> None:
    """One of the stack's own files."""
    (space.stack_file.parent / "extra").mkdir(exist_ok=True)
    (space.stack_file.parent / "extra" / f"{name}.yaml").write_text(yaml.safe_dump_all(documents))


def change(space: Workspace, path: str, value: str) -> None:
    """An edit of the party."""
    space.run("pulumi", "config", "set", "--path", f"fate:parties.9999.{path}", value, "-s", "knobs")


def changed(space: Workspace) -> set[tuple[str, str]]:
    """Operation and name of every object that a preview would touch."""
    return {(operation, name.rsplit("::", 1)[-1]) for operation, _, name in objects(space.preview())}


@pytest.fixture(scope="module")
def stack(clusters: dict[str, Path], authority: pki.Authority, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A party whose pods need the stack's own objects, deployed."""
    party = {
        "namespace": NAMESPACE,
        "release": "1.11.2",
        "computing": "Eggroll",
        "federation": "Eggroll",
        "storage": "Eggroll",
        "persistence": {},
        "modules": {
            "mysql": {
                "persistence": {"existingClaim": "kept-from-before", "subPath": "of-old"},
                "serviceAccountName": "runner",
                "priorityClassName": "knobs-training",
                "volumes": {"ca": {"mountPath": "/etc/company-ca", "configMap": {"name": "company-ca"}}},
                "topologySpreadConstraints": [{"topologyKey": "kubernetes.io/hostname"}],
                "service": {"type": "NodePort", "nodePorts": {"tcp-mysql": NODE_PORT}},
            }
        },
        "chartValues": {"modules": {"clustermanager": {"env": {"TZ": "UTC"}}}},
        "publish": {"rollsite": {"type": "LoadBalancer"}},
    }
    config = {
        "organization": "knobs",
        "federation": {"name": "fraud", "domain": DOMAIN, "topology": "mesh", "link": "native"},
        "parties": {"9999": party},
        "manifests": {"base": "extra/base.yaml", "kinds": "extra/kinds.yaml"},
    }
    space = operator("knobs", tmp_path_factory.mktemp("knobs"), clusters["bank-a"], config)
    give_secrets(space, authority, {"party-9999": f"9999.{DOMAIN}"})
    write(space, "base", CLAIM, ACCOUNT, CA, CLASS)
    write(space, "kinds", KIND, KNOB)
    space.up()
    return space


def test_the_stack_s_own_objects_are_made_before_the_pods_that_need_them(stack: Workspace) -> None:
    assert set(stack.up()) == {"unchanged"}
    pod = stack.kubectl("get", "statefulset", "mysql", "-n", NAMESPACE)["spec"]["template"]["spec"]
    assert (pod["serviceAccountName"], pod["automountServiceAccountToken"], pod["priorityClassName"]) == ("runner", False, "knobs-training")
    [data] = [volume for volume in pod["volumes"] if volume["name"] == "data"]
    assert data["persistentVolumeClaim"]["claimName"] == "kept-from-before"
    assert stack.kubectl("get", "pod", "mysql-0", "-n", NAMESPACE)["spec"]["priority"] == 1000
    assert stack.kubectl("get", "service", "mysql", "-n", NAMESPACE)["spec"]["ports"][0]["nodePort"] == NODE_PORT
    [manager] = stack.kubectl("get", "deployment", "clustermanager", "-n", NAMESPACE)["spec"]["template"]["spec"]["containers"]
    assert {"name": "TZ", "value": "UTC"} in manager["env"]
    assert stack.kubectl("get", "knobs.test.example", "one", "-n", NAMESPACE)["metadata"]["name"] == "one"


def test_every_object_of_a_file_is_a_resource_of_a_stable_name(stack: Workspace) -> None:
    deployed = json.loads(stack.run("pulumi", "stack", "export", "-s", "knobs"))["deployment"]["resources"]
    names = sorted(found["urn"].split("::", 2)[2] for found in deployed if "manifests-" in found["urn"])
    group = "kubernetes:yaml/v2:ConfigGroup"
    assert names == [
        f"{group}$kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition::manifests-kinds:knobs.test.example",
        f"{group}$kubernetes:core/v1:ConfigMap::manifests-base:{NAMESPACE}/company-ca",
        f"{group}$kubernetes:core/v1:PersistentVolumeClaim::manifests-base:{NAMESPACE}/kept-from-before",
        f"{group}$kubernetes:core/v1:ServiceAccount::manifests-base:{NAMESPACE}/runner",
        f"{group}$kubernetes:scheduling.k8s.io/v1:PriorityClass::manifests-base:knobs-training",
        f"{group}$kubernetes:test.example/v1:Knob::manifests-kinds:{NAMESPACE}/one",
        f"{group}::manifests-base",
        f"{group}::manifests-kinds",
    ]
    kept = sorted(found["urn"].rsplit(":", 1)[-1] for found in deployed if "manifests-" in found["urn"] and found.get("retainOnDelete"))
    assert kept == ["knobs.test.example", f"{NAMESPACE}/kept-from-before"]
    providers = {
        (bool(found.get("retainOnDelete")), found["provider"].split("::")[-2])
        for found in deployed
        if found["urn"].count("$") and "metadata" in found.get("inputs", {})
    }
    assert providers == {(True, "cluster-retained"), (False, "cluster")}, "only what is never deleted is created over what is there"


@pytest.mark.parametrize(
    ("path", "value", "touched"),
    [
        ("modules.nodemanager.annotations.checked", "again", {"nodemanager"}),
        ("modules.rollsite.hostAliases[0].ip", "192.0.2.7", {"rollsite"}),
        ("modules.fateflow.service.annotations.owner", "data", {"party-9999-fateflow-client"}),
        ("modules.mysql.service.nodePorts.tcp-mysql", str(NODE_PORT - 1), {"mysql"}),
        ("chartValues.modules.clustermanager.env.TZ", "Europe/Berlin", {"clustermanager"}),
    ],
)
def test_a_setting_touches_what_it_is_for_and_nothing_else(stack: Workspace, path: str, value: str, touched: set[str]) -> None:
    before = stack.stack_file.read_text()
    try:
        if path.startswith("modules.rollsite"):
            change(stack, "modules.rollsite.hostAliases[0].hostnames[0]", "registry.bank-a.example")
        change(stack, path, value)
        found = changed(stack)
        assert {operation for operation, _ in found} == {"update"}
        assert {name.rsplit("/", 1)[-1] for _, name in found} == touched
    finally:
        stack.stack_file.write_text(before)


def test_a_preview_says_that_values_are_patched_and_a_wrong_patch_stops_it(stack: Workspace) -> None:
    before = stack.stack_file.read_text()
    said = "parties.9999.chartValues changes what this program derived: modules.clustermanager.env.TZ"
    assert said in stack.run("pulumi", "preview", "--color", "never", "-s", "knobs")
    try:
        change(stack, "chartValues.modules.clustermanager.replica", "2")
        refusal = stack.attempt("pulumi", "preview", "--color", "never", "-s", "knobs")
        assert refusal.returncode != 0
        assert (
            "fate:parties.9999.chartValues.modules.clustermanager.replica: unknown key 'replica'"
            in refusal.stdout.decode() + refusal.stderr.decode()
        )
    finally:
        stack.stack_file.write_text(before)


def test_an_edit_of_a_file_shows_the_object_and_its_end_keeps_claims(stack: Workspace) -> None:
    write(stack, "base", CLAIM, ACCOUNT, {**CA, "data": {"ca.crt": "two"}}, CLASS)
    assert changed(stack) == {("update", f"manifests-base:{NAMESPACE}/company-ca")}
    write(stack, "base", CA, CLASS)
    assert changed(stack) == {("delete", f"manifests-base:{NAMESPACE}/kept-from-before"), ("delete", f"manifests-base:{NAMESPACE}/runner")}
    stack.up()
    assert stack.kubectl("get", "persistentvolumeclaim", "kept-from-before", "-n", NAMESPACE)["metadata"]["name"] == "kept-from-before"
    accounts = stack.kubectl("get", "serviceaccounts", "-n", NAMESPACE)["items"]
    assert "runner" not in {account["metadata"]["name"] for account in accounts}


def test_an_exchange_with_members_takes_custom_resources_and_is_still_the_first_to_be_refused(
    clusters: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What guards the members depends on every object, also on those of a type that no SDK knows."""
    exchange = {"namespace": NAMESPACE, "release": "1.11.2", "federation": "Eggroll", "publish": {"rollsite": {"type": "LoadBalancer"}}}
    config = {
        "organization": "consortium",
        "federation": {"name": "fraud", "domain": DOMAIN, "topology": "star", "link": "native"},
        "exchange": exchange,
        "peers": {"member": {"partyId": "20000", "unsigned": True, "rollsite": "198.51.100.1:9370"}},
        "manifests": {"kinds": "extra/kinds.yaml"},
    }
    space = operator("consortium", tmp_path_factory.mktemp("knobs-exchange"), clusters["consortium"], config)
    write(space, "kinds", KIND, KNOB)
    space.up()
    assert space.preview() == []
    deployed = json.loads(space.run("pulumi", "stack", "export", "-s", "consortium"))["deployment"]["resources"]
    [guard] = [found for found in deployed if found["urn"].endswith("::exchange-has-active-members")]
    assert guard["protect"]
    assert [urn for urn in guard["dependencies"] if urn.endswith(f"test.example/v1:Knob::manifests-kinds:{NAMESPACE}/one")]
