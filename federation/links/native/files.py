"""The route files of FATE's native proxies, as text: nginx, Pulsar and RabbitMQ (through FATE-Flow), rollsite, OSX, Traffic Server.

Texts are canonical: sorted by party id, the same bytes for the same routes. Formats: reference sections 8.1 (rollsite's
route_table.json), 8.3 (OSX's), 10.1 (pulsar_route_table.yaml), 10.2 (rabbitmq_route_table.yaml), 10.3 (route_table.yaml) and 11.3
(sni.yaml, records.config).
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from federation.base.scalars import MANY_PEERS, PartyId, in_brackets

# A peer without routes keeps an nginx entry that leads nowhere: the router forgets entries only at its restart.
TOMBSTONE_HOST, TOMBSTONE_PORT = "127.0.0.1", 1
# What every YAML reader takes for a text as it stands: a host that begins with a letter, or ends in letters behind a dot, an IPv4
# address, a marker; with or without port.
_PLAIN = re.compile(r"([a-z][a-z0-9.-]*|[0-9][a-z0-9.-]*\.[a-z]{2,}|[0-9]+(\.[0-9]+){3}|<[^\s]*>)(:[0-9]+)?")
_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


@dataclass(frozen=True)
class NginxTarget:
    """One address of an nginx router or of FATE-Flow; the host is an IPv4 address (or a marker for one)."""

    host: str
    http_port: int


@dataclass(frozen=True)
class HostPort:
    """A next hop: host name or IP address, and port."""

    host: str
    port: int


@dataclass(frozen=True)
class PulsarTarget:
    """A broker: own one by its Service, a peer's by its published TLS address, or (`proxy`, host:port) by its server name."""

    host: str
    port: int
    ssl_port: int
    proxy: str = ""


@dataclass(frozen=True)
class PulsarProxy:
    """Where every other party's broker is reached: through Traffic Server, by server name."""

    host: str
    port: int
    domain: str
    broker_port: int
    broker_tls_port: int


def in_order(ids: Iterable[PartyId]) -> list[PartyId]:
    """Party ids in numeric order."""
    return sorted(ids, key=int)


def nginx_route_table(entries: Mapping[str, Mapping[str, tuple[NginxTarget, ...]]]) -> str:
    """`route_table.yaml`: {party id or `default`: {service: targets}}.

    Plain block style, the only one FATE's parser reads; keys of parties stay unquoted.
    """
    # FATE's parser loses every route behind a leading `---`, and a file it cannot read stays unread until a restart.
    lines: list[str] = [] if entries else ["# no routes yet"]
    for party in [*in_order(key for key in entries if key != "default"), *(["default"] if "default" in entries else [])]:
        lines.append(f"{party}:")
        for service, targets in sorted(entries[party].items()):
            lines.append(f"  {service}:")
            for target in targets:
                lines += [f"    - host: {target.host}", f"      http_port: {target.http_port}"]
    return _text(lines)


def pulsar_route_table(brokers: Mapping[PartyId, PulsarTarget], default: PulsarProxy | None) -> str:
    """`pulsar_route_table.yaml`: own broker, direct peers, and the proxy to all others.

    Keys are plain integers: FATE 1.x looks parties up by int. FATE-Flow 2.x turns them into texts.
    """
    lines: list[str] = []
    for party in in_order(brokers):
        broker = brokers[party]
        lines += [f"{party}:", f"  host: {_url_host(broker.host)}", f"  port: {broker.port}", f"  sslPort: {broker.ssl_port}"]
        lines.append(f'  proxy: "{broker.proxy}"')
    if default is not None:
        lines += ["default:", f'  proxy: "{in_brackets(default.host)}:{default.port}"', f'  domain: "{default.domain}"']
        lines += [f"  brokerPort: {default.broker_port}", f"  brokerSslPort: {default.broker_tls_port}"]
    return _text(lines)


def rabbitmq_route_table(brokers: Mapping[PartyId, HostPort]) -> str:
    """`rabbitmq_route_table.yaml`: own broker and every peer's; keys are plain integers, as in Pulsar's."""
    lines: list[str] = []
    for party in in_order(brokers):
        lines += [f"{party}:", f"  host: {_url_host(brokers[party].host)}", f"  port: {brokers[party].port}"]
    return _text(lines)


def rollsite_route_table(entries: Mapping[str, Mapping[str, HostPort]]) -> str:
    """`route_table.json` of rollsite: {party id or `default`: {role: next hop}}. Re-read by rollsite every minute."""
    return _document({"route_table": _hops(entries), "permission": {"default_allow": True}})


