"""Namespaced mode with exactly the published Role: one namespace, and no cluster-scoped object made or read."""

import json
from pathlib import Path

import pytest
import yaml

from sandbox import pki
from sandbox.workspace import REPO, Workspace
from tests.engine.operators import DOMAIN, FEDERATION, HUB, give_secrets, operator, spark_party

pytestmark = pytest.mark.engine

NAMESPACE = "ward"


def test_a_stack_comes_up_with_nothing_but_the_published_role(clusters: dict[str, Path], authority: pki.Authority, tmp_path: Path) -> None:
    admin = Workspace("admin", tmp_path / "admin", clusters["clinic-b"])
    admin.folder.mkdir()
    _is_refused_without_its_namespace(tmp_path, clusters["clinic-b"], authority)
    admin.run("kubectl", "create", "namespace", NAMESPACE)
    admin.run("kubectl", "apply", "-n", NAMESPACE, "-f", str(REPO / "docs" / "rbac" / "namespaced.yaml"))
    token = admin.run("kubectl", "create", "token", "fate-operator", "-n", NAMESPACE).strip()
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(_with_token(yaml.safe_load(clusters["clinic-b"].read_text()), token)))

    space = operator("ward", tmp_path, kubeconfig, _config())
    give_secrets(space, authority, {"party-9999": f"9999.{DOMAIN}"})
    own = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "company-ca", "namespace": NAMESPACE}, "data": {"ca.crt": "one"}}
    (space.stack_file.parent / "own.yaml").write_text(yaml.safe_dump(own))
    assert "no" in _may(space, "create", "namespaces")
    assert "yes" in _may(space, "create", "statefulsets", "-n", NAMESPACE)
    space.up()
    assert set(space.up()) == {"unchanged"}
    state = json.loads(space.run("pulumi", "stack", "export", "-s", "ward"))["deployment"]["resources"]
    objects = [r for r in state if r["type"].startswith("kubernetes:") and "metadata" in r.get("outputs", {})]
    assert len(objects) > 30
    assert [r for r in objects if r["urn"].endswith(f"::manifests-own:{NAMESPACE}/company-ca")]
    outside = [r["urn"] for r in objects if r["outputs"]["metadata"].get("namespace") != NAMESPACE]
    assert not outside, outside


def _is_refused_without_its_namespace(folder: Path, kubeconfig: Path, authority: pki.Authority) -> None:
    early = operator("early", folder, kubeconfig, {**_config(), "manifests": {}})
    give_secrets(early, authority, {"party-9999": f"9999.{DOMAIN}"})
    done = early.attempt("pulumi", "preview", "--non-interactive", "--color", "never", "-s", "early")
    printed = (done.stdout + done.stderr).decode()
    assert done.returncode != 0
    assert f"namespace {NAMESPACE} does not exist" in printed, printed
    assert f"let the cluster's administrator run `kubectl create namespace {NAMESPACE}`" in printed


def _may(space: Workspace, *question: str) -> str:
    return space.attempt("kubectl", "auth", "can-i", *question).stdout.decode()


def _with_token(kubeconfig: dict, token: str) -> dict:  # type: ignore[type-arg]
    return kubeconfig | {"users": [{"name": user["name"], "user": {"token": token}} for user in kubeconfig["users"]]}


def _config() -> dict[str, object]:
    cluster = {"scope": "namespaced"}
    parties = {"9999": spark_party(NAMESPACE)}
    boards = {"kind": "ingress", "domain": "ward.example"}
    return {
        "organization": "ward",
        "federation": FEDERATION,
        "cluster": cluster,
        "parties": parties,
        "peers": {"hub": HUB},
        "boards": boards,
        "manifests": {"own": "own.yaml"},
    }
