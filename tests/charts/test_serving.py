"""FATE-Serving's files hold the keys that its programs read, and nothing else; its pods see what they need where they look for it."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.charts.cases import (
    OPEN_REGISTRY,
    PARTY,
    REGISTERED,
    SERVED,
    SERVING,
    SERVING_EPHEMERAL,
    SERVING_EXCHANGE,
    SERVING_EXCHANGES,
    SERVING_IN_MEMORY,
    SERVING_PAGES,
    SERVING_REDIS_ELSEWHERE,
    SERVING_WHOLE,
    SERVINGS,
    Case,
    Values,
    container,
    mount,
)
from tests.charts.test_configuration import PASSWORD, filled, properties, service_conf
from tests.support.walk import Container, config_texts, containers, environment, name_of

ASCII = PASSWORD.removesuffix("é") + "~"
VARIABLES = dict.fromkeys(("REDIS_PASSWORD", "ZOOKEEPER_PASSWORD", "ADMIN_PASSWORD"), ASCII)
HOME = "/data/projects/fate-serving"
# The keys that FATE-Serving 2.1.6 reads (its Bootstrap and Dict classes; reference 12.2), of those that concern a deployment.
REGISTRY = {"zk.url", "acl.enable", "acl.username", "acl.password"}
SERVER = {
    "party.id", "port", "proxy", "model.cache.path", "model.transfer.url", "feature.single.adaptor", "feature.batch.adaptor",
    "http.adapter.url", "remoteModelInferenceResultCacheSwitch", "cache.type", "redis.ip", "redis.port", "redis.password", "useRegister",
    "useZkRouter", *REGISTRY,
}  # fmt: skip
PROXY = {
    "coordinator", "server.port", "proxy.grpc.intra.port", "proxy.grpc.inter.port", "proxy.grpc.inter.negotiationType", "route.table",
    "useZkRouter", *REGISTRY,
}  # fmt: skip
ADMIN = {"server.port", "admin.username", "admin.password", "spring.mvc.pathmatch.matching-strategy", *REGISTRY}
READ = {
    "serving-server-config/serving-server.properties": SERVER,
    "serving-proxy-config/application.properties": PROXY,
    "serving-admin-config/application.properties": ADMIN,
}
REDIS_OBJECTS = {"StatefulSet/serving-redis", "Service/serving-redis", "ConfigMap/serving-redis-config"}
PROXY_OBJECTS = {"Deployment/serving-proxy", "Service/serving-proxy", "ConfigMap/serving-proxy-config"}
SERVER_OBJECTS = {"StatefulSet/serving-server", "Service/serving-server", "ConfigMap/serving-server-config"}
REGISTRY_OBJECTS = {"StatefulSet/serving-zookeeper", "Service/serving-zookeeper", "ConfigMap/serving-zookeeper-config"}
ADMIN_OBJECTS = {"Deployment/serving-admin", "Service/serving-admin", "ConfigMap/serving-admin-config"}
KUBEFATE = PROXY_OBJECTS | SERVER_OBJECTS | REDIS_OBJECTS


def settings(case: Case, folder: Path, file: str) -> dict[str, str]:
    """A properties file as its pod sees it; values are unescaped as java.util.Properties does."""
    text = filled(config_texts(case.render())[file], folder, file.rpartition("/")[2], VARIABLES)
    found = properties(text)
    assert set(found) <= READ[file], sorted(set(found) - READ[file])
    return {key: re.sub(r"\\(.)", r"\1", value) for key, value in found.items()}


def folders(found: Container) -> dict[str, tuple[str, str]]:
    """Where a container sees which folder of which volume."""
    return {place["mountPath"]: (place["name"], place["subPath"]) for place in found.spec["volumeMounts"] if "subPath" in place}


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (SERVING, KUBEFATE),
        (SERVING_WHOLE, KUBEFATE | REGISTRY_OBJECTS | ADMIN_OBJECTS),
        (SERVING_PAGES, KUBEFATE | REGISTRY_OBJECTS | ADMIN_OBJECTS | {"Ingress/serving-proxy", "Ingress/serving-admin"}),
        (SERVING_REDIS_ELSEWHERE, PROXY_OBJECTS | SERVER_OBJECTS),
        (SERVING_IN_MEMORY, PROXY_OBJECTS | SERVER_OBJECTS),
        (SERVING_EXCHANGE, PROXY_OBJECTS),
    ],
    ids=str,
)
def test_the_set_of_objects(case: Case, expected: set[str]) -> None:
    assert {name_of(item) for item in case.render()} == expected


def test_without_claims_what_kubefate_deploys_is_a_deployment() -> None:
    found = {name_of(item) for item in SERVING_EPHEMERAL.render()}
    assert {"Deployment/serving-server", "Deployment/serving-redis", "StatefulSet/serving-zookeeper"} < found
    assert not {"StatefulSet/serving-server", "StatefulSet/serving-redis"} & found


@pytest.mark.parametrize("case", SERVINGS, ids=str)
def test_serving_server_is_told_its_party_its_proxy_and_its_fateflow(case: Case, tmp_path: Path) -> None:
    found = settings(case, tmp_path, "serving-server-config/serving-server.properties")
    server = case.values["server"]
    assert (found["party.id"], found["port"]) == (case.values["partyId"], "8000")
    assert found["proxy"] == "serving-proxy:8879", "serving-server dials the port for its own party"
    assert found["model.transfer.url"] == server["modelTransferUrl"]
    assert found["feature.single.adaptor"] == server["singleAdaptor"]
    assert found["feature.batch.adaptor"] == server["batchAdaptor"]
    assert found["http.adapter.url"] == server["adaptorUrl"]
    # KubeFATE fills the switch from the type.
    assert found["remoteModelInferenceResultCacheSwitch"] == str(server["remoteResults"]).lower()


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (SERVING, ("redis", "serving-redis", "6379", ASCII)),
        (SERVING_REDIS_ELSEWHERE, ("redis", "redis.example", "6380", ASCII)),
        (SERVING_IN_MEMORY, ("local", None, None, None)),
    ],
    ids=str,
)
def test_serving_server_is_told_its_cache(case: Case, expected: tuple[str | None, ...], tmp_path: Path) -> None:
    found = settings(case, tmp_path, "serving-server-config/serving-server.properties")
    assert tuple(found.get(key) for key in ("cache.type", "redis.ip", "redis.port", "redis.password")) == expected


@pytest.mark.parametrize("case", [*SERVINGS, *SERVING_EXCHANGES], ids=str)
def test_serving_proxy_listens_for_its_party_and_for_others(case: Case, tmp_path: Path) -> None:
    found = settings(case, tmp_path, "serving-proxy-config/application.properties")
    # An exchange is party 0: KubeFATE gives it the id of a party, whose requests it would then keep.
    assert found["coordinator"] == case.values.get("partyId", "0")
    ports = {name: found[name] for name in ("server.port", "proxy.grpc.inter.port", "proxy.grpc.intra.port")}
    assert ports == {"server.port": "8059", "proxy.grpc.inter.port": "8869", "proxy.grpc.intra.port": "8879"}


@pytest.mark.parametrize("case", [*SERVINGS, *SERVING_EXCHANGES], ids=str)
def test_a_registry_is_used_by_all_programs_or_by_none(case: Case, tmp_path: Path) -> None:
    deployed = "servingZookeeper" in case.values["modules"]
    used = str(deployed).lower()
    files = [file for file in READ if file in config_texts(case.render())]
    assert files
    for file in files:
        found = settings(case, tmp_path, file)
        assert {found[key] for key in ("useRegister", "useZkRouter") if key in found} <= {used}, file
        assert (found.keys() >= REGISTRY) is deployed, file
        if deployed:
            assert found["zk.url"] == "serving-zookeeper:2181"
            assert (found["acl.enable"], found["acl.username"], found["acl.password"]) == ("true", "fate", ASCII), file


def test_the_console_has_no_default_password(tmp_path: Path) -> None:
    found = settings(SERVING_WHOLE, tmp_path, "serving-admin-config/application.properties")
    assert (found["server.port"], found["admin.username"], found["admin.password"]) == ("8350", "admin", ASCII)


def test_redis_keeps_its_data_on_its_volume_and_within_its_memory(tmp_path: Path) -> None:
    text = filled(config_texts(SERVING.render())["serving-redis-config/redis.conf"], tmp_path, "redis.conf", VARIABLES)
    lines = [shlex.split(line) for line in text.splitlines()]
    assert all(len(line) == 2 for line in lines)
    found = dict(lines)
    assert found["requirepass"] == ASCII
    assert found["maxmemory"] == f"{SERVING.values['modules']['servingRedis']['heapMib']}mb"
    redis = container(SERVING, "StatefulSet/serving-redis/serving-redis")
    assert folders(redis)[found["dir"]] == ("serving-redis-data", "redis")
    assert redis.spec["command"] == ["redis-server", "/filled/redis.conf"]
    assert mount(redis, "/filled")[1]["emptyDir"]["medium"] == "Memory"


def test_zookeeper_stands_alone_and_keeps_its_data_on_its_volume() -> None:
    found = properties(config_texts(SERVING_WHOLE.render())["serving-zookeeper-config/zoo.cfg"])
    assert found["clientPort"] == "2181"
    assert not [key for key in found if key.startswith("server.")], "KubeFATE names a server in namespace default"
    zookeeper = container(SERVING_WHOLE, "StatefulSet/serving-zookeeper/serving-zookeeper")
    assert folders(zookeeper)[found["dataDir"]] == ("serving-zookeeper-data", "zookeeper")
    assert environment(zookeeper)["ZK_SERVER_HEAP"] == "614"


@pytest.mark.parametrize("case", [*SERVINGS, *SERVING_EXCHANGES], ids=str)
def test_serving_proxy_reads_its_routes_from_a_directory_that_kubelet_refreshes(case: Case, tmp_path: Path) -> None:
    path = settings(case, tmp_path, "serving-proxy-config/application.properties")["route.table"]
    mounted, volume = mount(container(case, "Deployment/serving-proxy/serving-proxy"), path.removesuffix("/route_table.json"))
    assert "subPath" not in mounted, "a subPath never changes in a running pod"
    assert volume["configMap"] == {"name": case.values["routes"]}


@pytest.mark.parametrize("case", SERVINGS, ids=str)
def test_models_outlive_the_pod(case: Case, tmp_path: Path) -> None:
    """KubeFATE#704: what was published is in two folders."""
    [server] = [found for found in containers(case.render()) if found.where.endswith("/serving-server/serving-server")]
    path = settings(case, tmp_path, "serving-server-config/serving-server.properties")["model.cache.path"]
    assert folders(server)[f"{path}/.fate"] == ("serving-server-data", "model_cache")
    assert folders(server)["/root/.fate"] == ("serving-server-data", "cache")


