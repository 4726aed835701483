"""Rules about external engines: that they belong to the party's engines, replace their modules, and are nobody else's."""

from collections.abc import Iterator, Mapping

from federation.base.errors import Problem, of_each
from federation.base.hosts import is_own
from federation.base.scalars import PartyId
from federation.config.units import PartyUnit, combination_of, party_units
from federation.links.external_engines import REPLACED, external_engines
from federation.units.checked import CheckedStack, of_every_party, run_rules
from federation.units.party.engine_rules import has_known_engines
from federation.units.party.values import deployed_party_modules

# What two parties cannot share, and which fields say that it is the same.
_UNSHARED = {"mysql": ("host", "port", "database"), "pulsar": ("host", "management_port"), "rabbitmq": ("host", "management_port")}
_PASSWORDS = {"mysql": ("mysql", "mysqlRoot"), "rabbitmq": ("rabbitmq",)}


@of_every_party
def external_engines_fit(stack: CheckedStack, unit: PartyUnit) -> Iterator[Problem]:
    """The external engines of a party; of an unknown release or combination other problems are told."""
    if has_known_engines(unit):
        yield from run_rules((_engines_are_used, _rotations, _read_by_fate_1_only), stack, unit)


def driver_ports_fit(stack: CheckedStack, used: Mapping[int, str]) -> Iterator[Problem]:
    """Problems with the node ports of Spark's drivers. `used`: the other node ports of the stack, and whose they are."""
    taken, cluster = dict(used), stack.spec.cluster
    for path, ports in of_each(party_units(stack.spec).values(), _driver_node_ports):
        where, shown = stack.place_of(path), f"Spark's drivers use node ports {ports[0]} to {ports[-1]}"
        outside = [port for port in (ports[0], ports[-1]) if port not in cluster.node_ports]
        if outside:
            problem = f"{shown}: {outside[0]} is outside the node port range {cluster.node_port_range}"
            yield Problem(where, problem, "choose another first port or fewer portMaxRetries, or correct cluster.nodePortRange")
        if both := [port for port in ports if port in taken]:
            problem = f"{shown}: {both[0]} is already used by {taken[both[0]]}"
            yield Problem(where, problem, "node ports are unique in a cluster: choose another first port")
        taken |= dict.fromkeys(ports, ".".join(path))


def _driver_node_ports(unit: PartyUnit) -> Iterator[tuple[tuple[str, ...], range]]:
    spark = external_engines(unit.spec).get("spark")
    if spark is not None and spark.service_type == "NodePort":
        for key, ports in spark.port_ranges.items():
            yield (*unit.path, "engines", "spark", "external", key), ports


def _engines_are_used(stack: CheckedStack, unit: PartyUnit) -> Iterator[Problem]:
    own, place_of, combination = unit.spec, stack.place_of, combination_of(unit)
    for engine, external in external_engines(own).items():
        here = (*unit.path, "engines", engine)
        if combination is not None and not set(REPLACED[engine]) <= set(combination.modules):
            problem = f"{engine} is not part of {combination}"
            yield Problem(place_of(here), problem, "remove it, or choose engines that use it")
            continue
        if engine in own.modules.model_fields_set:
            problem = f"module {engine} is not deployed, because engines.{engine} is external"
            yield Problem(place_of((*unit.path, "modules", engine)), problem, "remove this module's settings, or engines." + engine)
        if getattr(getattr(external, "password", None), "previous", None) is not None:
            here_too = (*here, "external", "password", "previous")
            problem = f"the password of an external {engine} can be changed by its owner only"
            yield Problem(place_of(here_too), problem, "remove this line; name the entry with the new password, once the server has it")
        for slot in _PASSWORDS.get(engine, ()):
            if own.credentials.of(slot) is not None:
                remedy = f"remove it; the password of the external one is engines.{engine}.external.password"
                yield Problem(place_of((*unit.path, "credentials", slot)), f"there is no module {engine} to use it", remedy)
        host = getattr(external, "host", None) or getattr(external, "driver_host", None)
        if host is not None and is_own(host):
            key = "host" if hasattr(external, "host") else "driverHost"
            problem = f"{host} means the pod itself, not your machine"
            yield Problem(place_of((*here, "external", key)), problem, "write an address that the cluster's pods can reach")


