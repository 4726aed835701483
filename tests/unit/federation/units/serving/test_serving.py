"""FATE-Serving: its links to training, its routes, its passwords, and what is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.stackfile.initialize import Answers, stack_text
from federation.base.errors import FederationError
from federation.base.live import live_values
from federation.base.naming import SERVING_ROUTES
from federation.catalogue.releases import catalogue
from federation.catalogue.serving import serving_catalogue
from federation.changes.effects import effects
from federation.chart_values.fate import PartyValues
from federation.chart_values.serving import ServingValues
from federation.reports.firewall import firewall_rows
from federation.reports.topology import topology_of
from federation.stack.load import load_stack
from federation.stack.plan import StackPlan
from federation.units.data import lost_data
from tests.support.configs import (
    CLINIC,
    EGGROLL,
    EXCHANGE,
    SERVING,
    SERVING_BY_HAND,
    SERVING_CASES,
    SERVING_EXCHANGE,
    SERVING_LOCAL,
    SERVING_RETIRED,
    SERVING_STAR,
    SERVING_SUSPENDED,
    SERVING_SUSPENDED_EXCHANGE,
    SERVING_WHOLE,
    Case,
    Config,
    exchange,
    exchange_descriptor,
    key_of,
    party,
    party_descriptor,
    serving,
    serving_descriptor,
    serving_exchange,
    signed_file,
    stack,
)

Table = dict[str, dict[str, list[dict[str, Any]]]]
OWN = {"serving": [{"ip": "serving-server", "port": 8000}]}


def table(plan: StackPlan, unit: str) -> Table:
    """The routes of a serving-proxy."""
    (routes,) = plan.unit(unit).routes
    assert routes.name == SERVING_ROUTES
    document = json.loads(routes.fields["data"]["route_table.json"])
    assert set(document) == {"route_table", "permission"}
    found: Table = document["route_table"]
    return found


def to(host: str, port: int = 8869) -> dict[str, list[dict[str, Any]]]:
    return {"default": [{"ip": host, "port": port}]}


def served(plan: StackPlan, unit: str = "serving-9999") -> ServingValues:
    values = plan.unit(unit).chart.values
    assert isinstance(values, ServingValues)
    return values


def trained(plan: StackPlan) -> PartyValues:
    values = plan.unit("party-9999").chart.values
    assert isinstance(values, PartyValues)
    return values


def edited(case: Case, change: Callable[[Config], object]) -> Case:
    """A change of FATE-Serving 9999."""
    return case.changed(lambda config: change(config["serving"]["9999"]))


def test_the_catalogue_says_which_releases_go_together() -> None:
    assert list(serving_catalogue()) == ["2.1.5", "2.1.6"]
    assert set(serving_catalogue()["2.1.6"].fate) <= set(catalogue())
    for release in serving_catalogue().values():
        tags = {row.tag for name, row in release.modules.items() if name in ("servingServer", "servingProxy", "servingAdmin")}
        assert tags == {f"{release.release}-release"}
        assert all(row.tag is not None for row in release.modules.values())


def test_without_an_exchange_requests_go_directly_to_every_peer(tmp_path: Path) -> None:
    assert table(SERVING.load(tmp_path).plan, "serving-9999") == {"9999": OWN, "10000": to("203.0.113.22")}


def test_with_an_exchange_everything_but_the_own_party_goes_to_it(tmp_path: Path) -> None:
    assert table(SERVING_STAR.load(tmp_path).plan, "serving-9999") == {"9999": OWN, "default": to("serving.consortium.example")}


@pytest.mark.parametrize("state", ["suspended", "retired"])
def test_a_member_severed_by_a_party_of_a_serving_star_leads_nowhere(state: str, tmp_path: Path) -> None:
    active = SERVING_STAR.load(tmp_path / "active").plan.unit("serving-9999")
    severed = SERVING_STAR.with_peer("clinic-b-serving", serving_descriptor(), state=state).load(tmp_path / "severed").plan
    assert table(severed, "serving-9999") == {"9999": OWN, "10000": to("127.0.0.1", 1), "default": to("serving.consortium.example")}
    unit = severed.unit("serving-9999")
    assert unit.policies == active.policies, "the exchange is dialled as before, and nothing else"
    (cut,) = effects("serving-9999", active.recorded, unit.recorded)
    assert (cut.kind, cut.pairs) == ("cut", ("serving-9999 <-> 10000",))


def test_a_severed_party_whose_fate_serving_is_still_reached_is_a_warning(tmp_path: Path) -> None:
    direct = SERVING.with_peer("clinic-b", party_descriptor(), state="suspended")
    said = "peer clinic-b is suspended, but its FATE-Serving, peer clinic-b-serving, is active: set its state, too"
    assert said in direct.load(tmp_path / "direct").plan.warnings
    both = direct.with_peer("clinic-b-serving", serving_descriptor(), state="suspended")
    assert "FATE-Serving, peer" not in " ".join(both.load(tmp_path / "both").plan.warnings)
    star = SERVING_STAR.with_peer("clinic-b", party_descriptor(), state="retired")
    unknown = star.changed(lambda config: config["peers"].pop("clinic-b-serving"))
    said = "peer clinic-b is retired, but its FATE-Serving is reached through the serving exchange: accept its descriptor"
    assert said in " ".join(unknown.load(tmp_path / "unknown").plan.warnings)


def test_an_exchange_knows_its_members_and_has_no_default(tmp_path: Path) -> None:
    """KubeFATE's default of an exchange is the exchange itself."""
    routes = table(SERVING_EXCHANGE.load(tmp_path).plan, "serving-exchange")
    assert routes == {"9999": to("203.0.113.12"), "10000": to("203.0.113.22")}