PROGRAMS = {
    "Deployment/serving-proxy/serving-proxy": ("serving-proxy", "application.properties", "Xmx1433m"),
    "StatefulSet/serving-server/serving-server": ("serving-server", "serving-server.properties", "Xmx2867m"),
    "Deployment/serving-admin/serving-admin": ("serving-admin", "application.properties", "Xmx716m"),
}


@pytest.mark.parametrize("where", PROGRAMS)
def test_programs_read_a_writable_copy_of_their_file_and_have_a_heap_that_fits(where: str) -> None:
    """KubeFATE#918: a mounted ConfigMap is read-only."""
    program, file, heap = PROGRAMS[where]
    found = container(SERVING_WHOLE, where)
    mounted, volume = mount(found, f"{HOME}/{program}/conf/{file}")
    assert mounted["subPath"] == file
    assert volume["emptyDir"]["medium"] == "Memory"
    assert found.spec["workingDir"] == f"{HOME}/{program}"
    assert f"-{heap}" in found.spec["command"]
    fill = container(SERVING_WHOLE, f"{where.rpartition('/')[0]}/fill")
    asked = set(re.findall(r"\$\{(\w+)\}", config_texts(SERVING_WHOLE.render())[f"{program}-config/{file}"]))
    assert set(environment(fill)) == asked


