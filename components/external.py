"""Other organizations' parties and exchanges: no cluster objects, but visible in every preview."""

from collections.abc import Mapping

from pulumi import ResourceOptions

from components.base import FederationComponent
from federation.catalogue.endpoints import Kind
from federation.peers.accepted import Peer


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


class ExternalServing(FederationComponent):
    """FATE-Serving that another organization deploys."""

    def __init__(self, peer: Peer, opts: ResourceOptions | None = None) -> None:
        super().__init__("ExternalServing", peer.name, opts)
        self.register_outputs({"descriptor": peer.descriptor.plain(), "state": peer.state})


class ExternalServingExchange(FederationComponent):
    """A serving exchange that another organization deploys."""

    def __init__(self, peer: Peer, opts: ResourceOptions | None = None) -> None:
        super().__init__("ExternalServingExchange", peer.name, opts)
        self.register_outputs({"descriptor": peer.descriptor.plain(), "state": peer.state})


class ExternalSitePortal(FederationComponent):
    """A Site Portal that another organization deploys."""

    def __init__(self, peer: Peer, opts: ResourceOptions | None = None) -> None:
        super().__init__("ExternalSitePortal", peer.name, opts)
        self.register_outputs({"descriptor": peer.descriptor.plain(), "state": peer.state})


class ExternalFmlManager(FederationComponent):
    """An FML Manager that another organization deploys."""

    def __init__(self, peer: Peer, opts: ResourceOptions | None = None) -> None:
        super().__init__("ExternalFmlManager", peer.name, opts)
        self.register_outputs({"descriptor": peer.descriptor.plain(), "state": peer.state})


External = ExternalParty | ExternalExchange | ExternalServing | ExternalServingExchange | ExternalSitePortal | ExternalFmlManager
EXTERNAL: Mapping[Kind, type[External]] = {
    "party": ExternalParty,
    "exchange": ExternalExchange,
    "serving": ExternalServing,
    "servingExchange": ExternalServingExchange,
    "sitePortal": ExternalSitePortal,
    "fmlManager": ExternalFmlManager,
}
