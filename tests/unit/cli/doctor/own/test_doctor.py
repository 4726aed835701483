"""`fatefed status` and `fatefed doctor` without a peer: every fault is named with its remedy, and nothing is asked that must not be."""

import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.doctor.snapshot import expected
from cli.main import main
from tests.support import stacks
from tests.support.configs import LOCAL, PENDING, STAR_PARTY, Case, Config, node_port
from tests.support.kubectl import FORBIDDEN, NOT_FOUND, Answers, FakeHelm, FakeKubectl, pod

BOARDS = {"kind": "ingress", "domain": "bank-a.example", "className": "nginx"}
GATEWAY = {"kind": "httpRoute", "domain": "bank-a.example", "gateway": {"name": "web", "namespace": "gateways"}}
SECRETS = ("secret",)


def changed(**party: Any) -> Case:
    """A party with claims, boards and load balancers."""

    def change(config: Config) -> None:
        config["boards"] = BOARDS
        config["parties"]["9999"].update({"persistence": {}, "modules": {"fateboard": {}, "client": {}}, **party})

    return STAR_PARTY.changed(change)


WHOLE = changed()


class Lab:
    """A stack, a cluster that has all of it, and fatefed run on them."""

    def __init__(self, folder: Path, case: Case, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.stack = stacks.of_case(folder / "project", case)
        self.kubectl = FakeKubectl(folder, self.stack.load().plan)
        self.unit = self.stack.load().plan.units[-1]
        self.capsys = capsys
        monkeypatch.setenv("KUBECTL", str(self.kubectl.program))
        monkeypatch.setenv("HELM", str(FakeHelm(folder, self.stack.load().plan).program))

    def run(self, verb: str, *more: str) -> tuple[int, dict[str, Any]]:
        """Exit status and JSON of a verb."""
        code = main([verb, "-s", self.stack.name, "-C", str(self.stack.project.folder), "--json", *more])
        return code, json.loads(self.capsys.readouterr().out)

    def text(self, verb: str) -> str:
        """What a verb prints for people."""
        main([verb, "-s", self.stack.name, "-C", str(self.stack.project.folder)])
        return self.capsys.readouterr().out

    def after(self, fault: Callable[[Answers], None]) -> tuple[int, list[dict[str, str]]]:
        """The exit status of `doctor`, and the rows that are not ok, after a fault."""
        fault(self.kubectl.answers)
        self.kubectl.write()
        code, data = self.run("doctor")
        assert len(data["rows"]) > 3 or not data["summary"]["ok"]
        return code, [row for row in data["rows"] if row["state"] not in ("ok", "skipped")]

    def skipped(self) -> list[tuple[str, str]]:
        """The checks that wait, and for which one."""
        return [(row["check"], row["problem"]) for row in self.run("doctor")[1]["rows"] if row["state"] == "skipped"]


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Lab:
    return Lab(tmp_path, WHOLE, monkeypatch, capsys)


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[Case], Lab]:
    return lambda case: Lab(tmp_path, case, monkeypatch, capsys)


def item(answers: Answers, kind: str, name: str) -> Any:
    return next(found for found in answers[f"{kind}/fate-9999"] if found["metadata"]["name"] == name)


def drop(kind: str, name: str) -> Callable[[Answers], None]:
    return lambda answers: answers[f"{kind}/fate-9999"].remove(item(answers, kind, name))


def test_a_stack_that_is_well_has_only_ok_rows(lab: Lab) -> None:
    code, data = lab.run("doctor")
    assert code == 0
    assert data["summary"] == {"ok": len(data["rows"]), "failed": 0, "skipped": 0, "not readable": 0}
    checks = " ".join(row["check"] for row in data["rows"])
    modules = [module.component for module in expected(lab.unit)]
    assert len(modules) == 10
    assert all(f"module {module}," in checks for module in modules)
    for said in ("Kubernetes v1.34.1", "namespace fate-9999", "claims of mysql, 1 bound", "Service pulsar-public-tls at 203.0.113.50"):
        assert said in checks
    assert "default storage class" in checks
    assert "ingress class nginx" in checks


def test_an_answer_of_an_unforeseen_form_is_one_failed_row_and_the_other_checks_are_made(lab: Lab) -> None:
    code, wrong = lab.after(lambda answers: item(answers, "statefulsets", "mysql").pop("spec"))
    assert code == 1
    [row] = wrong
    assert row["check"] == "party-9999: everything is checked"
    assert re.fullmatch(r"an unexpected answer \(KeyError at checks\.py:\d+\)", row["problem"])
    assert "ingress class nginx" in lab.text("doctor")


