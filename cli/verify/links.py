"""What the stack knows of the link to a peer, and what its broker says of it while a job runs."""

import json
from collections.abc import Callable, Sequence

from cli.flow.client import FlowUnreachable
from cli.flow.party import OwnParty
from cli.flow.reach import Reached, running_pod
from cli.tools.errors import CommandError
from cli.tools.kubectl import Cluster
from cli.tools.project import Stack
from cli.verify.diagnosis import Link
from federation.units.unit import UnitPlan

_LINKS_DOWN = ["rabbitmqctl", "--quiet", "--formatter", "json", "federation_status", "--only-down"]


def link_of(stack: Stack | None, own: OwnParty | None, peer: str | None) -> Callable[[str], Link] | None:
    """The link to a party, for an own id that FATE-Flow says; None: no peer is asked about. CommandError for a peer that is not dialled."""
    if peer is None:
        return None
    if stack is None or own is None:
        return lambda party: Link(party, peer, known=False)
    if peer == own.id:
        raise CommandError(f"--peer {peer}", "is the own party", "leave --peer out to verify it alone")
    if (why := own.unit.blocked.get(peer)) is not None:
        raise CommandError(f"--peer {peer}", f"party {own.id} has no route to it: {why}", "`fatefed peers list` shows each peer's state")
    spec = stack.load().spec.parties[own.id]
    if spec.exchange is None and peer not in own.unit.links:
        raise CommandError(f"--peer {peer}", f"party {own.id} has no route to it", _known(own.unit))
    return lambda party: Link(party, peer, spec.exchange)


def _known(unit: UnitPlan) -> str:
    peers = ", ".join(sorted(unit.links))
    return f"its peers: {peers}" if peers else "accept a peer's descriptor first: `fatefed peers add`"


def evidence_of(reached: Reached) -> Callable[[str], Sequence[str]]:
    """Asks the own RabbitMQ which of its links are down for a job; of other brokers, and of a FATE-Flow at a URL, nothing is asked."""
    own, cluster = reached.own, reached.cluster
    if own is None or cluster is None or "rabbitmq" not in own.unit.modules:
        return lambda _: ()
    return lambda job: links_down(_asked(cluster, own.unit), job)


def links_down(text: str, job: str) -> list[str]:
    """From RabbitMQ's list of links that do not run, those of a job: each address once, with what is wrong there."""
    try:
        links = json.loads(text)
    except ValueError:
        return []
    mine = [link for link in links if str(link.get("vhost", "")).startswith(job)]
    return sorted({f"RabbitMQ's link to {link.get('uri', '?')}: {link.get('error') or link.get('status')}" for link in mine})


def _asked(cluster: Cluster, unit: UnitPlan) -> str:
    try:
        printed = cluster.inside(unit.namespace, running_pod(cluster, unit, "rabbitmq"), "rabbitmq", _LINKS_DOWN)
    except FlowUnreachable:
        return ""
    return printed if isinstance(printed, str) else ""
