"""From the catalogue's rows and the operator's knobs to chart values; and the catalogue itself."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from federation.base.quantity import amount, cores, mebibytes
from federation.catalogue.native import NATIVE
from federation.catalogue.releases import ModuleRow, Release, catalogue
from federation.chart_values.fate import ExchangeModules, ExchangePorts, ExchangeValues, PartyModules, PartyPorts, PartyValues
from federation.chart_values.modules import Amounts, Resources
from federation.config.images import ImagesSpec
from federation.config.modules import ImageSpec, ModuleSpec, Persistence
from federation.links.external_engines import REPLACED
from federation.manifests.modules import image_use, module_values, share
from federation.manifests.secrets import default_secret
from tests.support.configs import NODE_PORTS, STAR_PARTY, Case, Config

DIGEST = "sha256:" + "a" * 64
OTHER = f"sha256:{'b' * 64}"
ROW = ModuleRow.model_validate(
    {
        "image": "federatedai/pulsar",
        "tag": "2.10.1",
        "replicas": 3,
        "resources": {"requests": {}, "limits": {"memory": "6Gi"}},
        "heapPercent": 35,
        "claim": {"size": "20Gi"},
        "security": {"runAsUser": 999, "capabilities": ["CHOWN"], "reason": "a test"},
    }
)
RELEASES = list(catalogue().values())
ROWS = [
    pytest.param(row, id=f"{release.release}-{kind}-{name}")
    for release in RELEASES
    for kind, rows in (("party", release.modules), ("exchange", release.exchange))
    for name, row in rows.items()
]


# What Pod Security's level `baseline` lets a container add.
BASELINE = {"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD"}
BASELINE |= {"NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"}


def aliases(model: Any) -> set[str]:
    """The keys of a model as they are written."""
    return {field.alias or name for name, field in model.model_fields.items()}


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [("6Gi", 6144), ("1.5Gi", 1536), ("512Mi", 512), ("1G", 953), ("1048576", 1), ("1048575", 0), ("2048Ki", 2), ("1Ti", 1048576)],
)
def test_memory_is_read_in_mebibytes_rounded_down(quantity: str, expected: int) -> None:
    assert mebibytes(quantity) == expected


@pytest.mark.parametrize(("quantity", "expected"), [("4", 4), ("1.9", 1), ("0.5", 1), ("2500m", 2), ("100m", 1), ("1000m", 1)])
def test_cpu_is_read_in_whole_cores_of_which_there_is_at_least_one(quantity: str, expected: int) -> None:
    assert cores(quantity) == expected


@pytest.mark.parametrize("quantity", ["NaN", "Infinity", "-Infinity", "NaNGi", "", "Gi", "two", "1_0", "٣Gi", "1e999999k", "1e9999", "."])
def test_what_is_no_finite_number_is_no_amount(quantity: str) -> None:
    with pytest.raises(ValueError, match="is not an amount"):
        amount(quantity)


@pytest.mark.parametrize("quantity", ["4Gi", "1k", "x", "-1", "1e3", "0.5m", "m", ""])
def test_what_is_no_cpu_is_refused_where_it_is_written(quantity: str) -> None:
    with pytest.raises(ValidationError):
        Amounts(cpu=quantity)


@pytest.mark.parametrize("quantity", ["512m", "1 Gi", "Gi", "-1Gi", "1gi", "1e9", ""])
def test_what_is_no_memory_is_refused_where_it_is_written(quantity: str) -> None:
    with pytest.raises(ValidationError):
        Amounts(memory=quantity)


def test_what_is_accepted_as_an_amount_can_be_computed_with() -> None:
    amounts = [Amounts(cpu=cpu, memory=memory) for cpu in ("1", "0.1", "250m", "64") for memory in ("1", "1k", "1M", "0.5Gi", "3Pi")]
    assert [cores(size.cpu or "") >= 1 and mebibytes(size.memory or "") >= 0 for size in amounts] == [True] * 20


@pytest.mark.parametrize(
    ("override", "images", "expected"),
    [
        ({}, {}, "federatedai/pulsar:2.10.1"),
        ({"tag": "2.10.6"}, {}, "federatedai/pulsar:2.10.6"),
        ({"digest": DIGEST}, {}, f"federatedai/pulsar@{DIGEST}"),
        ({"digest": DIGEST, "tag": "2.10.6"}, {}, f"federatedai/pulsar:2.10.6@{DIGEST}"),
        ({}, {"digests": {"federatedai/pulsar:2.10.1": DIGEST}}, f"federatedai/pulsar:2.10.1@{DIGEST}"),
        ({}, {"digests": {"federatedai/pulsar:2.10.6": DIGEST}}, "federatedai/pulsar:2.10.1"),
        ({"tag": "2.10.6"}, {"digests": {"federatedai/pulsar:2.10.6": DIGEST}}, f"federatedai/pulsar:2.10.6@{DIGEST}"),
        ({"digest": OTHER}, {"digests": {"federatedai/pulsar:2.10.1": DIGEST}}, f"federatedai/pulsar@{OTHER}"),
        (
            {},
            {"registry": "registry.bank-a.example/fate", "digests": {"federatedai/pulsar:2.10.1": DIGEST}},
            f"registry.bank-a.example/fate/pulsar:2.10.1@{DIGEST}",
        ),
        ({}, {"registry": "registry.bank-a.example/fate"}, "registry.bank-a.example/fate/pulsar:2.10.1"),
        ({}, {"registry": "registry.bank-a.example:5000/"}, "registry.bank-a.example:5000/pulsar:2.10.1"),
        ({"repository": "other.example/my/pulsar"}, {"registry": "registry.bank-a.example"}, "other.example/my/pulsar:2.10.1"),
        ({"repository": "other.example/my/pulsar", "digest": DIGEST}, {}, f"other.example/my/pulsar@{DIGEST}"),
    ],
)
def test_an_image_is_that_of_the_override_then_of_the_registry_then_upstream(
    override: dict[str, str], images: dict[str, str], expected: str
) -> None:
    assert image_use(ROW, ImageSpec.model_validate(override), ImagesSpec.model_validate(images)).reference == expected


@pytest.mark.parametrize(("memory", "percent", "expected"), [("6Gi", 35, 2150), ("6Gi", None, None), (None, 35, None), ("1Mi", 10, 1)])
def test_a_heap_is_a_share_of_the_memory_limit(memory: str | None, percent: int | None, expected: int | None) -> None:
    assert share(memory, percent) == expected


def test_what_an_operator_does_not_say_comes_from_the_release() -> None:
    module = module_values(ROW, ModuleSpec(), ImagesSpec(), Persistence())
    assert module.plain() == {
        "image": "federatedai/pulsar:2.10.1",
        "replicas": 3,
        "resources": {"requests": {}, "limits": {"memory": "6Gi"}},
        "nodeSelector": {},
        "tolerations": [],
        "env": {},
        "security": {"runAsUser": 999, "capabilities": ["CHOWN"]},
        "claim": {"accessMode": "ReadWriteOnce", "size": "20Gi"},
        "heapMib": 2150,
    }


def test_what_an_operator_says_wins_over_the_release() -> None:
    said = {
        "image": {"tag": "2.10.6"},
        "replicas": 2,
        "resources": {"requests": {"cpu": "1"}, "limits": {"memory": "2Gi"}},
        "nodeSelector": {"pool": "data"},
        "tolerations": [{"key": "dedicated", "operator": "Exists"}],
        "env": {"TZ": "UTC"},
        "persistence": {"size": "50Gi"},
    }
    persistence = Persistence(storage_class="fast", access_mode="ReadWriteMany")
    module = module_values(ROW, ModuleSpec.model_validate(said), ImagesSpec(), persistence).plain()
    assert module["image"] == "federatedai/pulsar:2.10.6"
    assert module["replicas"] == 2
    assert module["resources"] == said["resources"]
    assert (module["nodeSelector"], module["tolerations"], module["env"]) == (said["nodeSelector"], said["tolerations"], said["env"])
    assert module["claim"] == {"storageClass": "fast", "accessMode": "ReadWriteMany", "size": "50Gi"}
    assert module["heapMib"] == 2048 * 35 // 100


def test_without_persistence_and_without_a_memory_limit_there_is_no_claim_and_no_heap() -> None:
    free = ModuleSpec(resources=Resources(requests=Amounts(), limits=Amounts()))
    module = module_values(ROW, free, ImagesSpec())
    assert module.claim is None
    assert module.heap_mib is None


def _values(case: Case, folder: Path) -> PartyValues:
    values = case.load(folder).plan.unit("party-9999").chart.values
    assert isinstance(values, PartyValues)
    return values


def test_a_party_gets_the_optional_modules_that_are_named(tmp_path: Path) -> None:
    few, all_of_them = _values(STAR_PARTY, tmp_path / "few"), _values(NODE_PORTS, tmp_path / "all")
    assert (few.modules.fateboard, few.modules.client, few.board, few.notebook_password) == (None, None, None, None)
    assert set(all_of_them.modules.plain()) - set(few.modules.plain()) == {"fateboard", "client"}
    assert all_of_them.board is not None
    assert all_of_them.notebook_password is not None


def test_persistence_none_makes_no_claim_and_persistence_one_per_module_with_data(tmp_path: Path) -> None:
    none, fast = _values(STAR_PARTY, tmp_path / "none").modules.plain(), _values(NODE_PORTS, tmp_path / "fast").modules.plain()
    assert not [name for name, module in none.items() if "claim" in module]
    claims = {name: module["claim"]["storageClass"] for name, module in fast.items() if "claim" in module}
    assert claims == dict.fromkeys(["fateflow", "mysql", "pulsar", "namenode", "datanode", "client"], "fast")


def test_the_scheduler_is_told_what_the_workers_have(tmp_path: Path) -> None:
    limits = {"requests": {}, "limits": {"cpu": "2500m", "memory": "10Gi"}}
    case = STAR_PARTY.changed(
        lambda config: config["parties"]["9999"].update(modules={"spark": {"workers": 5, "worker": {"resources": limits}}})
    )
    values = _values(case, tmp_path)
    assert values.modules.spark_worker.replicas == 5
    assert values.spark.plain() == {
        "master": "spark://spark-master:7077",
        "coresPerWorker": 2,
        "memoryPerWorkerMib": 9216,
        "workers": 5,
    }


def _update_party(config: Config, **changes: Any) -> None:
    config["parties"]["9999"].update(changes)


def test_tiny_and_missing_limits_still_make_a_plan(tmp_path: Path) -> None:
    tiny: dict[str, Any] = {"requests": {}, "limits": {"cpu": "1m", "memory": "1"}}
    none: dict[str, Any] = {"requests": {}, "limits": {}}
    for number, resources in enumerate((tiny, none)):
        modules = {"spark": {"worker": {"resources": resources}}, "pulsar": {"resources": resources}}
        case = STAR_PARTY.changed(partial(_update_party, modules=modules))
        assert _values(case, tmp_path / str(number)).spark.cores_per_worker == 1


def test_the_party_id_is_a_text_in_chart_values(tmp_path: Path) -> None:
    plain = _values(STAR_PARTY, tmp_path).plain()
    assert plain["partyId"] == "9999"
    assert plain["labels"]["federation.fate/party-id"] == "9999"


def test_two_parties_never_share_a_replicator_prefix(tmp_path: Path) -> None:
    other = {**STAR_PARTY.config["parties"]["9999"], "namespace": "fate-9998"}
    plan = STAR_PARTY.changed(lambda config: config["parties"].update({"9998": other})).load(tmp_path).plan
    prefixes = [unit.chart.values.pulsar.broker.replicator_prefix for unit in plan.units if isinstance(unit.chart.values, PartyValues)]
    assert sorted(prefixes) == ["pulsar.repl.9998", "pulsar.repl.9999"]


def test_the_catalogue_holds_release_1_11_2() -> None:
    assert "1.11.2" in catalogue()
    assert [name for name, release in catalogue().items() if name != release.release] == []


# Reference 2.3: FATE 2.x publishes not all of its images for each release, and numbers some apart.
_OLD = {"nginx": "2.0.0-release", "sparkMaster": "2.0.0-release", "sparkWorker": None}
OTHER_TAGS: dict[str, dict[str, str | None]] = {
    "2.1.0": _OLD,
    "2.2.0": {**_OLD, "clustermanager": "3.2.0-release", "nodemanager": "3.2.0-release", "fateboard": "2.1.1-release"},
}
# By major version: the modules that only the other one has.
FOREIGN = {1: {"osx"}, 2: {"rollsite", "lbrollsite"}}


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.release)
def test_a_release_has_a_row_for_every_module_of_the_charts(release: Release) -> None:
    assert set(release.modules) == aliases(PartyModules) - FOREIGN[release.major]
    assert set(release.exchange) == aliases(ExchangeModules) - FOREIGN[release.major]
    needed = [set(combination.modules) for combination in release.combinations]
    assert {name for name, row in release.modules.items() if row.optional} == set(release.modules).difference(*needed)
    required = {field.alias or name for name, field in PartyModules.model_fields.items() if field.is_required()}
    # An external engine may stand in for the others.
    replaceable = {module for modules in REPLACED.values() for module in modules}
    assert required == set.intersection(*needed) - replaceable, "what the chart cannot do without is what every combination has"


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.release)
def test_a_release_has_every_port_of_the_charts(release: Release) -> None:
    needed = aliases(PartyPorts) | aliases(ExchangePorts)
    assert needed, "no ports"
    assert needed - FOREIGN[release.major] <= set(release.ports)


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.release)
def test_a_release_names_the_engines_it_is_deployed_with_once(release: Release) -> None:
    texts = [str(combination) for combination in release.combinations]
    assert texts
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.release)
def test_a_release_has_a_row_for_each_module_that_its_combinations_and_exchanges_name(release: Release) -> None:
    for combination in release.combinations:
        assert len(set(combination.modules)) == len(combination.modules)
        assert set(combination.modules) <= set(release.modules), combination
        assert combination.proxy in combination.modules, "the control plane's proxy is one of the modules"
        assert combination.federation in NATIVE.engines
        assert {published.module for published in NATIVE.of("party", combination.federation)} <= set(combination.modules)
        assert set(combination.engines) == {"computing", "federation", "storage"}
        assert all(engine == engine.lower() for engine in combination.engines.values())
    for engine, modules in release.exchanges.items():
        assert set(modules) <= set(release.exchange), engine
        assert len(NATIVE.of("exchange", engine)) == len(modules), "each module of an exchange is published"
    assert {module for modules in release.exchanges.values() for module in modules} == set(release.exchange)


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.release)
def test_a_release_has_the_ports_of_everything_that_is_published(release: Release) -> None:
    engines = {row.federation for row in release.combinations}
    services = [service for engine in engines for kind in ("party", "exchange") for service in NATIVE.of(kind, engine)]
    published = [port for service in services for port in service.ports]
    assert len(published) > 5
    assert {key for port in published for key in (port.own, port.default) if key is not None} <= set(release.ports)


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.release)
def test_a_release_names_each_device_once_and_cpu_with_basic_always(release: Release) -> None:
    devices = [row.device for row in release.variants]
    assert len(set(devices)) == len(devices)
    assert "Basic" in next(row for row in release.variants if row.device == "CPU").algorithms


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.release)
def test_images_of_fate_itself_have_the_tag_of_their_release(release: Release) -> None:
    """A forgotten override would deploy a module of the base's release."""
    fate = {
        "fateflow", "nginx", "sparkMaster", "sparkWorker", "clustermanager", "nodemanager", "rollsite", "osx", "fateboard", "client",
    } - FOREIGN[release.major]  # fmt: skip
    tags = {name: row.tag for name, row in release.modules.items() if name in fate}
    assert tags == dict.fromkeys(fate, f"{release.release}-release") | OTHER_TAGS.get(release.release, {})
    proxy = "rollsite" if release.major == 1 else "osx"
    assert {name: row.tag for name, row in release.exchange.items()} == {
        "trafficServer": None, "nginx": tags["nginx"], proxy: f"{release.release}-release",
    }  # fmt: skip


