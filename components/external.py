"""Other organizations' units: no cluster objects, but visible in every preview."""

from pulumi import ResourceOptions

from components.base import FederationComponent
from federation.catalogue.kinds import KINDS
from federation.peers.accepted import Peer


class External(FederationComponent):
    """A unit that another organization deploys; its type says of which kind."""

    def __init__(self, peer: Peer, opts: ResourceOptions | None = None) -> None:
        super().__init__(KINDS[peer.kind].external, peer.name, opts)
        self.register_outputs({"descriptor": peer.descriptor.plain(), "state": peer.state})
