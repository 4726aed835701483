"""Every combination of engines that FATE 1.x is deployed with: what is planned for it, and what is refused."""

import itertools
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from federation.base.errors import FederationError, Problem
from federation.catalogue.releases import catalogue
from federation.chart_values.fate import PartyValues
from federation.manifests.modules import Variant
from federation.units.unit import UnitPlan
from tests.support.configs import (
    CLINIC,
    DOMAIN,
    EGGROLL,
    EXCHANGE,
    LOCAL,
    MESH,
    OSX_MESH,
    OSX_STAR,
    RABBITMQ_CLINIC,
    RABBITMQ_MESH,
    ROLLSITE_CLINIC,
    ROLLSITE_EXCHANGE,
    ROLLSITE_LOCAL,
    ROLLSITE_MESH,
    ROLLSITE_NODE_PORTS,
    ROLLSITE_STAR,
    SLIM_MESH,
    SLIM_PULSAR,
    SLIM_RABBITMQ,
    SLIM_STAR,
    SPARK_PULSAR,
    SPARK_RABBITMQ,
    STAR_PARTY,
    Case,
    Config,
    exchange,
    exchange_descriptor,
    node_port,
    party,
    party_descriptor,
    stack,
)

RELEASES = ["1.9.0", "1.9.1", "1.9.2", "1.10.0", "1.11.1", "1.11.2"]
LEGAL = [EGGROLL, SPARK_RABBITMQ, SPARK_PULSAR, SLIM_RABBITMQ, SLIM_PULSAR]
LEGAL_IN_WORDS = (
    "choose one of: Eggroll + Eggroll + Eggroll; Spark + RabbitMQ + HDFS; Spark + Pulsar + HDFS; "
    "Spark_local + RabbitMQ + LocalFS; Spark_local + Pulsar + LocalFS"
)
# Reference section 3.3, table of modules by combination.
MODULES = {
    "Eggroll Eggroll Eggroll": {"fateflow", "mysql", "rollsite", "clustermanager", "nodemanager"},
    "Spark RabbitMQ HDFS": {"fateflow", "mysql", "nginx", "rabbitmq", "sparkMaster", "sparkWorker", "namenode", "datanode"},
    "Spark Pulsar HDFS": {"fateflow", "mysql", "nginx", "pulsar", "sparkMaster", "sparkWorker", "namenode", "datanode"},
    "Spark_local RabbitMQ LocalFS": {"fateflow", "mysql", "nginx", "rabbitmq"},
    "Spark_local Pulsar LocalFS": {"fateflow", "mysql", "nginx", "pulsar"},
}
# By federation engine: what is made beside the chart of a party with fateboard and client.
SERVICES = {
    "Pulsar": ["fateflow-client", "nginx", "nginx-public", "pulsar-public-tls"],
    "RabbitMQ": ["fateflow-client", "nginx", "nginx-public", "rabbitmq-public"],
    "Eggroll": ["fateflow-client", "rollsite", "rollsite-public"],
}
SECRETS = {
    "Pulsar": ["mysql-credentials", "fateboard-credentials", "notebook-credentials", "pulsar-cert"],
    "RabbitMQ": ["mysql-credentials", "rabbitmq-credentials", "fateboard-credentials", "notebook-credentials"],
    "Eggroll": ["mysql-credentials", "fateboard-credentials", "notebook-credentials"],
}
ROUTES = {
    "Pulsar": {"pulsar-route-table": ["pulsar_route_table.yaml", "pulsar_trust.json"], "nginx-route-table": ["route_table.yaml"]},
    "RabbitMQ": {"rabbitmq-route-table": ["rabbitmq_route_table.yaml"], "nginx-route-table": ["route_table.yaml"]},
    "Eggroll": {"rollsite-route-table": ["route_table.json"]},
}


def words(engines: Config) -> str:
    """A combination as one text."""
    return " ".join(engines.values())


def member(engines: Config, topology: str = "mesh", **changes: Any) -> Case:
    """A party with these engines and the peer that it needs."""
    engine = engines["federation"]
    alone = Case(
        f"{words(engines)} in a {topology}",
        stack(
            "bank-a", topology=topology, parties={"9999": party(**engines, exchange="consortium" if topology == "star" else None) | changes}
        ),
    )
    if topology == "star":
        return alone.with_peer("consortium", exchange_descriptor(engine=engine))
    return alone.with_peer("clinic-b", party_descriptor(engine=engine))


def planned(case: Case, folder: Path) -> tuple[UnitPlan, PartyValues]:
    """The plan of party 9999 and its chart values."""
    unit = case.load(folder).plan.unit("party-9999")
    assert isinstance(unit.chart.values, PartyValues)
    return unit, unit.chart.values


def refused(case: Case, folder: Path) -> list[Problem]:
    """What is wrong with a stack, each with its place as keys only."""
    with pytest.raises(FederationError) as caught:
        case.load(folder)
    return [Problem(found.place.rsplit("fate:", 1)[-1], found.problem, found.remedy) for found in caught.value.problems]


def test_the_catalogue_begins_with_fate_1_x() -> None:
    assert list(catalogue())[: len(RELEASES)] == RELEASES
    assert {release.major for release in list(catalogue().values())[len(RELEASES) :]} == {2}
    assert [words(row) for row in LEGAL] == [
        f"{row.computing} {row.federation} {row.storage}" for row in catalogue()["1.11.2"].combinations
    ]


PLANS = [
    pytest.param(release, engines, topology, id=f"{release} {words(engines)} {topology}")
    for release, engines, topology in itertools.product(RELEASES, LEGAL, ("star", "mesh"))
    if (engines["federation"], topology) != ("RabbitMQ", "star")
]


def test_there_are_as_many_plans_as_the_issue_counts() -> None:
    assert len(PLANS) == 6 * (2 + 1 + 2 + 1 + 2)


