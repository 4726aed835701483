"""Network policies: every flow that FATE needs is open, everything else is closed (reference sections 16.4 and 17)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.doctor.links.job import asking_unit, job_manifest
from cli.doctor.links.questions import hops
from federation.catalogue.releases import CombinationRow, catalogue
from federation.stack.plan import StackPlan
from federation.units.unit import UnitPlan
from tests.support.configs import (
    BALANCED,
    CASES,
    EVERY_CASE,
    EXCHANGE,
    EXTERNAL,
    LOCAL,
    MESH,
    MESH_OF_TWO,
    OSX_EXCHANGE,
    OSX_MESH,
    OSX_STAR,
    RABBITMQ_MESH,
    ROLLSITE_EXCHANGE,
    ROLLSITE_LOCAL,
    ROLLSITE_MESH,
    ROLLSITE_STAR,
    STAR_PARTY,
    Case,
    Config,
    exchange_descriptor,
    party,
    party_descriptor,
    stack,
)
from tests.support.policies import Outside, Pod, Policy, passes

STRANGER, OTHER_NAMESPACE = Outside("192.0.2.66"), Pod.of("elsewhere", name="mysql", instance="party-9999")
DNS = Pod.of("kube-system", name="coredns")
ANY = 41234  # a port that something chose at random: Spark's driver and blocks, Eggroll's processors

# Who must reach whom inside a party, by module: reference section 17, column "peers that need it".
# (from, to, key of the release's ports or a number). A row counts where both modules are deployed.
NEEDED: list[tuple[str, str, str | int]] = [
    ("fateflow", "mysql", "mysql"),
    ("clustermanager", "mysql", "mysql"),
    ("fateboard", "mysql", "mysql"),
    ("fateboard", "fateflow", "fateflowHttp"),
    ("client", "fateflow", "fateflowHttp"),
    ("nginx", "fateflow", "fateflowHttp"),
    ("fateflow", "nginx", "nginxHttp"),
    ("rollsite", "fateflow", "fateflowGrpc"),
    ("fateflow", "rollsite", "rollsite"),
    ("nodemanager", "rollsite", "rollsite"),
    ("rollsite", "lbrollsite", "lbrollsite"),
    ("osx", "fateflow", "fateflowGrpc"),
    ("fateflow", "osx", "osx"),
    ("nodemanager", "osx", "osx"),
    ("sparkWorker", "osx", "osx"),
    ("osx", "clustermanager", "clustermanager"),
    ("osx", "nodemanager", ANY),
    ("sparkWorker", "fateflow", "fateflowHttp"),
    ("rollsite", "clustermanager", "clustermanager"),
    ("rollsite", "nodemanager", ANY),
    ("fateflow", "clustermanager", "clustermanager"),
    ("nodemanager", "clustermanager", "clustermanager"),
    ("clustermanager", "nodemanager", "nodemanager"),
    ("nodemanager", "nodemanager", ANY),
    ("fateflow", "nodemanager", ANY),
    ("fateflow", "sparkMaster", "sparkMaster"),
    ("sparkWorker", "sparkMaster", "sparkMaster"),
    ("sparkMaster", "sparkWorker", ANY),
    ("sparkMaster", "fateflow", ANY),
    ("sparkWorker", "fateflow", ANY),
    ("fateflow", "sparkWorker", ANY),
    ("fateflow", "namenode", "namenode"),
    ("sparkWorker", "namenode", "namenode"),
    ("datanode", "namenode", "namenode"),
    ("fateflow", "datanode", "datanode"),
    ("sparkWorker", "datanode", "datanode"),
    ("datanode", "datanode", "datanode"),
    ("fateflow", "pulsar", "pulsar"),
    ("fateflow", "pulsar", "pulsarAdmin"),
    ("sparkWorker", "pulsar", "pulsar"),
    ("fateflow", "rabbitmq", "rabbitmq"),
    ("fateflow", "rabbitmq", "rabbitmqAdmin"),
    ("sparkWorker", "rabbitmq", "rabbitmq"),
]
# The only ports that peers may come to (reference section 16.4), and who dials out to them.
PUBLISHED = {
    "Pulsar": {"nginx": {9300}, "pulsar": {6651}},
    "RabbitMQ": {"nginx": {9300}, "rabbitmq": {5672}},
    "Eggroll": {"rollsite": {9370}},
    "OSX": {"osx": {9370}},
}
HUB = {"Pulsar": {"nginx": {9300}, "trafficServer": {4443}}, "Eggroll": {"rollsite": {9370}}, "OSX": {"osx": {9370}}}


def _full(release: str, row: CombinationRow) -> Case:
    """A party of a combination with every optional module: in a mesh with RabbitMQ, else in a star."""
    engines: Config = {"release": release, "computing": row.computing, "federation": row.federation, "storage": row.storage}
    mesh = row.federation == "RabbitMQ"
    # FATE publishes no Spark worker of 2.2.0.
    spark = {"spark": {"worker": {"image": {"tag": "checked"}}}} if release == "2.2.0" and "sparkWorker" in row.modules else {}
    whole = party(exchange=None if mesh else "consortium", modules={"fateboard": {}, "client": {}, **spark}, **engines)
    case = Case(f"{release} {row}", stack("bank-a", topology="mesh" if mesh else "star", parties={"9999": whole}))
    if mesh:
        return case.with_peer("clinic-b", party_descriptor(engine="RabbitMQ"))
    return case.with_peer("consortium", exchange_descriptor(engine=row.federation))


# Everything of FATE 1.11.2, and what FATE 2.2.0 has beyond it.
FULL = [_full("1.11.2", row) for row in catalogue()["1.11.2"].combinations]
FULL.append(BALANCED)
FULL += [_full("2.2.0", row) for row in catalogue()["2.2.0"].combinations if row.federation == "OSX"]
(WITH_PULSAR, *_) = (case for case in FULL if case.engine == "Pulsar")
# Labels of pods, where they are not the catalogue's names.
LABELS = {"sparkMaster": "spark-master", "sparkWorker": "spark-worker", "trafficServer": "traffic-server"}


@dataclass(frozen=True)
class Deployed:
    """A unit with the policies of its whole stack."""

    unit: UnitPlan
    policies: list[Policy]

    def pod(self, module: str) -> Pod:
        """A pod of one of its modules."""
        assert module in self.unit.modules
        return Pod.of(self.unit.namespace, name=LABELS.get(module, module), instance=self.unit.key)

    def passes(self, source: Pod | Outside, target: Pod | Outside, port: int, protocol: str = "TCP") -> bool:
        """Whether a connection is open at both ends."""
        return passes(self.policies, source, target, port, protocol)

    @property
    def ports(self) -> set[int]:
        """Every port that the release knows, and one that it does not."""
        return {*catalogue()[self.unit.release].ports.values(), ANY}


def deployed(plan: StackPlan, key: str) -> Deployed:
    """A unit of a plan."""
    return Deployed(plan.unit(key), [manifest.document() for unit in plan.units for manifest in unit.policies])


def number(port: str | int, unit: UnitPlan) -> int:
    """A port of the release."""
    return port if isinstance(port, int) else catalogue()[unit.release].ports[port]


def test_the_combinations_are_all_there(tmp_path: Path) -> None:
    modules = {frozenset(case.load(tmp_path / str(index)).plan.unit("party-9999").modules) for index, case in enumerate(FULL)}
    assert {case.engine for case in FULL} == PUBLISHED.keys()
    covered = {(source, target) for source, target, _ in NEEDED for found in modules if {source, target} <= found}
    assert covered == {(source, target) for source, target, _ in NEEDED}, "a row that no combination has"
    # Each module is needed by someone, but those that only a browser opens.
    assert {target for _, target, _ in NEEDED} >= set().union(*modules) - {"fateboard", "client"}


@pytest.mark.parametrize("case", FULL, ids=str)
def test_every_flow_inside_a_party_is_open(case: Case, tmp_path: Path) -> None:
    party = deployed(case.load(tmp_path).plan, "party-9999")
    rows = [row for row in NEEDED if {row[0], row[1]} <= party.unit.modules.keys()]
    assert len(rows) >= 5
    closed = [row for row in rows if not party.passes(party.pod(row[0]), party.pod(row[1]), number(row[2], party.unit))]
    assert closed == []
    for module in party.unit.modules:
        for protocol in ("UDP", "TCP"):
            assert party.passes(party.pod(module), DNS, 53, protocol), module
            assert party.passes(party.pod(module), Outside("169.254.20.10"), 53, protocol), module


@pytest.mark.parametrize("source", [STRANGER, OTHER_NAMESPACE], ids=["a stranger", "a pod of another namespace"])
@pytest.mark.parametrize("case", [*FULL, EXCHANGE, ROLLSITE_EXCHANGE, OSX_EXCHANGE], ids=str)
def test_from_elsewhere_only_published_ports_are_open(case: Case, source: Pod | Outside, tmp_path: Path) -> None:
    key = "exchange" if "exchange" in case.config else "party-9999"
    unit = deployed(case.load(tmp_path).plan, key)
    published = (HUB if key == "exchange" else PUBLISHED)[case.engine]
    assert published.keys() <= unit.unit.modules.keys()
    for module in unit.unit.modules:
        found = {port for port in unit.ports if unit.passes(source, unit.pod(module), port)}
        assert found == published.get(module, set()), module
        assert not unit.passes(source, unit.pod(module), 53, "UDP")


# Whom each module may dial outside: (address, port), from the descriptors of tests/support/configs.py.
CLINIC_NGINX, CLINIC = ("203.0.113.21", {9300}), "203.0.113.20"
HUB_NGINX, HUB_HOST = ("198.51.100.5", {9300}), "198.51.100.4"
DIALLED: list[tuple[Case, str, dict[str, dict[str, set[int]]]]] = [
    (STAR_PARTY, "party-9999", {"nginx": dict([HUB_NGINX]), "pulsar": {HUB_HOST: {443}}}),
    (ROLLSITE_STAR, "party-9999", {"rollsite": {HUB_HOST: {9370}}}),
    (BALANCED, "party-9999", {"lbrollsite": {HUB_HOST: {9370}, "198.51.100.9": {9370}}}),
    (MESH, "party-9999", {"nginx": dict([CLINIC_NGINX]), "pulsar": {CLINIC: {6651}}}),
    (RABBITMQ_MESH, "party-9999", {"nginx": dict([CLINIC_NGINX]), "rabbitmq": {CLINIC: {5672}}}),
    (ROLLSITE_MESH, "party-9999", {"rollsite": {CLINIC: {9370}}}),
    (
        EXCHANGE,
        "exchange",
        {
            "nginx": {"203.0.113.11": {9300}, "203.0.113.21": {9300}},
            "trafficServer": {"203.0.113.10": {31001}, CLINIC: {6651}},
        },
    ),
    (OSX_STAR, "party-9999", {"osx": {HUB_HOST: {9370}}}),
    (OSX_MESH, "party-9999", {"osx": {CLINIC: {9370}}}),
    (OSX_EXCHANGE, "exchange", {"osx": {"203.0.113.10": {30091}, CLINIC: {9370}}}),
    (ROLLSITE_EXCHANGE, "exchange", {"rollsite": {"203.0.113.10": {30091}, CLINIC: {9370}}}),
]


@pytest.mark.parametrize(("case", "key", "dialled"), DIALLED, ids=[str(case) for case, _, _ in DIALLED])
def test_outwards_only_peers_are_open_and_only_to_who_dials_them(
    case: Case, key: str, dialled: dict[str, dict[str, set[int]]], tmp_path: Path
) -> None:
    unit = deployed(case.load(tmp_path).plan, key)
    addresses = {address for places in dialled.values() for address in places} | {"192.0.2.66", "10.96.0.1", "169.254.169.254"}
    ports = unit.ports | {22, 443, 6443, 30091, 31001}
    for module in unit.unit.modules:
        found = {(a, port) for a in addresses for port in ports if unit.passes(unit.pod(module), Outside(a), port)}
        assert found == {(a, port) for a, wanted in dialled.get(module, {}).items() for port in wanted}, module
        assert not [port for port in ports if unit.passes(unit.pod(module), OTHER_NAMESPACE, port)], module


@pytest.mark.parametrize("case", [LOCAL, ROLLSITE_LOCAL, MESH_OF_TWO], ids=str)
def test_units_of_one_stack_reach_each_other_by_their_pods(case: Case, tmp_path: Path) -> None:
    """Their Services' addresses are gone when a policy is asked."""
    plan = case.load(tmp_path).plan
    own, other = (deployed(plan, unit.key) for unit in plan.units)
    expected = {
        "an exchange and a party in one stack": {("nginx", "nginx", 9300), ("trafficServer", "pulsar", 6651)},
        "an exchange and a party with rollsite in one stack": {("rollsite", "rollsite", 9370)},
        "two parties in a mesh": {("nginx", "nginx", 9300), ("pulsar", "pulsar", 6651)},
    }[case.name]
    backwards = {"an exchange and a party in one stack": {("nginx", "nginx", 9300), ("pulsar", "trafficServer", 4443)}}.get(
        case.name, expected
    )
    for source, target, wanted in ((own, other, expected), (other, own, backwards)):
        found = {
            (a, b, port)
            for a in source.unit.modules
            for b in target.unit.modules
            for port in source.ports
            if source.passes(source.pod(a), target.pod(b), port)
        }
        assert found == wanted
        neighbour = Pod.of(target.unit.namespace, name="not-ours", instance="not-ours")
        assert not [(a, port) for a in source.unit.modules for port in source.ports if source.passes(source.pod(a), neighbour, port)]


