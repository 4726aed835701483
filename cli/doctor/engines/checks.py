"""What `fatefed doctor --engines` looks at: the requirements of docs/reference/engines.md, asked from the operator's machine."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from cli.doctor.engines import databases as database_checks
from cli.doctor.engines.probes import get_json, reachable, resolves, tls_certificate
from cli.doctor.questions import ask
from cli.doctor.rows import Row
from cli.keys.passwords import secret_path
from cli.tools.certificates import UnreadableError, read_certificate
from cli.tools.errors import CommandError, FailedError, NotReadableError
from cli.tools.project import Stack
from cli.tools.pulumi import pulumi
from federation.base.naming import party_key, server_name
from federation.base.scalars import is_ip
from federation.config.credentials import Credential
from federation.config.engines import ExternalHdfs, ExternalMysql, ExternalPulsar, ExternalRabbitmq, ExternalSpark
from federation.config.stack import StackSpec
from federation.links.external_engines import external_engines
from federation.pki.certificates import dns_names, is_for
from federation.units.party.values import TENANT

# The password of a credential. NotReadableError when it cannot be had from here.
Password = Callable[[Credential], str]


def engine_rows(spec: StackSpec, password: Password) -> Iterator[Row]:
    """The rows of every external engine of a stack, party by party."""
    for party, own in spec.parties_in_order:
        name = server_name(party, spec.federation.domain)
        for engine, external in external_engines(own).items():
            subject = f"{party_key(party)} {engine}"
            known = {host: row for host in dict.fromkeys(_hosts(external)) if (row := _named(subject, host)) is not None}
            yield from known.values()
            match external:
                case ExternalMysql():
                    named = known.get(external.host)
                    yield from database_checks.mysql_rows(subject, external, partial(password, external.password), named)
                case ExternalSpark():
                    yield from _spark(subject, external, known)
                case ExternalHdfs():
                    yield from _hdfs(subject, external, known)
                case ExternalPulsar():
                    yield from _pulsar(subject, external, name, known.get(external.host))
                case ExternalRabbitmq():
                    yield from _rabbitmq(subject, external, partial(password, external.password), known.get(external.host))


def engine_password(stack: Stack, credential: Credential) -> str:
    """The password of an external engine, decrypted by pulumi. NotReadableError when it cannot be had from here."""
    if credential.secret is None:
        place = f"Secret {credential.kubernetes_secret}"
        raise NotReadableError(f"the password is in {place} of the cluster", "ask from a pod, or sign in by hand")
    try:
        return pulumi(stack, "config", "get", "--path", secret_path(credential.secret)).removesuffix("\n")
    except CommandError as error:
        (problem,) = error.problems
        raise NotReadableError(f"fate:secrets.{credential.secret}: {problem.problem}", problem.remedy) from None


def _hosts(external: Any) -> list[str]:
    """The servers to ask about an engine."""
    match external:
        case ExternalSpark():
            return [host for host, _ in (*_masters(external), _web(external))]
        case ExternalHdfs():
            return [host for host, _ in (_name_node(external), _name_node_web(external))]
        case _:
            return [str(external.host)]


def _named(subject: str, host: str) -> Row | None:
    """A name that is not known is one row, on which all others about it rest; an address needs none."""
    return None if is_ip(host) else ask(f"{subject}: {host} resolves", partial(resolves, host))


def _address(url: str) -> tuple[str, int]:
    host, _, port = url.rpartition(":")
    return host, int(port)


def _masters(external: ExternalSpark) -> list[tuple[str, int]]:
    return [_address(master) for master in external.master.removeprefix("spark://").split(",")]


def _web(external: ExternalSpark) -> tuple[str, int]:
    return _address(external.web_ui) if external.web_ui else (_masters(external)[0][0], 8080)


def _spark(subject: str, external: ExternalSpark, known: Mapping[str, Row]) -> Iterator[Row]:
    for host, port in _masters(external):
        yield ask(f"{subject}: master {host}:{port} is reachable", partial(reachable, host, port), known.get(host))
    web = _web(external)
    yield ask(f"{subject}: workers are alive", lambda: _workers(external, *web), known.get(web[0]))
    yield Row(
        f"{subject}: Python of the workers",
        "not readable",
        "Spark does not report it",
        "run `python3 --version` on each worker: it must be that of FATE-Flow's image (3.8 for FATE 1.x), with FATE's packages",
    )
    where = (
        f"{external.driver_host or 'the address of the pod python-0'}:{external.driver_start_port} and :{external.block_manager_start_port}"
    )
    yield Row(
        f"{subject}: workers call the driver back",
        "not readable",
        "a driver listens while a task runs only",
        f"run a small job of FATE: each worker must reach {where}, and the ports after them",
    )


def _workers(external: ExternalSpark, host: str, port: int) -> str:
    status, state = get_json(host, port, "/json/")
    if status != 200 or not isinstance(state, dict) or "workers" not in state:
        raise FailedError(
            f"http://{host}:{port}/json/ is not the web UI of a Spark master (HTTP {status})", "correct engines.spark.external.webUi"
        )
    if state.get("status") != "ALIVE":
        raise FailedError(f"the master is {state.get('status')}", "name the master with state ALIVE")
    alive = [worker for worker in state["workers"] if worker.get("state") == "ALIVE"]
    if len(alive) < external.nodes:
        raise FailedError(f"{len(alive)} workers are alive, FATE-Flow would plan with {external.nodes}", "start workers, or correct nodes")
    smallest = min(int(worker.get("cores", 0)) for worker in alive)
    if smallest < external.cores_per_node:
        raise FailedError(f"a worker has {smallest} cores, FATE-Flow would plan with {external.cores_per_node}", "correct coresPerNode")
    return f"{len(alive)} workers with {smallest} cores or more"


def _name_node(external: ExternalHdfs) -> tuple[str, int]:
    return _address(external.name_node.removeprefix("hdfs://"))


def _name_node_web(external: ExternalHdfs) -> tuple[str, int]:
    return _address(external.web_ui) if external.web_ui else (_name_node(external)[0], 9870)


def _hdfs(subject: str, external: ExternalHdfs, known: Mapping[str, Row]) -> Iterator[Row]:
    (host, port), web = _name_node(external), _name_node_web(external)
    yield ask(f"{subject}: name node is reachable", lambda: reachable(host, port), known.get(host))
    alive = ask(f"{subject}: data nodes are alive", lambda: _data_nodes(*web), known.get(web[0]))
    yield alive
    # A name node on standby answers, too, and refuses everybody.
    yield ask(f"{subject}: root may write", lambda: _access(external.path_prefix or "/", *web), alive)


def _data_nodes(host: str, port: int) -> str:
    status, metrics = get_json(host, port, "/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState")
    beans = metrics.get("beans") if isinstance(metrics, dict) else None
    if status != 200 or not beans:
        raise FailedError(
            f"http://{host}:{port} is not the web address of an active name node (HTTP {status})", "correct engines.hdfs.external.webUi"
        )
    state, alive = beans[0].get("FSState"), int(beans[0].get("NumLiveDataNodes", 0))
    if state != "Operational":
        raise FailedError(f"the name node is in state {state}", "let it leave safe mode")
    if alive == 0:
        raise FailedError("no data node is alive", "start data nodes")
    return f"{alive} data nodes"


def _access(path: str, host: str, port: int) -> str:
    status, _ = get_json(host, port, f"/webhdfs/v1{path}?op=CHECKACCESS&fsaction=rwx&user.name=root")
    if status == 404:
        raise FailedError(f"{path} does not exist, or WebHDFS is off", f"hdfs dfs -mkdir {path}; hdfs dfs -chown root {path}")
    if status == 403:
        raise FailedError(f"root may not write into {path}", f"hdfs dfs -chown root {path}")
    if status != 200:
        raise NotReadableError(f"WebHDFS answers with HTTP {status}", f"check by hand that root may write into {path}")
    return path


def _pulsar(subject: str, external: ExternalPulsar, name: str, named: Row | None) -> Iterator[Row]:
    yield ask(f"{subject}: broker is reachable", lambda: reachable(external.host, external.port), named)
    cluster = ask(f"{subject}: admin API knows the cluster", lambda: _cluster(external), named)
    yield cluster
    yield ask(f"{subject}: tenant {TENANT}", lambda: _tenant(external), cluster)
    yield ask(f"{subject}: TLS for peers", lambda: _certificate(external, name), named)


def _admin(external: ExternalPulsar, path: str) -> Any:
    status, answer = get_json(external.host, external.management_port, f"/admin/v2/{path}")
    if status in (401, 403):
        raise FailedError(f"the admin API requires authentication (HTTP {status})", "FATE cannot sign in: allow the pods' addresses")
    if status != 200:
        raise FailedError(f"the admin API answers with HTTP {status}", "correct managementPort")
    return answer


def _cluster(external: ExternalPulsar) -> str:
    clusters = _admin(external, "clusters")
    if external.cluster not in clusters:
        raise FailedError(f"there is no cluster {external.cluster}, only {', '.join(map(str, clusters)) or 'none'}", "correct cluster")
    return external.cluster


def _tenant(external: ExternalPulsar) -> str:
    if TENANT not in _admin(external, "tenants"):
        return "is not there yet; FATE makes it"
    allowed = _admin(external, f"tenants/{TENANT}").get("allowedClusters", [])
    if external.cluster not in allowed:
        raise FailedError(
            f"may not use cluster {external.cluster}", f"pulsar-admin tenants update {TENANT} --allowed-clusters {external.cluster}"
        )
    return "is there"


def _certificate(external: ExternalPulsar, name: str) -> str:
    remedy = f"configure the broker with a certificate for {name}, of the federation's CA"
    try:
        certificate = read_certificate(tls_certificate(external.host, external.tls_port, name))
    except UnreadableError as error:
        raise FailedError(f"its certificate cannot be read: {error}", remedy) from None
    if not is_for(certificate, name):
        raise FailedError(f"the certificate is for {', '.join(dns_names(certificate)) or 'no name'}, not for {name}", remedy)
    if certificate.not_valid_after_utc < datetime.now(UTC):
        raise FailedError(f"the certificate ended on {certificate.not_valid_after_utc:%Y-%m-%d}", remedy)
    issuer = certificate.issuer.rfc4514_string()
    return f"certificate for {name} until {certificate.not_valid_after_utc:%Y-%m-%d}, issued by {issuer}: that must be the federation's CA"


def _rabbitmq(subject: str, external: ExternalRabbitmq, password: Callable[[], str], named: Row | None) -> Iterator[Row]:
    yield ask(f"{subject}: AMQP is reachable", lambda: reachable(external.host, external.port), named)
    administrator = ask(f"{subject}: user is administrator", lambda: _administrator(external, password()), named)
    yield administrator
    yield ask(f"{subject}: plugins", lambda: _plugins(external, password()), administrator)


def _management(external: ExternalRabbitmq, path: str, password: str) -> Any:
    status, answer = get_json(external.host, external.management_port, f"/api/{path}", (external.user, password))
    if status == 401:
        raise FailedError(f"user {external.user} is refused", "correct user or password")
    if status != 200 or answer is None:
        raise FailedError(f"the management API answers with HTTP {status}", "correct managementPort; enable the plugin rabbitmq_management")
    return answer


def _administrator(external: ExternalRabbitmq, password: str) -> str:
    # A text in RabbitMQ 3.8, a list from 3.9 on.
    tags = _management(external, "whoami", password).get("tags", "")
    if "administrator" not in (re.split(r"[,\s]+", tags) if isinstance(tags, str) else tags):
        raise FailedError(f"user {external.user} is no administrator", f"rabbitmqctl set_user_tags {external.user} administrator")
    return external.user


def _plugins(external: ExternalRabbitmq, password: str) -> str:
    # Only rabbitmq_federation_management answers here, and it needs rabbitmq_federation.
    status, _ = get_json(external.host, external.management_port, "/api/federation-links", (external.user, password))
    if status in (404, 406):
        raise FailedError("federation is not enabled", "rabbitmq-plugins enable rabbitmq_federation rabbitmq_federation_management")
    if status != 200:
        raise NotReadableError(
            f"the management API answers with HTTP {status}", "`rabbitmq-plugins list -e` on the broker lists the enabled plugins"
        )
    return "management and federation"