def test_inside_a_stack_routes_go_by_the_names_of_services(tmp_path: Path) -> None:
    plan = SERVING_LOCAL.load(tmp_path).plan
    exchange = to("serving-proxy.fate-serving-exchange.svc")
    assert table(plan, "serving-9999") == {"9999": OWN, "default": exchange}
    assert table(plan, "serving-9998") == {"9998": OWN, "default": exchange}
    assert table(plan, "serving-exchange") == {
        "9998": to("serving-proxy.fate-serving-9998.svc"),
        "9999": to("serving-proxy.fate-serving-9999.svc"),
        "10000": to("203.0.113.22"),
    }


@pytest.mark.parametrize("case", [SERVING_SUSPENDED, SERVING_RETIRED], ids=str)
def test_a_member_that_is_suspended_or_retired_leaves_and_nothing_else_changes(case: Case, tmp_path: Path) -> None:
    before, after = SERVING_EXCHANGE.load(tmp_path / "before").plan, case.load(tmp_path / "after").plan
    assert table(after, "serving-exchange") == {"9999": to("203.0.113.12")}
    (old,), (new,) = before.units, after.units
    assert old.routes != new.routes
    assert (old.services, old.secrets, old.chart, old.descriptor) == (new.services, new.secrets, new.chart, new.descriptor)


def test_a_suspended_exchange_is_no_default(tmp_path: Path) -> None:
    assert table(SERVING_SUSPENDED_EXCHANGE.load(tmp_path).plan, "serving-9999") == {"9999": OWN}


def test_a_pending_exchange_is_no_default(tmp_path: Path) -> None:
    case = edited(SERVING, lambda own: own.update(exchange="hub")).with_entry("hub", descriptor="peers/hub.json")
    plan = case.load(tmp_path).plan
    assert table(plan, "serving-9999") == {"9999": OWN}
    assert "hub" in plan.pending


def test_a_peer_typed_by_hand_is_routed_to(tmp_path: Path) -> None:
    assert table(SERVING_BY_HAND.load(tmp_path).plan, "serving-exchange")["10001"] == to("serving.old-clinic.example", 30096)


def test_only_parties_that_share_a_collaboration_get_routes(tmp_path: Path) -> None:
    more = SERVING.with_peer("other-serving", serving_descriptor("10001", "other", host="203.0.113.23"))
    together = more.changed(lambda config: config.update(collaborations={"scoring": ["9999", "10001"]}))
    assert set(table(more.load(tmp_path / "all").plan, "serving-9999")) == {"9999", "10000", "10001"}
    assert set(table(together.load(tmp_path / "together").plan, "serving-9999")) == {"9999", "10001"}


@pytest.mark.parametrize("case", SERVING_CASES, ids=str)
def test_no_route_of_serving_leads_to_itself_to_a_stranger_or_to_an_unknown_address(case: Case, tmp_path: Path) -> None:
    loaded = case.load(tmp_path)
    units = [unit for unit in loaded.plan.units if unit.chart.chart == "fate-serving"]
    assert units
    known = {*loaded.spec.serving, *(peer.party_id for peer in loaded.peers.accepted if peer.kind == "serving" and peer.routed)}
    for unit in units:
        routes = table(loaded.plan, unit.key)
        own = unit.key.removeprefix("serving-")
        assert set(routes) - {"default"} <= known
        assert (own in routes) is (unit.kind == "serving")
        assert not live_values(unit.routes[0].fields)
        hops = [hop for party, roles in routes.items() if party != own for ends in roles.values() for hop in ends]
        assert not [hop for hop in hops if hop["ip"] == "serving-proxy" or unit.namespace in hop["ip"]], "a loop"
        assert not [hop for hop in hops if not isinstance(hop["port"], int)], "KubeFATE quotes ports"


def test_a_party_and_its_fate_serving_are_linked_by_their_id_in_both_directions(tmp_path: Path) -> None:
    plan = SERVING.load(tmp_path).plan
    servings, server = trained(plan).servings, served(plan).server
    assert servings is not None
    assert server is not None
    assert (servings.hosts, servings.zookeeper) == (("serving-server.fate-serving-9999.svc:8000",), None)
    assert server.model_transfer_url == "http://fateflow-client.fate-9999.svc:9380/v1/model/transfer"
    services = {manifest.name for manifest in plan.unit("party-9999").services}
    assert "fateflow-client" in services


