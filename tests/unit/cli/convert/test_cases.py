"""What users wrote, and what KubeFATE's charts made of it: each kind of file that was once converted wrongly, in its smallest form."""

from pathlib import Path
from typing import Any

import pytest

from cli.convert.compare import Fact
from cli.convert.source import ClusterFile
from cli.main import main
from federation.base.errors import FederationError
from tests.support.kubefate import BASES, Keys, Result, cluster, converted, converted_text, merged

P = "parties/9999"
_CORE = ["mysql", "python"]
_SPARK = [*_CORE, "spark", "hdfs", "nginx"]
_STAR = {"nginx/exchange": {"ip": "192.0.2.50", "httpPort": 30003}, "pulsar/exchange": {"ip": "192.0.2.50", "port": 30007}}
_ROUTER = {"nginx/route_table/10000/proxy": [{"host": "192.0.2.10", "http_port": 30103}]}


def facts(result: Result) -> dict[str, Fact]:
    """The comparison by subject."""
    return {fact.subject: fact for fact in result.done.facts}


def said(result: Result) -> str:
    """Warnings and what is to be done by hand."""
    return "\n".join([*result.done.draft.warnings, *result.done.draft.by_hand])


def refused(keys: Keys) -> list[str]:
    """The problems of a file: place and problem."""
    with pytest.raises(FederationError) as raised:
        converted(keys)
    return [f"{problem.place}: {problem.problem}" for problem in raised.value.problems]


_TEXT = """# 银行
name: fate-9999
namespace: a
chartName: fate
chartVersion: v1.11.2
partyId: 9999
modules: [python, mysql, rollsite, clustermanager, nodemanager]
"""


# F1: the broker is the one that is deployed.


@pytest.mark.parametrize(("modules", "keys", "broker"), [
    ([*_SPARK, "pulsar"], {}, "Pulsar"),
    ([*_SPARK, "rabbitmq"], {}, "RabbitMQ"),
    (_SPARK, {"python/pulsar": {"host": "192.0.2.32"}, "pulsar/route_table": {"10000": {"host": "h", "port": 1, "sslPort": 2}}}, "Pulsar"),
    (_SPARK, {"python/rabbitmq": {"host": "192.0.2.32"}}, "RabbitMQ"),
])  # fmt: skip
def test_backend_spark_means_the_broker_that_the_party_has(modules: list[str], keys: Keys, broker: str) -> None:
    result = converted(merged(cluster("fate", "v1.6.1", modules, backend="spark"), keys))
    assert (result.at(f"{P}/computing"), result.at(f"{P}/federation"), result.at(f"{P}/storage")) == ("Spark", broker, "HDFS")
    assert "modules" not in {key.split("/")[0] for key in result.lost}


@pytest.mark.parametrize(("modules", "reason"), [([*_SPARK, "pulsar", "rabbitmq"], "each job chose one"), (_SPARK, "without a broker")])
def test_backend_spark_with_both_brokers_or_none_is_asked_about(modules: list[str], reason: str) -> None:
    (problem,) = refused(cluster("fate", "v1.6.1", modules, backend="spark"))
    assert problem.startswith("cluster.yaml:")
    assert "backend: spark" in problem
    assert reason in problem


def test_a_star_of_backend_spark_keeps_its_exchange() -> None:
    keys = cluster("fate", "v1.6.1", [*_SPARK, "pulsar"], backend="spark", persistence=True)
    result = converted(merged(keys, {**_STAR, "nginx/type": "LoadBalancer", "pulsar/publicLB": {"enabled": True}}))
    assert result.at("federation/topology") == "star"
    assert result.at("peers/exchange") == {"unsigned": True, "trafficServer": "192.0.2.50:30007", "nginx": "192.0.2.50:30003"}
    assert facts(result)["pulsar, port 6651"] == Fact("pulsar, port 6651", "LoadBalancer", "LoadBalancer", "same")


def test_an_engine_that_is_neither_deployed_nor_named_is_an_error() -> None:
    problems = refused(cluster("fate", "v1.11.2", ["python", "mysql", "nginx"], computing="Spark", federation="RabbitMQ", storage="HDFS"))
    assert len(problems) == 3
    for engine, key in (("spark", "python.spark.master"), ("hdfs", "python.hdfs.name_node"), ("rabbitmq", "python.rabbitmq.host")):
        assert [one for one in problems if one.startswith("cluster.yaml:6 modules: ") and f"{engine} is not in modules, and {key}" in one]


def test_a_module_that_the_engines_need_and_the_file_forgets_is_announced() -> None:
    result = converted(merged(BASES["eggroll"], {"modules": ["python", "rollsite", "nodemanager"]}))
    assert "clustermanager, mysql: not in modules" in said(result)


# F2: data that is found again, or said not to be.


