"""Consoles on a real API server: by Ingress, and by custom resources whose definitions come before the stack, or too late."""

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox import pki
from sandbox.workspace import Workspace
from tests.engine.operators import DOMAIN, give_secrets, objects, operator

pytestmark = pytest.mark.engine

HOSTS = ["9999.fateboard.bank-a.example", "9999.notebook.bank-a.example"]
INGRESS = {"kind": "ingress", "domain": "bank-a.example", "className": "nginx", "address": "203.0.113.7", "tls": {"secret": "consoles"}}
HTTP_ROUTE = {"kind": "httpRoute", "domain": "bank-a.example", "gateway": {"name": "web", "namespace": "gateways"}}
ISTIO = {"kind": "istio", "domain": "bank-a.example"}


def test_an_ingress_for_each_console_comes_and_goes_alone(clusters: dict[str, Path], authority: pki.Authority, tmp_path: Path) -> None:
    space = _operator("boards", clusters["bank-a"], authority, tmp_path, INGRESS)
    key = pki.new_key("rsa-2048")
    certificate = pki.issue(authority, key.public_key(), HOSTS[0], names=HOSTS)
    space.set_secret("consoles-key", pki.key_pem(key))
    space.set_secret("consoles-certificate", pki.pem(certificate))
    space.up()
    assert set(space.up()) == {"unchanged"}

    found = {item["metadata"]["name"]: item["spec"] for item in space.kubectl("get", "ingresses", "-n", "boards")["items"]}
    assert {name: spec["rules"][0]["host"] for name, spec in found.items()} == dict(zip(("fateboard", "client"), HOSTS, strict=True))
    assert {spec["ingressClassName"] for spec in found.values()} == {"nginx"}
    assert {tls["secretName"] for spec in found.values() for tls in spec["tls"]} == {"boards-tls"}
    assert space.kubectl("get", "secret", "boards-tls", "-n", "boards")["type"] == "kubernetes.io/tls"
    outputs = space.json("pulumi", "stack", "output", "-s", "boards")
    assert outputs["access"]["party-9999"]["hostsFile"] == f"203.0.113.7 {' '.join(HOSTS)}"
    assert "203.0.113.7" not in json.dumps(outputs["descriptors"])

    space.run("pulumi", "config", "set", "--path", "fate:parties.9999.boards.notebook", "none", "-s", "boards")
    hidden = {(step[0], step[1].rsplit(":", 1)[-1], step[2].rsplit("/", 1)[-1]) for step in objects(space.preview())}
    assert hidden == {("delete", "Ingress", "client"), ("delete", "NetworkPolicy", "party-9999-policy-board-notebook")}
    space.run("pulumi", "config", "rm", "--path", "fate:parties.9999.boards", "-s", "boards")
    space.run("pulumi", "config", "rm", "--path", "fate:parties.9999.modules.fateboard", "-s", "boards")
    steps = objects(space.preview())
    assert {(step[0], step[1].rsplit(":", 1)[-1], step[2].rsplit("/", 1)[-1]) for step in steps} == {
        ("delete", "Ingress", "fateboard"),
        ("delete", "NetworkPolicy", "party-9999-policy-board-fateboard"),
        ("delete", "Deployment", "fateboard"),
        ("delete", "Service", "fateboard"),
        ("delete", "ConfigMap", "fateboard-config"),
        ("delete", "Secret", "party-9999-fateboard-credentials"),
    }