def test_addresses_are_needed_only_across_stacks(tmp_path: Path) -> None:
    alone = Case("a", stack("bank-a", serving={"9999": serving(fateflow="203.0.113.9:30097")}))
    server = served(alone.load(tmp_path / "serving").plan).server
    assert server is not None
    assert server.model_transfer_url == "http://203.0.113.9:30097/v1/model/transfer"
    training = EXCHANGE.changed(lambda config: config.update(parties={"9998": party("fate-9998", exchange="local")}))
    training.config["parties"]["9998"]["servings"] = {"hosts": ["203.0.113.9:30095", "serving.bank-a.example:8000"]}
    values = training.load(tmp_path / "training").plan.unit("party-9998").chart.values
    assert isinstance(values, PartyValues)
    assert values.servings is not None
    assert values.servings.hosts == ("203.0.113.9:30095", "serving.bank-a.example:8000")


def test_a_registry_links_both_and_its_password_is_in_both_namespaces(tmp_path: Path) -> None:
    plan = SERVING_WHOLE.load(tmp_path).plan
    servings, server = trained(plan).servings, served(plan)
    assert servings is not None
    assert servings.zookeeper is not None
    assert servings.zookeeper.hosts == ("serving-zookeeper.fate-serving-9999.svc:2181",)
    assert server.registry is not None
    assert servings.zookeeper.user == server.registry.user == "fate"
    found = {
        (unit.key, secret.namespace, secret.sources["password"])
        for unit in plan.units
        for secret in unit.secrets
        if secret.name == "serving-zookeeper-credentials"
    }
    password = "serving-9999-zookeeper"
    assert found == {("serving-9999", "fate-serving-9999", password), ("party-9999", "fate-9999", password)}
    assert servings.zookeeper.password == server.registry.password


def test_a_zookeeper_elsewhere_has_the_account_that_the_stack_names(tmp_path: Path) -> None:
    zookeeper: Config = {"hosts": ["zookeeper.example:2181"]}
    case = SERVING.changed(lambda config: config.pop("serving"))
    case.config["parties"]["9999"]["servings"] = {"useRegistry": True, "zookeeper": zookeeper}
    servings = trained(case.load(tmp_path / "open").plan).servings
    assert servings is not None
    assert servings.plain() == {"hosts": [], "zookeeper": {"hosts": ["zookeeper.example:2181"]}}
    zookeeper.update(user="flow", password={"secret": "shared-zookeeper"})
    plan = case.load(tmp_path / "account").plan
    assert "shared-zookeeper" in plan.secret_names
    servings = trained(plan).servings
    assert servings is not None
    assert servings.zookeeper is not None
    assert (servings.zookeeper.user, servings.zookeeper.password) is not None
    assert servings.plain()["zookeeper"]["password"] == {"name": "serving-zookeeper-credentials", "key": "password"}


def policies(plan: StackPlan, unit: str) -> dict[str, Any]:
    return {policy.name: policy.fields["spec"] for policy in plan.unit(unit).policies}


def pods(namespace: str, instance: str, module: str) -> dict[str, Any]:
    selected = {"app.kubernetes.io/name": module, "app.kubernetes.io/instance": instance}
    return {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "podSelector": {"matchLabels": selected},
    }


def tcp(*ports: int) -> list[dict[str, Any]]:
    return [{"protocol": "TCP", "port": port} for port in ports]


def test_network_policies_let_fateflow_and_serving_server_talk_and_nobody_else(tmp_path: Path) -> None:
    plan = SERVING.load(tmp_path).plan
    fateflow, server = pods("fate-9999", "party-9999", "fateflow"), pods("fate-serving-9999", "serving-9999", "serving-server")
    training, own = policies(plan, "serving-9999")["fate-training"], policies(plan, "party-9999")["fate-serving"]
    assert training["podSelector"] == server["podSelector"]
    assert training["ingress"] == [{"from": [fateflow], "ports": tcp(8000)}]
    assert training["egress"] == [{"to": [fateflow], "ports": tcp(9380)}]
    assert own["podSelector"] == fateflow["podSelector"]
    assert own["ingress"] == [{"from": [server], "ports": tcp(9380)}]
    assert own["egress"] == [{"to": [server], "ports": tcp(8000)}]
    assert set(policies(plan, "serving-9999")) == {"fate-inside", "fate-default-deny", "fate-peers-serving-proxy", "fate-training"}


def test_network_policies_open_the_proxy_for_peers_and_let_it_dial_them(tmp_path: Path) -> None:
    direct = policies(SERVING.load(tmp_path / "direct").plan, "serving-9999")["fate-peers-serving-proxy"]
    assert direct["ingress"] == [{"ports": tcp(8869)}]
    assert direct["egress"] == [{"to": [{"ipBlock": {"cidr": "203.0.113.22/32"}}], "ports": tcp(8869)}]
    local = policies(SERVING_LOCAL.load(tmp_path / "local").plan, "serving-9999")["fate-peers-serving-proxy"]
    assert local["egress"] == [{"to": [pods("fate-serving-exchange", "serving-exchange", "serving-proxy")], "ports": tcp(8869)}]
    suspended = policies(SERVING_SUSPENDED.load(tmp_path / "suspended").plan, "serving-exchange")["fate-peers-serving-proxy"]
    assert suspended["egress"] == [{"to": [{"ipBlock": {"cidr": "203.0.113.12/32"}}], "ports": tcp(8869)}]


