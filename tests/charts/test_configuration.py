"""The configuration files parse as their readers parse them, and say what the values say."""

import hashlib
import os
import re
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from federation.catalogue.releases import catalogue
from tests.charts.cases import (
    COMBINATIONS,
    EGGROLL,
    EXCHANGE,
    ISSUED,
    OPEN_REGISTRY,
    PARTIES,
    PARTY,
    PLAINTEXT,
    REGISTERED,
    SERVED,
    SLIM,
    Case,
)
from tests.support.helm import CHARTS, helm_template
from tests.support.walk import config_texts, containers, environment, named

# Reference 6.1.
SERVICE_CONF_KEYS = {
    "use_registry", "use_deserialize_safe_module", "dependent_distribution", "encrypt_password", "encrypt_module", "private_key",
    "private_key_file", "party_id", "hook_module", "hook_server_name", "authentication", "permission", "fateflow", "database",
    "default_engines", "fate_on_standalone", "fate_on_eggroll", "fate_on_spark", "fateboard", "enable_model_store", "model_store_address",
    "servings", "zookeeper",
}  # fmt: skip
PASSWORD = """it's "a" \\ & / $x `y` #z: é"""


def properties(text: str) -> dict[str, str]:
    """Java properties without escapes. A key given twice is an error."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            key, value = line.split("=", 1)
            assert key not in found, f"{key} is given twice"
            found[key] = value
    return found


def filled(text: str, folder: Path, name: str, variables: Mapping[str, str]) -> str:
    """The text as fill.sh makes it in a pod."""
    (folder / name).write_text(text)
    command = ["sh", str(CHARTS / "fate-common/files/fill.sh"), name, f"filled-{name}"]
    subprocess.run(command, cwd=folder, check=True, env={"PATH": os.environ["PATH"], **variables})
    return (folder / f"filled-{name}").read_text()


def service_conf(case: Case, folder: Path) -> dict[str, Any]:
    text = config_texts(case.render())["python-config/service_conf.yaml"]
    variables = {"POD_IP": "10.0.0.7", "MYSQL_PASSWORD": PASSWORD, "RABBITMQ_PASSWORD": PASSWORD, "ZOOKEEPER_PASSWORD": PASSWORD}
    parsed: dict[str, Any] = yaml.safe_load(filled(text, folder, "service_conf.yaml", variables))
    return parsed


@pytest.mark.parametrize("case", PARTIES, ids=str)
def test_service_conf_has_every_key_and_the_pods_own_values(case: Case, tmp_path: Path) -> None:
    conf, values = service_conf(case, tmp_path), case.values
    assert set(conf) == SERVICE_CONF_KEYS
    assert conf["party_id"] == (int(values["partyId"]) if values["partyIdInConfig"] else None), "FATE 1.x wants a number"
    ports = values["ports"]
    own = {"http_port": ports["fateflowHttp"], "grpc_port": ports["fateflowGrpc"]}
    assert conf["fateflow"] == {
        "host": "10.0.0.7", **own, "nginx": {"host": "fateflow", **own}, "random_instance_id": False,
        "proxy": values["engines"]["proxy"], "protocol": "default", "default_federated_status_collect_type": "PULL",
    }  # fmt: skip
    database = values["database"]
    assert conf["database"] == {
        "name": database["name"], "user": database["user"], "passwd": PASSWORD, "host": database["host"], "port": database["port"],
        "max_connections": 100, "stale_timeout": 30,
    }  # fmt: skip
    assert {**conf["default_engines"], "proxy": values["engines"]["proxy"]} == values["engines"]


@pytest.mark.parametrize("case", COMBINATIONS, ids=str)
def test_fateflow_reads_its_routes_from_a_directory_that_kubelet_refreshes(case: Case, tmp_path: Path) -> None:
    [fateflow] = [container for container in containers(case.render()) if container.where == "StatefulSet/python/fateflow"]
    mounts = {mount["mountPath"]: mount for mount in fateflow.spec["volumeMounts"]}
    engines = service_conf(case, tmp_path)["fate_on_spark"]
    engine = case.values["engines"]["federation"]
    found = {path for path in mounts if path.endswith("_route_table")}
    assert found == ({f"/data/projects/fate/conf/{engine}_route_table"} if engine in ("pulsar", "rabbitmq") else set())
    for path in found:
        assert "subPath" not in mounts[path], "a subPath never changes in a running pod"
        [volume] = [volume for volume in fateflow.pod["volumes"] if volume["name"] == mounts[path]["name"]]
        assert volume["configMap"]["name"] == case.values["routes"][engine]
        assert f"/data/projects/fate/{engines[engine]['route_table']}" == f"{path}/{engine}_route_table.yaml"


@pytest.mark.parametrize("case", [*COMBINATIONS, SERVED, REGISTERED, OPEN_REGISTRY], ids=str)
def test_the_fill_containers_have_what_the_files_ask_for(case: Case) -> None:
    objects = case.render()
    found = {container.where: set(environment(container)) for container in containers(objects) if container.where.endswith("/fill")}
    texts = config_texts(objects)

    def asked(*files: str) -> set[str]:
        return {name for file in files for name in re.findall(r"\$\{(\w+)\}", texts.get(file, ""))}

    expected = {
        "StatefulSet/python/fill": asked("python-config/service_conf.yaml", "python-config/spark-defaults.conf"),
        "Deployment/fateboard/fill": asked("fateboard-config/application.properties"),
    }
    if "nodemanager" in case.values["modules"]:
        expected["StatefulSet/nodemanager/fill"] = asked("python-config/service_conf.yaml", "eggroll-config/nodemanager.properties")
    assert found == expected


def test_filled_files_live_in_memory_only() -> None:
    filled = [("StatefulSet", "python", "conf"), ("Deployment", "fateboard", "filled"), ("StatefulSet", "nodemanager", "conf")]
    for kind, name, volume in filled:
        pod = named(EGGROLL.render(), kind, name)["spec"]["template"]["spec"]
        [found] = [item for item in pod["volumes"] if item["name"] == volume]
        assert found["emptyDir"]["medium"] == "Memory"


@pytest.mark.parametrize(
    ("case", "settings"),
    [
        (PARTY, {"spark.master": "spark://spark-master:7077"}),
        (SLIM, {"spark.master": "local[4]", "spark.driver.memory": "2048m"}),
    ],
    ids=str,
)
def test_spark_starts_from_the_pods_own_address(case: Case, settings: dict[str, str], tmp_path: Path) -> None:
    text = config_texts(case.render())["python-config/spark-defaults.conf"]
    lines = filled(text, tmp_path, "spark-defaults.conf", {"POD_IP": "10.0.0.7"}).splitlines()
    assert dict(line.split(None, 1) for line in lines) == settings | {"spark.driver.host": "10.0.0.7"}


def test_executors_import_fate_arch_with_the_configuration_of_the_workers() -> None:
    conf = yaml.safe_load(config_texts(PARTY.render())["spark-worker-config/service_conf.yaml"])
    # What fate_arch 1.11.2 does at import: metastore.db_models copies `database`, pops `name` and decrypts `passwd`.
    assert conf["database"]["passwd"] is None
    assert conf["database"]["name"]
    assert conf["default_engines"]["federation"].upper() == "STANDALONE", "else fate_arch prepares MySQL"


def test_fateboard_properties(tmp_path: Path) -> None:
    text = config_texts(PARTY.render())["fateboard-config/application.properties"]
    found = properties(filled(text, tmp_path, "application.properties", {"BOARD_USER": "admin", "BOARD_PASSWORD": "x=y:#!"}))
    assert found["server.port"] == "8080"
    assert found["fateflow.url"] == "http://fateflow:9380"
    assert (found["server.board.login.username"], found["server.board.login.password"]) == ("admin", "x=y:#!")


def test_pulsar_checks_certificates() -> None:
    found = properties(config_texts(PARTY.render())["pulsar-config/standalone.conf"])
    assert found["tlsAllowInsecureConnection"] == "false"
    assert found["brokerClientTlsEnabled"] == found["tlsEnabled"] == "true"
    assert (found["brokerServicePort"], found["brokerServicePortTls"]) == ("6650", "6651")
    assert (found["webServicePort"], found["webServicePortTls"]) == ("8080", "8081"), "a standalone broker with TLS needs the second"
    assert found["replicatorPrefix"] == PARTY.values["pulsar"]["broker"]["replicatorPrefix"]
    assert int(found["tlsCertRefreshCheckDurationSec"]) == 300
    [pulsar] = [container for container in containers(PARTY.render()) if container.where == "StatefulSet/pulsar/pulsar"]
    [mount] = [mount for mount in pulsar.spec["volumeMounts"] if mount["name"] == "certs"]
    files = {Path(value) for key, value in found.items() if key.endswith("FilePath")}
    assert {file.name for file in files} == {"broker.cert.pem", "broker.key-pk8.pem", "ca.cert.pem", "ca-9999.cert.pem"}
    assert found["tlsTrustCertsFilePath"].endswith("/ca.cert.pem"), "who dials may be any party that is trusted"
    assert found["brokerClientTrustCertsFilePath"].endswith("/ca-9999.cert.pem"), "a cluster without a CA of its own leads to nobody"
    assert {str(file.parent) for file in files} == {mount["mountPath"]}
    assert "subPath" not in mount, "a subPath never changes, and certificates do"


def test_pulsar_compares_names_where_it_is_told_its_own_and_calls_itself_by_it() -> None:
    """Its own clients compare, too: so it is at that name, by the pod's /etc/hosts, beside what the module says of its own."""
    alias = {"ip": "192.0.2.1", "hostnames": ["own.example"]}

    def told(values: dict[str, Any]) -> None:
        values["pulsar"]["broker"]["serverName"] = "9999.fraud.example"
        values["modules"]["pulsar"]["hostAliases"] = [alias]

    for case, name, compares, aliases in (
        (PARTY, "", None, None),
        (PARTY.changed(told), "9999.fraud.example", "true", [{"ip": "127.0.0.1", "hostnames": ["9999.fraud.example"]}, alias]),
    ):
        objects = case.render()
        found = properties(config_texts(objects)["pulsar-config/standalone.conf"])
        assert (found["advertisedAddress"], found.get("brokerClient_tlsHostnameVerificationEnable")) == (name, compares)
        assert named(objects, "StatefulSet", "pulsar")["spec"]["template"]["spec"].get("hostAliases") == aliases