@pytest.mark.parametrize(("module", "own"), [("mysql", "mysql"), ("client", "client"), ("nodemanager", "nodemanager")])
@pytest.mark.parametrize("version", ["v1.9.0", "v1.10.0", "v1.11.2"])
def test_a_block_without_sub_path_means_the_root_of_the_claim(module: str, own: str, version: str) -> None:
    base = merged(BASES["eggroll"], {"chartVersion": version, "persistence": True})
    place = f"{P}/modules/{module}/persistence"
    for block in ({"size": "2Gi"}, {"size": "2Gi", "subPath": ""}, {"size": "2Gi", "subPath": None}):
        result = converted(merged(base, {module: block}))
        assert result.at(f"{place}/subPath") == "."
        assert facts(result)[f"claim of {module}"].verdict == "same"
        assert facts(result)[f"claim of {module}"].after.endswith(": .")
    absent = converted(base)
    assert absent.at(f"{place}/subPath") is None
    assert facts(absent)[f"claim of {module}"].before.endswith(f": {own}")
    assert facts(absent)[f"claim of {module}"].verdict == "same"
    given = converted(merged(base, {module: {"subPath": "mine"}}))
    assert given.at(f"{place}/subPath") == "mine"


def test_an_existing_claim_is_mounted_where_kubefate_mounted_it_and_keeps_its_size() -> None:
    mysql = {"existingClaim": "nfs-mysql", "size": "2Gi", "storageClass": "nfs", "subPath": ""}
    result = converted(merged(BASES["eggroll"], {"persistence": True, "mysql": mysql}))
    assert result.at(f"{P}/modules/mysql/persistence") == {"existingClaim": "nfs-mysql", "subPath": "."}
    assert {key for key in result.lost if key.startswith("mysql/")} == {"mysql/size", "mysql/storageClass"}
    assert facts(result)["claim of mysql"] == Fact("claim of mysql", "nfs-mysql: .", "nfs-mysql: .", "same")


_OLD_CLAIMS = {"python": "python-data", "mysql": "mysql-data", "client": "client-data", "hdfs.namenode": "namenode-data",
               "hdfs.datanode": "datanode-data", "pulsar": "pulsar-data"}  # fmt: skip
_PLACES = {"python": "fateflow", "hdfs.namenode": "hdfs/namenode", "hdfs.datanode": "hdfs/datanode"}


@pytest.mark.parametrize("version", ["v1.6.1", "v1.7.2", "v1.8.0"])
def test_the_claims_of_charts_up_to_1_8_are_named_and_must_be_protected(version: str) -> None:
    keys = cluster("fate", version, [*_SPARK, "pulsar", "fateboard", "client"], backend="spark_pulsar", persistence=True)
    result = converted(merged(keys, {**_STAR, "mysql": {"size": "2Gi", "storageClass": "nfs", "subPath": "mysql"}}))
    for module, claim in _OLD_CLAIMS.items():
        assert result.at(f"{P}/modules/{_PLACES.get(module, module)}/persistence/existingClaim") == claim
        assert facts(result)[f"claim of {module}"].verdict == "same"
    assert f"PROTECT claims {', '.join(_OLD_CLAIMS.values())} before" in said(result)
    assert "are found again" not in said(result)
    assert "keeps its own" in result.lost["mysql/size"]


def test_before_1_6_1_only_mysql_and_the_node_managers_had_claims() -> None:
    result = converted(merged(BASES["old"], {"persistence": True, "nodemanager/count": 1, "mysql": {"size": "1Gi"}}))
    assert facts(result)["claim of mysql"].before == "mysql-data: ."
    assert facts(result)["claim of nodemanager"] == Fact(
        "claim of nodemanager", "nodemanager-0-data: nodemanager-0", "nodemanager-0-data: nodemanager-0", "same"
    )
    assert "claim of python" not in facts(result)
    assert result.at(f"{P}/modules/fateflow/persistence") is None


def test_tables_of_several_old_node_managers_are_said_not_to_be_found() -> None:
    result = converted(merged(BASES["old"], {"persistence": True, "nodemanager": {"count": 2}}))
    assert "not found again: nodemanager-0-data, nodemanager-1-data:" in said(result)
    assert facts(result)["claim of nodemanager"].verdict == "differs"


def test_claims_of_stateful_sets_are_found_again() -> None:
    result = converted(merged(BASES["eggroll"], {"persistence": True, "nodemanager": {"replicas": 3}}))
    assert "data-dir-nodemanager-0, data-dir-nodemanager-1, data-dir-nodemanager-2" in said(result)
    assert "are found again" in said(result)
    assert "PROTECT" not in said(result)