def test_network_policies_let_the_registry_and_what_is_elsewhere_be_reached(tmp_path: Path) -> None:
    plan = SERVING_WHOLE.load(tmp_path / "registry").plan
    fateflow = pods("fate-9999", "party-9999", "fateflow")
    assert policies(plan, "serving-9999")["fate-registry"]["ingress"] == [{"from": [fateflow], "ports": tcp(2181)}]
    zookeeper = pods("fate-serving-9999", "serving-9999", "serving-zookeeper")
    assert {"to": [zookeeper], "ports": tcp(2181)} in policies(plan, "party-9999")["fate-serving"]["egress"]
    adaptors = {"single": "a.B", "batch": "a.C", "url": "https://features.example/v1"}
    case = edited(SERVING, lambda own: own.update(engines=REDIS, adaptors=adaptors))
    egress = policies(case.load(tmp_path / "elsewhere").plan, "serving-9999")["fate-training"]["egress"]
    assert egress[1:] == [{"ports": tcp(6380)}, {"ports": tcp(443)}], "a policy holds no names"


def test_switched_off_there_is_no_network_policy(tmp_path: Path) -> None:
    plan = SERVING_WHOLE.changed(lambda config: config.update(networkPolicy={"enabled": False})).load(tmp_path).plan
    assert [unit.policies for unit in plan.units] == [(), ()]


def test_a_patch_and_digests_reach_fate_serving_and_are_checked(tmp_path: Path) -> None:
    digest = f"sha256:{'a' * 64}"
    image = "federatedai/serving-proxy:2.1.6-release"
    case = edited(SERVING, lambda own: own.update(chartValues={"modules": {"servingProxy": {"replicas": 3}}}))
    case.config["images"] = {"digests": {image: digest}}
    modules = case.load(tmp_path / "right").plan.unit("serving-9999").modules
    assert modules["servingProxy"] == {"image": f"{image}@{digest}", "replicas": 3}
    wrong = edited(SERVING, lambda own: own.update(chartValues={"partyId": "1", "modules": {"servingProxy": {"replicas": "x"}}}))
    found = {place for place, _, _ in problems(wrong, tmp_path / "wrong")}
    assert found == {f"{AT}.chartValues.partyId", f"{AT}.chartValues.modules.servingProxy.replicas"}


def test_passwords_have_names_of_their_own_and_are_made_by_secrets_init(tmp_path: Path) -> None:
    plan = SERVING_WHOLE.load(tmp_path).plan
    own = {name for name in plan.secret_names if name.startswith("serving-")}
    assert own == {"serving-9999-redis", "serving-9999-zookeeper", "serving-9999-admin"}
    assert not own & set(plan.provided)
    assert [name for name in SERVING_EXCHANGE.load(tmp_path / "exchange").plan.secret_names] == []


@pytest.mark.parametrize("case", SERVING_CASES, ids=str)
def test_an_exchange_is_a_proxy_alone_and_optional_modules_are_deployed_when_they_are_named(case: Case, tmp_path: Path) -> None:
    plan = case.load(tmp_path).plan
    for unit in plan.units:
        if unit.kind == "servingExchange":
            assert set(unit.modules) == {"servingProxy"}
            assert served(plan, unit.key).plain().keys().isdisjoint({"partyId", "server", "registry", "admin"})
        if unit.kind == "serving":
            optional = {"servingZookeeper", "servingAdmin"} if case is SERVING_WHOLE else set()
            assert set(unit.modules) == {"servingProxy", "servingServer", "servingRedis"} | optional


REDIS = {"redis": {"external": {"host": "redis.example", "port": 6380, "password": {"secret": "our-redis"}}}}


def test_a_redis_elsewhere_is_not_deployed_and_its_password_is_the_operators(tmp_path: Path) -> None:
    plan = edited(SERVING, lambda own: own.update(engines=REDIS)).load(tmp_path).plan
    values = served(plan)
    assert "servingRedis" not in plan.unit("serving-9999").modules
    assert values.server is not None
    assert values.server.redis is not None
    assert (values.server.redis.host, values.server.redis.port) == ("redis.example", 6380)
    assert "our-redis" in plan.secret_names
    assert "redis.example" in plan.provided["our-redis"], "secrets init would invent it"


def test_a_cache_in_memory_needs_no_redis_and_no_password(tmp_path: Path) -> None:
    plan = edited(SERVING, lambda own: own.update(cache={"type": "local"})).load(tmp_path).plan
    assert "servingRedis" not in plan.unit("serving-9999").modules
    assert not [name for name in plan.secret_names if name.startswith("serving-")]