@pytest.mark.parametrize(("release", "engines", "topology"), PLANS)
def test_a_legal_combination_is_planned_with_the_modules_of_its_row(release: str, engines: Config, topology: str, tmp_path: Path) -> None:
    case = member(engines, topology, release=release, modules={"fateboard": {}, "client": {}})
    unit, values = planned(case, tmp_path)
    engine = engines["federation"]
    assert set(unit.modules) == set(values.modules.plain()) == MODULES[words(engines)] | {"fateboard", "client"}
    assert [item.name for item in unit.services] == SERVICES[engine]
    assert [secret.name for secret in unit.secrets] == SECRETS[engine]
    assert {item.name: list(item.fields["data"]) for item in unit.routes} == ROUTES[engine]
    assert (unit.release, unit.descriptor["release"], values.release) == (release, release, release)
    assert unit.descriptor["backends"] == engines
    assert set(unit.descriptor["endpoints"]) == set(case.config["parties"]["9999"]["publish"])
    assert (unit.tls is not None) == (engine == "Pulsar"), "only Pulsar speaks TLS"
    own = {name: module["image"] for name, module in unit.modules.items() if "-hadoop" not in module["image"]}
    third_party = {"mysql": "mysql:8.0.28", "pulsar": "federatedai/pulsar:2.10.1", "rabbitmq": "federatedai/rabbitmq:3.8.3-management"}
    for name, image in own.items():
        assert image == third_party.get(name) or image.endswith(f":{release}-release"), name


@pytest.mark.parametrize(("release", "engines", "topology"), PLANS)
def test_without_optional_modules_there_are_exactly_those_of_the_row(release: str, engines: Config, topology: str, tmp_path: Path) -> None:
    unit, values = planned(member(engines, topology, release=release), tmp_path)
    assert set(unit.modules) == MODULES[words(engines)]
    assert (values.board, values.notebook_password, unit.access) == (None, None, {})


@pytest.mark.parametrize("engines", LEGAL, ids=words)
def test_chart_values_hold_the_sections_of_the_engines_and_no_other(engines: Config, tmp_path: Path) -> None:
    values = planned(member(engines), tmp_path)[1].plain()
    modules = MODULES[words(engines)]
    sections = {
        "pulsar": "pulsar" in modules,
        "rabbitmq": "rabbitmq" in modules,
        "spark": engines["computing"] in ("Spark", "Spark_local"),
        "eggroll": engines["computing"] == "Eggroll",
    }
    assert {name: name in values for name in sections} == sections
    table = {"Pulsar": "pulsar", "RabbitMQ": "rabbitmq", "Eggroll": "rollsite"}[engines["federation"]]
    assert values["routes"] == {name: f"{name}-route-table" for name in {table, "nginx"} & {*modules, table}}
    # A port begins with its module's name; these four modules are in every party, or their Service may come later.
    always = {"fateflowHttp", "fateflowGrpc", "fateboard", "notebook", "mysql"}
    prefixes = tuple(modules)
    assert set(values["ports"]) == always | {name for name in catalogue()["1.11.2"].ports if name.startswith(prefixes)}


@pytest.mark.parametrize(
    ("engines", "written"),
    [
        (EGGROLL, {"computing": "eggroll", "federation": "eggroll", "storage": "eggroll", "proxy": "rollsite"}),
        (SPARK_RABBITMQ, {"computing": "spark", "federation": "rabbitmq", "storage": "hdfs", "proxy": "nginx"}),
        (SPARK_PULSAR, {"computing": "spark", "federation": "pulsar", "storage": "hdfs", "proxy": "nginx"}),
        (SLIM_RABBITMQ, {"computing": "spark", "federation": "rabbitmq", "storage": "localfs", "proxy": "nginx"}),
        (SLIM_PULSAR, {"computing": "spark", "federation": "pulsar", "storage": "localfs", "proxy": "nginx"}),
    ],
    ids=str,
)
def test_engines_are_written_in_the_words_of_service_conf(engines: Config, written: Config, tmp_path: Path) -> None:
    assert planned(member(engines), tmp_path)[1].engines.plain() == written


ILLEGAL = [
    pytest.param(release, dict(zip(("computing", "federation", "storage"), found, strict=True)), id=f"{release} {' '.join(found)}")
    for release in RELEASES
    for found in itertools.product(("Eggroll", "Spark", "Spark_local"), ("Eggroll", "Pulsar", "RabbitMQ"), ("Eggroll", "HDFS", "LocalFS"))
    if " ".join(found) not in MODULES
]


def test_every_other_combination_of_their_engines_is_illegal() -> None:
    assert len(ILLEGAL) == 6 * (27 - 5)


@pytest.mark.parametrize(("release", "engines"), ILLEGAL)
def test_an_illegal_combination_is_refused_with_the_legal_ones(release: str, engines: Config, tmp_path: Path) -> None:
    (problem,) = refused(member(engines, release=release), tmp_path)
    assert problem == Problem(
        "parties.9999.computing", f"release {release} is not deployed as {words(engines).replace(' ', ' + ')}", LEGAL_IN_WORDS
    )


@pytest.mark.parametrize("word", ["standalone", "spark", "osx", "OSX", "linkis_spark", "Hive"])
@pytest.mark.parametrize("key", ["computing", "federation", "storage"])
def test_an_engine_that_is_not_deployed_is_refused_alone(key: str, word: str, tmp_path: Path) -> None:
    case = STAR_PARTY.changed(lambda config: config["parties"]["9999"].update({key: word}))
    # That nobody else uses the engine is the other problem of one that FATE 2.x has.
    problem, *others = refused(case, tmp_path)
    assert problem.place == "parties.9999.computing"
    assert problem.remedy == LEGAL_IN_WORDS
    assert [other.place for other in others] == (["peers.consortium"] if (key, word) == ("federation", "OSX") else [])