def test_a_party_whose_exchange_is_pending_fails_though_all_its_objects_are_well(make: Callable[[Case], Lab]) -> None:
    code, rows = make(PENDING).after(lambda _: None)
    assert (code, [row["state"] for row in rows]) == (1, ["failed"])
    assert rows[0]["problem"].startswith("party-9999 reaches no one through its exchange: peer consortium is pending: ")
    assert "fatefed peers add FILE --name consortium" in rows[0]["fix"]


def _waiting(reason: str, message: str) -> Callable[[Answers], None]:
    def fault(answers: Answers) -> None:
        item(answers, "deployments", "nginx")["status"]["readyReplicas"] = 0
        state = {"waiting": {"reason": reason, "message": message}}
        item(answers, "pods", "nginx-0")["status"]["containerStatuses"][0]["state"] = state

    return fault


def _unschedulable(answers: Answers) -> None:
    item(answers, "deployments", "nginx")["status"] = {}
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes are available"}
    item(answers, "pods", "nginx-0")["status"] = {"conditions": [condition]}


def _killed(answers: Answers) -> None:
    item(answers, "deployments", "nginx")["status"] = {}
    item(answers, "pods", "nginx-0")["status"]["containerStatuses"][0]["lastState"] = {"terminated": {"reason": "OOMKilled"}}


def _no_pods(answers: Answers) -> None:
    item(answers, "deployments", "nginx")["status"] = {}
    drop("pods", "nginx-0")(answers)


def _refused(answers: Answers) -> None:
    _no_pods(answers)
    message = 'pods "nginx-x" is forbidden: violates PodSecurity "restricted:latest"'
    item(answers, "deployments", "nginx")["status"] = {"conditions": [{"type": "ReplicaFailure", "status": "True", "message": message}]}


def _fewer(answers: Answers) -> None:
    item(answers, "deployments", "spark-worker")["spec"]["replicas"] = 1


def _pending(answers: Answers) -> None:
    item(answers, "persistentvolumeclaims", "data-mysql-0")["status"] = {"phase": "Pending"}


def _no_address(answers: Answers) -> None:
    item(answers, "services", "nginx-public")["status"] = {}


def _small_quota(answers: Answers) -> None:
    answers["resourcequotas/fate-9999"] = [{"metadata": {"name": "small"}, "spec": {"hard": {"requests.cpu": "2", "limits.memory": "1Ti"}}}]


def _no_class(answers: Answers) -> None:
    answers["ingressclasses"] = [{"metadata": {"name": "traefik"}}]


def _no_default(answers: Answers) -> None:
    answers["storageclasses"][0]["metadata"]["annotations"] = {}


FAULTS: list[tuple[str, Callable[[Answers], None], str, str, str]] = [
    ("an absent module", drop("deployments", "nginx"), "module nginx", "it is not deployed", "pulumi up"),
    ("another number", _fewer, "module spark-worker", "it has 1 replicas, planned are 2", "pulumi up"),
    ("an image", _waiting("ImagePullBackOff", "Back-off pulling image"), "module nginx", "nginx-0 (main) ImagePullBackOff", "fate:images"),
    (
        "a crash",
        _waiting("CrashLoopBackOff", ""),
        "module nginx",
        "CrashLoopBackOff",
        "kubectl -n fate-9999 logs nginx-0 -c main --previous",
    ),
    ("an absent Secret", _waiting("CreateContainerConfigError", 'secret "x" not found'), "module nginx", '"x" not found', "pulumi up"),
    ("an unknown reason", _waiting("Strange", ""), "module nginx", "nginx-0 (main) Strange", "describe pod nginx-0"),
    ("no room", _unschedulable, "module nginx", "Unschedulable: 0/3 nodes are available", "modules.nginx.resources"),
    ("too little memory", _killed, "module nginx", "OOMKilled", "raise modules.nginx.resources.limits.memory"),
    ("no pods", _no_pods, "module nginx", "0 of 1 ready: it has no pods", "get events"),
    ("admission", _refused, "module nginx", 'it has no pods: pods "nginx-x" is forbidden: violates PodSecurity', "admission plugin"),
    ("an absent claim", drop("persistentvolumeclaims", "data-mysql-0"), "claims of mysql", "1 planned, 0 there", "pulumi up"),
    ("an open claim", _pending, "claims of mysql", "not bound: data-mysql-0", "describe pvc data-mysql-0"),
    ("a small quota", _small_quota, "quota small", "requests.cpu: planned 7.85, allowed 2", "ask for a larger quota"),
    ("no address", _no_address, "Service nginx-public", "its load balancer has no address", "controller"),
    ("an absent Service", drop("services", "nginx"), "Service nginx", "there is none", "pulumi up"),
    ("an absent Ingress", drop("ingresses", "fateboard"), "Ingress fateboard", "there is none", "pulumi up --refresh"),
    ("no ingress class", _no_class, "ingress class nginx", "there are: traefik", "boards.className"),
    ("no default class", _no_default, "default storage class", "there are: standard", "persistence.storageClass"),
]