@pytest.mark.parametrize(("version", "found"), [("v2.0.4", False), ("v2.1.5", False), ("v2.1.6", True)])
def test_models_of_serving_server_are_found_again_where_they_lie_in_the_same_folders(version: str, found: bool) -> None:
    result = converted(merged(BASES["serving"], {"chartVersion": version, "persistence": True}))
    claim = result.at("serving/9999/modules/servingServer/persistence/existingClaim")
    assert claim == ("serving-server-data" if found else None)
    assert ("PROTECT claims serving-server-data before" in said(result)) == found
    assert "not found again: serving-redis-data" in said(result)
    assert "not found again: data-serving-zookeeper-0" in said(result)


def test_fate_flow_s_folders_have_fixed_names() -> None:
    result = converted(merged(BASES["eggroll"], {"persistence": True, "python": {"subPath": "mine", "size": "100Gi"}}))
    assert result.at(f"{P}/modules/fateflow/persistence") == {"size": "100Gi"}
    assert "folders with fixed names" in result.unused["python/subPath"]


def test_data_below_a_path_prefix_is_said_not_to_be_found() -> None:
    result = converted(merged(BASES["pulsar"], {"python/hdfs": {"name_node": "hdfs://namenode:9000/", "path_prefix": "/fate"}}))
    assert "not found" in result.lost["python/hdfs/path_prefix"]
    assert result.at(f"{P}/engines") is None
    assert "python/hdfs/name_node" not in result.lost


# F3: defaults only where KubeFATE has them.


@pytest.mark.parametrize(("base", "module", "place", "ports"), [
    ("eggroll", "rollsite", f"{P}/publish/rollsite", {"port": "rollsite"}),
    ("pulsar", "nginx", f"{P}/publish/nginx", {"httpPort": "nginx"}),
    ("pulsar", "pulsar", f"{P}/publish/pulsar", {"port": "pulsar"}),
    ("rabbitmq", "rabbitmq", f"{P}/publish/rabbitmq", {"port": "rabbitmq"}),
    ("hub", "nginx", "exchange/publish/nginx", {"httpPort": "nginx"}),
    ("hub", "trafficServer", "exchange/publish/trafficServer", {"port": "traffic-server"}),
    ("exchange", "rollsite", "exchange/publish/rollsite", {"port": "rollsite"}),
    ("serving", "servingProxy", "serving/9999/publish/servingProxy", {"port": "serving-proxy"}),
])  # fmt: skip
def test_a_node_port_that_kubernetes_chose_is_asked_for_and_never_invented(
    base: str, module: str, place: str, ports: dict[str, str]
) -> None:
    result = converted(merged(BASES[base], {f"{module}/type": "NodePort"}))
    found = [port for port in ports if port in (result.at(place) or {})]
    assert found
    for port in found:
        assert result.at(f"{place}/{port}") is None
        assert f"fill in fate:{place.replace('/', '.')}.{port}: " in said(result)
        assert f"kubectl -n {BASES[base]['namespace']} get service {ports[port]} -o jsonpath=" in said(result)
    unknown = [fact for fact in result.done.facts if fact.before.startswith("NodePort chosen by Kubernetes")]
    assert len(unknown) >= len(found)
    assert {fact.verdict for fact in unknown} == {"unknown"}


def test_what_is_not_filled_in_is_refused_by_check_at_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from federation.stack.load import load_stack  # the written file, as every command reads it

    path = tmp_path / "Pulumi.fate-9999.yaml"
    path.write_text(converted(merged(BASES["eggroll"], {"rollsite/type": "NodePort"})).done.text)
    line = next(number for number, text in enumerate(path.read_text().splitlines(), 1) if text.strip().startswith("port: null"))
    with pytest.raises(FederationError, match=f":{line} fate:parties.9999.publish.rollsite.port: a NodePort in a descriptor must be fixed"):
        load_stack(path)


@pytest.mark.parametrize(("base", "block", "kind"), [
    ("hub", {}, {"type": "NodePort", "httpPort": 30003}),
    ("hub", {"nginx/replicas": 1}, {"type": "ClusterIP", "httpPort": None}),
])  # fmt: skip
def test_nginx_of_an_exchange_is_published_by_default_only_without_a_block(base: str, block: Keys, kind: dict[str, Any]) -> None:
    result = converted(merged(BASES[base], block))
    assert {key: result.at(f"exchange/publish/nginx/{key}") for key in kind} == kind


@pytest.mark.parametrize(("version", "keys", "kind", "port"), [
    ("v2.0.0", {"servingProxy/nodePort": 30100}, "NodePort", 30100),
    ("v2.0.0", {}, "NodePort", 30110),
    ("v2.0.4", {}, "NodePort", 30109),
    ("v2.0.4", {"servingProxy/nodeSelector": {"a": "b"}}, "ClusterIP", None),
    ("v2.1.6", {}, "NodePort", 30109),
])  # fmt: skip
def test_serving_proxy_is_published_as_its_chart_does_it(version: str, keys: Keys, kind: str, port: int | None) -> None:
    result = converted(merged(merged(BASES["serving"], {"chartVersion": version}), keys))
    publish = result.at("serving/9999/publish/servingProxy")
    assert (publish["type"], publish.get("port")) == (kind, port)


