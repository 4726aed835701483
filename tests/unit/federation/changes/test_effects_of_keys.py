"""Every key of a stack file that may change a running party is told: each is edited here, or is listed as one that changes none."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from pydantic import BaseModel

from federation.changes.effects import stack_effects
from federation.config.exchange import ExchangeSpec
from federation.config.modules import ModuleSpec
from federation.config.network import NetworkPolicySpec
from federation.config.party import PartySpec
from federation.config.publish import ExchangePublish, PartyPublish, PublishNginx, PublishPort
from federation.config.stack import ClusterSpec, FederationSpec, StackSpec
from tests.support.configs import (
    EXCHANGE,
    EXTERNAL,
    FML_MANAGER,
    LOCAL,
    MESH,
    MESH_OF_TWO,
    MYSQL,
    NODE_PORTS,
    OSX_EXCHANGE,
    OSX_STAR,
    PORTAL,
    RABBITMQ_MESH,
    ROLLSITE_EXCHANGE,
    ROLLSITE_STAR,
    SERVING,
    SERVING_EXCHANGE,
    STAR_PARTY,
    Case,
    Config,
    exchange_descriptor,
    external,
    node_port,
    party,
)
from tests.support.trust import managed, trusting

Edit = Callable[[Config], object]
OTHER_IMAGE = {"nginx": {"image": {"tag": "other"}}}


def stack(**sections: object) -> Edit:
    """Keys under `fate:`."""
    return lambda config: config.update(sections)


def within(section: str, **values: object) -> Edit:
    """Keys of a section under `fate:`."""
    return lambda config: config.setdefault(section, {}).update(values)


def own(**values: object) -> Edit:
    """Keys of party 9999."""
    return lambda config: config["parties"]["9999"].update(values)


def hub(**values: object) -> Edit:
    """Keys of the exchange."""
    return lambda config: config["exchange"].update(values)


def published(endpoint: str, section: str = "parties", **values: object) -> Edit:
    """Keys of what a party or an exchange publishes."""
    return lambda config: (config["parties"]["9999"] if section == "parties" else config["exchange"])["publish"][endpoint].update(values)


def module(**values: object) -> Edit:
    """Keys of the module mysql of party 9999."""
    return lambda config: config["parties"]["9999"].setdefault("modules", {}).update(mysql=values)


def after(first: Edit, case: Case) -> Case:
    """A case that begins with an edit."""
    return case.changed(first)


TWO_HUBS = STAR_PARTY.with_peer("newhub", exchange_descriptor("hospital-c", host="198.51.100.44", nginx="198.51.100.45"))
HELD = LOCAL.with_peer("consortium", exchange_descriptor())
ALONE = Case("a party without peers", {**MESH.config, "peers": {}})
SHOWN = MESH.changed(lambda config: config["parties"]["9999"].update(modules={"fateboard": {}}))
_BOARDS = {"kind": "ingress", "domain": "bank-a.example"}
_RESOURCES = {"requests": {}, "limits": {"memory": "3Gi"}}
_SPREAD = [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}]
_AFFINITY = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "zone", "labelSelector": {}}]}}
# A stack, and an edit of a key of each model that has an effect.
EDITS: dict[type[BaseModel], dict[str, tuple[Case, Edit]]] = {
    StackSpec: {
        "organization": (ALONE, stack(organization="bank-z")),
        "federation": (ALONE, within("federation", name="other")),
        "parties": (MESH_OF_TWO, lambda config: config["parties"].pop("9998")),
        "exchange": (HELD, lambda config: (config.pop("exchange"), own(exchange="consortium")(config))),
        "serving": (SERVING, lambda config: config.pop("serving")),
        "servingExchange": (SERVING_EXCHANGE, lambda config: config["servingExchange"].update(release="2.1.5")),
        "sitePortal": (PORTAL, lambda config: config.pop("sitePortal")),
        "peers": (MESH, lambda config: config["peers"]["clinic-b"].update(state="suspended")),
        "collaborations": (MESH, stack(collaborations={"fraud": ["9999", "10001"]})),
        "boards": (SHOWN, stack(boards=_BOARDS)),
        "networkPolicy": (MESH, stack(networkPolicy={"enabled": False})),
        "images": (MESH, stack(images={"registry": "registry.example/fate"})),
        "trust": (trusting(MESH, "9999"), lambda config: config.update(trusting(MESH, "9999", authorities=("1", "2")).config)),
    },
    FederationSpec: {
        "name": (ALONE, within("federation", name="other")),
        "domain": (ALONE, within("federation", domain="other.example")),
        "topology": (
            ALONE.with_peer("consortium", exchange_descriptor()),
            lambda config: (config["federation"].update(topology="star"), config["parties"]["9999"].update(exchange="consortium")),
        ),
    },
    # A namespace that the stack does not make is not closed.
    ClusterSpec: {
        "scope": (MESH, stack(cluster={"scope": "namespaced"})),
        "createNamespaces": (MESH, stack(cluster={"createNamespaces": False})),
    },
    PartySpec: {
        "namespace": (MESH, own(namespace="other")),
        "release": (after(own(release="1.11.1"), MESH), own(release="1.11.2")),
        "computing": (MESH, own(computing="Spark_local", storage="LocalFS")),
        "federation": (ALONE, lambda config: config["parties"].update({"9999": party(exchange=None, federation="RabbitMQ", tls="none")})),
        "storage": (MESH, own(computing="Spark_local", storage="LocalFS")),
        "algorithm": (MESH, own(algorithm="NN")),
        "device": (MESH, own(device="IPCL")),
        "exchange": (TWO_HUBS, own(exchange="newhub")),
        "persistence": (MESH, own(persistence={})),
        "tls": (MESH, lambda config: config.update(trusting(MESH, "9999").config)),
        "issuer": (managed(MESH), own(issuer={"name": "other"})),
        "engines": (MESH, own(engines=external(mysql=MYSQL))),
        "servings": (MESH, own(servings={"hosts": ["203.0.113.9:30080"]})),
        "modules": (MESH, own(modules=OTHER_IMAGE)),
        "credentials": (MESH, own(credentials={"mysql": {"secret": "other", "previous": "party-9999-mysql"}})),
        "datasets": (MESH, own(datasets={"patients": {"existingClaim": "patients"}})),
        "boards": (after(stack(boards=_BOARDS), SHOWN), own(boards={"fateboard": {"host": "other.bank-a.example"}})),
        "chartValues": (MESH, own(chartValues={"modules": {"nginx": {"env": {"A": "b"}}}})),
        "publish": (MESH, published("pulsar", port=16651)),
    },
    ExchangeSpec: {
        "namespace": (EXCHANGE, hub(namespace="other")),
        "release": (after(hub(release="1.11.1"), EXCHANGE), hub(release="1.11.2")),
        "federation": (Case("", {**EXCHANGE.config, "peers": {}}), lambda c: c.update({**ROLLSITE_EXCHANGE.config, "peers": {}})),
        "modules": (EXCHANGE, lambda config: config["exchange"]["modules"].update(OTHER_IMAGE)),
        "fmlManager": (FML_MANAGER, lambda config: config["exchange"].pop("fmlManager")),
        "chartValues": (EXCHANGE, hub(chartValues={"modules": {"nginx": {"env": {"A": "b"}}}})),
        "publish": (EXCHANGE, published("nginx", "exchange", httpPort=19300)),
    },
    PartyPublish: {
        "pulsar": (MESH, published("pulsar", port=16651)),
        "nginx": (MESH, published("nginx", httpPort=19300)),
        "rabbitmq": (RABBITMQ_MESH, published("rabbitmq", port=15673)),
        "rollsite": (ROLLSITE_STAR, published("rollsite", port=19370)),
        "osx": (OSX_STAR, published("osx", port=19370)),
    },
    ExchangePublish: {
        "trafficServer": (EXCHANGE, published("trafficServer", "exchange", port=1443)),
        "nginx": (EXCHANGE, published("nginx", "exchange", httpPort=19300)),
        "rollsite": (ROLLSITE_EXCHANGE, published("rollsite", "exchange", port=19370)),
        "osx": (OSX_EXCHANGE, published("osx", "exchange", port=19370)),
    },
    PublishPort: {
        "type": (MESH, published("pulsar", **node_port(port=30651))),
        "advertise": (MESH, published("pulsar", advertise={"host": "203.0.113.9"})),
        "annotations": (MESH, published("pulsar", annotations={"example/internal": "true"})),
        "sourceRanges": (MESH, published("pulsar", sourceRanges=["192.0.2.0/24"])),
        "loadBalancerIP": (MESH, published("pulsar", loadBalancerIP="203.0.113.9")),
        "port": (MESH, published("pulsar", port=16651)),
    },
    PublishNginx: {
        "type": (MESH, published("nginx", **node_port(httpPort=30930))),
        "advertise": (MESH, published("nginx", advertise={"host": "203.0.113.9"})),
        "annotations": (MESH, published("nginx", annotations={"example/internal": "true"})),
        "sourceRanges": (MESH, published("nginx", sourceRanges=["192.0.2.0/24"])),
        "loadBalancerIP": (MESH, published("nginx", loadBalancerIP="203.0.113.9")),
        "httpPort": (MESH, published("nginx", httpPort=19300)),
    },
    NetworkPolicySpec: {
        "enabled": (MESH, stack(networkPolicy={"enabled": False})),
        "defaultDeny": (MESH, stack(networkPolicy={"defaultDeny": False})),
        "dns": (MESH, stack(networkPolicy={"dns": {"ports": [5353]}})),
        "publishedFrom": (MESH, stack(networkPolicy={"publishedFrom": ["192.0.2.0/24"]})),
        "boards": (SHOWN, stack(networkPolicy={"boards": {"namespaces": ["ingress-nginx"]}})),
        "ingress": (MESH, stack(networkPolicy={"ingress": {"monitoring": {"namespaces": ["monitoring"], "ports": [8081]}}})),
        "egress": (MESH, stack(networkPolicy={"egress": {"mirror": {"ranges": ["192.0.2.10/32"], "ports": [443]}}})),
    },
    ModuleSpec: {
        "image": (MESH, module(image={"tag": "other"})),
        "pullPolicy": (MESH, module(pullPolicy="Always")),
        "replicas": (ROLLSITE_STAR, own(modules={"nodemanager": {"replicas": 5}})),
        "resources": (MESH, module(resources=_RESOURCES)),
        "gpus": (ROLLSITE_STAR, own(modules={"nodemanager": {"gpus": 1}})),
        "nodeSelector": (MESH, module(nodeSelector={"disk": "fast"})),
        "tolerations": (MESH, module(tolerations=[{"key": "a", "operator": "Exists"}])),
        "affinity": (MESH, module(affinity=_AFFINITY)),
        "topologySpreadConstraints": (MESH, module(topologySpreadConstraints=_SPREAD)),
        "env": (MESH, module(env={"A": "b"})),
        "annotations": (MESH, module(annotations={"a": "b"})),
        "serviceAccountName": (MESH, module(serviceAccountName="other")),
        "automountServiceAccountToken": (
            after(module(serviceAccountName="other"), MESH),
            module(serviceAccountName="other", automountServiceAccountToken=True),
        ),
        "priorityClassName": (MESH, module(priorityClassName="high")),
        "runtimeClassName": (MESH, module(runtimeClassName="other")),
        "hostAliases": (MESH, module(hostAliases=[{"ip": "192.0.2.1", "hostnames": ["a.example"]}])),
        "volumes": (MESH, module(volumes={"more": {"mountPath": "/more", "emptyDir": {}}})),
        "persistence": (NODE_PORTS, module(persistence={"size": "50Gi"})),
        "service": (MESH, module(service={"type": "NodePort"})),
    },
}  # fmt: skip
# Keys whose edits change no running party, and why; with an edit of those that can change by themselves.
NONE: dict[type[BaseModel], dict[str, tuple[str, Case, Edit] | str]] = {
    StackSpec: {
        "releases": "files with releases: a unit changes when it names another release, or the file another image",
        "peersFile": "where the entries of `peers` stand, which are told as if they stood in the stack file",
        "exported": "what peers were sent last; a warning says when it is out of date",
        "manifests": "the stack's own objects are not FATE's: the preview lists each",
        "cluster": ("see its keys", MESH, stack(cluster={"context": "other"})),
        "identity": ("signs descriptors, deploys nothing", MESH, lambda config: config.update(identity={"key": _KEY, "serial": 4})),
    },
    FederationSpec: {"link": "native is the only one", "id": "what descriptors are checked by"},
    ClusterSpec: {
        "context": ("the preview refuses another cluster, by its UID", MESH, stack(cluster={"context": "other"})),
        "kubeconfig": ("the same", MESH, stack(cluster={"kubeconfig": "/other"})),
        "inCluster": ("the same", MESH, stack(cluster={"inCluster": True})),
        "takeOver": ("lifts a refusal", MESH, stack(cluster={"takeOver": ["fate-9999"]})),
        "uid": ("which one that is", MESH, stack(cluster={"uid": "5f3c1e0a-7b1d-4c55-9a3e-2f6d8c4b7a10"})),
        "ranges": ("what descriptors are checked by", MESH, stack(cluster={"ranges": ["10.96.0.0/12"]})),
        "nodePortRange": ("what node ports are checked by", MESH, stack(cluster={"nodePortRange": "30000-32000"})),
    },
    PublishNginx: {"grpcPort": ("nothing is published by it", MESH, published("nginx", grpcPort=19310))},
    PartySpec: {"allowDataLoss": ("lifts a refusal", MESH, own(allowDataLoss=True))},
    ExchangeSpec: {"allowDestroyUntil": ("lifts a refusal", EXCHANGE, hub(allowDestroyUntil="2099-12-31"))},
}
_KEY = "SHA256:" + "A" * 43


def aliases(model: type[BaseModel]) -> set[str]:
    """The keys of a model as they are written."""
    return {field.alias or name for name, field in model.model_fields.items()}


def facts(case: Case, folder: Path) -> Mapping[str, Mapping[str, object]]:
    """The facts of every unit of a stack, as its state would return them."""
    found: Mapping[str, Mapping[str, object]] = json.loads(json.dumps({unit.key: unit.recorded for unit in case.load(folder).plan.units}))
    return found


@pytest.mark.parametrize("model", EDITS, ids=lambda model: model.__name__)
def test_every_key_is_edited_here_or_listed_as_one_without_an_effect(model: type[BaseModel]) -> None:
    assert EDITS[model].keys() | NONE.get(model, {}).keys() == aliases(model)
    assert not EDITS[model].keys() & NONE.get(model, {}).keys()


@pytest.mark.parametrize(("model", "key"), [(model, key) for model, keys in EDITS.items() for key in keys], ids=str)
def test_an_edit_of_a_key_has_an_effect(model: type[BaseModel], key: str, tmp_path: Path) -> None:
    case, edit = EDITS[model][key]
    assert stack_effects(facts(case, tmp_path / "old"), facts(case.changed(edit), tmp_path / "new"))


@pytest.mark.parametrize(
    ("model", "key"), [(model, key) for model, keys in NONE.items() for key, given in keys.items() if not isinstance(given, str)], ids=str
)
def test_an_edit_of_a_key_that_is_listed_has_none(model: type[BaseModel], key: str, tmp_path: Path) -> None:
    given = NONE[model][key]
    assert not isinstance(given, str)
    _, case, edit = given
    assert stack_effects(facts(case, tmp_path / "old"), facts(case.changed(edit), tmp_path / "new")) == ()


def test_the_external_engines_of_a_party_are_told(tmp_path: Path) -> None:
    """Addresses of engines, which no key of a party names directly."""

    def moved(config: Config) -> None:
        config["parties"]["9999"]["engines"]["mysql"]["external"]["port"] = 3307

    kinds = {effect.kind for effect in stack_effects(facts(EXTERNAL, tmp_path / "old"), facts(EXTERNAL.changed(moved), tmp_path / "new"))}
    assert kinds >= {"data loss", "recreate"}