def test_suspension_closes_the_way_out(tmp_path: Path) -> None:
    """Also for a broker that remembers the peer's address."""
    case = MESH.with_peer("hospital-c", party_descriptor("10001", "hospital-c", host="203.0.113.30", nginx="203.0.113.31"))
    for state, opened in (("active", True), ("suspended", False), ("retired", False)):
        plan = case.changed(lambda config, state=state: config["peers"]["hospital-c"].update(state=state)).load(tmp_path / state).plan
        party = deployed(plan, "party-9999")
        assert party.passes(party.pod("pulsar"), Outside("203.0.113.30"), 6651) is opened
        assert party.passes(party.pod("nginx"), Outside("203.0.113.31"), 9300) is opened
        assert party.passes(party.pod("pulsar"), Outside(CLINIC), 6651)


def policies(case: Case, folder: Path, **network_policy: Any) -> StackPlan:
    """The plan of a stack with this under fate:networkPolicy."""
    return case.changed(lambda config: config.update(networkPolicy=network_policy)).load(folder).plan


def test_one_switch_leaves_no_policy(tmp_path: Path) -> None:
    plan = policies(LOCAL, tmp_path, enabled=False)
    assert [unit.policies for unit in plan.units] == [(), ()]
    assert "network policies are off: every pod of the cluster reaches every port of every party and exchange" in plan.warnings