def test_an_engine_that_is_no_word_is_told_so(tmp_path: Path) -> None:
    case = STAR_PARTY.changed(lambda config: config["parties"]["9999"].update(computing="Spark local"))
    (problem,) = refused(case, tmp_path)
    assert (problem.place, problem.problem) == ("parties.9999.computing", "is not one plain word of at most 32 characters")


@pytest.mark.parametrize("engines", [SPARK_RABBITMQ, SLIM_RABBITMQ], ids=words)
def test_rabbitmq_knows_no_star(engines: Config, tmp_path: Path) -> None:
    case = Case("a star", stack("bank-a", parties={"9999": party(**engines)})).with_entry("consortium", descriptor="peers/consortium.json")
    (problem,) = refused(case, tmp_path)
    assert problem == Problem(
        "parties.9999.federation",
        "RabbitMQ has no default route, so it cannot be used in a star",
        "set federation.topology to mesh, or choose Pulsar or Eggroll",
    )


@pytest.mark.parametrize("engine", ["RabbitMQ", "rollsite", "HDFS"])
def test_an_exchange_that_fate_does_not_know_is_refused_with_those_it_knows(engine: str, tmp_path: Path) -> None:
    case = Case("an exchange", stack("consortium", exchange=exchange() | {"federation": engine}))
    (problem,) = refused(case, tmp_path)
    assert problem == Problem("exchange.federation", f"release 1.11.2 has no exchange for {engine}", "choose one of: Pulsar, Eggroll")


# Reference section 2.2: the matrix of devices and algorithms, and since when.
_OLD = {("CPU", "Basic"), ("CPU", "NN"), ("IPCL", "Basic")}
VARIANTS = dict.fromkeys(["1.9.0", "1.9.1", "1.9.2", "1.10.0"], _OLD)
VARIANTS |= {"1.11.1": {*_OLD, ("GPU", "NN")}, "1.11.2": {*_OLD, ("CPU", "ALL"), ("GPU", "NN"), ("GPU", "ALL")}}
VARIANTS_IN_WORDS = dict.fromkeys(["1.9.0", "1.9.1", "1.9.2", "1.10.0"], "choose one of: CPU: Basic, NN; IPCL: Basic")
VARIANTS_IN_WORDS["1.11.1"] = "choose one of: CPU: Basic, NN; IPCL: Basic; GPU: NN"
VARIANTS_IN_WORDS["1.11.2"] = "choose one of: CPU: Basic, NN, ALL; IPCL: Basic; GPU: NN, ALL"
SUFFIX = {
    ("CPU", "Basic"): "", ("CPU", "NN"): "-nn", ("CPU", "ALL"): "-all", ("IPCL", "Basic"): "-ipcl",
    ("GPU", "NN"): "-nn-gpu", ("GPU", "ALL"): "-all-gpu",
}  # fmt: skip


@pytest.mark.parametrize("engines", LEGAL, ids=words)
@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("device", ["CPU", "IPCL", "GPU"])
@pytest.mark.parametrize("algorithm", ["Basic", "NN", "ALL"])
def test_a_device_and_an_algorithm_choose_published_images_or_are_refused(
    release: str, engines: Config, device: str, algorithm: str, tmp_path: Path
) -> None:
    case = member(engines, release=release, device=device, algorithm=algorithm, modules={"fateboard": {}, "client": {}})
    if (device, algorithm) not in VARIANTS[release]:
        (problem,) = refused(case, tmp_path)
        key = "device" if device not in {known for known, _ in VARIANTS[release]} else "algorithm"
        assert problem == Problem(
            f"parties.9999.{key}",
            f"FATE {release} has no images for device {device} with algorithm {algorithm}",
            VARIANTS_IN_WORDS[release],
        )
        return
    suffix, tag = SUFFIX[device, algorithm], f"{release}-release"
    spark = "" if engines["computing"] == "Eggroll" else "-spark"
    suffixed = {
        "fateflow": f"federatedai/fateflow{spark}{suffix}:{tag}",
        "clustermanager": f"federatedai/eggroll{suffix}:{tag}",
        "nodemanager": f"federatedai/eggroll{suffix}:{tag}",
        "rollsite": f"federatedai/eggroll{suffix}:{tag}",
        "sparkWorker": f"federatedai/spark-worker{suffix}:{tag}",
    }
    plain = {
        "sparkMaster": f"federatedai/spark-master:{tag}",
        "nginx": f"federatedai/nginx:{tag}",
        "fateboard": f"federatedai/fateboard:{tag}",
        "client": f"federatedai/client:{tag}",
        "mysql": "mysql:8.0.28",
        "pulsar": "federatedai/pulsar:2.10.1",
        "rabbitmq": "federatedai/rabbitmq:3.8.3-management",
        "namenode": "federatedai/hadoop-namenode:2.0.0-hadoop3.2.1-java8",
        "datanode": "federatedai/hadoop-datanode:2.0.0-hadoop3.2.1-java8",
    }
    images = {name: module["image"] for name, module in planned(case, tmp_path)[0].modules.items()}
    assert images == {name: image for name, image in (suffixed | plain).items() if name in images}
    assert len(images) == len(MODULES[words(engines)]) + 2


def test_suffixes_stand_in_the_order_computing_algorithm_device_whatever_the_row_says() -> None:
    variant = Variant("Spark_local", "NN", "GPU")
    assert {variant.suffix(kinds) for kinds in itertools.permutations(("computing", "algorithm", "device"))} == {"-spark-nn-gpu"}
    assert variant.suffix(("algorithm", "device")) == "-nn-gpu"
    assert variant.suffix(()) == Variant("Eggroll").suffix(("computing", "algorithm", "device")) == ""


