"""Comparing an object in a cluster with the planned one: what the API server adds is no difference, what a person changed is."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from cli.doctor.comparison import differences, other_managers

Object = dict[str, Any]
SERVICE: Object = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "nginx", "labels": {"a": "b"}, "annotations": {"pulumi.com/skipAwait": "true", "pool": "x"}},
    "spec": {"type": "ClusterIP", "selector": {"a": "b"}, "ports": [{"name": "http", "port": 9300, "targetPort": "http"}]},
}
DEPLOYMENT: Object = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "nginx"},
    "spec": {
        "replicas": 1,
        "template": {
            "metadata": {"annotations": {"checksum": "1"}, "creationTimestamp": None},
            "spec": {
                "hostNetwork": False,
                "tolerations": [],
                "containers": [
                    {
                        "name": "nginx",
                        "image": "nginx:1",
                        "env": [{"name": "A", "value": ""}, {"name": "B", "value": "secret-1"}],
                        "resources": {"requests": {"cpu": "1000m", "memory": "1024Mi"}},
                        "volumeMounts": [{"name": "data", "mountPath": "/a"}, {"name": "data", "mountPath": "/b"}],
                    }
                ],
            },
        },
    },
}
ROUTE: Object = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "routes"},
    "data": {"a": "to <known-after-up:x/y.clusterIP>"},
}


def _live(planned: Object) -> Object:
    """An object as an API server shows it: with defaults, without what is empty, quantities in its own spelling."""
    live = copy.deepcopy(planned)
    live["metadata"] |= {"uid": "1", "resourceVersion": "2"}
    if planned["kind"] == "Service":
        live["metadata"]["annotations"].pop("pulumi.com/skipAwait")
        live["spec"] |= {"clusterIP": "10.0.0.1", "sessionAffinity": "None"}
        live["spec"]["ports"][0]["protocol"] = "TCP"
    if planned["kind"] == "Deployment":
        template = live["spec"]["template"]
        del template["metadata"]["creationTimestamp"], template["spec"]["hostNetwork"], template["spec"]["tolerations"]
        container = template["spec"]["containers"][0]
        del container["env"][0]["value"]
        container["resources"]["requests"] = {"cpu": "1", "memory": "1Gi"}
        template["spec"]["containers"].append({"name": "injected", "image": "mesh"})
    return live


@pytest.mark.parametrize("planned", [SERVICE, DEPLOYMENT, ROUTE], ids=lambda one: one["kind"])
def test_what_the_api_server_makes_of_an_object_is_no_difference(planned: Object) -> None:
    live = _live(planned)
    assert live != planned
    assert differences(planned, live) == []


CONTAINER = ("spec", "template", "spec", "containers")
CHANGES: list[tuple[Object, Callable[[Object], object], str]] = [
    (SERVICE, lambda it: it["spec"].update(type="NodePort"), "spec.type is NodePort, planned is ClusterIP"),
    (SERVICE, lambda it: it["spec"]["ports"].append({"name": "ssh", "port": 22}), "spec.ports differs"),
    (SERVICE, lambda it: it["spec"]["ports"][0].update(port=1), "spec.ports.0.port is 1, planned is 9300"),
    (SERVICE, lambda it: it["spec"].update(externalIPs=["192.0.2.1"]), "spec.externalIPs is 192.0.2.1"),
    (SERVICE, lambda it: it["spec"].pop("selector"), "spec.selector.a is absent, planned is b"),
    (SERVICE, lambda it: it["metadata"]["labels"].clear(), "metadata.labels.a is absent, planned is b"),
    (SERVICE, lambda it: it["metadata"]["annotations"].clear(), "metadata.annotations.pool is absent"),
    (
        DEPLOYMENT,
        lambda it: it["spec"]["template"]["spec"]["containers"][0].update(image="other:2"),
        "spec.template.spec.containers.nginx.image is other:2, planned is nginx:1",
    ),
    (
        DEPLOYMENT,
        lambda it: it["spec"]["template"]["spec"]["containers"][0]["env"][1].update(value="secret-2"),
        "spec.template.spec.containers.nginx.env.B.value differs",
    ),
    (
        DEPLOYMENT,
        lambda it: it["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"].update(cpu="2"),
        "spec.template.spec.containers.nginx.resources.requests.cpu is 2, planned is 1000m",
    ),
    (
        DEPLOYMENT,
        lambda it: it["spec"]["template"]["spec"]["containers"][0]["volumeMounts"][1].update(mountPath="/c"),
        "spec.template.spec.containers.nginx.volumeMounts.1.mountPath is /c, planned is /b",
    ),
    (ROUTE, lambda it: it["data"].clear(), "data.a is absent"),
]


@pytest.mark.parametrize(("planned", "change", "said"), CHANGES, ids=[row[2] for row in CHANGES])
def test_what_a_person_changed_is_one_difference(planned: Object, change: Callable[[Object], object], said: str) -> None:
    live = _live(planned)
    change(live)
    assert [str(found) for found in differences(planned, live)] == [said]


def test_replicas_are_the_concern_of_another_check() -> None:
    assert differences(DEPLOYMENT, {**_live(DEPLOYMENT), "spec": {**_live(DEPLOYMENT)["spec"], "replicas": 5}}) == []


def _entry(manager: str, fields: Object, subresource: str | None = None) -> Object:
    return {"manager": manager, "operation": "Update", "fieldsV1": fields, **({"subresource": subresource} if subresource else {})}


def test_field_managers_whose_change_outlives_a_refresh_are_named() -> None:
    replicas, kind = {"f:spec": {"f:replicas": {}}}, {"f:spec": {"f:type": {}}}
    ports = {"f:spec": {"f:ports": {'k:{"port":9300,"protocol":"TCP"}': {"f:port": {}}}}}
    entries = [
        _entry("pulumi-kubernetes-1a", {**replicas, **kind}),
        _entry("kubectl", replicas, "scale"),
        _entry("kubectl-patch", kind),
        _entry("argocd", kind),
        _entry("argocd", ports),
        _entry("kube-controller-manager", {"f:status": {}}, "status"),
    ]
    item = {"metadata": {"managedFields": entries}}
    assert other_managers(item, ("spec", "replicas")) == ["kubectl (scale)"]
    assert other_managers(item, ("spec", "type")) == ["argocd"]
    assert other_managers(item, ("spec", "ports", "0", "port")) == ["argocd"]
    assert other_managers(item, ("metadata", "labels", "a")) == []
