"""Site Portal and FML Manager on real API servers: on its own, beside an exchange, and linked by descriptors."""

import base64
from pathlib import Path

import pytest
import yaml

from sandbox import pki
from sandbox.workspace import Workspace
from tests.engine.operators import DOMAIN, FEDERATION, PUBLISHED, hand_over, objects, operator

pytestmark = pytest.mark.engine

_PORTAL = {"release": "0.3.0", "fateflow": "203.0.113.9:30097", "persistence": {}, "publish": {"sitePortal": PUBLISHED}}
_EXCHANGE = {"release": "1.11.2", "federation": "Eggroll", "publish": {"rollsite": PUBLISHED}}


def _certify(space: Workspace, unit: str, authority: pki.Authority, server: str, client: str) -> None:
    """Give a unit its two certificates of the federation's CA."""
    for side, names in (("server", [server, "localhost"]), ("client", [client])):
        key = pki.new_key()
        certificate = pki.issue(authority, key.public_key(), names[0], names=names, usages=["server" if side == "server" else "client"])
        space.set_secret(f"{unit}-{side}-certificate", pki.pem(certificate))
        space.set_secret(f"{unit}-{side}-key", pki.key_pem(key))
    space.set_secret(f"{unit}-ca", pki.pem(authority.certificate))


def _portal(folder: Path, kubeconfig: Path, authority: pki.Authority, namespace: str) -> Workspace:
    config = {"organization": "clinic-b", "federation": FEDERATION, "sitePortal": {"10000": {"namespace": namespace, **_PORTAL}}}
    space = operator("clinic-b", folder, kubeconfig, config)
    space.fatefed("secrets", "init")
    _certify(space, "site-portal-10000", authority, f"site-10000.server.{DOMAIN}", f"site-10000.client.{DOMAIN}")
    return space


def _exchange(folder: Path, kubeconfig: Path, namespace: str) -> Workspace:
    config = {"organization": "consortium", "federation": FEDERATION, "exchange": {"namespace": namespace, **_EXCHANGE}}
    return operator("consortium", folder, kubeconfig, config)


def _switch_on(space: Workspace, authority: pki.Authority, namespace: str) -> None:
    """Add an FML Manager as an operator does it: by an edit of the stack's configuration."""
    edits = {
        "namespace": namespace,
        "release": "0.3.0",
        "persistence.accessMode": "ReadWriteOnce",
        "publish.fmlManager.type": "LoadBalancer",
    }
    for path, value in edits.items():
        space.run("pulumi", "config", "set", "--path", f"fate:exchange.fmlManager.{path}", value, "-s", space.organization)
    space.fatefed("secrets", "init")
    _certify(space, "fml-manager", authority, f"fmlmanager.server.{DOMAIN}", f"fmlmanager.client.{DOMAIN}")


def _refuses_root(space: Workspace, namespace: str) -> None:
    """Pod Security lets in the unit's own pods, which are there already, and nobody else's that may be root."""
    assert space.kubectl("get", "pods", "-n", namespace)["items"]
    container = {"name": "root", "image": "registry.example/root:1"}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "root"}, "spec": {"containers": [container]}}
    create = ("kubectl", "create", "--dry-run=server", "-f", "-", "-n")
    refused = space.attempt(*create, namespace, stdin=yaml.safe_dump(pod).encode())
    assert 'violates PodSecurity "restricted' in refused.stderr.decode()
    assert space.attempt(*create, "default", stdin=yaml.safe_dump(pod).encode()).returncode == 0, "what is refused is not the pod's form"


def test_a_site_portal_comes_up_on_its_own_and_keeps_its_secrets(
    clusters: dict[str, Path], tmp_path: Path, authority: pki.Authority
) -> None:
    space = _portal(tmp_path, clusters["clinic-b"], authority, "portal-own")
    space.up()
    _refuses_root(space, "portal-own")
    assert set(space.up()) == {"unchanged"}
    workloads = space.kubectl("get", "deployments,statefulsets", "-n", "portal-own")["items"]
    ready = {item["metadata"]["name"] for item in workloads if item["status"].get("readyReplicas", 0) == item["spec"]["replicas"]}
    assert ready == {"frontend", "site-portal-server", "postgres"}
    claims = {item["metadata"]["name"] for item in space.kubectl("get", "persistentvolumeclaims", "-n", "portal-own")["items"]}
    assert claims == {"postgres-data-postgres-0", "site-portal-server-uploaded-data-site-portal-server-0"}

    secrets = {item["metadata"]["name"]: item["data"] for item in space.kubectl("get", "secrets", "-n", "portal-own")["items"]}
    assert set(secrets) == {"postgres-credentials", "site-portal-credentials", "site-portal-cert"}
    passwords = [base64.b64decode(secrets["postgres-credentials"]["password"]).decode()]
    passwords += [base64.b64decode(value).decode() for value in secrets["site-portal-credentials"].values()]
    assert len(set(passwords)) == 3
    assert not {"admin", "user", "site_portal"} & set(passwords), "passwords of the images"
    shown = space.run("kubectl", "get", "configmaps,deployments,statefulsets,pods", "-n", "portal-own", "-o", "json")
    assert not [password for password in passwords if password in shown]
    assert "PRIVATE KEY" not in shown


def test_an_fml_manager_is_switched_on_beside_an_exchange_and_the_preview_shows_its_objects_alone(
    clusters: dict[str, Path], tmp_path: Path, authority: pki.Authority
) -> None:
    space = _exchange(tmp_path, clusters["consortium"], "portal-hub")
    space.up()
    _switch_on(space, authority, "portal-manager")
    preview = objects(space.preview())
    assert {operation for operation, _, _ in preview} == {"create"}
    names = {name.rsplit("/", 1)[-1] for _, _, name in preview}
    assert {"fml-manager-server", "postgres", "fml-manager-policy-peers-fml-manager-server"} <= names
    space.up()
    _refuses_root(space, "portal-manager")
    assert set(space.up()) == {"unchanged"}
    workloads = space.kubectl("get", "deployments,statefulsets", "-n", "portal-manager")["items"]
    ready = {item["metadata"]["name"] for item in workloads if item["status"].get("readyReplicas", 0) == item["spec"]["replicas"]}
    assert ready == {"fml-manager-server", "postgres"}


def test_descriptors_link_a_site_portal_and_an_fml_manager_of_two_organizations(
    clusters: dict[str, Path], tmp_path: Path, authority: pki.Authority
) -> None:
    portal = _portal(tmp_path, clusters["clinic-b"], authority, "portal-linked")
    portal.up()
    hub = _exchange(tmp_path, clusters["consortium"], "portal-linked-hub")
    _switch_on(hub, authority, "portal-linked-manager")
    hub.up()
    hand_over(portal, hub)
    assert {(operation, name.rsplit("/", 1)[-1]) for operation, _, name in objects(hub.preview())} == {
        ("update", "fml-manager-policy-peers-fml-manager-server"),
        # Beside the exchange `fatefed doctor` asks for the whole stack.
        ("update", "exchange-policy-doctor"),
    }
    hub.up()
    address = portal.kubectl("get", "service", "frontend-public", "-n", "portal-linked")["status"]["loadBalancer"]["ingress"][0]["ip"]
    policy = hub.kubectl("get", "networkpolicy", "fate-peers-fml-manager-server", "-n", "portal-linked-manager")
    assert policy["spec"]["egress"] == [{"to": [{"ipBlock": {"cidr": f"{address}/32"}}], "ports": [{"protocol": "TCP", "port": 8443}]}]