@pytest.mark.parametrize(("fault", "check", "problem", "fix"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_a_fault_is_named_alone_with_its_remedy(fault: Callable[[Answers], None], check: str, problem: str, fix: str, lab: Lab) -> None:
    code, rows = lab.after(fault)
    assert code == 1
    assert [(row["state"], check in row["check"], problem in row["problem"], fix in row["fix"]) for row in rows] == [
        ("failed", True, True, True)
    ], rows


def test_an_absent_namespace_is_one_row(lab: Lab) -> None:
    code, rows = lab.after(lambda answers: answers.update({"namespaces/fate-9999": NOT_FOUND.format("namespace")}))
    assert (code, [row["check"] for row in rows]) == (1, ["party-9999: namespace fate-9999"])


def test_a_namespace_that_others_make_is_asked_for(make: Callable[[Case], Lab]) -> None:
    lab = make(changed().changed(lambda config: config.update(cluster={"createNamespaces": False})))
    _, [row] = lab.after(lambda answers: answers.update({"namespaces/fate-9999": NOT_FOUND.format("namespace")}))
    assert "kubectl create namespace fate-9999" in row["fix"]


@pytest.mark.parametrize(
    ("kind", "check", "fix"),
    [
        ("namespaces/fate-9999", "namespace fate-9999", "docs/rbac/viewer.yaml"),
        ("persistentvolumeclaims/fate-9999", "claims of mysql", "docs/rbac/viewer.yaml"),
        ("resourcequotas/fate-9999", "quotas", "docs/rbac/viewer.yaml"),
        ("services/fate-9999", "Services", "docs/rbac/viewer.yaml"),
        ("ingresses/fate-9999", "Ingress", "docs/rbac/viewer.yaml"),
        ("deployments/fate-9999", "module nginx", "docs/rbac/viewer.yaml"),
        ("storageclasses", "default storage class", "docs/rbac/viewer-cluster.yaml"),
        ("ingressclasses", "ingress class nginx", "docs/rbac/viewer-cluster.yaml"),
    ],
)
def test_what_may_not_be_read_is_said_and_is_no_failure(kind: str, check: str, fix: str, lab: Lab) -> None:
    code, rows = lab.after(lambda answers: answers.update({kind: FORBIDDEN.format(kind)}))
    assert code == 0
    assert {row["state"] for row in rows} == {"not readable"}
    [row] = [row for row in rows if check in row["check"]]
    assert "is forbidden" in row["problem"]
    assert fix in row["fix"]


def test_an_answer_that_is_none_fails(lab: Lab) -> None:
    code, rows = lab.after(lambda answers: answers.update({"resourcequotas/fate-9999": "error: the server is sick"}))
    assert (code, [row["problem"] for row in rows]) == (1, ["error: the server is sick"])


def test_a_cluster_that_does_not_answer_is_one_row_and_one_question(lab: Lab) -> None:
    code, rows = lab.after(lambda answers: answers.update({"/version": "The connection to the server 127.0.0.1:1 was refused"}))
    assert (code, len(rows), len(lab.kubectl.asked)) == (1, 1, 1)
    assert "was refused" in rows[0]["problem"]
    assert lab.run("status")[0] == 1
    assert "the cluster does not answer: The connection" in lab.text("status")
    assert "remedy: check cluster.context" in lab.text("status")


def test_what_is_wrong_in_the_kubeconfig_stands_beside_what_kubectl_says_of_it(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(lab.kubectl.folder / "none"))
    _, [row] = lab.after(lambda answers: answers.update({"/version": 'error: context "bank-a" does not exist'}))
    assert (
        row["problem"]
        == f'error: context "bank-a" does not exist; there is no file {lab.kubectl.folder}/none: name your kubeconfig in KUBECONFIG'
    )


def test_a_cluster_that_hangs_ends_in_time(lab: Lab) -> None:
    lab.kubectl.slow(60)
    began = time.monotonic()
    code, data = lab.run("doctor", "--timeout", "1")
    assert time.monotonic() - began < 10
    assert (code, data["rows"][0]["problem"].partition(";")[0]) == (1, "no answer within 1 s")


def test_when_the_time_is_over_the_rest_is_said_to_be_unasked(lab: Lab) -> None:
    lab.kubectl.slow(0.9)
    code, data = lab.run("doctor", "--timeout", "2")
    assert code == 1
    assert [row["state"] for row in data["rows"] if row["check"].startswith("cluster answers")] == ["ok"]
    assert any("the time is over; allow more with --timeout" in row["problem"] for row in data["rows"])


def test_only_reading_verbs_and_no_secret_are_asked_for(lab: Lab) -> None:
    for verb in ("status", "doctor"):
        lab.run(verb)
    asked = lab.kubectl.asked
    assert len(asked) > 10
    assert {call[0] for call in asked} == {"get"}
    assert not [call for call in asked if any(word in call[1] for word in SECRETS)]
    assert all(any(argument.startswith("--request-timeout=") for argument in call) for call in asked)


def test_the_stacks_own_context_and_kubeconfig_are_used(make: Callable[[Case], Lab]) -> None:
    lab = make(changed().changed(lambda config: config.update(cluster={"context": "bank", "kubeconfig": "keys/config"})))
    lab.run("doctor")
    assert lab.kubectl.asked
    assert all(call[:2] == ["--context=bank", "--kubeconfig=keys/config"] for call in lab.kubectl.asked)


def test_without_kubectl_the_remedy_is_told(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECTL")
    monkeypatch.setenv("PATH", "/nonexistent")
    code, data = lab.run("doctor")
    assert (code, data["problems"][0]["place"]) == (1, "kubectl")


NODE_PORTS = changed(publish={"pulsar": node_port(port=30651), "nginx": node_port(httpPort=30930)})


def _lost_port(answers: Answers) -> None:
    del item(answers, "services", "pulsar-public-tls")["spec"]["ports"][0]["nodePort"]


def test_a_node_port_that_another_service_holds_is_named(make: Callable[[Case], Lab]) -> None:
    lab = make(NODE_PORTS)
    assert lab.run("doctor")[0] == 0
    taken = {"metadata": {"name": "other", "namespace": "elsewhere"}, "spec": {"ports": [{"nodePort": 30651}]}}

    def fault(answers: Answers) -> None:
        _lost_port(answers)
        answers["services"] = [taken]

    code, [row] = lab.after(fault)
    assert (code, row["check"], row["problem"]) == (1, "party-9999: node port 30651 of pulsar-public-tls", "Service elsewhere/other has it")
    assert lab.skipped() == [("party-9999: Service pulsar-public-tls", f"waits for: {row['check']}")]


def test_a_node_port_that_is_not_there_fails_even_when_others_cannot_be_asked(make: Callable[[Case], Lab]) -> None:
    def fault(answers: Answers) -> None:
        _lost_port(answers)
        answers["services"] = FORBIDDEN.format("services")

    lab = make(NODE_PORTS)
    code, [row] = lab.after(fault)
    assert (code, row["state"], row["check"]) == (1, "failed", "party-9999: Service pulsar-public-tls")
    assert row["problem"] == "not as planned: spec.ports.0.nodePort is absent, planned is 30651"
    assert ("party-9999: node port 30651 of pulsar-public-tls", f"waits for: {row['check']}") in lab.skipped()


def test_pods_of_others_count_in_a_quota(lab: Lab) -> None:
    foreign = pod(lab.unit, expected(lab.unit)[0])
    foreign["metadata"]["labels"] = {}

    def fault(answers: Answers) -> None:
        answers["resourcequotas/fate-9999"] = [{"metadata": {"name": "exact"}, "spec": {"hard": {"requests.cpu": "7850m", "pods": "13"}}}]

    assert lab.after(fault) == (0, [])
    code, [row] = lab.after(lambda answers: answers["pods/fate-9999"].append(foreign))
    assert (code, row["problem"]) == (
        1,
        "pods: planned 13 beside 1 of others, allowed 13; requests.cpu: planned 7.85 beside 1 of others, allowed 7.85",
    )


def _with_gateway(config: Config) -> None:
    config["boards"] = GATEWAY


@pytest.mark.parametrize(
    ("answers", "state", "check", "problem"),
    [
        ({}, "failed", "the cluster knows HTTPRoute", "its definition is not installed"),
        ({"/apis/gateway.networking.k8s.io/v1": {"resources": [{"kind": "Gateway"}]}}, "failed", "the cluster knows", "not installed"),
        ({"/apis/gateway.networking.k8s.io/v1": {"resources": [{"kind": "HTTPRoute"}]}}, "failed", "Gateway web in", "there is none"),
        (
            {
                "/apis/gateway.networking.k8s.io/v1": {"resources": [{"kind": "HTTPRoute"}]},
                "gateways.gateway.networking.k8s.io/gateways/web": FORBIDDEN.format("gateways"),
            },
            "not readable",
            "Gateway web in",
            "is forbidden",
        ),
    ],
)
def test_routes_need_their_definition_and_their_gateway(
    answers: Answers, state: str, check: str, problem: str, make: Callable[[Case], Lab]
) -> None:
    _, [row] = make(changed().changed(_with_gateway)).after(lambda held: held.update(answers))
    assert (row["state"], check in row["check"], problem in row["problem"]) == (state, True, True), row


def test_istio_is_asked_for_its_kinds(make: Callable[[Case], Lab]) -> None:
    lab = make(changed().changed(lambda config: config.update(boards={"kind": "istio", "domain": "bank-a.example"})))
    _, [row] = lab.after(lambda _: None)
    assert row["check"] == "the cluster knows VirtualService"
    found = {"/apis/networking.istio.io/v1beta1": {"resources": [{"kind": "VirtualService"}]}}
    assert lab.after(lambda answers: answers.update(found)) == (0, [])


def test_an_exchange_is_checked_too(make: Callable[[Case], Lab]) -> None:
    code, data = make(LOCAL).run("doctor")
    assert code == 0
    checks = [row["check"] for row in data["rows"]]
    assert "exchange: module traffic-server, 1 of 1 ready" in checks
    assert "party-9999: module python, 1 of 1 ready" not in checks, "modules are called as in the stack file"
    assert "party-9999: module fateflow, 1 of 1 ready" in checks


def test_status_shows_modules_claims_addresses_and_consoles(lab: Lab) -> None:
    code, data = lab.run("status")
    unit = data["units"]["party-9999"]
    assert (code, data["cluster"]) == (0, {"kubernetes": "v1.34.1"})
    assert {module["module"]: module["state"] for module in unit["modules"]} == dict.fromkeys(
        [module.component for module in expected(lab.unit)], "ready"
    )
    assert {"claim": "data-mysql-0", "state": "Bound", "size": "1Gi", "class": "standard"} in unit["claims"]
    balanced = {"service": "nginx-public", "type": "LoadBalancer", "address": "203.0.113.50", "ports": "9300"}
    assert balanced in unit["services"]
    assert unit["consoles"][0]["url"] == "http://9999.fateboard.bank-a.example/"
    text = lab.text("status")
    assert "MODULE" in text
    for kind in ("deployments", "statefulsets"):
        lab.kubectl.answers[f"{kind}/fate-9999"] = []
    lab.kubectl.write()
    assert lab.run("status")[1]["units"]["party-9999"]["consoles"] == [], "nobody answers at their addresses"
    assert "party-9999: release 1.11.2, namespace fate-9999" in text


def test_status_shows_since_when_pods_run_what_peers_dial_and_who_they_are(lab: Lab) -> None:
    began = datetime.now(UTC) - timedelta(hours=50)
    item(lab.kubectl.answers, "pods", "nginx-0")["metadata"]["creationTimestamp"] = began.strftime("%Y-%m-%dT%H:%M:%SZ")
    item(lab.kubectl.answers, "pods", "mysql-0")["metadata"].pop("creationTimestamp")
    later = datetime.now(UTC) - timedelta(minutes=90, seconds=20)
    item(lab.kubectl.answers, "pods", "pulsar-0")["metadata"]["creationTimestamp"] = later.strftime("%Y-%m-%dT%H:%M:%SZ")
    lab.kubectl.write()
    _, data = lab.run("status")
    unit, peers = data["units"]["party-9999"], data["peers"]
    assert {module["module"]: module["since"] for module in unit["modules"]}["nginx"] == began.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert {"endpoint": "nginx", "host": "203.0.113.50", "ports": "http 9300", "tls": "no TLS"} in unit["endpoints"]
    assert [(name, peer["kind"], peer["state"]) for name, peer in peers.items()] == [("consortium", "exchange", "active")]
    lines = [line.split("  ") for line in lab.text("status").splitlines()]
    rows = {words[0]: [word.strip() for word in words if word.strip()] for words in lines}
    assert rows["MODULE"][4] == "AGE"
    assert (rows["nginx"][:3], rows["consortium"]) == (
        ["nginx", "203.0.113.50", "http 9300"],
        ["consortium", "exchange", "consortium", "active"],
    )
    ages = {words[0]: " ".join(words[4:-1]) for words in map(str.split, lab.text("status").splitlines()) if words[1:2] == ["ready"]}
    assert (ages["nginx"], ages["pulsar"], ages["mysql"]) == ("2 d", "90 min", "-")


def test_status_shows_no_console_and_no_module_of_a_stack_that_was_destroyed(lab: Lab) -> None:
    assert "fateboard.bank-a.example" in lab.text("status")
    for kind in ("deployments", "statefulsets", "pods", "services"):
        lab.kubectl.answers[f"{kind}/fate-9999"] = []
    lab.kubectl.write()
    text, unit = lab.text("status"), lab.run("status")[1]["units"]["party-9999"]
    assert "party-9999: release 1.11.2, namespace fate-9999: nothing of it runs there" in text
    assert "data-mysql-0" in text, "claims stay"
    assert not [word for word in ("bank-a.example", "port-forward", "ENDPOINT", "MODULE") if word in text]
    assert unit["consoles"] == []
    assert {endpoint["host"] for endpoint in unit["endpoints"]} == {"none yet"}


def test_status_says_what_it_may_not_read_and_what_is_not_there(lab: Lab) -> None:
    lab.kubectl.answers["persistentvolumeclaims/fate-9999"] = FORBIDDEN.format("persistentvolumeclaims")
    drop("deployments", "nginx")(lab.kubectl.answers)
    _waiting("CrashLoopBackOff", "")
    item(lab.kubectl.answers, "statefulsets", "mysql")["status"] = {}
    lab.kubectl.write()
    code, data = lab.run("status")
    assert code == 0, "status tells, doctor judges"
    unit = data["units"]["party-9999"]
    states = {module["module"]: (module["state"], module["ready"]) for module in unit["modules"]}
    assert (states["nginx"], states["mysql"]) == (("absent", "0/1"), ("not ready", "0/1"))
    assert "is forbidden" in unit["claims"]["unread"]
    assert "claims: not readable: Error from server (Forbidden)" in lab.text("status")


def test_rows_are_readable_and_quote_nothing_that_moves_a_cursor(lab: Lab) -> None:
    _waiting("ImagePullBackOff", "evil\x1b[2J\u202etext\nsecond line")(lab.kubectl.answers)
    lab.kubectl.write()
    text = lab.text("doctor")
    assert "\x1b" not in text
    assert "\u202e" not in text
    [problem] = [line for line in text.splitlines() if "ImagePullBackOff" in line]
    assert "second line" in problem
    assert "failed  party-9999: module nginx" in text
    assert re.fullmatch(r"first to fix: party-9999: .*; \d+ ok, \d failed, 0 skipped, 0 not readable", text.splitlines()[-1])


CHANGED: list[tuple[str, Callable[[Answers], Any], str, str]] = [
    ("an absent policy", drop("networkpolicies", "fate-peers-pulsar"), "NetworkPolicy fate-peers-pulsar", "there is none"),
    ("an absent ConfigMap", lambda it: it.pop("configmaps/fate-9999/nginx-config"), "ConfigMap nginx-config", "there is none"),
    (
        "a route table that was edited",
        lambda it: it["configmaps/fate-9999/nginx-route-table"]["data"].update({"route_table.yaml": "by hand"}),
        "ConfigMap nginx-route-table",
        "not as planned: data.route_table.yaml differs",
    ),
    (
        "a Service that was opened",
        lambda it: item(it, "services", "mysql")["spec"].update(type="NodePort"),
        "Service mysql",
        "not as planned: spec.type is NodePort, planned is ClusterIP",
    ),
    (
        "another image",
        lambda it: item(it, "deployments", "nginx")["spec"]["template"]["spec"]["containers"][0].update(image="x:1"),
        "Deployment nginx",
        "not as planned: spec.template.spec.containers.main.image is x:1, planned is ",
    ),
    (
        "a policy that admits more",
        lambda it: item(it, "networkpolicies", "fate-peers-pulsar")["spec"]["ingress"].append({}),
        "NetworkPolicy fate-peers-pulsar",
        "not as planned: spec.ingress differs",
    ),
    (
        "a namespace without Pod Security",
        lambda it: it["namespaces/fate-9999"]["metadata"]["labels"].pop("pod-security.kubernetes.io/enforce"),
        "Namespace fate-9999",
        "not as planned: metadata.labels.pod-security.kubernetes.io/enforce is absent, planned is baseline",
    ),
]


@pytest.mark.parametrize(("fault", "check", "problem"), [row[1:] for row in CHANGED], ids=[row[0] for row in CHANGED])
def test_an_object_that_was_changed_by_hand_is_one_row_with_a_remedy_that_works(
    fault: Callable[[Answers], Any], check: str, problem: str, lab: Lab
) -> None:
    code, [row] = lab.after(fault)
    assert (code, row["check"], row["state"]) == (1, f"party-9999: {check}", "failed")
    assert row["problem"].startswith(problem)
    assert row["fix"].startswith("run `pulumi up --refresh`")


@pytest.mark.parametrize(
    ("manager", "subresource", "fix"),
    [
        ("kubectl", "scale", "undo it by `kubectl -n fate-9999 scale deployment/spark-worker --replicas=2`"),
        ("kube-controller-manager", "scale", "delete the HorizontalPodAutoscaler"),
        ("pulumi-kubernetes-1a2b", None, "run `pulumi up --refresh`"),
    ],
)
def test_the_remedy_for_replicas_goes_by_who_set_them(manager: str, subresource: str | None, fix: str, lab: Lab) -> None:
    def fault(answers: Answers) -> None:
        _fewer(answers)
        entry = {"manager": manager, "subresource": subresource, "fieldsV1": {"f:spec": {"f:replicas": {}}}}
        item(answers, "deployments", "spark-worker")["metadata"]["managedFields"] = [entry]

    _, [row] = lab.after(fault)
    assert fix in row["fix"]
    assert "--show-managed-fields" in next(call for call in lab.kubectl.asked if call[1] == "deployments")


def test_without_helm_the_objects_of_charts_are_not_readable_and_all_others_are_compared(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELM", "/nonexistent/helm")
    code, rows = lab.after(lambda answers: answers.pop("configmaps/fate-9999/nginx-config"))
    assert (code, [(row["check"], row["state"]) for row in rows]) == (0, [("objects of the charts are as planned", "not readable")])
    assert "helm" in rows[0]["fix"]
    code, rows = lab.after(drop("networkpolicies", "fate-peers-pulsar"))
    assert (code, [row["check"] for row in rows if row["state"] == "failed"]) == (1, ["party-9999: NetworkPolicy fate-peers-pulsar"])


def test_what_follows_from_a_missing_storage_class_waits_for_it(lab: Lab) -> None:
    def fault(answers: Answers) -> None:
        _no_default(answers)
        for claim in answers["persistentvolumeclaims/fate-9999"]:
            claim["status"] = {"phase": "Pending"}
        for workload in answers["statefulsets/fate-9999"]:
            workload["status"] = {}

    code, [row] = lab.after(fault)
    assert (code, row["check"]) == (1, "default storage class")
    waiting = dict(lab.skipped())
    assert waiting["party-9999: claims of mysql"] == "waits for: default storage class"
    assert waiting["party-9999: module mysql"] == "waits for: party-9999: claims of mysql"
    assert len(waiting) == 2 * len([module for module in expected(lab.unit) if module.claims])


def test_what_a_small_quota_keeps_out_waits_for_it(lab: Lab) -> None:
    def fault(answers: Answers) -> None:
        _small_quota(answers)
        _no_pods(answers)

    code, [row] = lab.after(fault)
    assert (code, row["check"]) == (1, "party-9999: quota small")
    assert lab.skipped() == [("party-9999: module nginx", "waits for: party-9999: quota small")]


def test_rows_that_failed_come_first_and_the_verdict_names_the_first(lab: Lab) -> None:
    drop("networkpolicies", "fate-peers-pulsar")(lab.kubectl.answers)
    lab.kubectl.answers["ingresses/fate-9999"] = FORBIDDEN.format("ingresses")
    lab.kubectl.write()
    code, data = lab.run("doctor")
    states = [row["state"] for row in data["rows"]]
    assert states == sorted(states, key=["failed", "not readable", "skipped", "ok"].index)
    assert (code, data["verdict"].partition(";")[0]) == (1, "first to fix: party-9999: NetworkPolicy fate-peers-pulsar")


def _undeployed(answers: Answers) -> None:
    empty = [key for key in answers if key.endswith("/fate-9999") and isinstance(answers[key], list)]
    answers.update({key: [] for key in empty})
    answers["namespaces/fate-9999"] = NOT_FOUND.format("namespace")


def test_before_the_first_up_a_preflight_says_what_stands_in_the_way(make: Callable[[Case], Lab]) -> None:
    lab = make(NODE_PORTS)
    code, [row] = lab.after(_undeployed)
    assert (code, row["check"], row["problem"]) == (1, "party-9999: namespace fate-9999", "there is none")
    assert row["fix"].startswith("run `pulumi up`, which makes it")
    checks = [row["check"] for row in lab.run("doctor")[1]["rows"] if row["state"] == "ok"]
    assert "party-9999: size: 13 pods, 7.85 CPU, 24.1Gi memory, 8 claims of 110Gi together" in checks
    assert "party-9999: node port 30651 of pulsar-public-tls is free" in checks
    assert "party-9999: rights of this account in namespace fate-9999" in checks
    assert "default storage class" in checks
    assert not [check for check in checks if "module" in check]


def test_a_preflight_names_who_has_a_node_port_and_which_rights_are_missing(make: Callable[[Case], Lab]) -> None:
    lab = make(NODE_PORTS)
    taken = {"metadata": {"name": "web", "namespace": "shop"}, "spec": {"ports": [{"nodePort": 30651}]}}

    def fault(answers: Answers) -> None:
        _undeployed(answers)
        answers.update({"services": [taken], "denied": ["create secrets", "patch networkpolicies", "create namespaces"]})

    _, rows = lab.after(fault)
    found = {row["check"]: row["problem"] for row in rows}
    assert found["party-9999: node port 30651 of pulsar-public-tls"] == "Service shop/web has it"
    lacking = "it may not patch networkpolicies, create secrets, create namespaces"
    assert found["party-9999: rights of this account in namespace fate-9999"] == lacking
    assert len(found) == 3


def test_a_preflight_of_a_namespaced_stack_names_the_administrators_commands(make: Callable[[Case], Lab]) -> None:
    lab = make(changed().changed(lambda config: config.update(cluster={"scope": "namespaced"})))
    _, [row] = lab.after(_undeployed)
    assert "`kubectl create namespace fate-9999`" in row["fix"]
    assert "`kubectl apply -n fate-9999 -f docs/rbac/namespaced.yaml`" in row["fix"]
    assert lab.skipped() == [("party-9999: rights of this account in namespace fate-9999", f"waits for: {row['check']}")]


def _destroyed(answers: Answers) -> None:
    """As `pulumi destroy` leaves it: the namespace and its claims."""
    held = {key: answers[key] for key in ("namespaces/fate-9999", "persistentvolumeclaims/fate-9999")}
    assert held["persistentvolumeclaims/fate-9999"]
    _undeployed(answers)
    del answers["configmaps/fate-9999/fate-owner"]
    answers |= held


def _emptied(answers: Answers) -> None:
    _destroyed(answers)
    answers["persistentvolumeclaims/fate-9999"] = []


def _of_another_stack(answers: Answers) -> None:
    answers["configmaps/fate-9999/fate-owner"] = {"data": {"organization": "bank-x", "stack": "x", "unit": "party-9999"}}


DEPLOYED = "party-9999: is deployed"


def test_what_is_to_be_done_before_the_first_up_comes_before_the_row_that_asks_for_it(lab: Lab) -> None:
    def fault(answers: Answers) -> None:
        _emptied(answers)
        _small_quota(answers)

    _, rows = lab.after(fault)
    assert [row["check"] for row in rows] == ["party-9999: quota small", DEPLOYED]
    assert lab.run("doctor")[1]["verdict"].startswith("first to fix: party-9999: quota small; ")


@pytest.mark.parametrize("runs", [True, False], ids=["deployed", "before the first up"])
def test_the_namespace_of_another_stack_is_the_one_row_to_act_on(lab: Lab, runs: bool) -> None:
    def fault(answers: Answers) -> None:
        if not runs:
            _emptied(answers)
        _small_quota(answers)
        _of_another_stack(answers)

    code, [row] = lab.after(fault)
    assert (code, row["check"]) == (1, "party-9999: namespace fate-9999 is free for it")
    assert row["problem"] == "namespace fate-9999 belongs to stack x of organization bank-x (party-9999)"
    assert "give party-9999 a namespace of its own" in row["fix"]
    assert lab.skipped() == [("party-9999: all other checks", f"waits for: {row['check']}")]


def test_a_namespace_that_is_taken_over_on_purpose_is_no_row_of_another_owner(make: Callable[[Case], Lab]) -> None:
    lab = make(changed().changed(lambda config: config.update(cluster={"takeOver": ["fate-9999"]})))

    def fault(answers: Answers) -> None:
        _destroyed(answers)
        _of_another_stack(answers)

    assert [row["check"] for row in lab.after(fault)[1]] == [DEPLOYED]


def test_a_preflight_says_whose_objects_have_the_names_that_the_unit_uses(lab: Lab) -> None:
    def fault(answers: Answers) -> None:
        _emptied(answers)
        answers["deployments/fate-9999"] = [{"metadata": {"name": "nginx", "labels": {"owner": "kubefate"}}, "spec": {}}]

    _, [row, last] = lab.after(fault)
    assert (row["check"], last["check"]) == ("party-9999: namespace fate-9999 is free for it", DEPLOYED)
    assert "holds deployment nginx of KubeFATE" in row["problem"]
    assert "docs/guides/from-kubefate.md" in row["fix"]


def test_a_preflight_names_claims_that_the_unit_would_start_with(lab: Lab) -> None:
    _, [row, last] = lab.after(_destroyed)
    assert (row["check"], row["state"], last["check"]) == ("party-9999: no claims of an earlier deployment", "failed", DEPLOYED)
    assert "party-9999 will start with the data on them: data-mysql-0" in row["problem"]
    assert "kubectl -n fate-9999 delete pvc data-mysql-0" in row["fix"]
    assert [one["check"] for one in lab.after(lambda answers: answers["persistentvolumeclaims/fate-9999"].clear())[1]] == [DEPLOYED]
    assert {"check": "party-9999: namespace fate-9999 is free for it", "state": "ok", "problem": "", "fix": ""} in lab.run("doctor")[1][
        "rows"
    ]


@pytest.mark.parametrize("kind", ["configmaps/fate-9999/fate-owner", "persistentvolumeclaims/fate-9999"])
def test_who_uses_a_namespace_may_be_unreadable_before_the_first_up(lab: Lab, kind: str) -> None:
    def fault(answers: Answers) -> None:
        _emptied(answers)
        answers[kind] = FORBIDDEN.format(kind)

    _, rows = lab.after(fault)
    [row] = [row for row in rows if row["check"] == "party-9999: namespace fate-9999 is free for it"]
    assert (row["state"], "is forbidden" in row["problem"], "docs/rbac/viewer.yaml" in row["fix"]) == ("not readable", True, True)