def test_one_switch_changes_every_image(tmp_path: Path) -> None:
    case = SERVING_WHOLE.changed(lambda config: config.update(images={"registry": "registry.bank-a.example/fate"}))
    modules = case.load(tmp_path).plan.unit("serving-9999").modules
    assert len(modules) == 5
    assert all(module["image"].startswith("registry.bank-a.example/fate/") for module in modules.values())


def test_the_descriptor_says_the_published_proxy_and_nothing_of_the_inside(tmp_path: Path) -> None:
    plan = SERVING_WHOLE.load(tmp_path).plan
    descriptor = plan.unit("serving-9999").descriptor
    assert (descriptor["kind"], descriptor["partyId"], descriptor["release"]) == ("serving", "9999", "2.1.6")
    assert set(descriptor["endpoints"]) == {"servingProxy"}
    assert descriptor["endpoints"]["servingProxy"]["ports"] == {"grpc": 8869}
    (service,) = plan.unit("serving-9999").services
    assert [port["port"] for port in service.fields["spec"]["ports"]] == [8869], "clients and redis are not the peers' business"


def test_data_that_an_edit_would_leave_behind_is_told(tmp_path: Path) -> None:
    before = SERVING_WHOLE.load(tmp_path / "before").plan.unit("serving-9999").data
    assert set(before["claims"]) == {"servingServer", "servingRedis", "servingZookeeper"}
    assert list(lost_data(before, before)) == []
    changes: dict[str, Config] = {"namespace": {"namespace": "elsewhere"}, "persistence of servingServer": {"persistence": "none"}}
    for said, change in changes.items():
        after = edited(SERVING_WHOLE, lambda own, change=change: own.update(change)).load(tmp_path / said[:9]).plan  # type: ignore[misc]
        assert any(problem.startswith(said) for problem in lost_data(before, after.unit("serving-9999").data))


def test_what_an_operator_should_know_is_said(tmp_path: Path) -> None:
    plan = SERVING.load(tmp_path / "right").plan
    (warning,) = [warning for warning in plan.warnings if warning.startswith("serving")]
    assert "without encryption" in warning
    mock = edited(SERVING, lambda own: own.pop("adaptors")).load(tmp_path / "mock").plan
    assert [warning for warning in mock.warnings if "predicts from made-up features" in warning and "serving.9999.adaptors" in warning]
    older = edited(SERVING, lambda own: own.update(release="2.1.5")).load(tmp_path / "older").plan
    assert [warning for warning in older.warnings if "is not known to publish models to FATE-Serving 2.1.5" in warning]


def _serving(**change: Any) -> Callable[[Config], object]:
    return lambda config: config["serving"]["9999"].update(change)


def _servings(**servings: Any) -> Callable[[Config], object]:
    return lambda config: config["parties"]["9999"].update(servings=servings)


def _training(**servings: Any) -> Callable[[Config], object]:
    def change(config: Config) -> None:
        del config["serving"]
        config["parties"]["9999"]["servings"] = servings

    return change


