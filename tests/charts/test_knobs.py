"""Every knob of every module: rendered by helm, found where it belongs, and nowhere else."""

import copy
from typing import Any

import pytest

from federation.catalogue.portal import portal_catalogue
from federation.catalogue.releases import catalogue
from federation.catalogue.serving import serving_catalogue
from tests.charts.cases import (
    BALANCED,
    COMBINATIONS,
    EXCHANGES,
    FML_MANAGER,
    OSX,
    PORTAL,
    RABBITMQ_KEPT,
    SERVING_EXCHANGE,
    SERVING_WHOLE,
    SPARK_OSX,
    Case,
    Values,
    module_of,
)
from tests.support.walk import Container, Object, containers, name_of, of_kind, workloads

# Each in Kubernetes' own words; together they are all that a module's pods may be given.
POD: dict[str, Any] = {
    "affinity": {
        "podAntiAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {
                    "weight": 100,
                    "podAffinityTerm": {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "other"}}},
                }
            ]
        },
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a", "b"]}]}]
            }
        },
    },
    "tolerations": [{"key": "dedicated", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 1000000}],
    "nodeSelector": {"pool": "fate"},
    "serviceAccountName": "runner",
    "automountServiceAccountToken": True,
    "priorityClassName": "training",
    "runtimeClassName": "gvisor",
}
ALIAS = {"ip": "192.0.2.7", "hostnames": ["registry.bank-a.example"]}
SPREAD = {"topologyKey": "topology.kubernetes.io/zone", "maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway"}
SPREAD_OVER = {**SPREAD, "topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "x"}}}
VOLUMES = {
    "ca": {"mountPath": "/extra/ca", "readOnly": True, "configMap": {"name": "company-ca"}},
    "lake": {
        "mountPath": "/extra/lake",
        "csi": {"driver": "s3.csi.example", "volumeAttributes": {"bucket": "lake"}, "nodePublishSecretRef": {"name": "lake"}},
    },
    "licence": {"mountPath": "/extra/licence.txt", "subPath": "licence.txt", "secret": {"secretName": "licence"}},
    "models": {"mountPath": "/extra/models", "persistentVolumeClaim": {"claimName": "models"}},
    "scans": {"mountPath": "/extra/scans", "nfs": {"server": "nas.bank-a.example", "path": "/export/scans"}},
    "scratch": {"mountPath": "/extra/scratch", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}},
}
SERVICE: dict[str, Any] = {
    "type": "LoadBalancer",
    "loadBalancerIP": "192.0.2.9",
    "sourceRanges": ["203.0.113.0/24"],
    "annotations": {"metallb.io/pool": "inside"},
}
# Of FATE 2.x what has templates of its own: the rest of its combinations is that of 1.x.
PARTIES = [*COMBINATIONS, OSX, SPARK_OSX, SERVING_WHOLE, PORTAL]
MODULES = [(case, module) for case in (*PARTIES, *EXCHANGES, SERVING_EXCHANGE, FML_MANAGER) for module in case.values["modules"]]
MODULES.append((BALANCED, "lbrollsite"))
every_module = pytest.mark.parametrize(("case", "module"), MODULES, ids=[f"{case}: {module}" for case, module in MODULES])
WITH_DATA = [(case, name) for case in (*PARTIES, RABBITMQ_KEPT) for name, module in case.values["modules"].items() if "claim" in module]
every_claim = pytest.mark.parametrize(("case", "module"), WITH_DATA, ids=[f"{case}: {module}" for case, module in WITH_DATA])


def main_container(objects: list[Object], module: str) -> tuple[Object, Container]:
    """The workload of a module and the container that runs it."""
    [found] = [container for container in containers(objects) if container.main and module_of(container) == module]
    [workload] = [item for item in workloads(objects) if name_of(item) == found.where.rsplit("/", 1)[0]]
    return workload, found


def test_every_module_of_the_catalogue_is_walked() -> None:
    releases = [catalogue()["1.11.2"], catalogue()["2.2.0"]]
    serving = {**serving_catalogue()["2.1.6"].modules, **portal_catalogue()["0.3.0"].modules}
    assert {module for _, module in MODULES} == set(serving).union(*(release.modules | release.exchange for release in releases))
    with_data = {name for release in releases for name, row in release.modules.items() if row.claim is not None}
    with_data |= {name for name, row in serving.items() if row.claim is not None}
    assert {module for _, module in WITH_DATA} == with_data