@pytest.mark.parametrize(("version", "keys", "nodes"), [
    ("v1.8.0", {}, 1), ("v1.6.1", {"hdfs": {"namenode": {}, "datanode": {"size": "2Gi"}}}, 1), ("v1.9.0", {}, 3),
])  # fmt: skip
def test_hdfs_had_one_data_node_up_to_1_8(version: str, keys: Keys, nodes: int) -> None:
    engines = {"backend": "spark_rabbitmq"} if version < "v1.9" else BASES["rabbitmq"] | {"chartVersion": version}
    result = converted(merged(cluster("fate", version, [*_SPARK, "rabbitmq"]) | engines, {**keys, "chartVersion": version}))
    assert result.at(f"{P}/modules/hdfs/datanode/replicas") == nodes
    assert facts(result)["pods of hdfs.datanode"].verdict == "same"


@pytest.mark.parametrize(("version", "block", "nodes"), [
    ("v1.6.0", {}, 2),
    ("v1.6.0", {"count": 3, "list": [{"name": "a"}]}, 4),
    ("v1.5.1", {"count": 0, "list": [{"name": name} for name in "abc"]}, 3),
    ("v1.6.0", {"list": [{"name": "a"}]}, 1),
    ("v1.8.0", {"count": 4}, 4),
    ("v1.8.0", {"count": 2, "list": [{"name": "a"}]}, 2),
])  # fmt: skip
def test_node_managers_are_counted_as_the_chart_counts_them(version: str, block: Keys, nodes: int) -> None:
    result = converted(merged(BASES["old"], {"chartVersion": version, "nodemanager": block}))
    assert result.at(f"{P}/modules/nodemanager/replicas") == nodes
    assert facts(result)["pods of nodemanager"] == Fact("pods of nodemanager", str(nodes), str(nodes), "same")


def test_a_block_with_no_node_manager_is_warned_of() -> None:
    result = converted(merged(BASES["old"], {"nodemanager": {"size": "1Gi"}}))
    assert "deployed no node manager" in said(result)
    assert facts(result)["pods of nodemanager"] == Fact("pods of nodemanager", "0", "1", "differs")


def test_the_node_port_of_a_load_balancer_is_lost_and_not_called_unused() -> None:
    result = converted(merged(BASES["eggroll"], {"rollsite": {"type": "LoadBalancer", "nodePort": 30091}}))
    assert "rollsite/nodePort" not in result.unused
    assert "Kubernetes chooses the node ports of a load balancer" in result.lost["rollsite/nodePort"]
    kept = converted(merged(BASES["eggroll"], {"python": {"type": "LoadBalancer", "httpNodePort": 30097}}))
    assert kept.at(f"{P}/modules/fateflow/service/nodePorts") == {"tcp-http": 30097}


# F4: rules and links that would look converted and not work.


