"""Other organizations' units: no cluster objects, but visible in every preview."""

from collections.abc import Sequence
from typing import Any

from pulumi import Output, ResourceHook, ResourceHookArgs, ResourceHookBinding, ResourceHookOptions, ResourceOptions

from components.base import FederationComponent
from components.last_messages import LastMessages
from federation.base.scalars import MANY_PEERS
from federation.catalogue.kinds import KINDS
from federation.changes.peers import peer_changes, peer_records
from federation.peers.accepted import Peer


class External(FederationComponent):
    """A unit that another organization deploys; its type says of which kind."""

    def __init__(self, peer: Peer, opts: ResourceOptions | None = None) -> None:
        super().__init__(KINDS[peer.kind].external, peer.name, opts)
        self.register_outputs({"descriptor": peer.descriptor.plain(), "state": peer.state})


class ExternalPeers(FederationComponent):
    """All units of other organizations, where they are many; messages of the preview name those that come, go or change."""

    def __init__(self, peers: Sequence[Peer], last: LastMessages, gate: Output[Any]) -> None:
        """`gate`: until it is there, the state keeps the peers of before."""
        hooks = ResourceHookBinding(before_create=[_says_that_rows_end(last)], before_update=[_names_peers(last)])
        super().__init__("ExternalPeers", "external-peers", ResourceOptions(hooks=hooks), {"peers": peer_records(peers)}, gate)
        self.register_outputs({})


def external_peers(peers: Sequence[Peer], last: LastMessages, gate: Output[Any]) -> None:
    """A component for each peer, or one for all of them when they are many."""
    if len(peers) > MANY_PEERS:
        ExternalPeers(peers, last, gate)
    else:
        for peer in peers:
            External(peer)


def _says_that_rows_end(last: LastMessages) -> ResourceHook:
    def say(_: ResourceHookArgs) -> None:
        last.info(
            "external-peers",
            f"with more than {MANY_PEERS} peers, one component ExternalPeers stands for all, and this preview names no single peer: rows "
            "External*, if there are any, are deleted from the state, and no route changes by that",
        )

    return ResourceHook("external-peers-replace-rows", say, opts=ResourceHookOptions(on_dry_run=True))


def _names_peers(last: LastMessages) -> ResourceHook:
    def say(change: ResourceHookArgs) -> None:
        before, after = (dict((side or {}).get("peers", {})) for side in (change.old_inputs, change.new_inputs))
        for name, text in peer_changes(before, after):
            last.info(name, text)

    return ResourceHook("external-peers-names-them", say, opts=ResourceHookOptions(on_dry_run=True))
