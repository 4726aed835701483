"""The kinds of units, and what is true of each without a stack: one row per kind, so that nobody else asks which kind it is."""

from dataclasses import dataclass
from typing import Literal

from federation.base import naming
from federation.base.scalars import PartyId

# What a descriptor may be of: units of training, of FATE-Serving, and of FedLCM's portals.
Kind = Literal["party", "exchange", "serving", "servingExchange", "sitePortal", "fmlManager"]
_PARTY, _DOMAIN = "{party}", "{domain}"


@dataclass(frozen=True)
class KindRow:
    """One kind of unit; in its texts, `{party}` stands for the party id and `{domain}` for the federation's domain.

    `component`, `external`: the types of its Pulumi components, in the package `fate:federation`: part of URNs, so they never change.
    `path`: where the stack file describes it, below `fate:`. `key`: its key in outputs and logical names.
    `program`: those of one program dial each other, and their releases are compared.
    `hub`: the kind through which it reaches others; `equals`: the kind that it dials itself (of a hub: its members).
    `names_engines`: whether its descriptor names the engines that it trains with. `has_ca`: whether its descriptor may have a CA.
    """

    noun: str
    title: str
    component: str
    external: str
    path: tuple[str, ...]
    key: str
    server_name: str
    program: Literal["FATE", "FATE-Serving", "FedLCM"]
    hub: "Kind | None" = None
    equals: "Kind | None" = None
    names_engines: bool = False
    has_ca: bool = True

    @property
    def of_a_party(self) -> bool:
        """Whether it belongs to a party, and has its id."""
        return _PARTY in self.path

    def path_of(self, party: PartyId | None) -> tuple[str, ...]:
        """Where the stack file describes a unit."""
        return tuple(step.format(party=party) for step in self.path)

    def server_name_of(self, party: PartyId | None, domain: str) -> str:
        """The TLS server name of what a unit publishes."""
        return self.server_name.format(party=party, domain=domain)


KINDS: dict[Kind, KindRow] = {
    "party": KindRow(
        noun="a party",
        title="party {party}",
        component="FateParty",
        external="ExternalParty",
        path=("parties", _PARTY),
        key=naming.party_key(_PARTY),
        server_name=naming.server_name(_PARTY, _DOMAIN),
        program="FATE",
        hub="exchange",
        equals="party",
        names_engines=True,
    ),
    "exchange": KindRow(
        noun="an exchange",
        title="the exchange",
        component="Exchange",
        external="ExternalExchange",
        path=("exchange",),
        key=naming.EXCHANGE,
        server_name=naming.proxy_name(_DOMAIN),
        program="FATE",
        equals="party",
        has_ca=False,
    ),
    "serving": KindRow(
        noun="FATE-Serving of a party",
        title="FATE-Serving of party {party}",
        component="FateServing",
        external="ExternalServing",
        path=("serving", _PARTY),
        key=naming.serving_key(_PARTY),
        server_name=naming.server_name(_PARTY, _DOMAIN),
        program="FATE-Serving",
        hub="servingExchange",
        equals="serving",
    ),
    "servingExchange": KindRow(
        noun="a serving exchange",
        title="the serving exchange",
        component="ServingExchange",
        external="ExternalServingExchange",
        path=("servingExchange",),
        key=naming.SERVING_EXCHANGE,
        server_name=naming.proxy_name(_DOMAIN),
        program="FATE-Serving",
        equals="serving",
    ),
    "sitePortal": KindRow(
        noun="the Site Portal of a party",
        title="the Site Portal of party {party}",
        component="SitePortal",
        external="ExternalSitePortal",
        path=("sitePortal", _PARTY),
        key=naming.site_portal_key(_PARTY),
        server_name=naming.site_portal_name(_PARTY, "server", _DOMAIN),
        program="FedLCM",
        hub="fmlManager",
    ),
    "fmlManager": KindRow(
        noun="an FML Manager",
        title="the FML Manager",
        component="FmlManager",
        external="ExternalFmlManager",
        path=("exchange", "fmlManager"),
        key=naming.FML_MANAGER,
        server_name=naming.fml_manager_name("server", _DOMAIN),
        program="FedLCM",
        equals="sitePortal",
    ),
}