def test_a_board_is_open_to_whom_the_stack_names(tmp_path: Path) -> None:
    plan = policies(WITH_PULSAR, tmp_path, boards={"namespaces": ["ingress-nginx"], "ranges": ["198.51.100.64/26"]})
    party, ingress = deployed(plan, "party-9999"), Pod.of("ingress-nginx", name="ingress-nginx")
    for source in (ingress, Outside("198.51.100.70")):
        assert opened(party, source) == {"fateboard": {8080}, "client": {20000}, **PUBLISHED["Pulsar"]}
    assert not party.passes(OTHER_NAMESPACE, party.pod("fateboard"), 8080)


def opened(party: Deployed, source: Pod | Outside) -> dict[str, set[int]]:
    """The ports of each module that a source reaches."""
    found = {module: {port for port in party.ports if party.passes(source, party.pod(module), port)} for module in party.unit.modules}
    return {module: ports for module, ports in found.items() if ports}


def test_a_console_that_boards_show_is_open_to_the_controller_and_to_it_alone_once_it_is_named(tmp_path: Path) -> None:
    boards = {"kind": "ingress", "domain": "bank-a.example", "consoles": {"fateboard": {}, "spark": {}}}
    case = WITH_PULSAR.changed(lambda config: config.update(boards=boards))
    plan = case.load(tmp_path / "a").plan
    party, shown = deployed(plan, "party-9999"), {"fateboard": {8080}, "sparkMaster": {8080}, **PUBLISHED["Pulsar"]}
    assert opened(party, OTHER_NAMESPACE) == shown
    assert opened(party, STRANGER) == PUBLISHED["Pulsar"]
    assert [warning for warning in plan.warnings if "networkPolicy.boards" in warning] == [
        "consoles are open to every pod of the cluster: name the ingress controller's namespace (or its nodes' addresses) in "
        "networkPolicy.boards"
    ]
    plan = policies(case, tmp_path / "b", boards={"namespaces": ["ingress-nginx"]})
    party = deployed(plan, "party-9999")
    assert opened(party, OTHER_NAMESPACE) == PUBLISHED["Pulsar"]
    assert opened(party, Pod.of("ingress-nginx", name="ingress-nginx")) == shown
    assert not [warning for warning in plan.warnings if "networkPolicy.boards" in warning]


