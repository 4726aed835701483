"""The values of the chart fate-party, from a party's spec and its rows in the catalogue."""

from federation.access.consoles import console_values, shown_consoles
from federation.base import naming
from federation.base.quantity import cores, mebibytes
from federation.catalogue.ports import chart_ports
from federation.catalogue.releases import CombinationRow, DeviceRow, Release
from federation.chart_values.engines import (
    EggrollSettings,
    Engines,
    HdfsSettings,
    PulsarBroker,
    PulsarSettings,
    RabbitmqSettings,
    SparkDriver,
    SparkSettings,
    StandaloneSettings,
)
from federation.chart_values.fate import Board, Database, PartyModules, PartyPorts, PartyValues, RouteConfigMaps
from federation.chart_values.images import ImageEdit, ImagePatch, Layout
from federation.chart_values.modules import Container, SecretKey
from federation.config.engines import ExternalSpark
from federation.config.modules import ModuleSpec, Persistence
from federation.config.party import PartySpec, module_specs, with_datasets
from federation.config.units import PartyUnit, combination_of
from federation.links.external_engines import engine_host, engine_modules, engine_ports, external_engines
from federation.manifests.modules import ImageUse, Variant, image_use, module_images, module_values, osx_settings, share
from federation.trust.plan import CERT_MANAGER, checks_names, client_certificates
from federation.units.party.secrets import password_entries
from federation.units.serving.link import party_servings
from federation.units.unit import chart_head

# Pulsar tenant and topic lifetime that FATE's own deployments use; the tenant must be equal in all parties.
TENANT, _TOPIC_TTL_MINUTES, _CLUSTER = "fl-tenant", 3, "standalone"
# Whose image the init containers have that wait for the database.
DATABASE_CLIENT = "database.client"
_FATEBOARD_USER, _RABBITMQ_USER = "admin", "fate"
# Of FATE-Flow's memory limit, for the heap of Spark's driver in its pod. The rest is for Python: FATE-Flow itself and a worker for each
# core (0.3 GiB each, measured with FATE 2.2.0). Spark's own default is 1 GiB, whatever the pod has.
_DRIVER_PERCENT = 25
_ROUTES = {
    "Pulsar": RouteConfigMaps(pulsar=naming.PULSAR_ROUTES, nginx=naming.NGINX_ROUTES),
    "RabbitMQ": RouteConfigMaps(rabbitmq=naming.RABBITMQ_ROUTES, nginx=naming.NGINX_ROUTES),
    "Eggroll": RouteConfigMaps(rollsite=naming.ROLLSITE_ROUTES),
    "OSX": RouteConfigMaps(osx=naming.OSX_ROUTES),
}


def party_values(unit: PartyUnit, keys: dict[str, SecretKey]) -> PartyValues:
    """The chart values of a party. ValueError for engines that its release is not deployed with (the rules refuse them before)."""
    release = unit.release
    combination = combination_of(unit)
    if combination is None:
        raise ValueError(f"release {unit.spec.release} has no {unit.spec.computing} + {unit.spec.federation} + {unit.spec.storage}")
    modules = _modules(unit, release)
    return PartyValues(
        **chart_head(unit),
        party_id=unit.party,
        party_id_in_config=release.party_id_in_config,
        layout=_layout(release, combination),
        image_patches=_image_patches(unit.spec, release, modules),
        engines=Engines(
            **{str(kind): engine for kind, engine in combination.engines.items()}, proxy=combination.proxy, osx_mode=combination.osx_mode
        ),
        ports=_ports(unit.spec, release),
        partner_calls=release.partner_calls if "nginx" in combination.modules else None,
        modules=modules,
        database=_database(unit, release, keys),
        board=Board(user=_FATEBOARD_USER, password=keys["fateboard"]) if "fateboard" in keys else None,
        passwords=password_entries(unit),
        notebook_password=keys.get("notebook"),
        pulsar=_pulsar(unit, release) if "pulsar" in combination.modules else None,
        rabbitmq=_rabbitmq(unit, keys["rabbitmq"]) if "rabbitmq" in combination.modules else None,
        hdfs=_hdfs(unit) if "namenode" in combination.modules else None,
        spark=_spark(unit.spec, modules) if combination.engines["computing"] == "spark" else None,
        eggroll=_eggroll(unit.spec, release, modules),
        boards=console_values(unit.stack.boards, shown_consoles(unit, deployed_party_modules(unit))),
        standalone=_standalone(modules) if combination.engines["computing"] == "standalone" else None,
        osx=None if modules.osx is None else osx_settings(release.modules["osx"], modules.osx),
        servings=party_servings(unit, keys),
        routes=_ROUTES[unit.spec.federation].model_copy(update={"lbrollsite": naming.LBROLLSITE_ROUTES} if modules.lbrollsite else {}),
    )


