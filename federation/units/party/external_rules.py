"""Rules about external engines: that they belong to the party's engines, replace their modules, and are nobody else's."""

from collections.abc import Iterator, Mapping

from packaging.version import Version

from federation.base.errors import Place, Problem
from federation.base.hosts import is_own
from federation.base.scalars import PartyId
from federation.config.party import PartySpec
from federation.config.stack import StackSpec
from federation.links.external_engines import REPLACED, external_engines
from federation.peers.accepted import Peers
from federation.units.party.values import deployed_modules

# What two parties cannot share, and which fields say that it is the same.
_UNSHARED = {"mysql": ("host", "port", "database"), "pulsar": ("host", "management_port"), "rabbitmq": ("host", "management_port")}
_PASSWORDS = {"mysql": ("mysql", "mysqlRoot"), "rabbitmq": ("rabbitmq",)}


def broken_external_rules(spec: StackSpec, peers: Peers, place: Place) -> tuple[Problem, ...]:
    """Every problem with external engines. Parties of an unknown release or combination have other problems."""
    problems = [*_publications_fit(spec, place), *_nothing_is_shared(spec, place)]
    for party, own in spec.parties_in_order:
        release = spec.catalogue.get(own.release)
        if release is not None and release.combination(own.computing, own.federation, own.storage) is not None:
            problems += _party(spec, own, place, ("parties", party))
    return tuple(problems)


def driver_ports_fit(spec: StackSpec, used: Mapping[int, str], place: Place) -> Iterator[Problem]:
    """Problems with the node ports of Spark's drivers. `used`: the other node ports of the stack, and whose they are."""
    taken = dict(used)
    for path, ports in _driver_node_ports(spec):
        shown = f"Spark's drivers use node ports {ports[0]} to {ports[-1]}"
        outside = [port for port in (ports[0], ports[-1]) if port not in spec.cluster.node_ports]
        if outside:
            problem = f"{shown}: {outside[0]} is outside the node port range {spec.cluster.node_port_range}"
            yield Problem(place(path), problem, "choose another first port or fewer portMaxRetries, or correct cluster.nodePortRange")
        if both := [port for port in ports if port in taken]:
            problem = f"{shown}: {both[0]} is already used by {taken[both[0]]}"
            yield Problem(place(path), problem, "node ports are unique in a cluster: choose another first port")
        taken |= dict.fromkeys(ports, ".".join(path))


def _driver_node_ports(spec: StackSpec) -> Iterator[tuple[tuple[str, ...], range]]:
    for party, own in spec.parties_in_order:
        spark = external_engines(own).get("spark")
        if spark is not None and spark.service_type == "NodePort":
            for key, ports in spark.port_ranges.items():
                yield ("parties", party, "engines", "spark", "external", key), ports


def _party(spec: StackSpec, own: PartySpec, place: Place, at: tuple[str, ...]) -> Iterator[Problem]:
    combination = spec.catalogue[own.release].combination(own.computing, own.federation, own.storage)
    for engine, external in external_engines(own).items():
        here = (*at, "engines", engine)
        if combination is not None and not set(REPLACED[engine]) <= set(combination.modules):
            problem = f"{engine} is not part of {combination}"
            yield Problem(place(here), problem, "remove it, or choose engines that use it")
            continue
        if engine in own.modules.model_fields_set:
            problem = f"module {engine} is not deployed, because engines.{engine} is external"
            yield Problem(place((*at, "modules", engine)), problem, "remove this module's settings, or engines." + engine)
        if getattr(getattr(external, "password", None), "previous", None) is not None:
            here_too = (*here, "external", "password", "previous")
            problem = f"the password of an external {engine} is its owner's to change"
            yield Problem(place(here_too), problem, "remove this line; name the entry with the new password, once the server has it")
        for slot in _PASSWORDS.get(engine, ()):
            if own.credentials.of(slot) is not None:
                remedy = f"remove it; the password of the external one is engines.{engine}.external.password"
                yield Problem(place((*at, "credentials", slot)), f"there is no module {engine} to use it", remedy)
        host = getattr(external, "host", None) or getattr(external, "driver_host", None)
        if host is not None and is_own(host):
            key = "host" if hasattr(external, "host") else "driverHost"
            problem = f"{host} is each pod itself, not the machine you have in mind"
            yield Problem(place((*here, "external", key)), problem, "write an address that the cluster's pods can reach")
    yield from _rotations(spec, own, place, at)
    yield from _read_by_fate_1_only(own, place, at)