@pytest.mark.parametrize("case", [ROLLSITE_EXCHANGE, ROLLSITE_LOCAL], ids=str)
def test_an_exchange_needs_no_algorithm(case: Case, tmp_path: Path) -> None:
    modules = case.load(tmp_path).plan.unit("exchange").modules
    assert {name: module["image"] for name, module in modules.items()} == {"rollsite": "federatedai/eggroll:1.11.2-release"}


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("engine", ["Pulsar", "Eggroll"])
def test_an_exchange_of_every_release_has_the_modules_of_its_engine(release: str, engine: str, tmp_path: Path) -> None:
    case = Case("an exchange", stack("consortium", exchange=exchange(federation=engine, release=release)))
    unit = case.load(tmp_path).plan.unit("exchange")
    images = {name: module["image"] for name, module in unit.modules.items()}
    tag = f"{release}-release"
    assert (
        images
        == {
            "Pulsar": {"trafficServer": "federatedai/trafficserver:9.2.0", "nginx": f"federatedai/nginx:{tag}"},
            "Eggroll": {"rollsite": f"federatedai/eggroll:{tag}"},
        }[engine]
    )
    assert (
        unit.chart.values.plain()["ports"]
        == {
            "Pulsar": {"trafficServer": 4443, "nginxHttp": 9300, "nginxHealth": 9302},
            "Eggroll": {"rollsite": 9370},
        }[engine]
    )


def test_a_private_registry_serves_suffixed_images_too(tmp_path: Path) -> None:
    case = member(EGGROLL, device="GPU", algorithm="NN", modules={"rollsite": {"image": {"repository": "other.example/eggroll"}}})
    case = case.changed(lambda config: config.update(images={"registry": "registry.bank-a.example/fate"}))
    images = {name: module["image"] for name, module in planned(case, tmp_path)[0].modules.items()}
    assert images == {
        "fateflow": "registry.bank-a.example/fate/fateflow-nn-gpu:1.11.2-release",
        "clustermanager": "registry.bank-a.example/fate/eggroll-nn-gpu:1.11.2-release",
        "nodemanager": "registry.bank-a.example/fate/eggroll-nn-gpu:1.11.2-release",
        "rollsite": "other.example/eggroll:1.11.2-release",
        "mysql": "registry.bank-a.example/fate/mysql:8.0.28",
    }


def test_gpus_are_asked_for_in_resources(tmp_path: Path) -> None:
    amounts = {"cpu": "4", "memory": "8Gi", "nvidia.com/gpu": 2}
    case = member(EGGROLL, device="GPU", algorithm="NN", modules={"fateflow": {"resources": {"requests": amounts, "limits": amounts}}})
    modules = planned(case, tmp_path)[1].modules.plain()
    wanted = {"cpu": "4", "memory": "8Gi", "nvidia.com/gpu": "2"}
    assert modules["fateflow"]["resources"] == {"requests": wanted, "limits": wanted}
    others = [name for name in modules if name not in ("fateflow", "nodemanager")]
    assert others
    assert "nvidia.com/gpu" not in str([modules[name] for name in others])


@pytest.mark.parametrize("count", ["0.5", "500m", "1Gi", -1, "two"])
def test_a_part_of_a_gpu_is_refused(count: object, tmp_path: Path) -> None:
    resources = {"requests": {}, "limits": {"nvidia.com/gpu": count}}
    case = member(EGGROLL, device="GPU", algorithm="NN", modules={"nodemanager": {"resources": resources}})
    (problem,) = refused(case, tmp_path)
    assert problem.place == "parties.9999.modules.nodemanager.resources.limits.nvidia.com/gpu"
    assert problem.problem == "is not a whole number"


FOREIGN = [
    (EGGROLL, ("nginx", "pulsar", "rabbitmq", "spark", "hdfs")),
    (SPARK_RABBITMQ, ("pulsar", "clustermanager", "nodemanager", "rollsite")),
    (SPARK_PULSAR, ("rabbitmq", "clustermanager", "nodemanager", "rollsite")),
    (SLIM_RABBITMQ, ("pulsar", "spark", "hdfs", "clustermanager", "nodemanager", "rollsite")),
    (SLIM_PULSAR, ("rabbitmq", "spark", "hdfs", "clustermanager", "nodemanager", "rollsite")),
]


@pytest.mark.parametrize(("engines", "names"), FOREIGN, ids=[words(engines) for engines, _ in FOREIGN])
def test_a_module_that_is_not_part_of_the_combination_is_refused(engines: Config, names: tuple[str, ...], tmp_path: Path) -> None:
    ours = {"fateflow", "mysql", "nginx", "pulsar", "rabbitmq", "spark", "hdfs", "clustermanager", "nodemanager", "rollsite"} - {*names}
    modules: Config = {name: {} for name in (*names, *ours, "fateboard", "client")}
    found = refused(member(engines, modules=modules), tmp_path)
    assert {problem.place for problem in found} == {f"parties.9999.modules.{name}" for name in names}
    name = names[0]
    assert (
        Problem(
            f"parties.9999.modules.{name}",
            f"module {name} is not part of {words(engines).replace(' ', ' + ')}",
            "remove it, or choose engines that use it",
        )
        in found
    )
    assert planned(member(engines, modules={name: {} for name in ours}), tmp_path / "ours")


@pytest.mark.parametrize(
    ("engine", "foreign", "rest"), [("Eggroll", ["nginx", "trafficServer"], "rollsite"), ("Pulsar", ["rollsite"], "trafficServer, nginx")]
)
def test_a_module_that_is_not_part_of_the_exchange_is_refused(engine: str, foreign: list[str], rest: str, tmp_path: Path) -> None:
    given = exchange(federation=engine)
    given["modules"] = {**given.get("modules", {}), **{name: {} for name in foreign}}
    found = refused(Case("an exchange", stack("consortium", exchange=given)), tmp_path)
    assert found == [
        Problem(f"exchange.modules.{name}", f"module {name} is not part of an exchange for {engine}", f"remove it; its modules are {rest}")
        for name in foreign
    ]