@every_module
def test_what_is_given_to_the_pods_of_a_module_reaches_them_and_nothing_else(case: Case, module: str) -> None:
    given = {
        **POD,
        "hostAliases": [ALIAS],
        "topologySpreadConstraints": [SPREAD, SPREAD_OVER],
        "annotations": {"prometheus.io/scrape": "true"},
        "env": {"TZ": "Europe/Berlin"},
        "volumes": VOLUMES,
    }
    expected = copy.deepcopy(case.render())
    workload, container = main_container(expected, module)
    template = workload["spec"]["template"]
    template["metadata"].setdefault("annotations", {})["prometheus.io/scrape"] = "true"
    pod = template["spec"]
    pod.update(POD)
    pod.setdefault("hostAliases", []).append(ALIAS)
    own = {"matchLabels": workload["spec"]["selector"]["matchLabels"]}
    pod["topologySpreadConstraints"] = [{**SPREAD, "labelSelector": own}, SPREAD_OVER]
    container.spec.setdefault("env", []).append({"name": "TZ", "value": "Europe/Berlin"})
    for name, volume in VOLUMES.items():
        mount = {key: volume[key] for key in ("mountPath", "subPath", "readOnly") if key in volume}
        source = {key: value for key, value in volume.items() if key not in mount}
        container.spec.setdefault("volumeMounts", []).append({"name": f"extra-{name}", **mount})
        pod.setdefault("volumes", []).append({"name": f"extra-{name}", **source})
    found = case.changed(lambda values: values["modules"][module].update(given)).render()
    assert found != case.render()
    assert found == expected


@every_module
def test_a_pull_policy_is_that_of_the_containers_with_the_module_s_image(case: Case, module: str) -> None:
    def change(values: Values) -> None:
        values["modules"][module]["imagePullPolicy"] = "Never"
        if module == "mysql":
            # The program gives both the same: tests/unit/federation/units/party/test_external_engines.py.
            values["database"]["client"]["imagePullPolicy"] = "Never"

    found = list(containers(case.changed(change).render()))
    assert [container for container in found if module_of(container) == module]
    for container in found:
        assert container.spec["imagePullPolicy"] == ("Never" if module_of(container) == module else "IfNotPresent"), container.where


@every_module
def test_settings_of_a_service_reach_the_one_that_the_catalogue_means(case: Case, module: str) -> None:
    """FATE-Flow's is made beside the chart; what peers reach is described elsewhere."""
    if case.chart.name in ("fate-serving", "fate-portal"):
        rows = serving_catalogue()["2.1.6"].modules if case.chart.name == "fate-serving" else portal_catalogue()["0.3.0"].modules
        row = rows[module].service
    else:
        release = catalogue()[case.values["release"]]
        row = (release.exchange if case in EXCHANGES else release.modules)[module].service
    ports = () if row is None else row.ports
    numbers = {port: 31000 + number for number, port in enumerate(ports)}
    settings = {**SERVICE, "nodePorts": numbers}
    found = case.changed(lambda values: values["modules"][module].update(service=settings)).render()
    services = of_kind(found, "Service")
    changed = [item for item, old in zip(services, of_kind(case.render(), "Service"), strict=True) if item != old]
    assert len(changed) == (row is not None and module != "fateflow")
    assert [item for item in found if item["kind"] != "Service"] == [item for item in case.render() if item["kind"] != "Service"]
    for item in changed:
        assert item["metadata"]["annotations"] == {"pulumi.com/skipAwait": "true", "metallb.io/pool": "inside"}
        spec = item["spec"]
        assert (spec["type"], spec["loadBalancerIP"], spec["loadBalancerSourceRanges"]) == ("LoadBalancer", "192.0.2.9", ["203.0.113.0/24"])
        assert {port["name"]: port["nodePort"] for port in spec["ports"]} == numbers
        assert row is not None
        assert ("clusterIP" in spec) == row.headless


@every_claim
def test_an_existing_claim_takes_the_place_of_the_template(case: Case, module: str) -> None:
    def bound(values: dict[str, Any]) -> None:
        del values["modules"][module]["claim"]
        values["modules"][module]["existingClaim"] = "kept-from-before"

    expected = copy.deepcopy(case.render())
    workload, _ = main_container(expected, module)
    [template] = workload["spec"].pop("volumeClaimTemplates")
    volume = {"name": template["metadata"]["name"], "persistentVolumeClaim": {"claimName": "kept-from-before"}}
    workload["spec"]["template"]["spec"].setdefault("volumes", []).append(volume)
    assert case.changed(bound).render() == expected


@every_claim
def test_a_folder_of_a_claim_is_the_only_one_that_holds_the_data(case: Case, module: str) -> None:
    changed = case.changed(lambda values: values["modules"][module].update(subPath="party/of-old"))
    workload, container = main_container(changed.render(), module)
    data = workload["spec"]["volumeClaimTemplates"][0]["metadata"]["name"]
    every = [spec for key in ("initContainers", "containers") for spec in container.pod.get(key, [])]
    paths = [mount.get("subPath", "") for spec in every for mount in spec.get("volumeMounts", []) if mount["name"] == data]
    assert paths
    # Eggroll's cache of language models is no data of a party's own.
    assert all(path.startswith("party/of-old") for path in paths if not (module == "nodemanager" and path == "llm")), paths
    assert paths != ["llm"]
    others = {name_of(item) for item in case.render()} - {name_of(workload)}
    assert [item for item in changed.render() if name_of(item) in others] == [item for item in case.render() if name_of(item) in others]


def test_without_a_service_account_no_token_is_mounted_even_when_one_is_named() -> None:
    found = COMBINATIONS[0].changed(lambda values: values["modules"]["mysql"].update(serviceAccountName="runner")).render()
    workload, _ = main_container(found, "mysql")
    pod = workload["spec"]["template"]["spec"]
    assert (pod["serviceAccountName"], pod["automountServiceAccountToken"]) == ("runner", False)