def test_a_release_says_only_what_differs_from_its_base() -> None:
    newest, base = catalogue()["1.11.2"], catalogue()["1.9.0"]
    assert base.modules["pulsar"] == newest.modules["pulsar"]
    assert base.modules["fateflow"].resources == newest.modules["fateflow"].resources
    assert base.modules["fateflow"].suffixes == newest.modules["fateflow"].suffixes
    assert (base.eggroll, newest.eggroll) == ("2.4", "2.5")
    assert (base.ports, base.combinations, base.exchanges) == (newest.ports, newest.combinations, newest.exchanges)


@pytest.mark.parametrize("row", ROWS)
def test_a_row_says_why_it_differs_from_the_strictest_security(row: ModuleRow) -> None:
    assert len(row.security.reason.split()) >= 3, row.security.reason
    assert row.security.run_as_user != 0, "root is what an image says itself, never what we ask for"
    assert len(set(row.security.capabilities)) == len(row.security.capabilities)
    assert not {"ALL", "SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE"} & set(row.security.capabilities)
    assert set(row.security.capabilities) <= BASELINE, "our namespaces enforce the level `baseline` of Pod Security"


@pytest.mark.parametrize("row", ROWS)
def test_a_row_names_an_image_without_a_tag_and_a_tag_that_stays(row: ModuleRow) -> None:
    assert ":" not in row.image.rsplit("/", 1)[-1]
    assert "@" not in row.image
    assert row.tag != "latest"


