"""Rules about consoles: what is shown is deployed, and each has a name of its own. And what to say of those that are shown."""

from collections.abc import Iterator

from federation.boards import encrypted, host_of, shown
from federation.consoles import CONSOLES, DEFAULT_CONSOLES
from federation.errors import Problem
from federation.party_values import deployed_modules
from federation.peers import Place
from federation.portal_boards import CONSOLE, shown_portal
from federation.portal_releases import portal_catalogue
from federation.scalars import PartyId, is_dns_name
from federation.spec import PartySpec, StackSpec


def broken_board_rules(spec: StackSpec, place: Place, left_out: frozenset[tuple[str, ...]]) -> Iterator[Problem]:
    """Every problem with consoles. Parties of an unknown release or combination have other problems."""
    if spec.boards is None:
        if ("boards",) not in left_out:
            yield from _nothing_to_differ_from(spec, place)
        return
    parties = [(party, own, deployed_modules(spec, own)) for party, own in spec.parties_in_order]
    for party, own, modules in parties:
        for name, given in own.boards.named.items():
            if modules and given != "none" and CONSOLES[name].module not in modules:
                yield _not_deployed(place(("parties", party, "boards", name)), f"party {party} deploys no", name)
    if all(modules for _, _, modules in parties) and not {path for path in left_out if path[0] == "parties"}:
        for name in spec.boards.consoles.named.keys() & CONSOLES.keys():
            if not any(CONSOLES[name].module in modules for _, _, modules in parties):
                yield _not_deployed(place(("boards", "consoles", name)), "no party of this stack deploys", name)
    if CONSOLE in spec.boards.consoles.named and not spec.site_portal and not {path for path in left_out if path[0] == CONSOLE}:
        yield Problem(place(("boards", "consoles", CONSOLE)), "this stack has no Site Portal", "describe one, or remove this line")
    yield from _hosts(spec, [(party, own, modules) for party, own, modules in parties if modules], place)


def board_warnings(spec: StackSpec) -> Iterator[str]:
    """Consoles that anybody can use who reaches them, passwords that can be read on their way, boards that show nothing."""
    if spec.boards is None:
        return
    found = [(party, name) for party, own in spec.parties_in_order for name in shown(spec, own, deployed_modules(spec, own))]
    for party, name in found:
        if (risk := CONSOLES[name].risk) is not None:
            yield f"console {name} of party {party} is shown to everyone who reaches its address: {risk}"
    portals = any(shown_portal(spec, party, own) for party, own in spec.site_portals_in_order)
    if not found and not portals:
        yield f"fate:boards shows nothing: no party deploys {' or '.join(CONSOLES[name].module for name in DEFAULT_CONSOLES)}"
    elif not encrypted(spec):
        yield "fate:boards shows consoles without TLS: whoever is on the way of a browser reads its passwords"


def _nothing_to_differ_from(spec: StackSpec, place: Place) -> Iterator[Problem]:
    for party, own in spec.parties_in_order:
        if own.boards.named:
            yield Problem(
                place(("parties", party, "boards")),
                "says what is different for this party, but the stack shows no consoles",
                "describe them under fate:boards: kind and domain; or remove this",
            )


def _not_deployed(where: str, who: str, name: str) -> Problem:
    module = CONSOLES[name].module
    return Problem(where, f"{who} {module}, whose console this is", f"deploy {module}, or remove this line")


def _hosts(spec: StackSpec, parties: list[tuple[PartyId, PartySpec, frozenset[str]]], place: Place) -> Iterator[Problem]:
    """Names that are used twice, and a domain that leaves no room for the names below it."""
    used: dict[tuple[str, str], str] = {}
    for party, own, modules in parties:
        for name, console in shown(spec, own, modules).items():
            address = (host_of(spec, party, name, console), console.path)
            if address in used:
                where = place(("parties", party, "boards", name))
                yield Problem(where, f"{''.join(address)} is already the address of {used[address]}", "give each console a host of its own")
            used.setdefault(address, f"{name} of party {party}")
    for party, portal in spec.site_portals_in_order if spec.boards is not None else ():
        for name, shown_console in shown_portal(spec, party, portal).items() if portal.release in portal_catalogue() else ():
            address = (shown_console.host, shown_console.path)
            if address in used:
                where = place(("sitePortal", party))
                yield Problem(where, f"{''.join(address)} is already the address of {used[address]}", "give that console another host")
            used.setdefault(address, f"{name} of party {party}")
    longest = max((host for host, _ in used), key=len, default="")
    if longest and not is_dns_name(longest):
        yield Problem(place(("boards", "domain")), f"{longest} is too long for a host name: at most 253 characters", "choose a shorter one")