def deployed_party_modules(unit: PartyUnit) -> frozenset[str]:
    """The modules of a party, by their names in the catalogue; none for a release or a combination that does not exist."""
    release = unit.releases.get(unit.spec.release)
    engines = () if release is None else engine_modules(unit.spec, release)
    return frozenset() if release is None or not engines else frozenset(_wanted(unit.spec, release))


def _wanted(own: PartySpec, release: Release) -> dict[str, ModuleSpec]:
    """The modules of a party's engines, then the optional ones that it names."""
    specs = {**module_specs(own), "fateflow": with_datasets(own)}
    optional = [name for name in optional_modules(own, release) if specs[name] is not None]
    return {name: specs[name] or ModuleSpec() for name in (*engine_modules(own, release), *optional)}


def optional_modules(own: PartySpec, release: Release) -> tuple[str, ...]:
    """The modules that a party with these engines may name."""
    return tuple(name for name, row in release.modules.items() if row.optional and row.federation in (None, own.federation))


def _modules(unit: PartyUnit, release: Release) -> PartyModules:
    persistence = unit.spec.persistence if isinstance(unit.spec.persistence, Persistence) else None
    variant = Variant(unit.spec.computing, unit.spec.algorithm, unit.spec.device)
    replicas = {"sparkWorker": unit.spec.modules.spark.workers}
    return PartyModules.model_validate(
        {
            name: module_values(
                release.modules[name],
                spec,
                unit.stack.images,
                persistence,
                replicas.get(name),
                variant,
                device_of(name, unit.spec, release),
            )
            for name, spec in _wanted(unit.spec, release).items()
        }
    )


def party_images(unit: PartyUnit) -> dict[str, ImageUse]:
    """The images of a party's modules, by module, and that of the database's client."""
    release = unit.release
    variant = Variant(unit.spec.computing, unit.spec.algorithm, unit.spec.device)
    images = module_images(release.modules, _wanted(unit.spec, release), unit.stack.images, variant)
    return {**images, DATABASE_CLIENT: image_use(release.modules["mysql"], unit.spec.modules.mysql.image, unit.stack.images)}


def device_of(name: str, own: PartySpec, release: Release) -> DeviceRow:
    """The requirements of the party's device for a module: none, unless the module computes with the device."""
    row = release.devices.get(own.device)
    return row if row is not None and name in row.modules else DeviceRow(modules=())


def _image_patches(own: PartySpec, release: Release, modules: PartyModules) -> tuple[ImagePatch, ...]:
    """The release's patches for what this party deploys, one for each file."""
    deployed = modules.plain()
    edits: dict[tuple[str, str], list[ImageEdit]] = {}
    for row in release.patches:
        if row.module in deployed and row.federation in (None, own.federation):
            edits.setdefault((row.module, row.file), []).append(ImageEdit(find=row.find, replace=row.replace))
    return tuple(ImagePatch(module=module, file=file, edits=tuple(file_edits)) for (module, file), file_edits in sorted(edits.items()))


def _layout(release: Release, combination: CombinationRow) -> Layout:
    """The release's layout, with the folders that the engines keep."""
    fateflow = release.layout.fateflow
    return release.layout.model_copy(
        update={"fateflow": fateflow.model_copy(update={"folders": {**fateflow.folders, **combination.folders}})}
    )


def _ports(own: PartySpec, release: Release) -> PartyPorts:
    """The ports of a party's modules, and of those that its chart names whether they are deployed or not."""
    return chart_ports(PartyPorts, ("fateflow", "fateboard", "client", "mysql", *_wanted(own, release)), release.ports)


def database_client(unit: PartyUnit) -> Container:
    """A container of MySQL's image, which has the client too; the same whether MySQL is a module or external."""
    module = module_values(unit.release.modules["mysql"], unit.spec.modules.mysql, unit.stack.images)
    return Container(image=module.image, image_pull_policy=module.image_pull_policy, resources=module.resources, security=module.security)