@pytest.mark.parametrize("engines", LEGAL, ids=words)
def test_a_party_publishes_exactly_the_endpoints_of_its_engine(engines: Config, tmp_path: Path) -> None:
    ours = sorted({"Pulsar": {"pulsar", "nginx"}, "RabbitMQ": {"rabbitmq", "nginx"}, "Eggroll": {"rollsite"}}[engines["federation"]])
    foreign = sorted({"pulsar", "rabbitmq", "nginx", "rollsite"} - {*ours})
    balanced = {"type": "LoadBalancer"}
    engine, whole = engines["federation"], " and ".join(ours)
    for name in ours:
        publish = {other: balanced for other in ours if other != name}
        (problem,) = refused(member(engines, publish=publish), tmp_path / f"without {name}")
        assert problem == Problem(f"parties.9999.publish.{name}", f"publish.{name} is missing", f"a party with {engine} publishes {whole}")
    for name in foreign:
        (problem,) = refused(member(engines, publish=dict.fromkeys([*ours, name], balanced)), tmp_path / f"with {name}")
        assert problem == Problem(
            f"parties.9999.publish.{name}", f"publish.{name} does not belong to {engine}", f"remove it; {engine} publishes {whole}"
        )


@pytest.mark.parametrize(("engine", "ours"), [("Pulsar", ["nginx", "trafficServer"]), ("Eggroll", ["rollsite"])])
def test_an_exchange_publishes_exactly_the_endpoints_of_its_engine(engine: str, ours: list[str], tmp_path: Path) -> None:
    given, whole = exchange(federation=engine), " and ".join(ours)
    foreign = sorted({"nginx", "trafficServer", "rollsite"} - {*ours})
    found = refused(Case("an exchange", stack("consortium", exchange=given | {"publish": {}})), tmp_path / "nothing")
    assert found == [
        Problem(f"exchange.publish.{name}", f"publish.{name} is missing", f"an exchange with {engine} publishes {whole}") for name in ours
    ]
    publish = {name: {"type": "LoadBalancer"} for name in (*ours, *foreign)}
    found = refused(Case("an exchange", stack("consortium", exchange=given | {"publish": publish})), tmp_path / "all")
    assert found == [
        Problem(f"exchange.publish.{name}", f"publish.{name} does not belong to {engine}", f"remove it; {engine} publishes {whole}")
        for name in foreign
    ]


def _update_party(config: Config, **changes: Any) -> None:
    config["parties"]["9999"].update(changes)


MIXED = [
    (
        "own parties",
        MESH.changed(lambda config: config["parties"].update({"10500": party("fate-10500", exchange=None, **EGGROLL)})),
        "parties.10500.federation",
        "uses Eggroll, while parties.9999.federation of this stack uses Pulsar",
    ),
    (
        "an own party and the own exchange",
        LOCAL.changed(lambda config: config["parties"].update({"9999": party(exchange="local", **EGGROLL)})).changed(
            lambda config: config.update(peers={})
        ),
        "parties.9999.federation",
        "uses Eggroll, while exchange.federation of this stack uses Pulsar",
    ),
    (
        "a party and the peer that is its exchange",
        STAR_PARTY.with_peer("consortium", exchange_descriptor(engine="Eggroll")),
        "peers.consortium",
        "uses Eggroll, while parties.9999.federation of this stack uses Pulsar",
    ),
    (
        "a party and a peer of the mesh",
        RABBITMQ_MESH.with_peer("clinic-b", CLINIC),
        "peers.clinic-b",
        "uses Pulsar, while parties.9999.federation of this stack uses RabbitMQ",
    ),
    (
        "an exchange and a member",
        EXCHANGE.with_peer("clinic-b", RABBITMQ_CLINIC),
        "peers.clinic-b",
        "uses RabbitMQ, while exchange.federation of this stack uses Pulsar",
    ),
    (
        "a party and a peer typed by hand",
        ROLLSITE_MESH.with_entry("old", unsigned=True, partyId="10001", pulsar="198.51.100.4:6651", nginx="198.51.100.5:9300"),
        "peers.old",
        "uses Pulsar, while parties.9999.federation of this stack uses Eggroll",
    ),
    (
        "a party and an exchange typed by hand",
        STAR_PARTY.with_entry("consortium", unsigned=True, rollsite="198.51.100.4:9370"),
        "peers.consortium",
        "uses Eggroll, while parties.9999.federation of this stack uses Pulsar",
    ),
]


@pytest.mark.parametrize(("case", "place", "problem"), [row[1:] for row in MIXED], ids=[row[0] for row in MIXED])
def test_different_engines_in_one_federation_are_refused(case: Case, place: str, problem: str, tmp_path: Path) -> None:
    assert refused(case, tmp_path) == [
        Problem(place, f"{problem}: they cannot talk to each other", "use one federation engine in a federation")
    ]


def test_the_same_engine_is_named_whatever_the_order_of_the_parties(tmp_path: Path) -> None:
    parties = {"9999": party(exchange=None), "777": party("fate-777", exchange=None, **EGGROLL)}
    for order in itertools.permutations(parties):
        case = Case("a mesh", stack("bank-a", topology="mesh", parties={name: parties[name] for name in order}))
        (problem,) = refused(case, tmp_path / order[0])
        assert problem.place == "parties.9999.federation"
        assert "while parties.777.federation of this stack uses Eggroll" in problem.problem


def test_an_engine_that_does_not_exist_is_not_what_others_are_measured_by(tmp_path: Path) -> None:
    case = MESH.changed(lambda config: config["parties"].update({"777": party("fate-777", exchange=None) | {"federation": "pulsar"}}))
    (problem,) = refused(case, tmp_path)
    assert problem.place == "parties.777.computing"