@pytest.mark.parametrize(("kind", "required", "plugin"), [("none", "false", False), ("shown", "false", True), ("required", "true", True)])
def test_pulsar_shows_its_certificate_and_requires_one_as_it_is_told(kind: str, required: str, plugin: bool) -> None:
    case = PARTY.changed(lambda values: values["pulsar"]["broker"].update(clientCertificates=kind))
    found = properties(config_texts(case.render())["pulsar-config/standalone.conf"])
    assert found["tlsRequireTrustedClientCertOnConnect"] == required
    assert ("brokerClientAuthenticationPlugin" in found) == ("brokerClientAuthenticationParameters" in found) == plugin
    if plugin:
        files = dict(part.split(":", 1) for part in found["brokerClientAuthenticationParameters"].split(","))
        assert files == {"tlsCertFile": found["tlsCertificateFilePath"], "tlsKeyFile": found["tlsKeyFilePath"]}


def test_pulsar_finds_what_cert_manager_made_under_the_names_that_it_reads() -> None:
    objects = ISSUED.render()
    before = {(item["kind"], item["metadata"]["name"]): item for item in PARTY.render()}
    changed = [item for item in objects if item != before[item["kind"], item["metadata"]["name"]]]
    assert [item["metadata"]["name"] for item in changed] == ["pulsar"], "the same configuration, the same paths"
    [volume] = [volume for volume in changed[0]["spec"]["template"]["spec"]["volumes"] if volume["name"] == "certs"]
    found = {
        entry["path"]: (one["secret"]["name"], entry["key"])
        for one in volume["projected"]["sources"]
        for entry in one["secret"].get("items", [])
    }
    assert {"secret": {"name": "pulsar-cert"}} in volume["projected"]["sources"], "each file of CAs, whichever peers there are"
    assert found == {
        "broker.cert.pem": ("pulsar-cert-issued", "tls.crt"),
        "broker.key-pk8.pem": ("pulsar-cert-issued", "tls.key"),
    }
    paths = properties(config_texts(objects)["pulsar-config/standalone.conf"])
    authorities = {"ca.cert.pem", "ca-9999.cert.pem"}
    assert {Path(value).name for key, value in paths.items() if key.endswith("FilePath")} == set(found) | authorities


