"""The kinds of first stacks: one row each of what `fatefed init KIND` writes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from cli.stackfile.first_kinds import RELEASE, StackKind
from federation.catalogue.native import SERVING_PROXY, SITE_PORTAL
from federation.catalogue.portal import portal_catalogue
from federation.trust.plan import PARTY_CA

PORTAL_RELEASE = "0.3.0"


@dataclass(frozen=True, kw_only=True)
class FirstStack:
    """A kind of first stack. In `head`, `{party}` stands for the party, `{organization}` for its owner, `{peers}` for the named peers.

    `cluster`, `beside`: parts of the template; `endpoint`: what is published beside the party. `peers`: those that are proposed, and
    `peer`: what each of them is. `tls`: who signs; peers that are not run with this program share a CA, and know none of a single party.
    `major`: the only major version of FATE that it works with; `release`: the one that is deployed unless another is named.
    """

    head: str
    hub: bool = False
    topology: Literal["star", "mesh"] = "star"
    peers: tuple[str, ...] = ("consortium",)
    peer: str = "the exchange"
    who: str = "peers"
    by_hand: bool = False
    tls: str = PARTY_CA
    cluster: str = "cluster"
    namespaced: bool = False
    beside: str | None = None
    endpoint: str = ""
    major: Callable[[], int] | None = None
    release: Callable[[], str] = lambda: RELEASE


FIRST_STACKS: Mapping[StackKind, FirstStack] = {
    "exchange": FirstStack(
        head="exchange of {organization}: parties of other organizations reach each other through it.",
        hub=True,
        peers=(),
        peer="a party",
        who="members",
    ),
    "party": FirstStack(
        head="{party}: a star through the exchange of {peers}.",
    ),
    "external": FirstStack(
        head="{party}: a star through the exchange {peers}, which another program runs.",
        by_hand=True,
        tls="provided",
    ),
    "namespaced": FirstStack(
        head="{party}: a star through the exchange of {peers}; rights in one namespace only.",
        cluster="cluster-namespaced",
        namespaced=True,
    ),
    "mesh": FirstStack(
        head="{party}: a mesh, with direct links to its peers.",
        topology="mesh",
        peers=("clinic-b",),
        peer="a party",
    ),
    "serving": FirstStack(
        head="{party}, with FATE-Serving: a star through the exchange of {peers}.",
        beside="serving",
        endpoint=SERVING_PROXY.endpoint,
    ),
    "portal": FirstStack(
        head="{party}, with a Site Portal: a star through the exchange of {peers}.",
        beside="portal",
        endpoint=SITE_PORTAL.endpoint,
        major=lambda: portal_catalogue()[PORTAL_RELEASE].fate_major,
        release=lambda: portal_catalogue()[PORTAL_RELEASE].fate[-1],
    ),
}
