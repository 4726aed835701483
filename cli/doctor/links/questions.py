"""What `fatefed doctor PEER` asks of whom: where this stack's units dial for a peer, and which answer they need there."""

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cli.doctor.links.packet import packet
from cli.doctor.questions import SECONDS
from federation.base.naming import server_name
from federation.base.scalars import PartyId
from federation.config.stack import StackSpec
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
class Reached:
    """The party that an answer must come from. `ours`: one of this stack, so that the question is for the way back."""

    party: PartyId
    owner: str
    server_name: str
    authorities: tuple[str, ...]
    ours: bool = False


# A question that is not passed on.
NOBODY = Reached("", "", "", ())


@dataclass(frozen=True)
class Hop:
    """Whom units of this stack dial for a peer: the peer itself or its exchange, and who must be reached through it."""

    peer: Peer
    reached: tuple[Reached, ...]


@dataclass(frozen=True)
class Question:
    """One question to a hop."""

    hop: str
    endpoint: str
    kind: str
    host: str
    port: int
    reached: Reached = NOBODY
    fateflow: str = "1"
    # The party that asks: one of this stack; of an exchange's stack the one that is asked.
    sender: str = ""
    # Of a host name with addresses beside it: what routes are made from.
    addresses: tuple[str, ...] = ()

    @property
    def plain(self) -> dict[str, Any]:
        """As cli/doctor/probe.py takes it, without an id."""
        found: dict[str, Any] = {"kind": self.kind, "host": self.host, "port": self.port}
        if self.kind == "tls":
            found["name"] = self.reached.server_name
        if self.kind == "http":
            found |= {**_FATEFLOW[self.fateflow], "headers": {**self._routing, "Content-Type": "application/json"}}
        if self.kind == "grpc" and self.reached is not NOBODY:
            message = packet(self.sender, self.reached.party, _FATEFLOW[self.fateflow], SECONDS)
            found["call"] = {"name": _UNARY_CALL, "message": b64encode(message).decode(), "metadata": self._routing}
        return found

    @property
    def _routing(self) -> dict[str, str]:
        """What FATE-Flow sends, and its nginx routes by."""
        return {"service": "fateflow", "src-party-id": self.sender, "dest-party-id": self.reached.party}


def hops(spec: StackSpec, peers: Peers, peer: Peer) -> list[Hop]:
    """Everyone that units of this stack dial to reach a peer; nobody when they do not work with it."""
    if not peer.trains:
        return [Hop(hop, ()) for hop in _other_hops(spec, peers, peer)]
    if peer.kind == "exchange":
        ours = tuple(_own(spec, party) for party, own in spec.parties_in_order if peer.name in own.exchanges)
        return [Hop(peer, ours)] if ours else []
    target = Reached(peer.party_id or "", peer.name, server_name(peer.party_id or "", spec.federation.domain), peer.descriptor.authorities)
    partners = [(party, own) for party, own in spec.parties_in_order if may_talk(spec, party, target.party)]
    if dials(spec, peer):
        back = [party for party, own in partners if own.exchange is None or "local" in own.exchanges]
        return [Hop(peer, (target, *(_own(spec, party) for party in back)))]
    return [
        Hop(exchange, (target, *(_own(spec, party) for party, own in partners if exchange.name in own.exchanges)))
        for exchange in peers.accepted
        if exchange.kind == "exchange" and any(exchange.name in own.exchanges for _, own in partners)
    ]


def questions(loaded: LoadedStack, hop: Hop) -> Iterator[Question]:
    """What is asked of a hop."""
    fateflow = _major(loaded.spec)
    sender = next((party for party, _ in loaded.spec.parties_in_order), "")
    for name, endpoint in sorted(hop.peer.descriptor.endpoints.items()):
        for purpose, port in sorted(endpoint.ports.items()):
            hosts = _dialled(name, endpoint)
            for host in hosts:
                for reached in _asked(name, purpose, hop, endpoint):
                    yield Question(hop.peer.name, name, purpose, host, port, reached, fateflow, sender or reached.party)
            if endpoint.host not in hosts:
                yield Question(hop.peer.name, name, "dns", endpoint.host, port, addresses=endpoint.addresses)


def _dialled(name: str, endpoint: Endpoint) -> tuple[str, ...]:
    """What routes name: nginx has all IPv4 addresses, all others one host."""
    return (nginx_addresses(endpoint) if name == "nginx" else ()) or (dialled_host(endpoint),)


def _asked(name: str, purpose: str, hop: Hop, endpoint: Endpoint) -> tuple[Reached, ...]:
    """Who is asked for at a port: a proxy passes on what is for others, a broker answers for itself, RabbitMQ and FATE-Serving nobody."""
    if purpose == "tls" and not hop.reached:
        peer = hop.peer
        return (Reached(peer.party_id or "", peer.name, endpoint.server_name or endpoint.host, peer.descriptor.authorities),)
    if purpose == "amqp" or not hop.reached:
        return (NOBODY,)
    return hop.reached[:1] if name == "pulsar" else hop.reached


def _own(spec: StackSpec, party: PartyId) -> Reached:
    name = server_name(party, spec.federation.domain)
    return Reached(party, "here", name, authorities_of(spec, party, spec.parties[party]), ours=True)


def _other_hops(spec: StackSpec, peers: Peers, peer: Peer) -> Iterator[Peer]:
    """Of what does not train: the peer itself, or for FATE-Serving its exchange."""
    if dials(spec, peer):
        yield peer
        return
    if peer.kind != "serving":
        return
    names = {own.exchange for party, own in spec.servings_in_order if may_talk(spec, party, peer.party_id or "")}
    yield from (found for found in peers.accepted if found.kind == "servingExchange" and found.name in names)


def _major(spec: StackSpec) -> str:
    """The major version of FATE in this federation, by any unit of this stack: parties of two majors do not work together."""
    releases = [own.release for own in spec.parties.values()] + ([] if spec.exchange is None else [spec.exchange.release])
    return next((str(spec.catalogue[release].major) for release in releases), "1")