@pytest.mark.parametrize("state", ["suspended", "retired"])
def test_a_peer_that_gets_no_routes_may_use_another_engine(state: str, tmp_path: Path) -> None:
    for number, case in enumerate((MESH.with_peer("old", party_descriptor("10001", "old", engine="Eggroll"), state=state),
                                   ROLLSITE_MESH.with_peer("old", party_descriptor("10001", "old"), state=state))):  # fmt: skip
        assert case.load(tmp_path / str(number)).plan.units


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("engines", [EGGROLL, SLIM_PULSAR], ids=words)
def test_service_conf_names_the_party_since_1_11_2(release: str, engines: Config, tmp_path: Path) -> None:
    assert planned(member(engines, release=release), tmp_path)[1].party_id_in_config == (release == "1.11.2")


@pytest.mark.parametrize("release", RELEASES)
def test_eggroll_s_nodes_register_themselves_since_1_11_2(release: str, tmp_path: Path) -> None:
    eggroll = planned(member(EGGROLL, release=release), tmp_path)[1].eggroll
    assert eggroll is not None
    assert eggroll.plain() == {"version": "2.5" if release == "1.11.2" else "2.4", "processorsPerNode": 4, "nodes": 2}


@pytest.mark.parametrize(
    ("nodemanager", "nodes", "processors"),
    [
        ({}, 2, 4),
        ({"replicas": 5}, 5, 4),
        ({"sessionProcessorsPerNode": 16}, 2, 16),
        ({"replicas": 3, "sessionProcessorsPerNode": 1}, 3, 1),
        ({"resources": {"requests": {}, "limits": {"cpu": "6500m"}}}, 2, 6),
        ({"resources": {"requests": {}, "limits": {"cpu": "100m"}}}, 2, 1),
        ({"resources": {"requests": {}, "limits": {}}}, 2, 4),
        ({"resources": {"requests": {}, "limits": {"cpu": "6"}}, "sessionProcessorsPerNode": 3}, 2, 3),
    ],
    ids=str,
)
def test_one_fact_sizes_eggroll_s_nodes_and_what_the_scheduler_believes(
    nodemanager: Config, nodes: int, processors: int, tmp_path: Path
) -> None:
    values = planned(member(EGGROLL, modules={"nodemanager": nodemanager}), tmp_path)[1]
    assert values.eggroll is not None
    assert values.modules.nodemanager is not None
    assert (values.eggroll.nodes, values.eggroll.processors_per_node) == (nodes, processors)
    assert values.modules.nodemanager.replicas == nodes


@pytest.mark.parametrize("count", [0, -1, 1001])
def test_a_senseless_number_of_processors_is_refused(count: int, tmp_path: Path) -> None:
    (problem,) = refused(member(EGGROLL, modules={"nodemanager": {"sessionProcessorsPerNode": count}}), tmp_path)
    assert problem.place == "parties.9999.modules.nodemanager.sessionProcessorsPerNode"


def test_only_nodemanager_has_processors_of_a_session(tmp_path: Path) -> None:
    (problem,) = refused(member(EGGROLL, modules={"clustermanager": {"sessionProcessorsPerNode": 4}}), tmp_path)
    assert problem.problem == "unknown key 'sessionProcessorsPerNode'"


@pytest.mark.parametrize("engines", [SPARK_PULSAR, SPARK_RABBITMQ], ids=words)
def test_spark_is_a_cluster_of_the_size_of_its_workers(engines: Config, tmp_path: Path) -> None:
    spark = planned(member(engines), tmp_path)[1].spark
    assert spark is not None
    assert spark.plain() == {"master": "spark://spark-master:7077", "coresPerWorker": 4, "memoryPerWorkerMib": 7372, "workers": 2}


@pytest.mark.parametrize("engines", [SLIM_PULSAR, SLIM_RABBITMQ], ids=words)
def test_spark_local_is_the_size_of_the_pod_it_runs_in(engines: Config, tmp_path: Path) -> None:
    default = planned(member(engines), tmp_path / "default")[1].spark
    assert default is not None
    assert default.plain() == {
        "master": "local[4]", "coresPerWorker": 4, "memoryPerWorkerMib": 7372, "driverMemoryMib": 2048, "workers": 1,
    }  # fmt: skip
    limits = {"requests": {}, "limits": {"cpu": "12", "memory": "40Gi"}}
    larger = planned(member(engines, modules={"fateflow": {"resources": limits}}), tmp_path / "larger")[1].spark
    assert larger is not None
    assert (larger.master, larger.cores_per_worker, larger.memory_per_worker_mib, larger.workers) == ("local[12]", 12, 36864, 1)
    assert larger.driver_memory_mib == 10240


def test_rabbitmq_s_password_is_made_and_found(tmp_path: Path) -> None:
    loaded = RABBITMQ_MESH.load(tmp_path / "made")
    unit = loaded.plan.unit("party-9999")
    secrets = {secret.name: dict(secret.sources) for secret in unit.secrets}
    assert secrets["rabbitmq-credentials"] == {"password": "party-9999-rabbitmq"}
    assert unit.chart.values.plain()["rabbitmq"] == {
        "host": "rabbitmq", "port": 5672, "managementPort": 15672,
        "user": "fate", "password": {"name": "rabbitmq-credentials", "key": "password"},
    }  # fmt: skip
    assert loaded.plan.secret_names == ("party-9999-mysql", "party-9999-mysql-root", "party-9999-rabbitmq")
    assert loaded.plan.provided == {}, "no certificate to give"
    theirs = {"rabbitmq": {"kubernetesSecret": "own", "key": "pw"}}
    unit = RABBITMQ_MESH.changed(partial(_update_party, credentials=theirs)).load(tmp_path / "theirs").plan.unit("party-9999")
    assert "rabbitmq-credentials" not in {secret.name for secret in unit.secrets}
    assert unit.chart.values.plain()["rabbitmq"]["password"] == {"name": "own", "key": "pw"}