def test_a_module_with_a_service_that_leads_outside_is_open_at_its_own_ports(tmp_path: Path) -> None:
    settings = {
        "mysql": {"service": {"type": "NodePort", "nodePorts": {"tcp-mysql": 30306}}},
        "fateflow": {"service": {"type": "ClusterIP"}},
    }
    plan = STAR_PARTY.changed(lambda config: config["parties"]["9999"].update(modules=settings)).load(tmp_path).plan
    assert opened(deployed(plan, "party-9999"), STRANGER) == {"mysql": {3306}, **PUBLISHED["Pulsar"]}


def test_more_can_be_allowed_by_name(tmp_path: Path) -> None:
    plan = policies(
        STAR_PARTY,
        tmp_path,
        ingress={"monitoring": {"namespaces": ["monitoring"], "ports": [8081]}},
        egress={"hub": {"ranges": ["192.0.2.0/24"], "ports": [443]}, "db": {"namespaces": ["databases"], "ports": [3306]}},
    )
    party = deployed(plan, "party-9999")
    assert party.passes(Pod.of("monitoring", name="prometheus"), party.pod("sparkWorker"), 8081)
    assert not party.passes(Pod.of("monitoring", name="prometheus"), party.pod("sparkWorker"), 8080)
    assert party.passes(party.pod("fateflow"), Outside("192.0.2.7"), 443)
    assert not party.passes(party.pod("fateflow"), Outside("192.0.3.7"), 443)
    assert party.passes(party.pod("fateflow"), Pod.of("databases", name="mysql"), 3306)
    assert not party.passes(party.pod("fateflow"), Pod.of("databases", name="mysql"), 22)