def test_pulsar_is_ready_when_it_has_made_its_own_cluster() -> None:
    found = properties(config_texts(PARTY.render())["pulsar-config/standalone.conf"])
    [pulsar] = [container for container in containers(PARTY.render()) if container.where == "StatefulSet/pulsar/pulsar"]
    # Seen with Pulsar 2.10.1: /admin/v2/clusters answers [] half a second before, and FATE could make no tenant.
    assert pulsar.spec["readinessProbe"]["httpGet"] == {"path": f"/admin/v2/clusters/{found['clusterName']}", "port": "admin"}


def test_pulsar_without_certificates_has_no_trace_of_tls() -> None:
    objects = PLAINTEXT.render()
    found = properties(config_texts(objects)["pulsar-config/standalone.conf"])
    assert found["brokerServicePort"] == "6650"
    assert not [key for key in found if "tls" in key.lower()]
    [pulsar] = [container for container in containers(objects) if container.where == "StatefulSet/pulsar/pulsar"]
    assert {port["name"] for port in pulsar.spec["ports"]} == {"broker", "admin"}
    assert "certs" not in {volume["name"] for volume in pulsar.pod["volumes"]}


def test_hdfs_configuration() -> None:
    texts = config_texts(PARTY.render())
    site = ElementTree.fromstring(texts["namenode-config/core-site.xml"])
    assert {node.findtext("name"): node.findtext("value") for node in site} == {"fs.default.name": "hdfs://0.0.0.0:9000"}
    for name in ("namenode-env", "datanode-env"):
        data = named(PARTY.render(), "ConfigMap", name)["data"]
        assert data["CORE_CONF_fs_defaultFS"] == "hdfs://namenode:9000"
        assert all(isinstance(value, str) for value in data.values()), name