AT = "serving.9999"
# What is wrong: (change, where, what is said, the remedy).
WRONG: dict[str, tuple[Callable[[Config], object], str, str, str]] = {
    "an unknown release": (_serving(release="2.1.9"), f"{AT}.release", "unknown release 2.1.9", "choose one of 2.1.5, 2.1.6"),
    "a namespace of the party": (_serving(namespace="fate-9999"), f"{AT}.namespace", "already used by fate:parties.9999", "of its own"),
    "an address of the own party": (_serving(fateflow="192.0.2.1:9380"), f"{AT}.fateflow", "needs no address", "remove"),
    "no party": (lambda config: config.update(parties={}), f"{AT}.fateflow", "has no party 9999", "fateflow: HOST:9380"),
    "an unknown exchange": (_serving(exchange="hub"), f"{AT}.exchange", "there is no peer hub", "fatefed peers add FILE --name hub"),
    "no local exchange": (_serving(exchange="local"), f"{AT}.exchange", "holds no serving exchange", "fate:servingExchange"),
    "an exchange of training": (_serving(exchange="consortium"), f"{AT}.exchange", "is an exchange, not a serving", "serving exchange's"),
    "a member as exchange": (
        _serving(exchange="clinic-b-serving"),
        f"{AT}.exchange",
        "is FATE-Serving of a party, not",
        "serving exchange's",
    ),
    "nothing published": (_serving(publish={}), f"{AT}.publish.servingProxy", "is missing", "publish it"),
    "a console alone": (
        _serving(modules={"servingAdmin": {}}),
        f"{AT}.modules.servingAdmin",
        "does not start without it",
        "add servingZookeeper: {}",
    ),
    "two servers": (
        _serving(modules={"servingServer": {"replicas": 2}}),
        f"{AT}.modules.servingServer.replicas",
        "does not scale",
        "remove",
    ),
    "a claim for a proxy": (
        _serving(modules={"servingProxy": {"persistence": {"size": "1Gi"}}}),
        f"{AT}.modules.servingProxy.persistence",
        "has no claim",
        "remove",
    ),
    "a variable of ours": (
        _serving(modules={"servingServer": {"env": {"REDIS_PASSWORD": "x"}}}),
        f"{AT}.modules.servingServer.env.REDIS_PASSWORD",
        "is set by this program",
        "fate:secrets",
    ),
    "two Redis": (_serving(engines=REDIS, modules={"servingRedis": {}}), f"{AT}.modules.servingRedis", "is not deployed", "remove it"),
    "a Redis for nothing": (_serving(engines=REDIS, cache={"type": "local"}), f"{AT}.engines.redis", "is not used", "remove it"),
    "a password for nothing": (
        _serving(cache={"type": "local"}, credentials={"redis": {"secret": "x"}}),
        f"{AT}.credentials.redis",
        "not deployed",
        "remove it",
    ),
    "a password before": (
        _serving(credentials={"redis": {"secret": "new", "previous": "old"}}),
        f"{AT}.credentials.redis.previous",
        "no Job changes",
        "remove this line",
    ),
    "hosts beside the own": (_servings(hosts=["192.0.2.1:8000"]), "parties.9999.servings.hosts", "is in this stack", "remove this line"),
    "a password of a zookeeper elsewhere before": (
        _training(useRegistry=True, zookeeper={"hosts": ["z:2181"], "user": "flow", "password": {"secret": "new", "previous": "old"}}),
        "parties.9999.servings.zookeeper.password.previous",
        "no Job changes",
        "remove this line",
    ),
    "a zookeeper beside the own": (
        lambda config: (
            _serving(modules={"servingZookeeper": {}})(config),
            _servings(useRegistry=True, zookeeper={"hosts": ["z:2181"]})(config),
        ),
        "parties.9999.servings.zookeeper",
        "has a zookeeper of its own",
        "is enough",
    ),
    "a registry that is not there": (
        _servings(useRegistry=True),
        "parties.9999.servings.useRegistry",
        "has no zookeeper",
        "serving.9999.modules.servingZookeeper: {}",
    ),
    "nothing said": (_training(), "parties.9999.servings.hosts", "the address of FATE-Serving is missing", "fate:serving.9999"),
    "a registry without a zookeeper": (
        _training(useRegistry=True),
        "parties.9999.servings.useRegistry",
        "no zookeeper is named",
        "hosts: [HOST:2181]",
    ),
    "a zookeeper for nothing": (
        _training(hosts=["192.0.2.1:8000"], zookeeper={"hosts": ["z:2181"]}),
        "parties.9999.servings.zookeeper",
        "is not used without useRegistry",
        "add useRegistry: true",
    ),
    "a node port twice": (
        _serving(
            publish={"servingProxy": {"type": "NodePort", "port": 30096, "advertise": {"host": "203.0.113.9"}}},
            modules={"servingServer": {"service": {"type": "NodePort", "nodePorts": {"tcp-serving-server": 30096}}}},
        ),
        f"{AT}.modules.servingServer.service.nodePorts.tcp-serving-server",
        "node port 30096 is already used by serving.9999.publish.servingProxy",
        "choose another one",
    ),
    "a class with a line break": (_serving(adaptors={"single": "a.B\nport=1"}), f"{AT}.adaptors.single", "", "correct"),
    "a word that is no cache": (_serving(cache={"type": "memory"}), f"{AT}.cache.type", "'redis' or 'local'", "correct"),
}


def problems(case: Case, folder: Path) -> list[tuple[str, str, str]]:
    """Every problem that loading the case tells: (key, problem, remedy)."""
    with pytest.raises(FederationError) as raised:
        case.load(folder)
    return [(problem.place.rpartition("fate:")[2], problem.problem, problem.remedy) for problem in raised.value.problems]


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_told_alone_with_place_problem_and_remedy(name: str, tmp_path: Path) -> None:
    change, where, said, remedy = WRONG[name]
    ((place, problem, help_),) = problems(SERVING.changed(change), tmp_path)
    assert place == where
    assert said in problem
    assert remedy in help_


def test_several_mistakes_are_told_at_once_and_only_once(tmp_path: Path) -> None:
    case = SERVING.changed(_serving(release="2.1.9", exchange="hub", publish={}, modules={"servingAdmin": {}}))
    found = [place for place, _, _ in problems(case, tmp_path)]
    assert sorted(found) == sorted([f"{AT}.release", f"{AT}.exchange", f"{AT}.publish.servingProxy", f"{AT}.modules.servingAdmin"])


def test_a_broken_entry_hides_no_other_mistake_and_invents_none(tmp_path: Path) -> None:
    """Without its persistence it is checked on; without its modules nothing can be said of it."""
    told = {"persistence": {"parties.9999.release", "parties.9999.servings.useRegistry"}, "modules": {"parties.9999.release"}}
    for field, more in told.items():
        case = SERVING.changed(_serving(**{field: "nowhere"})).changed(lambda config: config["parties"]["9999"].update(release="0.1"))
        case.config["parties"]["9999"]["servings"] = {"useRegistry": True}
        assert {place for place, _, _ in problems(case, tmp_path / field)} == {f"{AT}.{field}", *more}