def _fateflow(conf: dict[str, Any]) -> Values:
    return {key: conf[key] for key in ("use_registry", "servings", "zookeeper")}


def test_a_party_without_fate_serving_names_none(tmp_path: Path) -> None:
    assert _fateflow(service_conf(PARTY, tmp_path)) == {
        "use_registry": False,
        "servings": {"hosts": [""]},
        "zookeeper": {"hosts": ["127.0.0.1:2181"], "use_acl": False, "user": None, "password": None},
    }


def test_fateflow_is_told_where_to_publish_models(tmp_path: Path) -> None:
    """Reference 6: a list of host:port, which FATE-Flow hands to gRPC; the port is serving-server's 8000 (KubeFATE#415)."""
    found = _fateflow(service_conf(SERVED, tmp_path))
    assert found["servings"] == {"hosts": ["serving-server.fate-serving-9999.svc:8000", "203.0.113.9:30095"]}
    assert found["use_registry"] is False
    client = container(SERVED, "StatefulSet/client/client")
    assert environment(client)["FATE_SERVING_HOST"] == "serving-server.fate-serving-9999.svc:8000"
    assert "FATE_SERVING_HOST" not in environment(container(PARTY, "StatefulSet/client/client"))


def test_fateflow_finds_serving_servers_in_zookeeper(tmp_path: Path) -> None:
    found = _fateflow(service_conf(REGISTERED, tmp_path))
    assert found["use_registry"] is True
    hosts = ["serving-zookeeper.fate-serving-9999.svc:2181"]
    assert found["zookeeper"] == {"hosts": hosts, "use_acl": True, "user": "fate", "password": PASSWORD}
    for fill in ("StatefulSet/python/fill", "StatefulSet/nodemanager/fill"):
        secret = environment(container(REGISTERED, fill))["ZOOKEEPER_PASSWORD"]["secretKeyRef"]
        assert secret == {"name": "serving-zookeeper-credentials", "key": "password"}


def test_a_zookeeper_without_acl_is_used_without_an_account(tmp_path: Path) -> None:
    found = _fateflow(service_conf(OPEN_REGISTRY, tmp_path))
    assert found["use_registry"] is True
    assert found["servings"] == {"hosts": [""]}
    assert found["zookeeper"] == {"hosts": ["zookeeper.example:2181"], "use_acl": False, "user": None, "password": None}