@pytest.mark.parametrize("row", ROWS)
def test_a_row_asks_for_cpu_and_memory_and_limits_both(row: ModuleRow) -> None:
    for asked, limit in (
        (row.resources.requests.cpu, row.resources.limits.cpu),
        (row.resources.requests.memory, row.resources.limits.memory),
    ):
        assert asked, row.image
        assert limit, row.image
    assert mebibytes(row.resources.requests.memory or "") <= mebibytes(row.resources.limits.memory or "")
    assert (row.heap_percent or 0) + (row.direct_percent or 0) <= 90, "metaspace and threads need the rest"


def test_only_what_upstream_never_published_in_a_version_has_no_tag_and_says_why() -> None:
    rows = {
        (name, "all" if name == "trafficServer" else release.release): row
        for release in RELEASES
        for rows in (release.modules, release.exchange)
        for name, row in rows.items()
        if row.tag is None or row.unpublished
    }
    assert set(rows) == {("trafficServer", "all"), ("sparkWorker", "2.1.0"), ("sparkWorker", "2.2.0")}
    assert all(row.tag is None and row.unpublished for row in rows.values())


def test_no_row_can_have_the_tag_latest() -> None:
    with pytest.raises(ValidationError, match="latest"):
        ModuleRow.model_validate({**ROW.plain(), "tag": "latest"})