def test_a_party_id_that_no_java_int_holds_is_refused(tmp_path: Path) -> None:
    units = stack("bank-a", serving={"2147483648": serving(fateflow="192.0.2.1:9380")})
    ((place, problem, _),) = problems(Case("large", units), tmp_path)
    assert place == "serving.2147483648"
    assert "2147483647" in problem


@pytest.mark.parametrize(
    ("name", "descriptor", "said"),
    [
        ("second", serving_descriptor("10000", "copycat"), "party 10000 already has the FATE-Serving of peer clinic-b-serving"),
        ("ours", serving_descriptor("9999", "copycat"), "party 9999 already has the FATE-Serving of this stack"),
    ],
)
def test_a_party_has_one_fate_serving(name: str, descriptor: Any, said: str, tmp_path: Path) -> None:
    found = problems(SERVING.with_peer(name, descriptor), tmp_path)
    assert ("peers." + name, said) in [(place, problem) for place, problem, _ in found]


def test_fate_serving_belongs_to_the_owner_of_its_party(tmp_path: Path) -> None:
    """Else a stranger would answer for a party's models."""
    case = EXCHANGE.changed(lambda config: config.update(servingExchange=serving_exchange()))
    case.with_peer("clinic-b-serving", serving_descriptor()).load(tmp_path / "owner")
    stranger = serving_descriptor("10000", "stranger")
    ((place, problem, _),) = problems(case.with_peer("stranger", stranger), tmp_path / "stranger")
    assert place == "peers.stranger"
    assert problem.startswith("is FATE-Serving of party 10000, which belongs to peer clinic-b, whose key is")
    unsigned = case.with_peer_file("stranger", stranger.text().encode())
    ((place, problem, _),) = problems(unsigned, tmp_path / "unsigned")
    assert (place, problem) == ("peers.stranger", "is FATE-Serving of party 10000, which belongs to clinic-b")


MEMBERS = EXCHANGE.changed(lambda config: config.update(servingExchange=serving_exchange()))


@pytest.mark.parametrize("state", ["active", "suspended", "retired"])
@pytest.mark.parametrize("of_serving", ["active", "suspended", "retired"])
def test_the_name_of_an_organization_is_no_proof_its_key_is(state: str, of_serving: str, tmp_path: Path) -> None:
    """Whoever claims to be clinic-b does not get its party id, not even when clinic-b has gone."""
    case = MEMBERS.with_peer("clinic-b", CLINIC, state=state)
    case.with_peer("clinic-b-serving", serving_descriptor(), state=of_serving).load(tmp_path / "owner")
    forged = case.with_peer_file(
        "stranger", signed_file(serving_descriptor(), signer="stranger"), unsigned=None, key=key_of("stranger"), acceptedSerial=1
    )
    forged = forged.changed(lambda config: config["peers"]["stranger"].update(state=of_serving))
    ((place, problem, _),) = problems(forged, tmp_path / "stranger")
    assert place == "peers.stranger"
    assert f"belongs to peer clinic-b, whose key is {key_of('clinic-b')}, while this one is signed with {key_of('stranger')}" in problem


def test_an_owner_with_a_new_key_may_renew_one_unit_after_the_other(tmp_path: Path) -> None:
    def renewed(name: str, descriptor: Any, case: Case, **entry: Any) -> Case:
        content = signed_file(descriptor, serial=2, signer="clinic-b anew")
        said = {"unsigned": None, "key": key_of("clinic-b anew"), "acceptedSerial": 2, **entry}
        return case.with_peer_file(name, content, **said)

    old = MEMBERS.with_peer("clinic-b-serving", serving_descriptor())
    between = renewed("clinic-b", CLINIC, old, previousKey=key_of("clinic-b"))
    warning = "peer clinic-b has a new key, clinic-b-serving still the old one: accept a descriptor of clinic-b-serving with the new one"
    assert warning in between.load(tmp_path / "between").plan.warnings
    other_way = renewed("clinic-b-serving", serving_descriptor(), old, previousKey=key_of("clinic-b"))
    assert any("clinic-b still the old one" in said for said in other_way.load(tmp_path / "other").plan.warnings)
    both = renewed("clinic-b-serving", serving_descriptor(), between, previousKey=key_of("clinic-b"))
    assert not [said for said in both.load(tmp_path / "both").plan.warnings if "key" in said]
    assert problems(renewed("clinic-b", CLINIC, old), tmp_path / "not said")


def test_the_party_of_ones_own_fate_serving_is_ones_own(tmp_path: Path) -> None:
    """FATE-Serving here, the party in another stack of this organization; nobody else joins under its id."""
    own = SERVING_LOCAL.changed(lambda config: config.update(exchange=exchange(), identity={"key": key_of("bank-a")}))
    own.with_peer("training", party_descriptor("9999", "bank-a")).load(tmp_path / "own")
    ((place, problem, _),) = problems(own.with_peer("training", party_descriptor("9999", "evil-corp")), tmp_path / "stranger")
    assert (place, problem) == (
        "peers.training", f"is party 9999 of evil-corp, {key_of('evil-corp')}, whose FATE-Serving is in this stack"
    )  # fmt: skip
    forged = signed_file(party_descriptor("9999", "bank-a"), signer="evil-corp")
    ((_, problem, _),) = problems(
        own.with_peer_file("training", forged, unsigned=None, key=key_of("evil-corp"), acceptedSerial=1), tmp_path / "forged"
    )
    assert problem == f"is party 9999 of bank-a, {key_of('evil-corp')}, whose FATE-Serving is in this stack"