def test_published_ports_can_be_kept_to_known_sources(tmp_path: Path) -> None:
    plan = policies(LOCAL, tmp_path, publishedFrom=["203.0.113.0/24"])
    party, hub = deployed(plan, "party-9999"), deployed(plan, "exchange")
    assert party.passes(Outside("203.0.113.20"), party.pod("nginx"), 9300)
    assert not party.passes(STRANGER, party.pod("nginx"), 9300)
    assert not party.passes(OTHER_NAMESPACE, party.pod("nginx"), 9300)
    assert party.passes(hub.pod("nginx"), party.pod("nginx"), 9300), "the stack's own exchange"


def test_dns_can_be_narrowed(tmp_path: Path) -> None:
    party = deployed(policies(STAR_PARTY, tmp_path, dns={"namespace": "openshift-dns", "ports": [5353], "ranges": []}), "party-9999")
    assert party.passes(party.pod("nginx"), Pod.of("openshift-dns", name="dns"), 5353, "UDP")
    assert not party.passes(party.pod("nginx"), DNS, 53, "UDP")
    assert not party.passes(party.pod("nginx"), Outside("169.254.20.10"), 53, "UDP")


# What a name may lead to once it is accepted: our own machines, what clouds answer there, this cluster's Services and pods.
INWARD = ["127.0.0.1", "169.254.169.254", "100.100.100.200", "::1", "fe80::1", "10.96.0.1", "10.244.3.4", "fd00:10::9"]
RANGES = ["10.96.0.0/12", "10.244.0.0/16", "fd00:10::/64"]


UNITS = [case for case in EVERY_CASE if case.config.get("cluster", {}).get("scope") != "namespaced"]


@pytest.mark.parametrize("case", UNITS, ids=str)
def test_a_pod_that_no_policy_names_is_cut_off_in_every_namespace_that_the_stack_makes(case: Case, tmp_path: Path) -> None:
    plan = case.load(tmp_path).plan
    assert plan.units
    for unit in plan.units:
        own = deployed(plan, unit.key)
        foreign = [Pod.of(unit.namespace, name="debug"), Pod.of(unit.namespace, name="mysql", instance="another")]
        module = next(iter(unit.modules))
        ours = Pod.of(unit.namespace, name=LABELS.get(module, module), instance=unit.key)
        for pod in foreign:
            reached = [DNS, STRANGER, OTHER_NAMESPACE, ours, *foreign]
            assert not [other for other in reached for port in (53, 443, 3306, ANY) if own.passes(pod, other, port)]
            assert not [other for other in (STRANGER, OTHER_NAMESPACE, ours) for port in (80, 3306, ANY) if own.passes(other, pod, port)]