def osx_route_table(entries: Mapping[str, Mapping[str, HostPort]], own: str) -> str:
    """`route_table.json` of OSX, re-read when it changes. `own`: the party it delivers to itself, `default` for an exchange.

    OSX refuses a table without the list `self_party`; `self.party` in broker.properties is an unknown key: nothing reads it.
    """
    table = {"route_table": _hops(entries), "self_party": [own], "permission": {"default_allow": True}}
    return _document(table)


def _document(table: Mapping[str, Any]) -> str:
    """A route table as JSON; with many parties, each is one line, so that twice as many fit into a ConfigMap."""
    routes = table["route_table"]
    if len(routes) <= MANY_PEERS:
        return json.dumps(table, indent=2) + "\n"
    lines = ",\n".join(f"    {json.dumps(party)}: {json.dumps(hops)}" for party, hops in routes.items())
    before, after = json.dumps({**table, "route_table": "..."}, indent=2).split('"..."')
    return f"{before}{{\n{lines}\n  }}{after}\n"


def exchange_list(exchanges: Mapping[str, Iterable[HostPort]]) -> str:
    """`exchanges.conf`, the servers of lbrollsite's nginx: {exchange: its addresses}. One that nobody answers, when there is none."""
    lines = [f"server {hop.host}:{hop.port};  # {name}" for name in sorted(exchanges) for hop in exchanges[name]]
    return _text(lines or [f"server {TOMBSTONE_HOST}:{TOMBSTONE_PORT};"])


def _hops(entries: Mapping[str, Mapping[str, HostPort]]) -> dict[str, dict[str, list[dict[str, str | int]]]]:
    """What rollsite and OSX have in common. Party ids are texts, ports numbers; of several hops rollsite takes the first."""
    parties = [*in_order(key for key in entries if key != "default"), *(["default"] if "default" in entries else [])]
    return {party: {role: [{"ip": hop.host, "port": hop.port}] for role, hop in sorted(entries[party].items())} for party in parties}


def sni(tunnels: Mapping[str, str]) -> str:
    """`sni.yaml` of Traffic Server: {server name: host:port}.

    Never an IPv6 address: Traffic Server 9 takes what follows the first colon for the port, and ends itself when that is no number.
    """
    if not tunnels:
        return "sni: []\n"
    lines = ["sni:"]
    for name in sorted(tunnels, key=lambda name: (len(name.split(".")[0]), name)):
        lines += [f"  - fqdn: {name}", f"    tunnel_route: {_scalar(tunnels[name])}"]
    return _text(lines)


def records_config(listen: int, ports: Iterable[int]) -> str:
    """`records.config` of Traffic Server; `ports` are those of the tunnels, the only ones it may connect to.

    Tried with Traffic Server 9.2.9: a server name of sni.yaml becomes a blind tunnel, and everything else is refused.
    KubeFATE's settings (remap_required 0, a plain port 8080) make it an open proxy to every port of connect_ports.
    """
    allowed = " ".join(str(port) for port in sorted(set(ports))) or str(TOMBSTONE_PORT)
    settings = {
        # Whom it becomes when it starts as root. Upstream's default; a package built with another one (Debian's: root) refuses to serve.
        "admin.user_id STRING": "nobody",
        "http.server_ports STRING": f"{listen}:ssl",
        "http.connect_ports STRING": allowed,
        "url_remap.remap_required INT": "1",
        "reverse_proxy.enabled INT": "1",
        "http.cache.http INT": "0",
        "ssl.servername.filename STRING": "sni.yaml",
        # Seconds. Pulsar pings an idle connection every 30 s, which is also Traffic Server's default limit.
        "http.transaction_no_activity_timeout_in INT": "300",
        "http.transaction_no_activity_timeout_out INT": "300",
        # Threads from the pod's size, not from the node's.
        "exec_thread.autoconfig INT": "0",
        "exec_thread.limit INT": "2",
        # No access log on disk: nothing would ever remove it.
        "log.logging_enabled INT": "0",
    }
    return _text([f"CONFIG proxy.config.{name} {value}" for name, value in settings.items()])


def _url_host(host: str) -> str:
    """A host that FATE puts into a URL as it finds it."""
    return _scalar(in_brackets(host))


def _scalar(text: str) -> str:
    """A text in YAML, in quotes where a reader might take it for something else."""
    return text if _PLAIN.fullmatch(text) and text not in _WORDS else json.dumps(text)


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
