"""Rules that hold for every object of every chart, whatever its values."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from federation.base.naming import CHART_OBJECTS
from federation.catalogue.portal import portal_catalogue
from federation.catalogue.releases import catalogue
from federation.catalogue.serving import serving_catalogue
from tests.charts.cases import (
    ALL,
    EGGROLL_LARGE,
    EXCHANGE_PLACED,
    EXCHANGES,
    LARGE,
    LARGE_UID,
    OSX_EXCHANGE_PLACED,
    OSX_LARGE,
    PARTIES,
    PARTIES_2,
    PLACEMENTS,
    PORTAL_LARGE,
    PORTALS,
    ROLLSITE_EXCHANGE_PLACED,
    SERVING_LARGE,
    SERVINGS,
    Case,
    container_values,
    module_of,
)
from tests.support.helm import CHARTS, helm_template
from tests.support.walk import Container, config_texts, containers, environment, name_of, of_kind, workloads

EXCHANGE_CASES = [*EXCHANGES, EXCHANGE_PLACED, ROLLSITE_EXCHANGE_PLACED, OSX_EXCHANGE_PLACED]
Check = Callable[[Case], None]
# What holds for every chart, and for every party: test_matrix asks it of each combination of each release too.
INVARIANTS: list[Check] = []
PARTY_INVARIANTS: list[Check] = []
all_cases = pytest.mark.parametrize("case", ALL, ids=str)


def every_case(check: Check) -> Check:
    """A rule for every chart."""
    INVARIANTS.append(check)
    return all_cases(check)


def every_party(check: Check) -> Check:
    """A rule for the chart of every party, and of every FATE-Serving and every portal with claims."""
    PARTY_INVARIANTS.append(check)
    kept = [case for case in (*SERVINGS, *PORTALS) if case.has_claims]
    return pytest.mark.parametrize("case", [*PARTIES, *PARTIES_2, *kept], ids=str)(check)


# What would make a preview blind or a second render different.
FORBIDDEN = re.compile(
    r"\.Capabilities|\.Release\.|\b(lookup|tpl|now|getHostByName|genCA\w*|gen\w+Cert|genPrivateKey|uuidv4|htpasswd|bcrypt|rand\w+)\b"
)
TEMPLATES = sorted(path for path in CHARTS.glob("*/templates/**/*") if path.is_file())
SELECTOR = {"app.kubernetes.io/name", "app.kubernetes.io/instance"}
VERSION = "app.kubernetes.io/version"
SECRET_WORD = re.compile(r"pass(w|_|$)|pwd|secret|token|private_?key|app_key|credential", re.IGNORECASE)
# A setting whose name says secret: nothing behind it, a switch, a placeholder that an init container fills, or where the program itself
# reads it (Eggroll's decryptor and the variable it is given).
SETTING = re.compile(r"^\s*[\w.-]+\s*[:=]\s*(?P<value>.*)$")
HARMLESS = re.compile(r"""^(|''|""|true|false|'?\$\{[A-Z_]+\}'?|[\w.]+\.SystemUtils#getEnvironmentVariable|MYSQL_PASSWORD,unset)$""")


def test_no_template_asks_the_cluster_the_clock_or_chance() -> None:
    assert TEMPLATES
    actions = {path: " ".join(re.findall(r"\{\{-?(?!-?\s*/\*)(.*?)\}\}", path.read_text(), re.S)) for path in TEMPLATES}
    assert any(actions.values())
    offenders = {str(path): found.group() for path, text in actions.items() if (found := FORBIDDEN.search(text))}
    assert not offenders, offenders
    assert not [path for path in TEMPLATES if "helm.sh/hook" in path.read_text()], "helm.v4.Chart drops hooks silently"


def test_templates_are_layout_only() -> None:
    assert TEMPLATES
    long = {str(path): lines for path in TEMPLATES if (lines := len(path.read_text().splitlines())) > 150}
    assert not long, long
    helpers = {path: path.read_text() for path in sorted((CHARTS / "fate-common/templates").iterdir())}
    assert helpers
    for path, text in helpers.items():
        names = re.findall(r'define "([\w.]+)"', text)
        assert 0 < len(names) <= 5, (path, names)
        shown = [name for name in names if re.search(rf'^Call: \{{\{{- include "{name}" ', text, re.M)]
        assert shown == names, f"{path}: a helper without its call"


def test_default_values_are_only_a_comment() -> None:
    files = sorted(CHARTS.glob("*/values.yaml"))
    assert len(files) == 4
    for file in files:
        assert all(line.startswith("#") for line in file.read_text().splitlines()), file


@all_cases
def test_another_release_name_renders_the_same_objects(case: Case) -> None:
    assert case.render() == helm_template(case.chart, case.values, namespace="other", release="another")


@every_case
def test_every_object_has_all_labels(case: Case) -> None:
    objects = case.render()
    assert objects
    for item in objects:
        labels = item["metadata"]["labels"]
        assert labels.items() >= case.values["labels"].items(), name_of(item)
        assert labels["app.kubernetes.io/instance"] == case.values["instance"], name_of(item)
        assert labels["app.kubernetes.io/component"] == labels["app.kubernetes.io/name"], name_of(item)
        assert all(isinstance(value, str) for value in labels.values()), name_of(item)


@every_case
def test_the_version_is_a_label_of_workloads_and_pods_only(case: Case) -> None:
    objects = case.render()
    assert workloads(objects)
    for item in objects:
        expected = case.values["release"] if item in workloads(objects) else None
        assert item["metadata"]["labels"].get(VERSION) == expected, name_of(item)
    for item in workloads(objects):
        assert item["spec"]["template"]["metadata"]["labels"] == item["metadata"]["labels"], name_of(item)


@every_case
def test_selectors_hold_what_never_changes_and_select_the_pods(case: Case) -> None:
    objects = case.render()
    assert workloads(objects)
    for item in workloads(objects):
        selector = item["spec"]["selector"]["matchLabels"]
        assert set(selector) == SELECTOR, name_of(item)
        assert item["spec"]["template"]["metadata"]["labels"].items() >= selector.items(), name_of(item)
    chosen = [tuple(sorted(item["spec"]["selector"]["matchLabels"].items())) for item in workloads(objects)]
    assert len(chosen) == len(set(chosen)), "two workloads select the same pods"


@every_party
def test_every_service_reaches_named_ports_of_existing_pods_and_is_not_awaited(case: Case) -> None:
    objects = case.render()
    services = of_kind(objects, "Service")
    assert services
    for service in services:
        assert service["metadata"]["annotations"] == {"pulumi.com/skipAwait": "true"}, name_of(service)
        selector = service["spec"]["selector"]
        assert set(selector) == SELECTOR, name_of(service)
        pods = [item["spec"]["template"] for item in workloads(objects) if item["spec"]["selector"]["matchLabels"] == selector]
        assert len(pods) == 1, name_of(service)
        ports = {port["name"]: port["containerPort"] for port in pods[0]["spec"]["containers"][0]["ports"]}
        for port in service["spec"]["ports"]:
            # Drivers come and go inside FATE-Flow's container: no port of theirs is declared.
            target = port["targetPort"] if service["metadata"]["name"] == "fateflow-sparkdriver" else ports[port["targetPort"]]
            assert target == port["port"], (name_of(service), port)


@every_case
def test_workloads_are_awaited(case: Case) -> None:
    found = workloads(case.render())
    assert found
    for item in found:
        assert "annotations" not in item["metadata"], name_of(item)


@every_party
def test_claims_are_kept_for_ever(case: Case) -> None:
    found = of_kind(case.render(), "StatefulSet")
    assert found
    for item in found:
        assert item["spec"]["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}, name_of(item)
        for template in item["spec"].get("volumeClaimTemplates", []):
            assert set(template["metadata"]) == {"name"}, f"{name_of(item)}: a claim template can never change"


@every_case
def test_every_pod_is_hardened(case: Case) -> None:
    found = workloads(case.render())
    assert found
    for item in found:
        pod = item["spec"]["template"]["spec"]
        assert pod["automountServiceAccountToken"] is False, name_of(item)
        assert pod["enableServiceLinks"] is False, name_of(item)
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name_of(item)
        assert pod["terminationGracePeriodSeconds"] >= 30, name_of(item)
        assert not {"hostNetwork", "hostPID", "hostIPC", "serviceAccountName"} & set(pod), name_of(item)
        users = {container["securityContext"].get("runAsUser") for container in pod["containers"]} - {None}
        assert {pod["securityContext"].get("fsGroup")} - {None} == users, f"{name_of(item)}: volumes belong to another group"


@every_case
def test_every_container_is_hardened_except_for_what_its_module_asks(case: Case) -> None:
    found = list(containers(case.render()))
    assert found
    for container in found:
        context, security = container.spec["securityContext"], container_values(case, container)["security"]
        assert context["allowPrivilegeEscalation"] is False, container.where
        assert context["capabilities"]["drop"] == ["ALL"], container.where
        assert context["capabilities"].get("add", []) == security["capabilities"], container.where
        assert context.get("runAsUser") == security.get("runAsUser"), container.where
        assert context.get("runAsNonRoot", False) is ("runAsUser" in security), container.where
        assert context.get("readOnlyRootFilesystem", False) is security.get("readOnlyRoot", False), container.where
        assert not context.get("privileged"), container.where


@every_case
def test_every_container_has_the_image_the_resources_and_the_pull_policy_of_its_module(case: Case) -> None:
    found = list(containers(case.render()))
    assert found
    for container in found:
        module = container_values(case, container)
        assert container.spec["image"] == module["image"], container.where
        assert container.spec["resources"] == module["resources"], container.where
        assert container.spec["imagePullPolicy"] == case.values["imagePullPolicy"], container.where


@every_case
def test_every_image_has_a_version_and_none_is_latest(case: Case) -> None:
    found = list(containers(case.render()))
    assert found
    for container in found:
        _, _, version = container.spec["image"].rsplit("/", 1)[-1].partition(":")
        assert "@sha256:" in container.spec["image"] or version, container.where
        assert version != "latest", container.where


@every_case
def test_every_main_container_is_probed_by_named_ports(case: Case) -> None:
    found = list(containers(case.render()))
    assert found
    for container in found:
        probes = {name: probe for name, probe in container.spec.items() if name.endswith("Probe")}
        if container.init:
            assert not probes, container.where
            continue
        assert set(probes) == {"startupProbe", "readinessProbe", "livenessProbe"}, container.where
        ports = {port["name"] for port in container.spec.get("ports", [])}
        for name, probe in probes.items():
            action = probe.get("httpGet") or probe.get("tcpSocket")
            assert action is None or action["port"] in ports, (container.where, name)
            assert action or probe["exec"]["command"], (container.where, name)
        startup = probes["startupProbe"]
        assert startup["periodSeconds"] * startup["failureThreshold"] >= 60, container.where


@every_case
def test_every_mount_has_its_volume(case: Case) -> None:
    objects = case.render()
    claims = {
        name_of(item): {claim["metadata"]["name"] for claim in item["spec"].get("volumeClaimTemplates", [])} for item in workloads(objects)
    }
    found = list(containers(objects))
    assert found
    for item in workloads(objects):
        pod = item["spec"]["template"]["spec"]
        volumes = {volume["name"] for volume in pod.get("volumes", [])} | claims[name_of(item)]
        every = [spec for key in ("initContainers", "containers") for spec in pod.get(key, [])]
        mounted = {mount["name"] for spec in every for mount in spec.get("volumeMounts", [])}
        assert mounted == volumes, name_of(item)
        for spec in every:
            paths = [mount["mountPath"] for mount in spec.get("volumeMounts", [])]
            assert len(paths) == len(set(paths)), (name_of(item), spec["name"])


@every_case
def test_what_is_named_exists_or_is_made_by_the_program(case: Case) -> None:
    objects = case.render()
    values = case.values
    own = {item["metadata"]["name"] for item in of_kind(objects, "ConfigMap")}
    routes = values.get("routes", {})
    given = set(routes.values() if isinstance(routes, dict) else [routes])
    volumes = [volume for item in workloads(objects) for volume in item["spec"]["template"]["spec"].get("volumes", [])]
    sources = [source for volume in volumes for source in [volume, *volume.get("projected", {}).get("sources", [])]]
    used = {source["configMap"]["name"] for source in sources if "configMap" in source}
    used |= {source["configMapRef"]["name"] for container in containers(objects) for source in container.spec.get("envFrom", [])}
    secrets = {source["secret"].get("secretName") or source["secret"]["name"] for source in sources if "secret" in source}
    broker = values.get("pulsar", {}).get("broker", {})
    assert secrets == {broker.get("certificateSecret"), broker.get("issuedSecret"), values.get("tls", {}).get("secret")} - {None}
    assert used == own | given


@every_case
def test_no_object_but_secrets_made_elsewhere_holds_a_secret(case: Case) -> None:
    texts, found = config_texts(case.render()), list(containers(case.render()))
    assert texts or case in PORTALS
    assert found
    for place, text in texts.items():
        for line in text.splitlines():
            setting = SETTING.match(line)
            if setting and not line.lstrip().startswith("#") and SECRET_WORD.search(line.split(":")[0].split("=")[0]):
                assert place.endswith(".sh") or HARMLESS.match(setting["value"].strip()), (place, line)
    for container in found:
        for name, value in environment(container).items():
            assert not (SECRET_WORD.search(name) and isinstance(value, str)), (container.where, name)
        assert not re.search(r"(?i)--?p(assword)?[= ](?!\d+\b)\S", " ".join(_words(container))), container.where
    assert not of_kind(case.render(), "Secret"), "Secrets are the program's"


def _words(container: Container) -> list[str]:
    spec = container.spec
    probes = [probe.get("exec", {}).get("command", []) for key, probe in spec.items() if key.endswith("Probe")]
    script = [word for word in spec.get("command", []) if "NotebookApp.password" not in word]
    return [*script, *spec.get("args", []), *(word for command in probes for word in command)]


@pytest.mark.parametrize("case", PLACEMENTS, ids=str)
def test_placement_environment_and_pull_secrets_reach_every_pod(case: Case) -> None:
    found = workloads(case.render())
    assert found
    main = {container.where.rsplit("/", 1)[0]: module_of(container) for container in containers(case.render()) if not container.init}
    for item in found:
        pod = item["spec"]["template"]["spec"]
        module = case.values["modules"][main[name_of(item)]]
        assert item["spec"]["replicas"] == 2, name_of(item)
        assert pod["nodeSelector"] == module["nodeSelector"], name_of(item)
        assert pod["tolerations"] == module["tolerations"], name_of(item)
        assert pod["imagePullSecrets"] == [{"name": "registry"}, {"name": "second"}], name_of(item)
        assert pod["securityContext"]["fsGroup"] == LARGE_UID, name_of(item)
        variables = {entry["name"]: entry["value"] for entry in pod["containers"][0]["env"] if "value" in entry}
        assert variables.items() >= module["env"].items(), name_of(item)


@every_case
def test_whole_numbers_stay_whole(case: Case) -> None:
    found = list(_scalars(case.render()))
    assert any(isinstance(value, int) for value in found)
    assert not [value for value in found if isinstance(value, float)], "numbers arrive as doubles: print them with int64"


def _scalars(node: Any) -> Iterator[Any]:
    if isinstance(node, dict | list):
        for child in node.values() if isinstance(node, dict) else node:
            yield from _scalars(child)
    else:
        yield node


def test_identifiers_stay_text() -> None:
    assert LARGE.render()
    for item in LARGE.render():
        assert item["metadata"]["labels"]["federation.fate/party-id"] == "1000000000", name_of(item)
    [client] = [container for container in containers(LARGE.render()) if container.where == "StatefulSet/client/client"]
    assert environment(client)["partyId"] == "1000000000"
    assert "\nparty.id=1000000000\n" in "\n" + config_texts(SERVING_LARGE.render())["serving-server-config/serving-server.properties"]
    assert "\ncoordinator=1000000000\n" in config_texts(SERVING_LARGE.render())["serving-proxy-config/application.properties"]
    assert "\nparty_id: 1000000000\n" in config_texts(LARGE.render())["python-config/service_conf.yaml"]
    assert "\neggroll.rollsite.party.id=1000000000\n" in config_texts(EGGROLL_LARGE.render())["eggroll-config/eggroll.properties"]
    assert all(item["metadata"]["labels"]["federation.fate/party-id"] == "1000000000" for item in PORTAL_LARGE.render())
    assert '\nparty_id: "1000000000"\n' in "\n" + config_texts(OSX_LARGE.render())["python-config/service_conf.yaml"]
    assert "\neggroll.resourcemanager.process.tag=1000000000\n" in config_texts(OSX_LARGE.render())["eggroll-config/eggroll.properties"]


def test_the_catalogue_knows_every_variable_that_a_chart_sets() -> None:
    """A stack that sets one of them too would be refused only by the API server."""
    known = {"fate-party": catalogue()["1.11.2"].own_environment, "fate-serving": serving_catalogue()["2.1.6"].own_environment}
    known["fate-portal"] = portal_catalogue()["0.3.0"].own_environment
    for chart, own in known.items():
        cases = [case for case in ALL if case.chart.name == chart and all(not module["env"] for module in case.values["modules"].values())]
        assert len(cases) > 5
        found = {entry["name"] for case in cases for container in containers(case.render()) for entry in container.spec.get("env", [])}
        # These give way to the stack's own.
        assert found - {"FATE_LOG_LEVEL", "PYTHONPATH"} <= own, (chart, sorted(found - own))


def test_the_catalogue_knows_every_path_at_which_a_chart_mounts_files() -> None:
    """A stack's own volume there would be refused only by the API server."""
    found: dict[tuple[str, bool, str], set[str]] = {}
    for case in ALL:
        for container in containers(case.render()):
            if container.main:
                paths = {mount["mountPath"] for mount in container.spec.get("volumeMounts", [])}
                found.setdefault((case.values["release"], case in EXCHANGE_CASES, module_of(container)), set()).update(paths)
    assert len(found) > 30
    for (release, of_exchange, module), paths in found.items():
        if release in portal_catalogue():
            assert sorted(portal_catalogue()[release].modules[module].paths) == sorted(paths), (release, module)
            continue
        if release in serving_catalogue():
            assert sorted(serving_catalogue()[release].modules[module].paths) == sorted(paths), (release, module)
            continue
        row = (catalogue()[release].exchange if of_exchange else catalogue()[release].modules)[module]
        of_major_1 = (catalogue()["1.11.2"].exchange if of_exchange else catalogue()["1.11.2"].modules).get(module)
        # Every combination of 1.11.2 has a case, and of 2.2.0 all that differs.
        whole = release == "1.11.2" or (release == "2.2.0" and (of_major_1 is None or of_major_1.paths != row.paths))
        assert paths <= set(row.paths), (release, module)
        assert not whole or sorted(row.paths) == sorted(paths), (release, module)


def test_the_names_of_every_object_are_known_to_the_program() -> None:
    """A stack's own object of such a name would be the same object, and go with its line."""
    found = {item["metadata"]["name"] for case in ALL for item in case.render()}
    assert len(found) > 25
    assert found == CHART_OBJECTS


def test_config_maps_are_known_by_their_names() -> None:
    """docs/rbac/viewer.yaml lists them by it."""
    found: dict[bool, set[str]] = {True: set(), False: set()}
    for item in (item for case in ALL for item in case.render()):
        found[item["kind"] == "ConfigMap"].add(item["metadata"]["name"])
    assert len(found[True]) > 15
    assert all(name.endswith(("-config", "-env")) for name in found[True])
    assert not any(name.endswith(("-config", "-env")) for name in found[False])