def test_in_a_namespace_that_others_use_too_their_pods_are_left_alone_unless_the_stack_says_so(tmp_path: Path) -> None:
    given = STAR_PARTY.changed(lambda config: config.update(cluster={"createNamespaces": False}))
    foreign = Pod.of("fate-9999", name="theirs")
    plan = given.load(tmp_path / "a").plan
    own = deployed(plan, "party-9999")
    assert own.passes(foreign, STRANGER, 443)
    assert own.passes(OTHER_NAMESPACE, foreign, 80)
    assert not own.passes(foreign, own.pod("mysql"), 3306), "the party's own pods are its own"
    closed = deployed(policies(given, tmp_path / "b", defaultDeny=True), "party-9999")
    assert not closed.passes(foreign, STRANGER, 443)
    opened = deployed(policies(STAR_PARTY, tmp_path / "c", defaultDeny=False), "party-9999")
    assert opened.passes(foreign, STRANGER, 443)


@pytest.mark.parametrize("case", EVERY_CASE, ids=str)
def test_the_pod_of_doctor_asks_whom_the_stack_dials_and_nobody_else(case: Case, tmp_path: Path) -> None:
    loaded = case.load(tmp_path)
    if not {unit.kind for unit in loaded.plan.units} & {"party", "exchange"}:
        return  # no unit has an image that could ask
    beside = asking_unit(loaded)
    own = deployed(loaded.plan, beside.key)
    job = job_manifest(loaded, beside, {}, 30)["spec"]["template"]["metadata"]["labels"]
    pod = Pod(beside.namespace, tuple(sorted(job.items())))
    dialled = {
        (address, port)
        for peer in loaded.peers.accepted
        for hop in hops(loaded.spec, loaded.peers, peer)
        if peer.routed and hop.peer.routed and peer.name not in loaded.plan.pending
        for endpoint in hop.peer.descriptor.endpoints.values()
        for address in endpoint.addresses
        for port in endpoint.ports.values()
    }
    if case in (STAR_PARTY, MESH, EXCHANGE):
        assert dialled
    assert [(address, port) for address, port in dialled if not own.passes(pod, Outside(address), port)] == []
    assert own.passes(pod, DNS, 53, "UDP")
    if any(not endpoint.addresses for peer in loaded.peers.accepted for endpoint in peer.descriptor.endpoints.values()):
        return  # a name opens its port to strangers, too
    strangers = [STRANGER, OTHER_NAMESPACE, Outside("169.254.169.254"), *(own.pod(module) for module in own.unit.modules)]
    assert not [other for other in strangers for port in own.ports | {443} if own.passes(pod, other, port)]
    assert not own.passes(own.pod(next(iter(own.unit.modules))), pod, 443)


def test_cert_manager_s_solver_is_reached_by_the_controller_of_the_consoles_only(tmp_path: Path) -> None:
    solver = Pod("fate-9999", (("acme.cert-manager.io/http01-solver", "true"),))
    boards = {"kind": "ingress", "domain": "bank-a.example"}
    shown = WITH_PULSAR.changed(lambda config: config.update(boards=boards))
    named = deployed(policies(shown, tmp_path / "a", boards={"namespaces": ["ingress-nginx"]}), "party-9999")
    assert named.passes(Pod.of("ingress-nginx", name="ingress-nginx"), solver, 8089)
    assert not named.passes(OTHER_NAMESPACE, solver, 8089)
    assert not deployed(WITH_PULSAR.load(tmp_path / "b").plan, "party-9999").passes(OTHER_NAMESPACE, solver, 8089)


def test_only_the_cluster_s_dns_is_asked_for_names(tmp_path: Path) -> None:
    party = deployed(STAR_PARTY.load(tmp_path).plan, "party-9999")
    for namespace, served in (("kube-system", True), ("openshift-dns", True), ("elsewhere", False)):
        assert party.passes(party.pod("nginx"), Pod.of(namespace, name="dns"), 53, "UDP") is served
    elsewhere = deployed(policies(STAR_PARTY, tmp_path / "own", dns={"namespace": "dns"}), "party-9999")
    assert elsewhere.passes(elsewhere.pod("nginx"), Pod.of("dns", name="dns"), 53, "UDP")