def test_a_plan_asks_for_the_images_of_its_release(tmp_path: Path) -> None:
    modules = _values(NODE_PORTS, tmp_path).modules.plain()
    assert {name: module["image"] for name, module in modules.items()} == {
        "fateflow": "federatedai/fateflow-spark:1.11.2-release",
        "mysql": "mysql:8.0.28",
        "nginx": "federatedai/nginx:1.11.2-release",
        "pulsar": "federatedai/pulsar:2.10.1",
        "sparkMaster": "federatedai/spark-master:1.11.2-release",
        "sparkWorker": "federatedai/spark-worker:1.11.2-release",
        "namenode": "federatedai/hadoop-namenode:2.0.0-hadoop3.2.1-java8",
        "datanode": "federatedai/hadoop-datanode:2.0.0-hadoop3.2.1-java8",
        "fateboard": "federatedai/fateboard:1.11.2-release",
        "client": "federatedai/client:1.11.2-release",
    }


def test_a_private_registry_serves_every_image(tmp_path: Path) -> None:
    case = NODE_PORTS.changed(lambda config: config.update(images={"registry": "registry.bank-a.example/fate"}))
    images = [module["image"] for module in _values(case, tmp_path).modules.plain().values()]
    assert len(images) == 10
    assert not [image for image in images if not image.startswith("registry.bank-a.example/fate/")]


def test_an_exchange_asks_for_the_named_traffic_server() -> None:
    assert ExchangeValues.model_fields["modules"].annotation is ExchangeModules
    row = catalogue()["1.11.2"].exchange["trafficServer"]
    assert image_use(row, ImageSpec(digest=DIGEST), ImagesSpec()).reference == f"federatedai/trafficserver@{DIGEST}"


def test_default_secret_names_are_spelt_with_dashes() -> None:
    slots = ["mysql", "mysqlRoot", "fateboard", "notebook", "rabbitmq"]
    assert [default_secret("party-9999", slot) for slot in slots] == [
        "party-9999-mysql",
        "party-9999-mysql-root",
        "party-9999-fateboard",
        "party-9999-notebook",
        "party-9999-rabbitmq",
    ]