def _together(**labels: str) -> dict[str, Any]:
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": labels}}
    return {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


@pytest.mark.parametrize(("theirs", "ours"), [
    ({"fateMoudle": "mysql"}, {"app.kubernetes.io/name": "mysql"}),
    ({"fateMoudle": "python"}, {"app.kubernetes.io/name": "fateflow"}),
    ({"fateMoudle": "nodemanager-0"}, {"app.kubernetes.io/name": "nodemanager"}),
    ({"partyId": "9999"}, {"federation.fate/party-id": "9999"}),
    ({"name": "fate-9999"}, {"app.kubernetes.io/instance": "party-9999"}),
    ({"owner": "kubefate"}, {"app.kubernetes.io/part-of": "fate"}),
    ({"name": "my-own-app"}, {"name": "my-own-app"}),
    ({"app": "cache"}, {"app": "cache"}),
])  # fmt: skip
def test_affinity_selects_pods_by_the_labels_that_they_have_here(theirs: dict[str, str], ours: dict[str, str]) -> None:
    result = converted(merged(BASES["eggroll"], {"python/affinity": _together(**theirs)}))
    assert result.at(f"{P}/modules/fateflow/affinity") == _together(**ours)


def test_every_module_label_of_kubefate_s_pods_is_one_that_pods_have_here() -> None:
    labels = {"python": "fateflow"}
    for module in ("python", "mysql", "clustermanager", "nodemanager", "rollsite", "fateboard", "client"):
        result = converted(merged(BASES["eggroll"], {"mysql/affinity": _together(fateMoudle=module)}))
        wanted = _together(**{"app.kubernetes.io/name": labels.get(module, module)})
        assert result.at(f"{P}/modules/mysql/affinity") == wanted
    osx = converted(merged(BASES["osx"], {"mysql/affinity": _together(fateMoudle="rollsite")}))
    assert osx.at(f"{P}/modules/mysql/affinity") == _together(**{"app.kubernetes.io/name": "osx"})


def test_expressions_of_affinity_are_translated_too_and_what_has_no_counterpart_is_lost() -> None:
    rule = {"key": "fateMoudle", "operator": "In", "values": ["nodemanager-0", "nodemanager-1"]}
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchExpressions": [rule]}}
    weighted = {"weight": 100, "podAffinityTerm": term}
    keys = {"nodemanager/affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [weighted]}}}
    result = converted(merged(BASES["eggroll"], keys))
    (written,) = result.at(f"{P}/modules/nodemanager/affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution")
    assert written["podAffinityTerm"]["labelSelector"] == {
        "matchExpressions": [{"key": "app.kubernetes.io/name", "operator": "In", "values": ["nodemanager"]}]
    }
    gone = converted(merged(BASES["eggroll"], {"mysql/affinity": _together(fateMoudle="egg")}))
    assert gone.at(f"{P}/modules/mysql/affinity") is None
    assert "fateMoudle: egg, which no pod has here" in gone.lost["mysql/affinity"]


def test_a_mesh_of_pulsar_is_warned_of_and_its_plaintext_port_is_listed() -> None:
    pulsar = {"type": "NodePort", "httpNodePort": 30094, "httpsNodePort": 30099,
              "route_table": {"10000": {"host": "192.0.2.10", "port": 30104, "sslPort": 30109}}}  # fmt: skip
    result = converted(merged(BASES["pulsar"], {**_ROUTER, "pulsar": pulsar, "python/spark": {"cores_per_node": 2, "nodes": 1}}))
    assert "moves all at once" in said(result)
    assert "plaintext port" in result.lost["pulsar/httpNodePort"]
    assert "without a listener" in facts(result)["pulsar, port 6651"].before
    # F5: and its cores.
    cores = facts(result)["cores that FATE-Flow shares among jobs"]
    assert (cores.before, cores.after, cores.verdict) == ("1 x 2", "2 x 4", "differs")
    assert {"python/spark/cores_per_node", "python/spark/nodes"} <= result.lost.keys()


# F5, F6: every key carried, or listed with the true reason.


def test_cores_that_stay_the_same_are_carried() -> None:
    keys = {"python/clustermanager": {"cores_per_node": 8, "nodes": 4}, "nodemanager": {"count": 4, "sessionProcessorsPerNode": 8}}
    same = converted(merged(BASES["old"], {"chartVersion": "v1.7.2", **keys}))
    assert same.lost == {}
    assert facts(same)["cores that FATE-Flow shares among jobs"] == Fact("cores that FATE-Flow shares among jobs", "4 x 8", "4 x 8", "same")
    other = converted(merged(BASES["old"], {"chartVersion": "v1.7.2", **keys, "python/clustermanager/cores_per_node": 16}))
    assert "shares 4 x 8 cores among jobs" in other.lost["python/clustermanager/cores_per_node"]


@pytest.mark.parametrize(
    "key", ["python/pulsar/cluster", "python/spark/driverStartPort", "python/spark/portMaxRetries", "python/hdfs/path_prefix"]
)
def test_what_fate_flow_was_told_of_a_deployed_engine_is_lost_and_not_called_unused(key: str) -> None:
    value = 31100 if "Port" in key or "port" in key else "/fate"
    result = converted(merged(BASES["pulsar"], {key: value}))
    assert key in result.lost
    assert key not in result.unused


def test_a_key_without_a_value_is_neither_carried_nor_listed() -> None:
    result = converted(merged(BASES["eggroll"], {"registry": "", "rollsite/nodePort": None, "python/affinity": {}}))
    carried = {path for path, _ in result.done.carried}
    assert ("modules",) in carried
    assert not {("registry",), ("rollsite", "nodePort"), ("python", "affinity")} & carried
    assert not {"registry", "rollsite/nodePort", "python/affinity"} & (result.lost.keys() | result.unused.keys())


@pytest.mark.parametrize(("base", "key"), [
    ("eggroll", "rollsite/exchange/port"), ("pulsar", "nginx/exchange/httpPort"), ("serving", "servingProxy/exchange/port"),
])  # fmt: skip
def test_a_key_that_nothing_else_makes_take_effect_is_listed_and_not_called_carried(base: str, key: str) -> None:
    result = converted(merged(BASES[base], {key: 30001}))
    assert result.lost[key] == "nothing in this file made it take effect"
    assert tuple(key.split("/")) not in {path for path, _ in result.done.carried}


@pytest.mark.parametrize("key", ["externalMysqlPort", "externalMysqlUser"])
def test_an_address_without_its_host_is_listed(key: str) -> None:
    result = converted(merged(BASES["eggroll"], {key: 3307 if key.endswith("Port") else "app"}))
    assert "without externalMysqlIp" in result.lost[key]


def test_a_key_in_other_letters_is_named_as_the_one_that_was_meant() -> None:
    result = converted(merged(BASES["eggroll"], {"rollsite/nodeselector": {"location": "edge"}}))
    assert result.lost["rollsite/nodeselector"].endswith("which ignored it: did you mean nodeSelector?")


# F8: consoles.


@pytest.mark.parametrize(("version", "hosts"), [
    ("v1.6.0", "9999.fateboard.kubefate.net, 9999.notebook.kubefate.net"),
    ("v1.6.1", "fateboard.kubefate.net, notebook.kubefate.net"),
    ("v1.8.0", "fateboard.example.com, notebook.example.com"),
])  # fmt: skip
def test_consoles_that_kubefate_showed_unasked_are_named(version: str, hosts: str) -> None:
    keys = merged(BASES["old"], {"chartVersion": version, "modules": [*BASES["old"]["modules"], "fateboard", "client"]})
    result = converted(keys)
    assert f"shows {hosts} to browsers" in said(result)
    assert "boards" not in result.config
    istio = converted(merged(keys, {"istio/enabled": True}))
    assert "to browsers, though" not in said(istio)


def test_a_console_with_a_host_is_converted_and_the_others_are_named() -> None:
    result = converted(merged(BASES["eggroll"], {"ingress/fateboard/hosts": [{"name": "board.bank.example"}]}))
    assert result.at(f"{P}/boards/fateboard/host") == "board.bank.example"
    assert "shows notebook.example.com to browsers" in said(result)


def test_serving_and_its_exchange_name_their_consoles_too() -> None:
    assert "shows serving-proxy.example.com, serving-admin.example.com to browsers" in said(converted(BASES["serving"]))
    assert "shows serving-proxy.example.com to browsers" in said(converted(BASES["serving-exchange"]))


# F9: FedLCM's parties.


def test_a_party_of_fedlcm_is_converted_and_its_portal_listed() -> None:
    modules = [*_SPARK, "pulsar", "frontend", "sitePortalServer", "postgres"]
    keys = merged(
        BASES["pulsar"], {**_STAR, "chartVersion": "v1.9.1-fedlcm-v0.2.0", "modules": modules, "pulsar/publicLB": {"enabled": True}}
    )
    portal = {
        "frontend": {"type": "NodePort"},
        "sitePortalServer": {"size": "1Gi"},
        "postgres": {"user": "site_portal", "password": "canary"},
    }
    result = converted(merged(keys, portal))
    assert result.at(f"{P}/release") == "1.9.1"
    for key in ("modules/6", "modules/7", "modules/8", "frontend/type", "sitePortalServer/size", "postgres/user", "postgres/password"):
        assert "fate:sitePortal" in result.lost[key]
    assert "canary" not in result.done.text
    old = converted(merged(cluster("fate", "v1.6.1-fedlcm", modules, backend="spark"), _STAR))
    assert old.at(f"{P}/federation") == "Pulsar"


def test_an_exchange_of_fedlcm_has_its_ports_asked_for() -> None:
    keys = {"nginx": {"type": "NodePort", "route_table": None}, "trafficServer": {"type": "NodePort", "route_table": {"sni": None}},
            "modules": ["trafficServer", "nginx", "postgres", "fmlManagerServer"], "fmlManagerServer": {"type": "NodePort"}}  # fmt: skip
    result = converted(merged(BASES["hub"], keys))
    assert said(result).count("fill in fate:exchange.publish.") >= 2
    assert "FML Manager" in result.lost["fmlManagerServer/type"]


# F11: `default` in route tables.


def test_default_routes_are_a_star() -> None:
    default = {"proxy": "192.0.2.20:30007", "domain": "corp.example.org", "brokerPort": 6650, "brokerSslPort": 6651}
    keys = {"nginx/route_table": {"9999": {"fateflow": [{"host": "fateflow", "http_port": 9380}]},
                                  "default": {"proxy": [{"host": "192.0.2.20", "http_port": 30003, "grpc_port": 30008}]}},
            "pulsar/route_table": {"9999": {"host": "pulsar", "port": 6650, "sslPort": 6651}, "default": default}}  # fmt: skip
    result = converted(merged(BASES["pulsar"], keys))
    assert result.at("federation/topology") == "star"
    assert result.at("federation/domain") == "corp.example.org"
    assert result.config["peers"] == {"exchange": {"unsigned": True, "trafficServer": "192.0.2.20:30007", "nginx": "192.0.2.20:30003"}}
    assert (result.lost, result.unused) == ({}, {})
    half = converted(merged(BASES["pulsar"], {"nginx/route_table/default/proxy": [{"host": "192.0.2.20", "http_port": 30003}]}))
    assert "half an exchange" in half.lost["nginx/route_table/default/proxy/0"]
    rabbitmq = converted(merged(BASES["rabbitmq"], {"nginx/route_table/default/proxy": [{"host": "192.0.2.20", "http_port": 30003}]}))
    assert "no star with RabbitMQ" in rabbitmq.lost["nginx/route_table/default/proxy/0"]


# F12: refusals with the reason that fits.


def test_numbers_in_quotes_are_numbers() -> None:
    keys = {"python/spark": {"master": "spark://192.0.2.30:7077", "cores_per_node": "8", "nodes": "2", "driverStartPort": "31000",
                             "blockManagerStartPort": "31100", "portMaxRetries": "20", "driverHost": "192.0.2.40"},
            "python/pulsar": {"host": "192.0.2.32", "port": "6650", "mng_port": "8080", "ssl_port": "6651"},
            "externalMysqlPort": "3307", "externalMysqlIp": "192.0.2.33"}  # fmt: skip
    result = converted(merged(BASES["existing"], keys))
    assert result.at(f"{P}/engines/spark/external/coresPerNode") == 8
    assert result.at(f"{P}/engines/spark/external/driverStartPort") == 31000
    assert result.at(f"{P}/engines/pulsar/external/port") == 6650
    assert result.at(f"{P}/engines/mysql/external/port") == 3307
    rabbitmq = converted(merged(BASES["existing-rabbitmq"], {"python/rabbitmq": {"host": "192.0.2.35", "port": "5673"}}))
    assert rabbitmq.at(f"{P}/engines/rabbitmq/external/port") == 5673
    redis = converted(merged(BASES["serving"], {"externalRedisIp": "192.0.2.70", "externalRedisPort": "6380"}))
    assert redis.at("serving/9999/engines/redis/external/port") == 6380
    route = converted(merged(BASES["eggroll"], {"rollsite/partyList": [{"partyId": "5", "partyIp": "192.0.2.5", "partyPort": "30091"}]}))
    assert route.at("peers/party-5/rollsite") == "192.0.2.5:30091"


@pytest.mark.parametrize("word", ["\u0966", "3_0", "0x10", "1e4", " 1"])
def test_other_spellings_of_numbers_are_refused(word: str) -> None:
    (problem,) = refused(merged(BASES["eggroll"], {"rollsite/nodePort": word}))
    assert problem.endswith("rollsite.nodePort: is not a whole number")


def test_a_slash_behind_the_name_node_is_dropped() -> None:
    result = converted(merged(BASES["existing"], {"python/hdfs/name_node": "hdfs://192.0.2.31:8020/"}))
    assert result.at(f"{P}/engines/hdfs/external/nameNode") == "hdfs://192.0.2.31:8020"


def test_a_host_with_a_port_is_refused_as_that() -> None:
    problems = refused(merged(BASES["eggroll"], {"ingress/fateboard/hosts": [{"name": "board.bank.example:8080"}]}))
    assert [one.partition(" ")[2] for one in problems] == [
        "ingress.fateboard.hosts[0].name: 'board.bank.example:8080' is not a host name: it holds a port"
    ]


@pytest.mark.parametrize(("key", "value", "parts"), [
    ("nodeSelector", {"gpu": True, "zone": 1, "disk": "ssd"}, ["gpu: is not text", "zone: is not text"]),
    ("tolerations", [{"key": "a", "operator": "Is"}, {"key": "b", "operator": "Not"}], ["0.operator: should be", "1.operator: should be"]),
])  # fmt: skip
def test_several_wrong_values_of_one_block_are_all_blamed_on_it(key: str, value: Any, parts: list[str]) -> None:
    result = converted(merged(BASES["eggroll"], {f"nodemanager/{key}": value}))
    reason = result.lost[f"nodemanager/{key}"]
    assert [part for part in parts if part not in reason] == []
    assert [lost for lost in result.lost if not lost.startswith("nodemanager/")] == []


def test_a_version_is_read_as_it_is_written() -> None:
    assert converted_text(_TEXT.replace("v1.11.2", "1.10")).at(f"{P}/release") == "1.10.0"
    pre = converted(merged(BASES["osx"], {"chartVersion": "v2.0.0-beta"}))
    assert "v2.0.0-beta is a release of its own before 2.0.0" in said(pre)


def test_what_is_missing_in_an_address_is_named() -> None:
    peers = [
        {"partyId": 5, "partyIp": "192.0.2.5"},
        {"partyIp": "192.0.2.6", "partyPort": 1},
        {"partyId": 7, "partyIP": "192.0.2.7", "partyPort": 1},
    ]
    result = converted(merged(BASES["eggroll"], {"rollsite/partyList": peers}))
    reasons = [result.lost[f"rollsite/partyList/{number}"] for number in range(3)]
    assert reasons == ["partyPort is missing", "partyId is missing", "partyIp is missing"]
    assert "did you mean partyIp?" in result.lost["rollsite/partyList/2/partyIP"]
    sni = {"trafficServer/route_table/sni": [{"fqdn": "10000.fate.org", "tunnelRoute": "192.0.2.10"}], **_ROUTER}
    hub = converted(merged(BASES["hub"], sni))
    assert hub.lost["trafficServer/route_table/sni/0"] == "its port is missing"
    assert hub.lost["nginx/route_table/10000/proxy/0"] == "half a peer: pulsar of party 10000 cannot be dialled"
    assert "None" not in "".join((*result.lost.values(), *hub.lost.values()))


def test_problems_of_all_groups_are_shown_at_once() -> None:
    problems = refused(
        {"name": "a", "namespace": "A", "chartname": "fate", "chartVersion": "latest", "partyID": 9999, "modules": ["python"]}
    )
    assert [one.partition(" ")[2] for one in problems] == [
        "namespace: 'A' is no name of Kubernetes",
        "chartname: chartName is missing: names of keys are exact, and KubeFATE ignores 'chartname'",
        "chartVersion: 'latest' is not a version",
        "partyID: partyId is missing: names of keys are exact, and KubeFATE ignores 'partyID'",
    ]
    both = refused(merged(BASES["eggroll"], {"chartVersion": "v1.12.0", "rollsite/nodePort": "high"}))
    assert len(both) == 2


# F13: files of another kind or encoding.


def _read(path: Path, data: bytes) -> Result:
    path.write_bytes(data)
    file = ClusterFile.read(path, path.name)
    return converted_text("\n".join([f"{key}: {value!r}" for key, value in file.data.items()]))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_encoding_that_kubefate_reads_is_read(encoding: str, tmp_path: Path) -> None:
    assert _read(tmp_path / "c.yaml", _TEXT.encode(encoding)).at(f"{P}/release") == "1.11.2"


@pytest.mark.parametrize("encoding", ["gbk", "big5"])
def test_another_encoding_is_named_with_its_line_and_what_to_do(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes(f"a: 1\n# {'银行' if encoding == 'gbk' else '銀行'}\n".encode(encoding))
    with pytest.raises(FederationError, match=r"(?s)c\.yaml:2.* is not UTF-8: byte .*save the file with the encoding UTF-8"):
        ClusterFile.read(path, "c.yaml")


@pytest.mark.parametrize("text", [f"{_TEXT}---\n", f"---\n{_TEXT}", f"{_TEXT}...\n", f"{_TEXT}---\n# the end\n"])
def test_a_line_that_begins_an_empty_document_is_no_second_one(text: str) -> None:
    assert converted_text(text).at(f"{P}/release") == "1.11.2"


def test_other_files_of_kubefate_s_world_are_known() -> None:
    resource = {
        "apiVersion": "app.kubefate.net/v1beta1",
        "kind": "FateCluster",
        "metadata": {"name": "a"},
        "spec": {"clusterSpec": BASES["old"]},
    }
    (problem,) = refused(resource)
    assert "spec.clusterSpec: is a resource of kind FateCluster: the cluster is its spec.clusterSpec" in problem
    (problem,) = refused({"image": {"registry": "federatedai"}, "partyId": 9999, "modules": {"rollsite": {"include": True}}})
    assert "is a file of values for helm" in problem


# What is told.


def test_the_comparison_is_printed_and_is_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import json

    path = Path(__file__).parent / "kubefate" / "v1.11.2-eggroll.yaml"
    assert main(["convert", "kubefate", "--out", str(tmp_path / "a"), str(path)]) == 0
    printed = capsys.readouterr().out
    assert "before and after (" in printed
    assert "rollsite, port 9370" in printed
    assert main(["convert", "kubefate", "--out", str(tmp_path / "b"), str(path), "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)["converted"]
    assert one["certainty"] == "what KubeFATE made of the file is known from its chart fate v1.11.2"
    assert {"subject": "rollsite, port 9370", "before": "NodePort 30091", "after": "NodePort 30091", "verdict": "same"} in one["comparison"]


@pytest.mark.parametrize(("version", "words"), [
    ("v1.11.2", "is known from its chart fate v1.11.2"),
    ("v1.11.3", "was not there to be read"),
    ("v1.11.1-fedlcm-v0.3.0", "is not KubeFATE's own"),
])  # fmt: skip
def test_a_conversion_says_how_sure_it_is(version: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(_TEXT.replace("v1.11.2", version), "utf-8")
    assert main(["convert", "kubefate", "--out", str(tmp_path / "stacks"), str(path)]) == 0
    assert words in capsys.readouterr().out


def test_spark_without_hdfs_on_2_x_keeps_its_files_in_a_folder() -> None:
    keys = merged(BASES["slim"], {"chartVersion": "v2.0.0", "storage": "Standalone"})
    result = converted(keys)
    assert result.at(f"{P}/storage") == "File"
    assert "storage was Standalone" in said(result)
