"""What can still be checked of a configuration some of whose fields are wrong: all else, as if those were right."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from federation.base.model_errors import Path, real_path
from federation.config.stack import StackSpec

# One level up in each round: no field is nested deeper.
_ROUNDS = 16


@dataclass(frozen=True)
class Salvaged:
    """A configuration without what is wrong in it."""

    # The paths of what is wrong: nothing else that is said of them is worth reading.
    left_out: frozenset[Path]
    # What the configuration may have meant: certain is what is wrong with each of them.
    readings: tuple[StackSpec, ...]

    def concerns(self, path: Path) -> bool:
        """Whether a path is below something that is left out."""
        return any(path[:length] in self.left_out for length in range(1, len(path) + 1))


def salvage(values: Mapping[str, Any], error: ValidationError) -> Salvaged | None:
    """The configuration as far as it can be checked; None when nothing can be said without what is wrong.

    Only a field goes by itself whose default, or a stand-in, could make no rule complain; else what it belongs to goes.
    """
    rest, left_out = copy.deepcopy(dict(values)), set[Path]()
    for _ in range(_ROUNDS):
        # Deepest first: what is above it may stay.
        for path, counts in sorted({_what_goes(details) for details in error.errors(include_url=False, include_input=False)}, reverse=True):
            gone = _take_out(rest, path)
            if not gone:
                return None
            left_out |= gone if counts else set()
        try:
            return Salvaged(frozenset(left_out), _readings(StackSpec.model_validate(rest), left_out))
        except ValidationError as found:
            error = found
    return None


def _what_goes(details: Any) -> tuple[Path, bool]:
    """Where something is wrong, and whether a rule could miss it."""
    if details["type"] in ("extra_forbidden", "invalid_key"):
        return (*real_path(details["loc"][:-1], StackSpec), str(details["loc"][-1])), False
    return _whole(real_path(details["loc"], StackSpec)), True


def _whole(path: Path) -> Path:
    """The least that goes with a field: what rules read together goes together."""
    if path[0] in ("boards", "networkPolicy", "collaborations", "identity"):
        return path[:1]
    if path[0] == "peers" or path[2:3] == ("engines",) or (path[0] == "serving" and path[2:3] == ("modules",)):
        return path[:2]
    if path[:2] == ("exchange", "federation"):
        return path[:1]
    if "image" in path:
        return path[: path.index("image") + 1]
    if path[:2] == ("trust", "parties"):
        return path[:3]
    return path


def _take_out(rest: dict[str, Any], path: Path) -> set[Path]:
    """Take out what is at a path, or put what stands in for it; of a list all. The paths that went; none when nothing would be left."""
    above: tuple[str, ...] = ()
    data: dict[Any, Any] = rest
    for part in path[:-1]:
        key = _key(data, part)
        below = data.get(key)
        if not isinstance(below, dict):
            path = (*above, part)
            break
        above = (*above, part)
        data = below
    key, stand_in = _key(data, path[-1]), _stand_in(path)
    if stand_in is not None:
        was, new = data.get(key), stand_in(data.get(key))
        data[key] = new
        if isinstance(was, dict) and isinstance(new, dict) and new and new.items() <= was.items():
            return {(*path, str(each)) for each in was.keys() - new.keys()}
    elif key in data:
        del data[key]
    else:  # it was missing, and something must be there
        return _take_out(rest, path[:-1]) if len(path) > 1 else set()
    return {path}


def _key(data: Mapping[Any, Any], part: str) -> Any:
    # pydantic's path has 1 for the key `true`.
    return part if part in data else next((key for key in data if part in (str(key), f"{key:d}" if isinstance(key, bool) else "")), part)


_FEDERATION = {"name": "left-out", "domain": "left-out.example", "topology": "star", "link": "native"}


def _stand_in(path: Path) -> Callable[[Any], Any] | None:
    """What may stand in the place of a field that must be there, or has a default that rules would complain of."""
    match path:
        case ("organization",):
            return lambda _: "left-out"
        case ("federation",):
            return lambda _: dict(_FEDERATION)
        case ("federation", field) if field in _FEDERATION:
            return lambda _: _FEDERATION[field]
        case ("cluster",):
            return _cluster
        case ("cluster", "nodePortRange"):
            return lambda _: "1-65535"
        case ("trust",):
            return lambda was: _kept(was, "parties")
        case (*unit, "namespace"):
            return lambda _: "-".join(["left-out", *unit]).lower()
        case (*_, "persistence"):
            return lambda _: "none"
        case (_, _, "publish") | (_, "publish"):
            return lambda _: {}
    return None


def _kept(was: Any, *fields: str) -> dict[str, Any]:
    return {key: value for key, value in was.items() if key in fields} if isinstance(was, dict) else {}


def _cluster(was: Any) -> dict[str, Any]:
    kept = _kept(was, "nodePortRange", "ranges")
    return kept if kept != was else {"nodePortRange": "1-65535"}


def _readings(spec: StackSpec, left_out: set[Path]) -> tuple[StackSpec, ...]:
    """With each topology that a federation may have, and two names and domains, of which it has one at most."""
    wrong = {field for field in _FEDERATION if {("federation",), ("federation", field)} & left_out}
    if not wrong:
        return (spec,)
    other = {"name": "another", "domain": "another.example", "topology": "mesh", "link": "native"}
    changed = spec.federation.model_copy(update={field: other[field] for field in wrong})
    return spec, spec.model_copy(update={"federation": changed})