@pytest.mark.parametrize("case", [ROLLSITE_STAR, ROLLSITE_MESH, SLIM_MESH], ids=str)
def test_engines_without_tls_ask_for_no_certificate(case: Case, tmp_path: Path) -> None:
    plan = case.load(tmp_path).plan
    assert plan.provided == {}
    assert not [name for name in plan.secret_names if name.endswith(("-ca", "-certificate", "-key"))]
    assert SLIM_STAR.load(tmp_path / "pulsar").plan.provided.keys() == {f"party-9999-{name}" for name in ("ca", "certificate", "key")}


def spec(unit: UnitPlan, name: str) -> dict[str, Any]:
    """The spec of a Service of a unit."""
    return dict(next(item for item in unit.services if item.name == name).fields["spec"])


def test_rollsite_is_published_by_one_port_and_dialled_inside_by_another_service(tmp_path: Path) -> None:
    plan = ROLLSITE_NODE_PORTS.load(tmp_path).plan
    unit, hub = plan.unit("party-9999"), plan.unit("exchange")
    selector = {"app.kubernetes.io/name": "rollsite", "app.kubernetes.io/instance": "party-9999"}
    port = {"name": "tcp-rollsite", "port": 9370, "targetPort": "grpc", "protocol": "TCP"}
    assert spec(unit, "rollsite") == {"type": "ClusterIP", "selector": selector, "ports": [port]}
    assert spec(unit, "rollsite-public") == {"type": "NodePort", "selector": selector, "ports": [{**port, "nodePort": 30091}]}
    theirs = {"app.kubernetes.io/name": "rollsite", "app.kubernetes.io/instance": "exchange"}
    assert spec(hub, "rollsite") == {"type": "NodePort", "selector": theirs, "ports": [{**port, "nodePort": 30001}]}
    assert [item.name for item in hub.services] == ["rollsite"]
    assert unit.descriptor["endpoints"]["rollsite"]["ports"] == {"grpc": 30091}
    assert hub.descriptor["endpoints"]["rollsite"]["ports"] == {"grpc": 30001}


def test_rabbitmq_is_published_by_its_amqp_port_only(tmp_path: Path) -> None:
    publish = {"rabbitmq": node_port(port=30672), "nginx": {"type": "LoadBalancer"}}
    unit = RABBITMQ_MESH.changed(partial(_update_party, publish=publish)).load(tmp_path).plan.unit("party-9999")
    assert spec(unit, "rabbitmq-public") == {
        "type": "NodePort",
        "selector": {"app.kubernetes.io/name": "rabbitmq", "app.kubernetes.io/instance": "party-9999"},
        "ports": [{"name": "amqp", "port": 5672, "targetPort": "amqp", "protocol": "TCP", "nodePort": 30672}],
    }
    assert unit.descriptor["endpoints"]["rabbitmq"] == {
        "host": "203.0.113.9", "addresses": ["203.0.113.9"], "ports": {"amqp": 30672}, "tls": False,
    }  # fmt: skip


def test_a_node_port_of_traffic_server_keeps_the_port_of_its_service(tmp_path: Path) -> None:
    publish = {"trafficServer": node_port(port=30443), "nginx": {"type": "LoadBalancer"}}
    unit = EXCHANGE.changed(lambda config: config["exchange"].update(publish=publish)).load(tmp_path).plan.unit("exchange")
    assert spec(unit, "traffic-server")["ports"] == [
        {"name": "443", "port": 443, "targetPort": "tls", "protocol": "TCP", "nodePort": 30443}
    ]


@pytest.mark.parametrize("endpoint", ["rollsite", "rabbitmq"])
def test_node_ports_of_every_endpoint_are_checked(endpoint: str, tmp_path: Path) -> None:
    base = ROLLSITE_MESH if endpoint == "rollsite" else RABBITMQ_MESH
    rest = {} if endpoint == "rollsite" else {"nginx": {"type": "LoadBalancer"}}
    for port, said in ((9370, "is outside the node port range"), (None, "must be fixed")):
        ports = {} if port is None else {"port": port}
        case = base.changed(partial(_update_party, publish={endpoint: node_port(**ports), **rest}))
        (problem,) = refused(case, tmp_path / str(port))
        assert problem.place == f"parties.9999.publish.{endpoint}.port"
        assert said in problem.problem


UNSIGNED = [
    ("Pulsar party", STAR_PARTY, {"partyId": "10001", "pulsar": "a.example:6651", "nginx": "198.51.100.5:9300"}),
    ("RabbitMQ party", RABBITMQ_MESH, {"partyId": "10001", "rabbitmq": "a.example:5672", "nginx": "198.51.100.5:9300"}),
    ("rollsite party", ROLLSITE_MESH, {"partyId": "10001", "rollsite": "a.example:9370"}),
    ("Pulsar exchange", STAR_PARTY, {"trafficServer": "a.example:443", "nginx": "198.51.100.5:9300"}),
    ("rollsite exchange", ROLLSITE_STAR, {"rollsite": "a.example:9370"}),
    ("OSX party", OSX_MESH, {"partyId": "10001", "osx": "a.example:9370"}),
    ("OSX exchange", OSX_STAR, {"osx": "a.example:9370"}),
]


