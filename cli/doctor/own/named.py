"""A module or a console of a stack by its name: which unit has it, or what else the word may have meant."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from cli.tools.errors import CommandError
from cli.tools.text import guess

Thing = TypeVar("Thing")


def by_name(what: str, word: str, unit: str | None, things: Mapping[str, Mapping[str, Thing]], shown: Iterable[str] = ()) -> Thing:
    """The thing of that name, of the unit that --unit names. `things`: by unit and name; `shown`: the names that a message lists.

    CommandError when no unit has it, or several have.
    """
    if unit is not None and unit not in things:
        raise CommandError(f"--unit {unit}", "this stack has no such unit", guess(unit, things))
    asked = {key: names for key, names in things.items() if unit in (None, key)}
    owners = [key for key, names in asked.items() if word in names]
    if not owners:
        whose = unit or "this stack"
        raise CommandError(
            f"{what} {word}", f"{whose} has no such {what}", guess(word, shown or {name for names in asked.values() for name in names})
        )
    if len(owners) > 1:
        raise CommandError(f"{what} {word}", "several units have it", f"add --unit: {', '.join(owners)}")
    return asked[owners[0]][word]