def _read_by_fate_1_only(own: PartySpec, place: Place, at: tuple[str, ...]) -> Iterator[Problem]:
    """Settings that FATE 2.x has no key for: it would go on as if they were not there."""
    if Version(own.release).major < 2:
        return
    spark, hdfs = external_engines(own).get("spark"), external_engines(own).get("hdfs")
    if spark is not None and spark.dependent_distribution:
        problem = f"FATE {own.release} does not send its packages to executors"
        remedy = "remove this line, and install FATE's packages on the workers"
        yield Problem(place((*at, "engines", "spark", "external", "dependentDistribution")), problem, remedy)
    if hdfs is not None and hdfs.path_prefix is not None:
        problem = f"FATE {own.release} has no path prefix: it writes below the root of {hdfs.name_node}"
        yield Problem(place((*at, "engines", "hdfs", "external", "pathPrefix")), problem, "remove this line, and let root write below /")


# The passwords that a Job changes in a server of this stack, and that server's module.
_SERVERS = {"mysql": "mysql", "rabbitmq": "rabbitmq"}


def _rotations(spec: StackSpec, own: PartySpec, place: Place, at: tuple[str, ...]) -> Iterator[Problem]:
    """A previous entry that nobody reads: the operator would believe that the password was changed with it."""
    deployed = deployed_modules(spec, own)
    for slot in ("mysql", "mysqlRoot", "rabbitmq", "fateboard", "notebook"):
        given = own.credentials.of(slot)
        if given is not None and given.previous is not None and _SERVERS.get(slot) not in deployed:
            remedy = "remove this line" if slot != "mysqlRoot" else "remove this line; docs/passwords.md says how root's is changed"
            yield Problem(place((*at, "credentials", slot, "previous")), f"no Job changes the password {slot}", remedy)


def _publications_fit(spec: StackSpec, place: Place) -> Iterator[Problem]:
    """`type: External` goes with an external engine, both ways."""
    exchange = {} if spec.exchange is None else spec.exchange.publish.given
    for endpoint, publication in exchange.items():
        if publication.type == "External":
            yield Problem(place(("exchange", "publish", endpoint, "type")), "an exchange has no external engines", _CHOOSE)
    for party, own in spec.parties_in_order:
        for endpoint, publication in own.publish.given.items():
            here = place(("parties", party, "publish", endpoint, "type"))
            if publication.type == "External" and endpoint not in external_engines(own):
                yield Problem(here, f"{endpoint} is deployed by this stack, so a Service publishes it", _CHOOSE)
            if publication.type != "External" and endpoint in external_engines(own):
                problem = f"engines.{endpoint} is external: there is no pod behind a Service of type {publication.type}"
                yield Problem(here, problem, "write External, with advertise.host: the address at which peers reach the engine")


_CHOOSE = "choose LoadBalancer, NodePort or ClusterIP"


def _nothing_is_shared(spec: StackSpec, place: Place) -> Iterator[Problem]:
    """Two parties in one database, or on one broker, would take each other's rows, users and topics for their own."""
    users: dict[tuple[object, ...], PartyId] = {}
    for party, own in spec.parties_in_order:
        for engine, fields in _UNSHARED.items():
            external = external_engines(own).get(engine)
            if external is None:
                continue
            found = (engine, *(getattr(external, field) for field in fields))
            if found in users:
                what = "database" if engine == "mysql" else "broker"
                problem = f"party {users[found]} uses this {what} already"
                yield Problem(place(("parties", party, "engines", engine)), problem, f"give each party a {what} of its own")
            users.setdefault(found, party)
