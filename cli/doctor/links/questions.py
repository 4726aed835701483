"""What `fatefed doctor PEER` asks of whom: where this stack's units dial for a peer, and which answer they need there."""

from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from cli.doctor.links.packet import packet
from cli.doctor.questions import SECONDS
from federation.base.naming import server_name
from federation.base.scalars import PartyId
from federation.catalogue.endpoints import Probe
from federation.catalogue.kinds import KINDS
from federation.catalogue.links import ports_of
from federation.config.stack import StackSpec
from federation.config.units import party_units, units
from federation.links.next_hops import dialled_host, nginx_addresses
from federation.links.partners import dials
from federation.peers.accepted import Peer, Peers
from federation.peers.collaborations import may_talk
from federation.peers.descriptor import Endpoint
from federation.stack.load import LoadedStack
from federation.trust.plan import authorities_of

# How FATE-Flow tells who it is, by its major version, with what its nginx passes on: see partnerCalls in the catalogue. 2.x does not
# tell its release: it refuses a question about no task.
_FATEFLOW: dict[str, dict[str, Any]] = {
    "1": {"method": "POST", "path": "/v1/version/get", "body": '{"module": "FATE"}'},
    "2": {"method": "POST", "path": "/v2/partner/task/collect", "body": "{}"},
}
# How FATE's proxies take it.
_UNARY_CALL = "/com.webank.ai.eggroll.api.networking.proxy.DataTransferService/unaryCall"


@dataclass(frozen=True)
class Target:
    """The party that an answer must come from. `ours`: one of this stack, so that the question is for the way back."""

    party: PartyId
    owner: str
    server_name: str
    authorities: tuple[str, ...]
    ours: bool = False


# A question that is not passed on.
NOBODY = Target("", "", "", ())


@dataclass(frozen=True)
class Hop:
    """The targets of this stack's units for a peer: the peer itself or its exchange, and the targets behind it."""

    peer: Peer
    targets: tuple[Target, ...]


@dataclass(frozen=True)
class Question:
    """One question to a hop."""

    hop: str
    endpoint: str
    kind: str
    host: str
    port: int
    target: Target = NOBODY
    fateflow: str = "1"
    # The party that asks: one of this stack; of an exchange's stack the one that is asked.
    sender: str = ""
    # Of a host name with addresses beside it: what routes are made from.
    addresses: tuple[str, ...] = ()

    @property
    def plain(self) -> dict[str, Any]:
        """As cli/doctor/probe.py takes it, without an id."""
        kind, more = _PROTOCOLS[self.kind]
        return {"kind": kind, "host": self.host, "port": self.port, **more(self)}

    @property
    def handshake(self) -> dict[str, Any]:
        """Which server name is asked for."""
        return {"name": self.target.server_name}

    @property
    def request(self) -> dict[str, Any]:
        """What nginx passes on to FATE-Flow."""
        return {**_FATEFLOW[self.fateflow], "headers": {**self._routing, "Content-Type": "application/json"}}

    @property
    def call(self) -> dict[str, Any]:
        """What rollsite and OSX pass on to FATE-Flow; a server that nobody is reached through is not called."""
        if self.target is NOBODY:
            return {}
        message = packet(self.sender, self.target.party, _FATEFLOW[self.fateflow], SECONDS)
        return {"call": {"name": _UNARY_CALL, "message": b64encode(message).decode(), "metadata": self._routing}}

    @property
    def _routing(self) -> dict[str, str]:
        """What FATE-Flow sends, and its nginx routes by."""
        return {"service": "fateflow", "src-party-id": self.sender, "dest-party-id": self.target.party}


# By protocol of a port (`Probe` of the catalogue), and `dns` for a name alone: the probe's kind of question, and what else it is told.
_PROTOCOLS: dict[str, tuple[str, Callable[[Question], dict[str, Any]]]] = {
    "dns": ("dns", lambda _: {}),
    "tls": ("tls", lambda question: question.handshake),
    "sni": ("tls", lambda question: question.handshake),
    "http": ("http", lambda question: question.request),
    "grpc": ("grpc", lambda question: question.call),
    "amqp": ("amqp", lambda _: {}),
}


def hops(spec: StackSpec, peers: Peers, peer: Peer) -> list[Hop]:
    """Everyone that units of this stack dial to reach a peer: itself, or its hubs; nobody when they do not work with it."""
    return [Hop(hop, tuple(_targets(spec, peer, hop))) for hop in _dialled(spec, peers, peer)]


def _dialled(spec: StackSpec, peers: Peers, peer: Peer) -> list[Peer]:
    if dials(units(spec), peer):
        return [peer]
    row = KINDS[peer.kind]
    equals = [unit for unit in units(spec) if unit.party_id is not None and unit.row.equals == peer.kind]
    named = {name for unit in equals if may_talk(spec.collaborations, unit.party_id, peer.party_id or "") for name in unit.spec.hubs}
    return [hub for hub in peers.accepted if hub.kind == row.hub and hub.name in named]


def _targets(spec: StackSpec, peer: Peer, hop: Peer) -> Iterator[Target]:
    """The parties that a hop must reach: the peer, and parties of this stack on the way back; none if the hop passes nothing on."""
    if not peer.trains:
        return
    if (party := peer.party_id) is not None:
        yield Target(party, peer.name, server_name(party, spec.federation.domain), peer.descriptor.authorities)
    for ours, unit in party_units(spec).items():
        hubs = unit.spec.hubs
        back = (not hubs or "local" in hubs) if KINDS[hop.kind].of_a_party else hop.name in hubs
        if back and (party is None or may_talk(spec.collaborations, ours, party)):
            yield Target(ours, "here", unit.server_name, authorities_of(unit), ours=True)


def questions(loaded: LoadedStack, hop: Hop) -> Iterator[Question]:
    """The questions to a hop."""
    fateflow = _major(loaded.spec)
    sender = next((party for party, _ in loaded.spec.parties_in_order), "")
    for name, endpoint in sorted(hop.peer.descriptor.endpoints.items()):
        known = ports_of(hop.peer.kind, name)
        for purpose, port in sorted(endpoint.ports.items()):
            probe = known[purpose].probe
            # Routes name one host, or for nginx all IPv4 addresses.
            hosts = (nginx_addresses(endpoint) if probe.ipv4 else ()) or (dialled_host(endpoint),)
            for host in hosts:
                for target in _asked(probe, hop, endpoint):
                    yield Question(hop.peer.name, name, probe.protocol, host, port, target, fateflow, sender or target.party)
            if endpoint.host not in hosts:
                yield Question(hop.peer.name, name, "dns", endpoint.host, port, addresses=endpoint.addresses)


def _asked(probe: Probe, hop: Hop, endpoint: Endpoint) -> tuple[Target, ...]:
    """The names that a port is asked for."""
    peer = hop.peer
    owner = Target(peer.party_id or "", peer.name, endpoint.server_name or endpoint.host, peer.descriptor.authorities)
    return {"nobody": (NOBODY,), "owner": hop.targets[:1] or (owner,), "everyone": hop.targets}[probe.answers]


def _major(spec: StackSpec) -> str:
    """The major version of FATE in this federation, by any unit of this stack: parties of two majors do not work together."""
    releases = [own.release for own in spec.parties.values()] + ([] if spec.exchange is None else [spec.exchange.release])
    return next((str(spec.catalogue[release].major) for release in releases), "1")