@pytest.mark.parametrize("case", [PARTY, EXCHANGE], ids=str)
def test_nginx_never_falls_back_to_a_server_that_answers(case: Case) -> None:
    text = config_texts(case.render())["nginx-config/nginx.conf"]
    assert text.count("{") == text.count("}")
    assert re.findall(r"^\s*server (\S+);", text, re.M) == ["127.0.0.1:1"]
    assert len(re.findall(r"^\s*balancer_by_lua_file ", text, re.M)) == 1


def test_every_chart_with_nginx_passes_on_partners_calls_and_nothing_else() -> None:
    """What these lines do is tried in tests/traffic/test_nginx.py."""
    cases = {"fate-party": PARTY, "fate-exchange": EXCHANGE}
    assert {folder.parent.parent.name for folder in CHARTS.glob("*/templates/nginx")} == cases.keys()
    for chart, case in cases.items():
        texts = config_texts(case.render())
        text = texts["nginx-config/nginx.conf"]
        found = re.findall(r'^    "~\^(.*)\$" 1;$', texts["nginx-config/partner-calls.conf"], re.M)
        assert [call.replace(r"[\w-][\w.-]*", "*") for call in found] == case.values["partnerCalls"], chart
        assert tuple(case.values["partnerCalls"]) == catalogue()[case.values["release"]].partner_calls
        assert re.findall(r"^\s*include (.*);$", text, re.M) == ["mime.types", "/config/partner-calls.conf"], "no vhost of the image"
        assert re.findall(r"^\s*listen (.*);$", text, re.M) == ["9300", "9302"], "no gRPC"
        assert (case.values["ports"]["nginxHttp"], case.values["ports"]["nginxHealth"]) == (9300, 9302)


def test_without_a_list_nginx_passes_on_nothing() -> None:
    values = {key: value for key, value in PARTY.values.items() if key != "partnerCalls"}
    text = config_texts(helm_template(CHARTS / "fate-party", values))["nginx-config/partner-calls.conf"]
    assert text.split() == ["map", '"$request_method', '$request_uri"', "$partner_call", "{", "default", "0;", "}"]


@pytest.mark.parametrize("case", [PARTY, EXCHANGE], ids=str)
def test_nginx_reads_routes_from_a_directory_that_kubelet_refreshes(case: Case) -> None:
    [nginx] = [container for container in containers(case.render()) if container.where == "Deployment/nginx/nginx"]
    [mount] = [mount for mount in nginx.spec["volumeMounts"] if mount["name"] == "routes"]
    assert mount["mountPath"].endswith("/nginx/conf/modifiable")
    assert "subPath" not in mount


