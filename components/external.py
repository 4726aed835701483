"""Other organizations' parties and exchanges: no cluster objects, but visible in every preview."""

from pulumi import ResourceOptions

from components.base import FederationComponent
from federation.peers import Peer


class ExternalParty(FederationComponent):
    """A party that another organization deploys."""

    def __init__(self, peer: Peer, opts: ResourceOptions | None = None) -> None:
        super().__init__("ExternalParty", peer.name, opts)
        self.register_outputs({"descriptor": peer.descriptor.plain(), "state": peer.state})


class ExternalExchange(FederationComponent):
    """An exchange that another organization deploys."""

    def __init__(self, peer: Peer, opts: ResourceOptions | None = None) -> None:
        super().__init__("ExternalExchange", peer.name, opts)
        self.register_outputs({"descriptor": peer.descriptor.plain(), "state": peer.state})