def _read_by_fate_1_only(stack: CheckedStack, unit: PartyUnit) -> Iterator[Problem]:
    """Settings that FATE 2.x has no key for: it would go on as if they were not there."""
    release, engines, at = unit.spec.release, external_engines(unit.spec), (*unit.path, "engines")
    if unit.release.major < 2:
        return
    spark, hdfs = engines.get("spark"), engines.get("hdfs")
    if spark is not None and spark.dependent_distribution:
        problem = f"FATE {release} does not send its packages to executors"
        remedy = "remove this line, and install FATE's packages on the workers"
        yield Problem(stack.place_of((*at, "spark", "external", "dependentDistribution")), problem, remedy)
    if hdfs is not None and hdfs.path_prefix is not None:
        problem = f"FATE {release} has no path prefix: it writes below the root of {hdfs.name_node}"
        yield Problem(stack.place_of((*at, "hdfs", "external", "pathPrefix")), problem, "remove this line, and let root write below /")


# The passwords that a Job changes in a server of this stack, and that server's module.
_SERVERS = {"mysql": "mysql", "rabbitmq": "rabbitmq"}


def _rotations(stack: CheckedStack, unit: PartyUnit) -> Iterator[Problem]:
    """A previous entry that nobody reads: the operator would believe that the password was changed with it."""
    deployed = deployed_party_modules(unit)
    for slot in ("mysql", "mysqlRoot", "rabbitmq", "fateboard", "notebook"):
        credential = unit.spec.credentials.of(slot)
        if credential is not None and credential.previous is not None and _SERVERS.get(slot) not in deployed:
            remedy = "remove this line" if slot != "mysqlRoot" else "remove this line; docs/guides/passwords.md says how root's is changed"
            yield Problem(stack.at(unit, "credentials", slot, "previous"), f"no Job changes the password {slot}", remedy)


def exchange_has_no_engines(stack: CheckedStack) -> Iterator[Problem]:
    """An exchange publishes its own modules."""
    publications = {} if stack.spec.exchange is None else stack.spec.exchange.publish.by_endpoint
    for endpoint, publication in publications.items():
        if publication.type == "External":
            yield Problem(stack.place_of(("exchange", "publish", endpoint, "type")), "an exchange has no external engines", _CHOOSE)


@of_every_party
def publications_fit(stack: CheckedStack, unit: PartyUnit) -> Iterator[Problem]:
    """`type: External` goes with an external engine, both ways."""
    engines = external_engines(unit.spec)
    for endpoint, publication in unit.spec.publish.by_endpoint.items():
        here = stack.at(unit, "publish", endpoint, "type")
        if publication.type == "External" and endpoint not in engines:
            yield Problem(here, f"{endpoint} is deployed by this stack, so a Service publishes it", _CHOOSE)
        if publication.type != "External" and endpoint in engines:
            problem = f"engines.{endpoint} is external: no pod backs a Service of type {publication.type}"
            yield Problem(here, problem, "write External, with advertise.host: the address at which peers reach the engine")


_CHOOSE = "choose LoadBalancer, NodePort or ClusterIP"


def engines_are_not_shared(stack: CheckedStack) -> Iterator[Problem]:
    """Two parties in one database, or on one broker, would take each other's rows, users and topics for their own."""
    users: dict[tuple[object, ...], PartyId] = {}
    for unit, engine, shared in of_each(party_units(stack.spec).values(), _unshared):
        if shared in users:
            what = "database" if engine == "mysql" else "broker"
            where = stack.at(unit, "engines", engine)
            yield Problem(where, f"party {users[shared]} already uses this {what}", f"give each party its own {what}")
        users.setdefault(shared, unit.party)


def _unshared(unit: PartyUnit) -> Iterator[tuple[PartyUnit, str, tuple[object, ...]]]:
    for engine, fields in _UNSHARED.items():
        if (external := external_engines(unit.spec).get(engine)) is not None:
            yield unit, engine, (engine, *(getattr(external, field) for field in fields))