def test_traffic_server_gets_its_routes_from_a_directory_that_kubelet_refreshes_and_no_certificate() -> None:
    objects = EXCHANGE.render()
    [server] = [container for container in containers(objects) if container.where == "Deployment/traffic-server/traffic-server"]
    mounts = {mount["mountPath"]: mount["name"] for mount in server.spec["volumeMounts"]}
    assert not [mount for mount in server.spec["volumeMounts"] if "subPath" in mount]
    volumes = {volume["name"]: volume for volume in server.pod["volumes"]}
    variables = environment(server)
    sources = volumes[mounts[variables["CONFIG"]]]["projected"]["sources"]
    files = {item["path"]: source["configMap"]["name"] for source in sources for item in source["configMap"]["items"]}
    assert {name for name, origin in files.items() if origin == EXCHANGE.values["routes"]} == {"sni.yaml", "records.config"}
    texts = config_texts(objects)
    own = {name for name, origin in files.items() if origin == "traffic-server-config"}
    shipped = {place.partition("/")[2] for place in texts if place.startswith("traffic-server-config/")}
    assert own | {"traffic-server.sh", "serving.sh"} == shipped
    lines = texts["traffic-server-config/ssl_multicert.config"].splitlines()
    assert lines, "without the file, every connection is reset"
    assert all(line.startswith("#") for line in lines), "a certificate would make it answer names without a tunnel"


def _run(script: str, folder: Path, commands: Mapping[str, str], variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    (folder / "bin").mkdir()
    for name, body in commands.items():
        (folder / "bin" / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / "bin" / name).chmod(0o755)
    environ = {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", **variables}
    return subprocess.run(["bash", "-c", script], cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=30)


def test_nginx_starts_with_the_router_that_reads_the_directory(tmp_path: Path) -> None:
    home = tmp_path / "proxy"
    (home / "nginx/lua").mkdir(parents=True)
    (home / "nginx/logs").mkdir()
    lua = home / "nginx/lua/route_table.lua"
    lua.write_text('local path = prefix_path.."conf/route_table.yaml"\n')
    script = config_texts(PARTY.render())["nginx-config/start.sh"]
    script = script.replace("/data/projects/fate/proxy", str(home)).replace("/tmp/lua", str(tmp_path / "lua"))
    run = _run(script, tmp_path, {"openresty": 'echo "$@"'}, {})
    assert (run.returncode, run.stdout) == (0, "-g daemon off;\n")
    assert "conf/modifiable/route_table.yaml" in (tmp_path / "lua/route_table.lua").read_text()

    lua.write_text("-- another nginx\n")
    (tmp_path / "again").mkdir()
    run = _run(script, tmp_path / "again", {"openresty": 'echo "$@"'}, {})
    assert run.returncode == 1
    assert "this is not FATE's nginx" in run.stderr


def _notebook(folder: Path, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    [client] = [container for container in containers(PARTY.render()) if container.where == "StatefulSet/client/client"]
    given = {name: value for name, value in environment(client).items() if isinstance(value, str)}
    commands = {"pipeline": "exit 0", "flow": "exit 0", "jupyter": 'printf "%s\\n" "$@"; env'}
    return _run(client.spec["command"][-1], folder, commands, {**given, **variables})


def test_the_notebook_gets_a_hash_that_jupyter_accepts_and_never_the_password(tmp_path: Path) -> None:
    run = _notebook(tmp_path, {"NOTEBOOK_PASSWORD": PASSWORD})
    assert run.returncode == 0, run.stderr
    [hashed] = re.findall(r"^--NotebookApp\.password=(.*)$", run.stdout, re.M)
    algorithm, salt, digest = hashed.split(":")
    # jupyter_server.auth.security.passwd_check
    assert digest == hashlib.new(algorithm, PASSWORD.encode() + salt.encode("ascii")).hexdigest()
    assert PASSWORD not in run.stdout


def test_the_notebook_does_not_start_without_a_password(tmp_path: Path) -> None:
    run = _notebook(tmp_path, {"NOTEBOOK_PASSWORD": ""})
    assert run.returncode != 0
    assert "the password of the notebook is empty" in run.stderr