def test_a_party_of_which_one_unit_alone_is_signed_is_a_warning(tmp_path: Path) -> None:
    typed = MEMBERS.with_entry("clinic-b-serving", unsigned=True, partyId="10000", servingProxy="198.51.100.7:8869")
    said = "peers clinic-b and clinic-b-serving are both of party 10000, but only clinic-b is signed: "
    said += "no key proves that they have the same owner"
    assert said in typed.load(tmp_path / "typed").plan.warnings
    signed = MEMBERS.with_peer("clinic-b-serving", serving_descriptor()).load(tmp_path / "signed")
    assert not [warning for warning in signed.plan.warnings if "is signed" in warning]


def test_a_serving_peer_is_no_party_and_no_exchange_of_training(tmp_path: Path) -> None:
    loaded = SERVING_STAR.with_peer("consortium", exchange_descriptor()).load(tmp_path)
    assert [peer.name for peer in loaded.peers.parties()] == []
    assert loaded.peers.exchange("consortium-serving") is None
    wrong = SERVING_STAR.changed(lambda config: config["parties"]["9999"].update(exchange="consortium-serving"))
    ((place, problem, _),) = problems(wrong, tmp_path / "wrong")
    assert (place, problem) == ("parties.9999.exchange", "peer consortium-serving is a serving exchange, not an exchange")


def test_engines_of_training_are_not_those_of_serving(tmp_path: Path) -> None:
    mixed = SERVING.changed(lambda config: config["parties"]["9999"].update(publish={"rollsite": {"type": "LoadBalancer"}}, **EGGROLL))
    mixed.with_peer("consortium", exchange_descriptor(engine="Eggroll")).load(tmp_path)


def test_init_writes_a_party_with_its_fate_serving(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.org-1.yaml"
    file.write_text(stack_text(Answers(kind="serving", organization="org-1", party_id="77")))
    plan = load_stack(file).plan
    assert [unit.key for unit in plan.units] == ["party-77", "serving-77"]
    values = plan.unit("party-77").chart.values
    assert isinstance(values, PartyValues)
    assert values.servings is not None
    assert values.servings.hosts == ("serving-server.fate-serving-77.svc:8000",)


def test_a_party_descriptor_is_not_taken_for_fate_serving(tmp_path: Path) -> None:
    case = SERVING.changed(lambda config: config["federation"].update(topology="mesh")).changed(
        lambda config: config["parties"]["9999"].pop("exchange")
    )
    plan = case.with_peer("clinic-b", party_descriptor()).load(tmp_path).plan
    assert table(plan, "serving-9999") == {"9999": OWN, "10000": to("203.0.113.22")}


def test_the_firewall_sheet_and_the_drawing_know_what_is_served(tmp_path: Path) -> None:
    loaded = SERVING_STAR.load(tmp_path)
    rows = [row for row in firewall_rows(loaded.spec, loaded.peers, loaded.plan) if row.unit == "serving-9999"]
    assert [(row.direction, row.endpoint, row.port) for row in rows] == [("in", "servingProxy", 8869), ("out", "servingProxy", 8869)]
    assert rows[1].hosts == ("serving.consortium.example",)
    direct = SERVING.load(tmp_path / "direct")
    out = [
        row for row in firewall_rows(direct.spec, direct.peers, direct.plan) if row.direction == "out" and row.endpoint == "servingProxy"
    ]
    assert [(row.unit, row.hosts) for row in out] == [("serving-9999", ("203.0.113.22",))]
    drawn = {node.key for node in topology_of(loaded.spec, loaded.peers, loaded.plan).nodes}
    assert drawn >= {"serving-9999", "peer-clinic-b-serving", "peer-consortium-serving"}


def test_a_change_says_what_it_does_to_fate_serving(tmp_path: Path) -> None:
    before = SERVING.load(tmp_path / "before").plan.unit("serving-9999").recorded
    assert set(before["links"]) == {"10000"}
    assert set(SERVING_STAR.load(tmp_path / "star").plan.unit("serving-9999").recorded["links"]) == {
        "10000",
        "everyone through consortium-serving",
    }
    after = (
        edited(SERVING, lambda own: own["adaptors"].update(single="a.Other")).load(tmp_path / "after").plan.unit("serving-9999").recorded
    )
    (effect,) = effects("serving-9999", before, after)
    assert (effect.kind, "servingServer" in effect.what, "servingProxy" in effect.what) == ("recreate", True, False)
    suspended = SERVING.with_peer("clinic-b-serving", serving_descriptor(), state="suspended").load(tmp_path / "suspended").plan
    (cut,) = effects("serving-9999", before, suspended.unit("serving-9999").recorded)
    assert (cut.kind, cut.pairs) == ("cut", ("serving-9999 <-> 10000",))