@pytest.mark.parametrize(("case", "entry"), [row[1:] for row in UNSIGNED], ids=[row[0] for row in UNSIGNED])
def test_a_peer_typed_by_hand_has_exactly_the_addresses_of_its_engine(case: Case, entry: Config, tmp_path: Path) -> None:
    (peer,) = [
        peer for peer in case.with_entry("old", unsigned=True, **entry).load(tmp_path / "whole").peers.accepted if peer.name == "old"
    ]
    addresses = {name: address for name, address in entry.items() if name != "partyId"}
    assert peer.descriptor.endpoints.keys() == addresses.keys()
    assert peer.descriptor.kind == ("party" if "partyId" in entry else "exchange")
    for name, address in addresses.items():
        endpoint = peer.descriptor.endpoints[name]
        assert f"{endpoint.host}:{next(iter(endpoint.ports.values()))}" == address
        purpose = {"pulsar": "tls", "trafficServer": "tls", "rabbitmq": "amqp", "nginx": "http", "rollsite": "grpc", "osx": "grpc"}[name]
        assert set(endpoint.ports) == {purpose}
        tls = {"pulsar": f"10001.{DOMAIN}", "trafficServer": f"proxy.{DOMAIN}"}.get(name)
        assert (endpoint.tls, endpoint.server_name) == (tls is not None, tls)
    kind, legal = ("party", "nginx and pulsar, or nginx and rabbitmq, or rollsite, or osx, or servingProxy, or sitePortal")
    if "partyId" not in entry:
        kind, legal = "exchange (no partyId)", "nginx and trafficServer, or rollsite, or osx, or servingProxy, or fmlManager"
    for name in addresses:
        fewer = {key: value for key, value in entry.items() if key != name}
        (problem,) = refused(case.with_entry("old", unsigned=True, **fewer), tmp_path / f"without {name}")
        assert (problem.place, problem.problem) == ("peers.old", f"an unsigned {kind} needs exactly {legal}, each as host:port")
    for name in {"pulsar", "rabbitmq", "trafficServer", "nginx", "rollsite", "osx"} - addresses.keys():
        (problem,) = refused(case.with_entry("old", unsigned=True, **entry, **{name: "198.51.100.9:1000"}), tmp_path / f"with {name}")
        assert f"needs exactly {legal}" in problem.problem


def test_a_peer_with_a_descriptor_has_no_address_typed_by_hand(tmp_path: Path) -> None:
    case = ROLLSITE_MESH.with_peer("clinic-b", ROLLSITE_CLINIC, rollsite="198.51.100.4:9370")
    (problem,) = refused(case, tmp_path)
    assert problem.problem == "a peer with a descriptor takes its addresses from it: drop rollsite"


@pytest.mark.parametrize("variable", ["MYSQL_PASSWORD", "POD_IP"])
def test_a_variable_that_the_program_sets_is_refused(tmp_path: Path, variable: str) -> None:
    case = STAR_PARTY.changed(lambda config: config["parties"]["9999"].update(modules={"fateflow": {"env": {variable: "hunter2"}}}))
    with pytest.raises(FederationError) as caught:
        case.load(tmp_path)
    (problem,) = caught.value.problems
    assert problem.place.endswith(f"parties.9999.modules.fateflow.env.{variable}")
    assert problem.problem == f"{variable} is set by this program"
    assert "hunter2" not in str(caught.value)


def test_the_log_level_of_fateflow_may_be_set(tmp_path: Path) -> None:
    case = STAR_PARTY.changed(lambda config: config["parties"]["9999"].update(modules={"fateflow": {"env": {"FATE_LOG_LEVEL": "DEBUG"}}}))
    values = case.load(tmp_path).plan.unit("party-9999").chart.values
    assert values.modules.fateflow.env == {"FATE_LOG_LEVEL": "DEBUG"}  # type: ignore[union-attr]


def test_a_log_level_that_fate_2_does_not_read_is_said(tmp_path: Path) -> None:
    def unread(case: Case, folder: str) -> list[str]:
        return [text for text in case.load(tmp_path / folder).plan.warnings if "LOG_LEVEL" in text]

    def levelled(case: Case, variable: str) -> Case:
        return case.changed(lambda config: config["parties"]["9999"].update(modules={"fateflow": {"env": {variable: "10"}}}))

    (warning,) = unread(levelled(OSX_MESH, "FATE_LOG_LEVEL"), "2.x")
    assert warning.startswith("parties.9999.modules.fateflow.env.FATE_LOG_LEVEL has no effect in FATE 2.2.0: set LOG_LEVEL")
    assert not unread(levelled(OSX_MESH, "LOG_LEVEL"), "its own")
    assert not unread(levelled(STAR_PARTY, "FATE_LOG_LEVEL"), "1.x")


@pytest.mark.parametrize(("case", "module"), [(RABBITMQ_MESH, "spark"), (OSX_MESH, "nodemanager"), (ROLLSITE_STAR, "nodemanager")], ids=str)
def test_a_party_too_small_for_any_job_is_told(case: Case, module: str, tmp_path: Path) -> None:
    """FATE-Flow fails a job that asks for more cores than it counts, and by default a job asks for 4."""

    def small(cpu: str) -> list[str]:
        size = {"memory": "8Gi", "cpu": cpu}
        limits = {"resources": {"requests": size, "limits": size}}
        modules = {"spark": {"workers": 1, "worker": limits}} if module == "spark" else {module: {**limits, "replicas": 1}}
        changed = case.changed(lambda config: config["parties"]["9999"].setdefault("modules", {}).update(modules))
        return [warning for warning in changed.load(tmp_path / cpu).plan.warnings if "cores for jobs" in warning]

    (told,) = small("3")
    assert told.endswith(f"raise the CPU limit of parties.9999.modules.{module}, or write job_cores into every job"), told
    assert small("4") == []


@pytest.mark.parametrize("case", [STAR_PARTY, RABBITMQ_MESH, ROLLSITE_STAR], ids=str)
def test_a_link_without_encryption_is_said(case: Case, tmp_path: Path) -> None:
    plan = case.load(tmp_path).plan
    said = [warning for warning in plan.warnings if "without encryption" in warning]
    assert len(said) == (0 if plan.unit("party-9999").tls is not None else 1), plan.warnings