@pytest.mark.parametrize("resolved", INWARD)
def test_a_name_without_addresses_opens_its_port_outside_of_the_cluster_only_and_is_told(resolved: str, tmp_path: Path) -> None:
    case = MESH.with_peer("clinic-b", party_descriptor(host="pulsar.clinic-b.example")).changed(
        lambda config: config.update(cluster={"ranges": RANGES})
    )
    plan = case.load(tmp_path).plan
    party = deployed(plan, "party-9999")
    for outside in (STRANGER, Outside("2001:db8::66")):
        assert party.passes(party.pod("pulsar"), outside, 6651)
        assert not party.passes(party.pod("pulsar"), outside, 443)
        assert not party.passes(party.pod("fateflow"), outside, 6651)
    assert not party.passes(party.pod("pulsar"), Outside(resolved), 6651)
    (told,) = [warning for warning in plan.warnings if "pulsar.clinic-b.example" in warning]
    assert told == (
        "peer clinic-b publishes pulsar as pulsar.clinic-b.example without addresses: a network policy cannot hold names, so pulsar "
        "may dial port 6651 anywhere outside this cluster; its owner can add publish.pulsar.advertise.addresses, or accept the name: "
        "peers.clinic-b.resolve: true"
    )


def test_the_warning_of_a_name_names_the_module_of_the_unit_that_dials_it(tmp_path: Path) -> None:
    """Also where the stack has an exchange of its own, which does not dial the exchange of others."""
    case = LOCAL.with_peer("consortium", exchange_descriptor(host="tunnels.consortium.example"))
    plan = case.changed(lambda config: config["parties"]["9999"].update(exchange="consortium")).load(tmp_path).plan
    (told,) = [warning for warning in plan.warnings if "tunnels.consortium.example" in warning]
    assert ", so pulsar may dial port 443 anywhere" in told


def test_a_service_of_this_cluster_that_the_operator_typed_is_reached_by_its_namespace(tmp_path: Path) -> None:
    typed = {"unsigned": True, "partyId": "10000", "pulsar": "pulsar-public.other-team.svc:6651", "nginx": "203.0.113.20:9300"}
    party = deployed(MESH.with_entry("clinic-b", **typed).load(tmp_path).plan, "party-9999")
    assert party.passes(party.pod("pulsar"), Pod.of("other-team", name="pulsar"), 6651)
    assert not party.passes(party.pod("pulsar"), OTHER_NAMESPACE, 6651)


def test_external_engines_are_reached_and_nothing_else(tmp_path: Path) -> None:
    by_address = EXTERNAL.changed(lambda config: config["parties"]["9999"]["engines"]["pulsar"]["external"].update(host="203.0.113.40"))
    plan = by_address.load(tmp_path).plan
    party = deployed(plan, "party-9999")
    assert party.unit.modules.keys() == {"fateflow", "nginx"}
    ports = party.ports | {22, 443, 7077, 8020, 9866, 16650, 16651, 18080, *range(30990, 31150)}
    anywhere = {port for port in ports if party.passes(party.pod("fateflow"), STRANGER, port)}
    assert anywhere == {3306, 7077, 8020, 9866, *range(31100, 31131)}, "engines that are given by name, and Spark's and HDFS's machines"
    broker = {port for port in ports if party.passes(party.pod("fateflow"), Outside("203.0.113.40"), port)}
    assert broker - anywhere == {16650, 18080}
    called_back = {port for port in ports if party.passes(STRANGER, party.pod("fateflow"), port)}
    assert called_back == {*range(31000, 31031), *range(31100, 31131)}
    assert opened(party, STRANGER)["nginx"] == {9300}
    assert [warning for warning in plan.warnings if "configured by name" in warning] == [
        "external hdfs, mysql, spark of party 9999 are configured by name: a network policy holds addresses only, so pods may dial "
        "those ports anywhere; write an IP address as host to limit that"
    ]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_policies_select_pods_that_are_deployed(case: Case, tmp_path: Path) -> None:
    plan = case.load(tmp_path).plan
    for unit in plan.units:
        found = deployed(plan, unit.key)
        assert len(unit.policies) >= 2
        # The others name pods that come and go, and every pod.
        lasting = [found for found in unit.policies if found.role not in ("policy-doctor", "policy-default-deny", "policy-acme-solver")]
        for manifest in lasting:
            labels = manifest.fields["spec"]["podSelector"]["matchLabels"]
            assert [module for module in unit.modules if labels.items() <= dict(found.pod(module).labels).items()], manifest.name