def _database(unit: PartyUnit, release: Release, keys: dict[str, SecretKey]) -> Database:
    external = external_engines(unit.spec).get("mysql")
    return Database(
        host=engine_host(unit.spec, "mysql"),
        port=engine_ports(unit)["mysql"],
        name=release.database_name if external is None else external.database,
        user=release.database_user if external is None else external.user,
        password=keys["mysql"],
        root_password=keys.get("mysqlRoot"),
        client=database_client(unit),
    )


def _pulsar(unit: PartyUnit, release: Release) -> PulsarSettings:
    external, ports = external_engines(unit.spec).get("pulsar"), engine_ports(unit)
    return PulsarSettings(
        host=engine_host(unit.spec, "pulsar"),
        port=ports["pulsar"],
        management_port=ports["pulsarAdmin"],
        cluster=_CLUSTER if external is None else external.cluster,
        tenant=TENANT,
        topic_ttl_minutes=_TOPIC_TTL_MINUTES,
        broker=_broker(unit, release) if external is None else None,
    )


def _broker(unit: PartyUnit, release: Release) -> PulsarBroker:
    row = release.modules["pulsar"]
    memory = (unit.spec.modules.pulsar.resources or row.resources).limits.memory
    return PulsarBroker(
        certificate_secret=naming.PULSAR_CERTIFICATE,
        issued_secret=naming.PULSAR_ISSUED if unit.spec.tls == CERT_MANAGER else None,
        client_certificates=client_certificates(unit.spec),
        server_name=unit.server_name if checks_names(unit) else None,
        replicator_prefix=f"pulsar.repl.{unit.party}",
        direct_mib=share(memory, row.direct_percent) or 1024,
        watcher=row.watcher,
    )


def _rabbitmq(unit: PartyUnit, password: SecretKey) -> RabbitmqSettings:
    external, ports = external_engines(unit.spec).get("rabbitmq"), engine_ports(unit)
    return RabbitmqSettings(
        host=engine_host(unit.spec, "rabbitmq"),
        port=ports["rabbitmq"],
        management_port=ports["rabbitmqAdmin"],
        user=_RABBITMQ_USER if external is None else external.user,
        password=password,
    )


def _hdfs(unit: PartyUnit) -> HdfsSettings:
    external = external_engines(unit.spec).get("hdfs")
    if external is not None:
        return HdfsSettings(name_node=external.name_node, path_prefix=external.path_prefix or "")
    return HdfsSettings(name_node=f"hdfs://namenode:{unit.release.ports['namenode']}", path_prefix="")


def _spark(own: PartySpec, modules: PartyModules) -> SparkSettings:
    """Spark's size: that of its workers, or inside FATE-Flow's pod that of the pod; of an external one what the stack says."""
    external = external_engines(own).get("spark")
    if external is not None:
        return _external_spark(external)
    worker = modules.spark_worker or modules.fateflow
    limits, local = worker.resources.limits, modules.spark_worker is None
    size = cores(limits.cpu or "1")
    return SparkSettings(
        # Never local[*]: Java before 8u372 counts the node's processors, and each thread is a Python worker of 0.3 GiB.
        master=f"local[{size}]" if local else "spark://spark-master:7077",
        cores_per_worker=size,
        driver_memory_mib=share(limits.memory, _DRIVER_PERCENT) if local else None,
        # A tenth of a worker's memory is left to the worker process itself (Spark's own default overhead).
        memory_per_worker_mib=max(1, mebibytes(limits.memory or "2Gi") * 9 // 10),
        workers=worker.replicas,
    )


def _external_spark(external: ExternalSpark) -> SparkSettings:
    return SparkSettings(
        master=external.master,
        cores_per_worker=external.cores_per_node,
        workers=external.nodes,
        python=external.pyspark_python,
        dependent_distribution=external.dependent_distribution or None,
        driver=SparkDriver(
            host=external.driver_host,
            service_type=external.service_type,
            annotations=external.driver_annotations,
            port=external.driver_start_port,
            block_manager_port=external.block_manager_start_port,
            max_retries=external.port_max_retries,
        ),
    )


def _standalone(modules: PartyModules) -> StandaloneSettings:
    return StandaloneSettings(cores=cores(modules.fateflow.resources.limits.cpu or "1"))


def _eggroll(own: PartySpec, release: Release, modules: PartyModules) -> EggrollSettings | None:
    if modules.nodemanager is None:
        return None
    processors = own.modules.nodemanager.session_processors_per_node
    return EggrollSettings(
        version=release.eggroll,
        processors_per_node=processors or cores(modules.nodemanager.resources.limits.cpu or "4"),
        nodes=modules.nodemanager.replicas,
    )
