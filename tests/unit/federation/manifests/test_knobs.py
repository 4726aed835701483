"""Settings of modules, images and devices: from the stack file to chart values, and what is refused or warned of."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from federation.base.errors import FederationError
from federation.catalogue.releases import catalogue
from tests.support.configs import (
    EGGROLL,
    EXTERNAL,
    SLIM_PULSAR,
    SPARK_PULSAR,
    SPARK_RABBITMQ,
    STAR_PARTY,
    Case,
    Config,
    exchange,
    node_port,
    party,
    stack,
)

DIGEST = f"sha256:{'a' * 64}"
GROUPS = {"sparkMaster": ("spark", "master"), "sparkWorker": ("spark", "worker"), "namenode": ("hdfs", "namenode")}
GROUPS |= {"datanode": ("hdfs", "datanode")}
# Every setting of the pods, as a stack writes it, and the same in chart values where that differs.
SETTINGS: Config = {
    "pullPolicy": "Never",
    "nodeSelector": {"pool": "fate"},
    "tolerations": [{"key": "dedicated", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60}],
    "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchFields": []}]}}},
    "topologySpreadConstraints": [{"topologyKey": "kubernetes.io/hostname"}],
    "env": {"TZ": "Europe/Berlin"},
    "annotations": {"prometheus.io/scrape": "true"},
    "serviceAccountName": "runner",
    "automountServiceAccountToken": True,
    "priorityClassName": "training",
    "runtimeClassName": "gvisor",
    "hostAliases": [{"ip": "192.0.2.7", "hostnames": ["registry.bank-a.example"]}],
    "volumes": {"ca": {"mountPath": "/extra/ca", "readOnly": True, "configMap": {"name": "company-ca"}}},
}
VALUES = {key: value for key, value in SETTINGS.items() if key != "pullPolicy"} | {
    "imagePullPolicy": "Never",
    "topologySpreadConstraints": [{"topologyKey": "kubernetes.io/hostname", "maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway"}],
}


def member(engines: Config, **changes: Any) -> Case:
    """A party of a mesh without peers; with lbrollsite of a star."""
    front = "lbrollsite" in changes.get("modules", {})
    whole = party(**engines, exchange="local" if front else None) | changes
    case = Case("a party", stack("bank-a", topology="star" if front else "mesh", parties={"9999": whole}))
    return case.changed(lambda config: config.update(exchange=exchange(federation="Eggroll"))) if front else case


def settings(module: str, given: Any) -> Config:
    """What stands under `modules` to give a module these settings."""
    *above, last = GROUPS.get(module, (module,))
    return {above[0]: {last: given}} if above else {last: given}


def modules(case: Case, folder: Path, unit: str = "party-9999") -> dict[str, Any]:
    """The modules of the chart values."""
    return case.load(folder).plan.unit(unit).chart.values.modules.plain()


def refused(case: Case, folder: Path) -> list[tuple[str, str]]:
    """Place, as keys only, and problem of all that is wrong."""
    with pytest.raises(FederationError) as caught:
        case.load(folder)
    return [(found.place.rsplit("fate:", 1)[-1], found.problem) for found in caught.value.problems]


def warnings(case: Case, folder: Path) -> list[str]:
    """What a preview warns of."""
    return list(case.load(folder).plan.warnings)


MODULES = [
    (engines, module)
    for engines in (EGGROLL, SPARK_PULSAR, SPARK_RABBITMQ, SLIM_PULSAR)
    for module in (*catalogue()["1.11.2"].combination(**engines).modules, "fateboard", "client")  # type: ignore[union-attr]
]
MODULES.append((EGGROLL, "lbrollsite"))


def test_every_module_is_walked() -> None:
    assert {module for _, module in MODULES} == set(catalogue()["1.11.2"].modules)


@pytest.mark.parametrize(("engines", "module"), MODULES)
def test_settings_of_a_module_reach_its_values_and_no_other_s(engines: Config, module: str, tmp_path: Path) -> None:
    base = {"fateboard": {}, "client": {}, **({"lbrollsite": {}} if module == "lbrollsite" else {})}
    before = modules(member(engines, modules=base), tmp_path / "before")
    after = modules(member(engines, modules={**base, **settings(module, SETTINGS)}), tmp_path / "after")
    assert after.pop(module) == before.pop(module) | VALUES
    assert after == before


@pytest.mark.parametrize(("engine", "module"), [("Pulsar", "trafficServer"), ("Pulsar", "nginx"), ("Eggroll", "rollsite")])
def test_settings_of_an_exchange_s_module_reach_its_values_and_no_other_s(engine: str, module: str, tmp_path: Path) -> None:
    image = {"trafficServer": {"image": {"tag": "9.2.0"}}} if engine == "Pulsar" else {}

    def values(given: Config, folder: Path) -> dict[str, Any]:
        whole = {**image, module: {**image.get(module, {}), **given}}
        return modules(Case("an exchange", stack("hub", exchange=exchange(federation=engine, modules=whole))), folder, "exchange")

    before, after = values({}, tmp_path / "before"), values(SETTINGS, tmp_path / "after")
    assert after.pop(module) == before.pop(module) | VALUES
    assert after == before


WITH_DATA = {name for name, row in catalogue()["1.11.2"].modules.items() if row.claim is not None}


@pytest.mark.parametrize(("engines", "module"), MODULES)
def test_persistence_of_a_module_wins_over_its_party_s_or_is_refused(engines: Config, module: str, tmp_path: Path) -> None:
    given = {"persistence": {"storageClass": "slow", "size": "7Gi", "subPath": "of-old"}}
    case = member(engines, modules=settings(module, given))
    at = ".".join(GROUPS.get(module, (module,)))
    if module not in WITH_DATA:
        expected = (f"parties.9999.modules.{at}.persistence", f"{module} has no claim: its data lives as long as its pod")
        assert refused(case, tmp_path) == [expected]
        return
    found = modules(case, tmp_path / "none")
    assert found[module]["claim"] == {"storageClass": "slow", "accessMode": "ReadWriteOnce", "size": "7Gi"}
    assert found[module]["subPath"] == "of-old"
    assert not [name for name, values in found.items() if name != module and "claim" in values]
    kept = {"storageClass": "fast", "accessMode": "ReadWriteMany"}
    merged = modules(member(engines, persistence=kept, modules=settings(module, {"persistence": {"size": "7Gi"}})), tmp_path / "merged")
    assert merged[module]["claim"] == {**kept, "size": "7Gi"}
    without = modules(member(engines, persistence=kept, modules=settings(module, {"persistence": "none"})), tmp_path / "without")
    assert "claim" not in without[module]
    others = {name for name, values in without.items() if "claim" in values}
    assert others == (set(without) & WITH_DATA) - {module, "rabbitmq"}


@pytest.mark.parametrize(("engines", "module"), [(engines, module) for engines, module in MODULES if module in WITH_DATA])
def test_an_existing_claim_is_for_one_pod(engines: Config, module: str, tmp_path: Path) -> None:
    given: Config = {"persistence": {"existingClaim": "old"}}
    row = catalogue()["1.11.2"].modules[module]
    if row.replicas > 1:
        at = ".".join(GROUPS.get(module, (module,)))
        expected = (
            f"parties.9999.modules.{at}.persistence.existingClaim",
            f"{module} has {row.replicas} replicas, and each needs its own claim",
        )
        assert refused(member(engines, modules=settings(module, given)), tmp_path) == [expected]
        given["replicas"] = 1
    found = modules(member(engines, modules=settings(module, given)), tmp_path / "one")[module]
    assert found["existingClaim"] == "old"
    assert "claim" not in found


def test_rabbitmq_keeps_its_messages_only_when_it_is_asked_to(tmp_path: Path) -> None:
    kept: Config = {"persistence": {"storageClass": "fast"}}
    assert "claim" not in modules(member(SPARK_RABBITMQ, **kept), tmp_path / "a")["rabbitmq"]
    asked = modules(member(SPARK_RABBITMQ, **kept, modules={"rabbitmq": {"persistence": {}}}), tmp_path / "b")["rabbitmq"]
    assert asked["claim"] == {"storageClass": "fast", "accessMode": "ReadWriteOnce", "size": "10Gi"}


WRONG = [
    ("fateflow", {"affinity": {"nodeAfinity": {}}}, "affinity.nodeAfinity", "unknown key 'nodeAfinity'"),
    ("fateflow", {"tolerations": [{"operator": "Is"}]}, "tolerations.0.operator", "should be 'Equal' or 'Exists'"),
    ("fateflow", {"topologySpreadConstraints": [{}]}, "topologySpreadConstraints.0.topologyKey", "topologyKey is missing"),
    ("fateflow", {"hostAliases": [{"ip": "registry", "hostnames": ["x"]}]}, "hostAliases.0.ip", "'registry' is not an IP address"),
    ("fateflow", {"automountServiceAccountToken": True}, "", "automountServiceAccountToken would mount the token of the default account"),
    ("fateflow", {"persistence": {"existingClaim": "a", "size": "1Gi"}}, "persistence", "existingClaim already has a class"),
    ("fateflow", {"persistence": "some"}, "persistence", "should be 'none'"),
    ("fateflow", {"service": {"type": "ExternalName"}}, "service.type", "should be 'ClusterIP', 'NodePort' or 'LoadBalancer'"),
    ("fateflow", {"service": {"nodePorts": {"tcp-http": 30097}}}, "service", "nodePorts needs type NodePort or LoadBalancer"),
    ("fateflow", {"service": {"type": "NodePort", "loadBalancerIP": "192.0.2.1"}}, "service", "loadBalancerIP and sourceRanges only work"),
    (
        "mysql",
        {"service": {"type": "NodePort", "nodePorts": {"mysql": 30306}}},
        "service.nodePorts.mysql",
        "the Service of mysql has no port mysql",
    ),
    ("nginx", {"service": {"type": "NodePort"}}, "service", "nginx has no Service that takes settings"),
    ("sparkWorker", {"service": {"type": "NodePort"}}, "service.type", "the pods of sparkWorker need a headless Service"),
    ("mysql", {"gpus": 1}, "gpus", "mysql does not use a GPU"),
    ("fateflow", {"gpus": 65}, "gpus", "should be at most 64"),
    ("fateflow", {"gpus": 1, "resources": {"requests": {}, "limits": {"nvidia.com/gpu": 1}}}, "", "gpus and nvidia.com/gpu"),
    ("fateflow", {"resources": {"requests": {"nvidia.com/gpu": 1}, "limits": {}}}, "resources", "Kubernetes wants as many nvidia.com/gpu"),
    ("fateflow", {"image": {"repository": "https://r.example/fate"}}, "image.repository", "is not registry, path and name of an image"),
    ("fateflow", {"image": {"repository": "r.example/fateflow:1.0"}}, "image.repository", "is not registry, path and name of an image"),
    ("fateflow", {"volumes": {"x": {"mountPath": "/x", "hostPath": {"path": "/"}}}}, "volumes.x", "hostPath opens the node's files"),
    (
        "fateflow",
        {"volumes": {"x": {"mountPath": "/x"}}},
        "volumes.x",
        "name one of configMap, secret, persistentVolumeClaim, emptyDir, nfs, csi",
    ),
    (
        "fateflow",
        {"volumes": {"x": {"mountPath": "/x", "emptyDir": {}, "secret": {"secretName": "s"}}}},
        "volumes.x",
        "name one of configMap, secret, persistentVolumeClaim, emptyDir, nfs, csi",
    ),
    ("fateflow", {"volumes": {"x": {"mountPath": "x", "emptyDir": {}}}}, "volumes.x.mountPath", "is not an absolute path without ':'"),
    ("fateflow", {"volumes": {"x": {"mountPath": "/x/../y", "emptyDir": {}}}}, "volumes.x.mountPath", "'/x/../y' leads out of its volume"),
    ("fateflow", {"volumes": {"X": {"mountPath": "/x", "emptyDir": {}}}}, "volumes.X", "is not a name of lower-case letters"),
    (
        "fateflow",
        {"volumes": {"x": {"mountPath": "/data/projects/fate", "emptyDir": {}}}},
        "volumes.x.mountPath",
        "/data/projects/fate would hide /data/projects/fate/conf, where this program mounts files",
    ),
    (
        "mysql",
        {"volumes": {"a": {"mountPath": "/x", "emptyDir": {}}, "b": {"mountPath": "/x", "emptyDir": {}}}},
        "volumes.b.mountPath",
        "/x is taken by the volume a",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("module", "given", "place", "problem"), WRONG)
def test_a_setting_that_cannot_be_is_refused_where_it_is_written(
    module: str, given: Config, place: str, problem: str, tmp_path: Path
) -> None:
    at = ".".join(GROUPS.get(module, (module,)))
    [(where, what)] = refused(member(SPARK_PULSAR, modules=settings(module, given)), tmp_path)
    assert where == f"parties.9999.modules.{at}{'.' if place else ''}{place}"
    assert what.startswith(problem), what


def test_an_exchange_s_modules_are_checked_like_a_party_s(tmp_path: Path) -> None:
    given = {"trafficServer": {"image": {"tag": "9.2.0"}, "service": {"type": "NodePort"}, "env": {"CONFIG": "x"}, "persistence": {}}}
    found = refused(Case("an exchange", stack("hub", exchange=exchange(modules=given))), tmp_path)
    assert [place.removeprefix("exchange.modules.trafficServer.") for place, _ in found] == ["env.CONFIG", "persistence", "service"]


def test_node_ports_are_unique_in_a_stack_whoever_wants_them(tmp_path: Path) -> None:
    services = {"type": "NodePort", "nodePorts": {"tcp-http": 30651, "tcp-grpc": 30001}}
    given = {"fateflow": {"service": services}, "mysql": {"service": {"type": "NodePort", "nodePorts": {"tcp-mysql": 30001}}}}
    publish = {"pulsar": node_port(port=30651), "nginx": {"type": "LoadBalancer"}}
    found = refused(member(SPARK_PULSAR, publish=publish, modules={**given, "fateboard": {"service": {"type": "NodePort"}}}), tmp_path)
    assert found == [
        ("parties.9999.modules.fateflow.service.nodePorts.tcp-http", "node port 30651 is already used by parties.9999.publish.pulsar"),
        (
            "parties.9999.modules.mysql.service.nodePorts.tcp-mysql",
            "node port 30001 is already used by parties.9999.modules.fateflow.service",
        ),
    ]
    outside = {"fateflow": {"service": {"type": "NodePort", "nodePorts": {"tcp-http": 8080}}}}
    [(place, problem)] = refused(member(SPARK_PULSAR, modules=outside), tmp_path / "outside")
    assert (place, problem) == (
        "parties.9999.modules.fateflow.service.nodePorts.tcp-http",
        "8080 is outside the node port range 30000-32767",
    )


def test_fateflow_s_service_takes_its_settings_beside_the_chart(tmp_path: Path) -> None:
    given = {
        "type": "LoadBalancer",
        "nodePorts": {"tcp-http": 30097},
        "loadBalancerIP": "192.0.2.9",
        "sourceRanges": ["203.0.113.0/24"],
        "annotations": {"metallb.io/pool": "inside"},
    }
    unit = member(EGGROLL, modules={"fateflow": {"service": given}}).load(tmp_path).plan.unit("party-9999")
    [service] = [manifest for manifest in unit.services if manifest.name == "fateflow-client"]
    assert service.annotations == {"metallb.io/pool": "inside", "pulumi.com/skipAwait": "true"}
    spec = service.fields["spec"]
    assert (spec["type"], spec["loadBalancerIP"], spec["loadBalancerSourceRanges"]) == ("LoadBalancer", "192.0.2.9", ["203.0.113.0/24"])
    assert {port["name"]: port.get("nodePort") for port in spec["ports"]} == {"tcp-grpc": None, "tcp-http": 30097}


def test_a_published_load_balancer_asks_for_its_address(tmp_path: Path) -> None:
    publish = {"rollsite": {"type": "LoadBalancer", "loadBalancerIP": "192.0.2.9"}}
    unit = member(EGGROLL, publish=publish).load(tmp_path / "a").plan.unit("party-9999")
    [service] = [manifest for manifest in unit.services if manifest.name == "rollsite-public"]
    assert service.fields["spec"]["loadBalancerIP"] == "192.0.2.9"
    wrong = {"rollsite": {**node_port(port=30091), "loadBalancerIP": "192.0.2.9"}}
    [(place, problem)] = refused(member(EGGROLL, publish=wrong), tmp_path / "b")
    assert (place, problem) == ("parties.9999.publish.rollsite", "loadBalancerIP only works with type LoadBalancer, not NodePort")


def test_what_opens_a_module_to_the_outside_is_said(tmp_path: Path) -> None:
    opened = {
        "mysql": {"service": {"type": "NodePort"}},
        "fateflow": {"service": {"type": "LoadBalancer"}},
        "fateboard": {"service": {"type": "LoadBalancer", "sourceRanges": ["203.0.113.0/24"]}},
        "client": {"service": {"annotations": {"a": "b"}}},
    }
    assert warnings(member(SPARK_PULSAR, modules=opened), tmp_path) == [
        "parties.9999.modules.fateflow.service makes fateflow reachable for everyone who can reach its load balancer: "
        "name sourceRanges, or write sourceRanges: anyone",
        "parties.9999.modules.mysql.service makes mysql reachable on every node of the cluster: "
        "write sourceRanges: anyone if that is intended",
    ]


LABEL = {"feature.node.kubernetes.io/cpu-cpuid.AVX512IFMA": "true"}


@pytest.mark.parametrize(
    ("engines", "computing"),
    [(EGGROLL, {"fateflow", "nodemanager"}), (SPARK_PULSAR, {"fateflow", "sparkWorker"}), (SLIM_PULSAR, {"fateflow"})],
)
def test_ipcl_asks_for_nodes_that_can_compute_with_it(engines: Config, computing: set[str], tmp_path: Path) -> None:
    found = modules(member(engines, device="IPCL"), tmp_path)
    assert {name for name, values in found.items() if values["nodeSelector"] == LABEL} == computing
    assert all(values["nodeSelector"] in (LABEL, {}) for values in found.values())
    plain = modules(member(engines), tmp_path / "cpu")
    assert not [name for name, values in plain.items() if values["nodeSelector"]]


def test_a_node_selector_of_one_s_own_replaces_ipcl_s_which_is_said(tmp_path: Path) -> None:
    case = member(EGGROLL, device="IPCL", modules={"fateflow": {"nodeSelector": {"cpu": "icelake"}}, "nodemanager": {"nodeSelector": {}}})
    found = modules(case, tmp_path / "a")
    assert (found["fateflow"]["nodeSelector"], found["nodemanager"]["nodeSelector"]) == ({"cpu": "icelake"}, {})
    said = [warning for warning in warnings(case, tmp_path / "b") if "nodeSelector replaces the one of device IPCL" in warning]
    assert [warning.split(".nodeSelector")[0] for warning in said] == [
        "parties.9999.modules.fateflow",
        "parties.9999.modules.nodemanager",
    ]
    both = member(EGGROLL, device="IPCL", modules={"fateflow": {"nodeSelector": {**LABEL, "pool": "a"}}})
    assert not [warning for warning in warnings(both, tmp_path / "c") if "nodeSelector" in warning]


def gpus(found: dict[str, Any]) -> dict[str, tuple[str | None, str | None]]:
    """Requested and limited GPUs by module, where there are any."""
    amounts = {name: [values["resources"][kind].get("nvidia.com/gpu") for kind in ("requests", "limits")] for name, values in found.items()}
    return {name: (asked, limit) for name, (asked, limit) in amounts.items() if asked or limit}


@pytest.mark.parametrize(
    ("engines", "computing"), [(EGGROLL, {"fateflow", "nodemanager"}), (SPARK_PULSAR, {"fateflow"}), (SLIM_PULSAR, {"fateflow"})]
)
def test_a_party_with_gpus_asks_for_them_where_fate_trains(engines: Config, computing: set[str], tmp_path: Path) -> None:
    case = member(engines, device="GPU", algorithm="NN")
    assert gpus(modules(case, tmp_path / "gpu")) == dict.fromkeys(computing, ("1", "1"))
    assert not [warning for warning in warnings(case, tmp_path / "gpu") if "GPU" in warning]
    assert gpus(modules(member(engines, algorithm="NN"), tmp_path / "cpu")) == {}


@pytest.mark.parametrize(
    ("given", "count"),
    [
        ({"gpus": 4}, "4"),
        ({"gpus": 0}, None),
        ({"resources": {"requests": {}, "limits": {"memory": "8Gi"}}}, "1"),
        ({"resources": {"requests": {}, "limits": {"nvidia.com/gpu": 2}}}, "2"),
        ({"resources": {"requests": {}, "limits": {"nvidia.com/gpu": 0}}}, "0"),
        ({"resources": {"requests": {}, "limits": {"memory": "8Gi"}}, "gpus": 3}, "3"),
    ],
)
def test_gpus_are_counted_by_the_module_else_by_its_resources_else_by_the_device(given: Config, count: str | None, tmp_path: Path) -> None:
    case = member(EGGROLL, device="GPU", algorithm="NN", modules={"fateflow": given})
    assert modules(case, tmp_path / "a")["fateflow"]["resources"]["limits"].get("nvidia.com/gpu") == count
    said = [warning for warning in warnings(case, tmp_path / "b") if "GPU" in warning]
    none = ["parties.9999.modules.fateflow asks for no GPU, though the party's device is GPU"]
    assert said == (none if count in (None, "0") else [])


@pytest.mark.parametrize(
    ("given", "nodes", "each"),
    [({}, 2, 4), ({"replicas": 5}, 5, 4), ({"replicas": 3, "sessionProcessorsPerNode": 7}, 3, 7)],
)
def test_eggroll_s_nodes_and_what_fateflow_believes_of_them_are_one_fact(given: Config, nodes: int, each: int, tmp_path: Path) -> None:
    values = member(EGGROLL, modules={"nodemanager": given}).load(tmp_path).plan.unit("party-9999").chart.values.plain()
    assert values["modules"]["nodemanager"]["replicas"] == nodes
    assert (values["eggroll"]["nodes"], values["eggroll"]["processorsPerNode"]) == (nodes, each)


def images(case: Case, folder: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What `fatefed images list --json` shows."""
    file = case.write(folder / "stacks")
    (folder / "Pulumi.yaml").write_text("name: fate\nruntime: python\nstackConfigDir: stacks\n")
    assert main(["images", "list", "-s", file.stem.removeprefix("Pulumi."), "-C", str(folder), "--json"]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["images"]
    return found


def test_every_image_is_listed_as_upstream_names_it_and_as_it_is_pulled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    digests = {"federatedai/nginx:1.11.2-release": DIGEST}
    case = member(SLIM_PULSAR, modules={"mysql": {"image": {"repository": "db.example/mysql", "tag": "8.0.40"}}})
    case = case.changed(lambda config: config.update(images={"registry": "registry.bank-a.example/fate", "digests": digests}))
    assert images(case, tmp_path, capsys) == [
        {
            "upstream": "db.example/mysql:8.0.40",
            "reference": "db.example/mysql:8.0.40",
            "usedBy": ["party-9999/database.client", "party-9999/mysql"],
        },
        {
            "upstream": "federatedai/fateflow-spark:1.11.2-release",
            "reference": "registry.bank-a.example/fate/fateflow-spark:1.11.2-release",
            "usedBy": ["party-9999/fateflow"],
        },
        {
            "upstream": "federatedai/nginx:1.11.2-release",
            "reference": f"registry.bank-a.example/fate/nginx:1.11.2-release@{DIGEST}",
            "usedBy": ["party-9999/nginx"],
        },
        {
            "upstream": "federatedai/pulsar:2.10.1",
            "reference": "registry.bank-a.example/fate/pulsar:2.10.1",
            "usedBy": ["party-9999/pulsar"],
        },
    ]
    assert main(["images", "list", "-s", "bank-a", "-C", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["UPSTREAM", "REFERENCE", "USED", "BY"]
    assert [line.split()[0] for line in lines[1:]] == [image["upstream"] for image in images(case, tmp_path, capsys)]


def test_the_database_s_client_is_listed_even_when_the_database_is_external(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert EXTERNAL.config["parties"]["9999"]["engines"]["mysql"]
    [mysql] = [image for image in images(EXTERNAL, tmp_path, capsys) if image["upstream"].startswith("mysql:")]
    assert mysql["usedBy"] == ["party-9999/database.client"]


def test_an_image_of_two_units_is_listed_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = Case("both", stack("bank-a", exchange=exchange(), parties={"9999": party(exchange="local")}))
    [nginx] = [image for image in images(case, tmp_path, capsys) if image["upstream"].startswith("federatedai/nginx:")]
    assert nginx["usedBy"] == ["exchange/nginx", "party-9999/nginx"]


def test_a_digest_of_an_image_that_nobody_uses_is_refused(tmp_path: Path) -> None:
    known = {"federatedai/trafficserver:9.2.0": DIGEST, "mysql:8.0.28": DIGEST}
    case = Case("both", stack("bank-a", exchange=exchange(), parties={"9999": party(exchange="local")}, images={"digests": known}))
    assert (
        case.load(tmp_path / "right")
        .plan.unit("exchange")
        .chart.values.modules.plain()["trafficServer"]["image"]
        .endswith(f":9.2.0@{DIGEST}")
    )
    case = case.changed(lambda config: config["images"]["digests"].update({"mysql:8.0.29": DIGEST}))
    assert refused(case, tmp_path / "wrong") == [("images.digests.mysql:8.0.29", "no image of this stack is mysql:8.0.29")]


@pytest.mark.parametrize(
    "registry",
    ["https://registry.example", "registry.example/fate:1", "registry.example:port", "registry.example//", "Registry/Fate", " x"],
)
def test_a_registry_in_another_form_is_refused(registry: str, tmp_path: Path) -> None:
    [(place, problem)] = refused(member(EGGROLL).changed(lambda config: config.update(images={"registry": registry})), tmp_path)
    assert place == "images.registry"
    assert problem.startswith("is not a registry with an optional path, without https://")


@pytest.mark.parametrize(
    "registry", ["federatedai", "localhost:5000", "10.1.2.3:5000/fate/x", "registry.example/", "hub.c.163.com/federatedai"]
)
def test_a_registry_may_have_a_port_and_a_path(registry: str, tmp_path: Path) -> None:
    case = member(EGGROLL).changed(lambda config: config.update(images={"registry": registry}))
    assert modules(case, tmp_path)["mysql"]["image"] == f"{registry.rstrip('/')}/mysql:8.0.28"


def test_a_patch_is_merged_into_chart_values_and_said(tmp_path: Path) -> None:
    patch = {"modules": {"mysql": {"env": {"TZ": "UTC"}, "claim": None}}, "pulsar": {"topicTtlMinutes": 30}}
    case = STAR_PARTY.changed(lambda config: config["parties"]["9999"].update(chartValues=patch, persistence={}))
    plan = case.load(tmp_path).plan
    values = plan.unit("party-9999").chart.values.plain()
    plain = STAR_PARTY.changed(lambda config: config["parties"]["9999"].update(persistence={})).load(tmp_path / "plain")
    before = plain.plan.unit("party-9999").chart.values.plain()
    before["modules"]["mysql"]["env"] = {"TZ": "UTC"}
    del before["modules"]["mysql"]["claim"]
    before["pulsar"]["topicTtlMinutes"] = 30
    assert values == before
    assert "mysql" in plan.unit("party-9999").data["withoutClaims"]
    assert (
        "parties.9999.chartValues changes what this program derived: modules.mysql.claim, modules.mysql.env.TZ, pulsar.topicTtlMinutes"
        in plan.warnings
    )


def test_an_exchange_s_values_are_patched_too(tmp_path: Path) -> None:
    case = Case("an exchange", stack("hub", exchange=exchange(chartValues={"modules": {"nginx": {"replicas": 3}}})))
    plan = case.load(tmp_path).plan
    assert plan.unit("exchange").chart.values.modules.plain()["nginx"]["replicas"] == 3
    assert plan.warnings == ("exchange.chartValues changes what this program derived: modules.nginx.replicas",)


@pytest.mark.parametrize(
    ("patch", "place", "problem"),
    [
        ({"modules": {"mysql": {"replcas": 2}}}, "modules.mysql.replcas", "unknown key 'replcas'"),
        ({"modules": {"mysql": {"image": None}}}, "modules.mysql.image", "image is missing"),
        ({"ports": {"mysql": 70000}}, "ports.mysql", "should be at most 65535"),
        ({"instance": "other"}, "instance", "instance cannot be patched: Services select pods by it"),
        ({"modules": {"pulsar": None}}, "modules.pulsar", "a patch removes no module"),
        ({"nonsense": {"a": 1}}, "nonsense", "unknown key 'nonsense'"),
    ],
)
def test_a_patch_outside_the_chart_s_schema_is_refused(patch: Config, place: str, problem: str, tmp_path: Path) -> None:
    case = STAR_PARTY.changed(lambda config: config["parties"]["9999"].update(chartValues=patch))
    assert refused(case, tmp_path) == [(f"parties.9999.chartValues.{place}", problem)]


def test_a_patch_of_an_image_is_what_is_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    patch = {"modules": {"mysql": {"image": "db.example/percona:8"}}}
    case = STAR_PARTY.changed(lambda config: config["parties"]["9999"].update(chartValues=patch))
    assert "db.example/percona:8" in [image["reference"] for image in images(case, tmp_path, capsys)]