def test_routes_before_their_definition_fail_clearly_and_alone(clusters: dict[str, Path], authority: pki.Authority, tmp_path: Path) -> None:
    space = _operator("routes", clusters["clinic-b"], authority, tmp_path, HTTP_ROUTE)
    routes = {("create", "HTTPRoute", "party-9999-fateboard-route"), ("create", "HTTPRoute", "party-9999-notebook-route")}
    early = space.attempt("pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--color", "never", "-s", "routes")
    assert early.returncode != 0
    said = early.stdout.decode()
    assert "party-9999-fateboard-route" in said
    assert 'Verify that any required CRDs have been created: no matches for kind "HTTPRoute"' in said
    _define(space, [("gateway.networking.k8s.io", "v1", "HTTPRoute")])
    assert {(step[0], step[1].rsplit(":", 1)[-1], step[2]) for step in objects(space.preview())} == routes, "the party itself came up"
    space.up()
    assert set(space.up()) == {"unchanged"}
    found = {item["metadata"]["name"]: item["spec"] for item in space.kubectl("get", "httproutes", "-n", "routes")["items"]}
    assert {name: spec["hostnames"] for name, spec in found.items()} == {"fateboard": HOSTS[:1], "client": HOSTS[1:]}
    space.run("pulumi", "config", "set", "--path", "fate:parties.9999.boards.notebook", "none", "-s", "routes")
    steps = {(step[0], step[1].rsplit(":", 1)[-1], step[2]) for step in objects(space.preview())}
    policy = ("delete", "NetworkPolicy", "party-9999-policy-board-notebook")
    assert steps == {("delete", "HTTPRoute", "party-9999-notebook-route"), policy}


def test_istios_objects_come_up(clusters: dict[str, Path], authority: pki.Authority, tmp_path: Path) -> None:
    space = _operator("istio", clusters["clinic-b"], authority, tmp_path, ISTIO)
    _define(space, [("networking.istio.io", "v1beta1", kind) for kind in ("Gateway", "VirtualService")])
    assert len([step for step in objects(space.preview()) if "istio" in step[1]]) == 3
    space.up()
    assert set(space.up()) == {"unchanged"}
    gateway = space.kubectl("get", "gateways.networking.istio.io", "party-9999-gateway", "-n", "istio")
    assert gateway["spec"]["servers"][0]["hosts"] == HOSTS
    found = {item["metadata"]["name"]: item["spec"] for item in space.kubectl("get", "virtualservices", "-n", "istio")["items"]}
    assert {name: spec["hosts"] for name, spec in found.items()} == {"fateboard": HOSTS[:1], "client": HOSTS[1:]}


def _define(space: Workspace, kinds: list[tuple[str, str, str]]) -> None:
    definitions = [_definition(*kind) for kind in kinds]
    space.run("kubectl", "apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": definitions}).encode())
    space.run("kubectl", "wait", "--for=condition=Established", *(f"crd/{item['metadata']['name']}" for item in definitions))


def _definition(group: str, version: str, kind: str) -> dict[str, Any]:
    """The least definition of a kind that an API server accepts."""
    plural = {"Gateway": "gateways", "VirtualService": "virtualservices", "HTTPRoute": "httproutes"}[kind]
    schema = {"type": "object", "properties": {"spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        # Groups below k8s.io say who approved them.
        "metadata": {"name": f"{plural}.{group}", "annotations": {"api-approved.kubernetes.io": "unapproved, for a test"}},
        "spec": {
            "group": group,
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind},
            "scope": "Namespaced",
            "versions": [{"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }


def _operator(name: str, kubeconfig: Path, authority: pki.Authority, folder: Path, boards: dict[str, Any]) -> Workspace:
    party = {
        "namespace": name,
        "release": "1.11.2",
        "computing": "Spark_local",
        "federation": "RabbitMQ",
        "storage": "LocalFS",
        "persistence": "none",
        "modules": {"fateboard": {}, "client": {}},
        "publish": {"rabbitmq": {"type": "LoadBalancer"}, "nginx": {"type": "LoadBalancer"}},
    }
    federation = {"name": "fraud", "domain": DOMAIN, "topology": "mesh", "link": "native"}
    space = operator(
        name, folder, kubeconfig, {"organization": name, "federation": federation, "parties": {"9999": party}, "boards": boards}
    )
    give_secrets(space, authority, {"party-9999": f"9999.{DOMAIN}"})
    space.set_secret("party-9999-rabbitmq", b"canary-rabbitmq")
    return space
