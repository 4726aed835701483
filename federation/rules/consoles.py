"""Rules about consoles: a module that is shown is deployed, and each console has its own host name. Warnings about those shown."""

from collections.abc import Collection, Iterator

from federation.access.console_rows import CONSOLES, DEFAULT_CONSOLES
from federation.access.consoles import encrypted, host_of, shown
from federation.base.errors import Finding, Problem, of_each, warning
from federation.base.scalars import is_dns_name
from federation.config.partial import need_every_entry
from federation.config.stack import StackSpec
from federation.config.units import ConsoleUnit, SitePortalUnit, party_units, serving_units, site_portal_units
from federation.units.checked import CheckedStack, PlannedStack
from federation.units.kinds.registry import kind_of
from federation.units.portal.consoles import CONSOLE, shown_portal


def differs_from_the_stack(stack: CheckedStack) -> Iterator[Problem]:
    """A problem for each unit with `boards` in a stack without `fate:boards`."""
    return of_each(_units(stack.spec) if stack.spec.boards is None else (), lambda unit: _nothing_to_differ_from(stack, unit))


def _nothing_to_differ_from(stack: CheckedStack, unit: ConsoleUnit) -> Iterator[Problem]:
    if unit.spec.boards.named:
        yield Problem(
            stack.at(unit, "boards"),
            "overrides the consoles for this party, but the stack shows none",
            "add fate:boards with kind and domain, or remove this",
        )


def own_consoles_are_deployed(stack: CheckedStack) -> Iterator[Problem]:
    """A problem for each console that a unit names and does not deploy. Other rules report an unknown release or combination."""
    return of_each(_units(stack.spec) if stack.spec.boards is not None else (), lambda unit: _own_consoles(stack, unit))


def _own_consoles(stack: CheckedStack, unit: ConsoleUnit) -> Iterator[Problem]:
    modules = _deployed(unit)
    for name, console in unit.spec.boards.named.items():
        if modules and console != "none" and CONSOLES[name].module not in modules:
            yield _not_deployed(stack.at(unit, "boards", name), f"{unit.title} deploys no", name)


def consoles_are_deployed(stack: CheckedStack) -> Iterator[Problem]:
    """A problem for each console in `fate:boards` that no unit deploys."""
    named = {} if stack.spec.boards is None else stack.spec.boards.consoles.named
    need_every_entry(stack.spec.parties, stack.spec.serving)
    deployed = [_deployed(unit) for unit in _units(stack.spec)]
    for name in named.keys() & CONSOLES.keys() if all(deployed) else ():
        if not any(CONSOLES[name].module in modules for modules in deployed):
            yield _not_deployed(stack.place_of(("boards", "consoles", name)), "no party of this stack deploys", name)


def _not_deployed(where: str, who: str, name: str) -> Problem:
    module = CONSOLES[name].module
    return Problem(where, f"{who} {module}, the module of this console", f"deploy {module}, or remove this line")


def site_portal_is_there(stack: CheckedStack) -> Iterator[Problem]:
    """A problem when `fate:boards` shows the Site Portal of a stack that has none."""
    named = {} if stack.spec.boards is None else stack.spec.boards.consoles.named
    if CONSOLE in named and not stack.spec.site_portal:
        yield Problem(stack.place_of(("boards", "consoles", CONSOLE)), "this stack has no Site Portal", "describe one, or remove this line")


# Host and path of a console that is shown, where the stack file says so, whose it is, and what to do if another one is there.
_Address = tuple[tuple[str, str], tuple[str, ...], str, str]


def hosts_are_used_once(stack: CheckedStack) -> Iterator[Problem]:
    """Host names that two consoles use, and a domain that is too long for the names below it."""
    used: dict[tuple[str, str], str] = {}
    if stack.spec.boards is None:
        return
    portals = of_each(site_portal_units(stack.spec).values(), _portal_addresses)
    for address, at, whose, remedy in (*of_each(_units(stack.spec), _addresses), *portals):
        if address in used:
            yield Problem(stack.place_of(at), f"{''.join(address)} is already the address of {used[address]}", remedy)
        used.setdefault(address, whose)
    longest = max((host for host, _ in used), key=len, default="")
    if longest and not is_dns_name(longest):
        problem = f"{longest} is too long for a host name: at most 253 characters"
        yield Problem(stack.place_of(("boards", "domain")), problem, "choose a shorter one")


def _addresses(unit: ConsoleUnit) -> Iterator[_Address]:
    for name, console in shown(unit, _deployed(unit)).items():
        host, at = host_of(unit.stack.boards, unit.party, name, console), (*unit.path, "boards", name)
        yield (host, console.path), at, f"{name} of {unit.title}", "give each console its own host"


def _portal_addresses(unit: SitePortalUnit) -> Iterator[_Address]:
    for name, console in shown_portal(unit).items() if unit.spec.release in unit.releases else ():
        yield (console.host, console.path), unit.path, f"{name} of party {unit.party}", "give that console another host"


def _units(spec: StackSpec) -> Iterator[ConsoleUnit]:
    """The units that have consoles of their own."""
    yield from party_units(spec).values()
    yield from serving_units(spec).values()


def _deployed(unit: ConsoleUnit) -> Collection[str]:
    """The modules of a unit; none of an unknown release or combination."""
    return kind_of(unit).deployed(unit)


def console_warnings(stack: PlannedStack) -> Iterator[Finding]:
    """Warnings: consoles without a password, consoles without TLS, and `fate:boards` that shows nothing."""
    spec, place = stack.spec, stack.place_of(("boards",))
    if spec.boards is None:
        return
    consoles = [(unit, name) for unit in _units(spec) for name in shown(unit, _deployed(unit))]
    for unit, name in consoles:
        if (risk := CONSOLES[name].risk) is not None:
            yield warning(place, f"console {name} of {unit.title} is open to everyone who can reach its address: {risk}")
    portals = any(map(shown_portal, site_portal_units(spec).values()))
    if not consoles and not portals:
        modules = ", ".join(CONSOLES[name].module for name in DEFAULT_CONSOLES)
        yield warning(place, f"fate:boards shows nothing: none of {modules} is deployed")
    elif not encrypted(spec.boards):
        yield warning(place, "fate:boards shows consoles without TLS: anyone on the path can read the passwords that browsers send")
