"""Rules about consoles: what is shown is deployed, and each has a name of its own. And what to say of those that are shown."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from federation.access.console_rows import CONSOLES, DEFAULT_CONSOLES
from federation.access.consoles import encrypted, host_of, shown
from federation.base.errors import Paths, Place, Problem
from federation.base.scalars import PartyId, is_dns_name
from federation.catalogue.portal import portal_catalogue
from federation.config.party import PartySpec
from federation.config.serving import ServingSpec
from federation.config.stack import StackSpec
from federation.config.units import units
from federation.units.kinds.registry import kind_of
from federation.units.portal.consoles import CONSOLE, shown_portal


def broken_board_rules(spec: StackSpec, place: Place, left_out: Paths) -> Iterator[Problem]:
    """Every problem with consoles. Parties of an unknown release or combination have other problems."""
    if spec.boards is None:
        if ("boards",) not in left_out:
            yield from _nothing_to_differ_from(spec, place)
        return
    pages = list(_units(spec))
    for unit in pages:
        for name, given in unit.own.boards.named.items():
            if unit.modules and given != "none" and CONSOLES[name].module not in unit.modules:
                yield _not_deployed(place((*unit.path, "boards", name)), f"{unit} deploys no", name)
    if all(unit.modules for unit in pages) and not {path for path in left_out if path[0] in ("parties", "serving")}:
        for name in spec.boards.consoles.named.keys() & CONSOLES.keys():
            if not any(CONSOLES[name].module in unit.modules for unit in pages):
                yield _not_deployed(place(("boards", "consoles", name)), "no party of this stack deploys", name)
    if CONSOLE in spec.boards.consoles.named and not spec.site_portal and not {path for path in left_out if path[0] == CONSOLE}:
        yield Problem(place(("boards", "consoles", CONSOLE)), "this stack has no Site Portal", "describe one, or remove this line")
    yield from _hosts(spec, [unit for unit in pages if unit.modules], place)


@dataclass(frozen=True)
class _Unit:
    """A party, or its FATE-Serving; without modules when its engines have other problems."""

    path: tuple[str, ...]
    own: PartySpec | ServingSpec
    modules: Collection[str]
    party: PartyId
    title: str

    def __str__(self) -> str:
        return self.title


def _units(spec: StackSpec) -> Iterator[_Unit]:
    for unit in units(spec):
        if isinstance(unit.spec, PartySpec | ServingSpec) and unit.party_id is not None:
            yield _Unit(unit.path, unit.spec, kind_of(unit).deployed(spec, unit.spec), unit.party_id, unit.title)


def board_warnings(spec: StackSpec) -> Iterator[str]:
    """Consoles that anybody can use who reaches them, passwords that can be read on their way, boards that show nothing."""
    if spec.boards is None:
        return
    found = [(unit, name) for unit in _units(spec) for name in shown(spec, unit.own, unit.modules)]
    for unit, name in found:
        if (risk := CONSOLES[name].risk) is not None:
            yield f"console {name} of {unit} is shown to everyone who reaches its address: {risk}"
    portals = any(shown_portal(spec, party, own) for party, own in spec.site_portals_in_order)
    if not found and not portals:
        yield f"fate:boards shows nothing: none of {', '.join(CONSOLES[name].module for name in DEFAULT_CONSOLES)} is deployed"
    elif not encrypted(spec):
        yield "fate:boards shows consoles without TLS: whoever is on the way of a browser reads its passwords"


def _nothing_to_differ_from(spec: StackSpec, place: Place) -> Iterator[Problem]:
    for unit in _units(spec):
        if unit.own.boards.named:
            yield Problem(
                place((*unit.path, "boards")),
                "says what is different for this party, but the stack shows no consoles",
                "describe them under fate:boards: kind and domain; or remove this",
            )


def _not_deployed(where: str, who: str, name: str) -> Problem:
    module = CONSOLES[name].module
    return Problem(where, f"{who} {module}, whose console this is", f"deploy {module}, or remove this line")


def _hosts(spec: StackSpec, pages: list[_Unit], place: Place) -> Iterator[Problem]:
    """Names that are used twice, and a domain that leaves no room for the names below it."""
    used: dict[tuple[str, str], str] = {}
    for unit in pages:
        for name, console in shown(spec, unit.own, unit.modules).items():
            address = (host_of(spec, unit.party, name, console), console.path)
            if address in used:
                where = place((*unit.path, "boards", name))
                yield Problem(where, f"{''.join(address)} is already the address of {used[address]}", "give each console a host of its own")
            used.setdefault(address, f"{name} of {unit}")
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
