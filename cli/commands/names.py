"""What arguments of verbs are completed with: names of peers, units, modules, consoles and releases."""

from collections.abc import Iterable

from cli.tools.completion import names_of, offered
from cli.tools.project import Stack


def _peers(stack: Stack) -> Iterable[str]:
    entries = stack.source().config().get("peers")
    return [str(name) for name in entries] if isinstance(entries, dict) else []


def _units(stack: Stack) -> Iterable[str]:
    return [unit.key for unit in stack.load().plan.units]


def _parties(stack: Stack) -> Iterable[str]:
    return [str(unit.party_id) for unit in stack.load().plan.units if unit.kind == "party"]


def _modules(stack: Stack) -> Iterable[str]:
    from cli.doctor.snapshot import expected

    return [module.component for unit in stack.load().plan.units for module in expected(unit)]


def _consoles(stack: Stack) -> Iterable[str]:
    from cli.doctor.own.consoles import consoles_of

    loaded = stack.load()
    return [name for unit in loaded.plan.units for name in consoles_of(loaded, unit)]


def releases(incomplete: str) -> list[str]:
    """The program's releases."""
    from federation.catalogue.releases import catalogue

    return offered(catalogue(), incomplete)


peers, units, parties, modules, consoles = (names_of(read) for read in (_peers, _units, _parties, _modules, _consoles))
