"""How an object in a cluster differs from the planned one. Only what was planned is compared: the API server adds defaults. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cli.tools.kubectl import Object
from federation.base.live import live_values
from federation.base.quantity import amount

_QUANTITIES = frozenset({"requests", "limits", "sizeLimit", "hard"})
# What files hold, and what programs are started with, is long and may be anybody's secret once it was edited by hand.
_NOT_SHOWN = frozenset({"data", "env", "args", "command", "annotations"})
_LONGEST = 60
# What nobody plans opens a Service to more than the plan says.
_ABSENT: Mapping[str, tuple[tuple[str, ...], ...]] = {"Service": (("spec", "externalIPs"),)}
# Programs of Pulumi, and those whose changes a refresh takes over (the provider does so with kubectl's, but for subresources).
_OWN, _TAKEN_OVER = "pulumi", "kubectl"


@dataclass(frozen=True)
class Difference:
    """One field that is not as planned."""

    path: tuple[str, ...]
    planned: Any
    live: Any

    def __str__(self) -> str:
        name, both = ".".join(self.path), (self.live, self.planned)
        shown = not _NOT_SHOWN & {*self.path} and not any(isinstance(one, Mapping | list) or len(str(one)) > _LONGEST for one in both)
        if self.live is None:
            return f"{name} is absent" + (f", planned is {self.planned}" if shown else "")
        if not shown:
            return f"{name} differs"
        return f"{name} is {self.live}" + ("" if self.planned is None else f", planned is {self.planned}")


def differences(planned: Object, live: Object) -> list[Difference]:
    """Every field that the plan sets and the cluster has otherwise. Of a workload not the replicas: they have a row of their own."""
    notes = {key: value for key, value in (planned["metadata"].get("annotations") or {}).items() if not key.startswith("pulumi.com/")}
    wanted = {key: value for key, value in planned.items() if key not in ("apiVersion", "kind", "metadata", "status")}
    if planned["kind"] in ("Deployment", "StatefulSet"):
        wanted["spec"] = {key: value for key, value in planned["spec"].items() if key != "replicas"}
    wanted["metadata"] = {"labels": planned["metadata"].get("labels") or {}, "annotations": notes}
    fields = [*_differences(wanted, live, ())]
    for path in _ABSENT.get(planned["kind"], ()):
        if (extra := _at(live, path)) and not _at(planned, path):
            fields.append(Difference(path, None, ", ".join(map(str, extra))))
    return fields


def other_managers(item: Object, path: tuple[str, ...]) -> list[str]:
    """The field managers beside Pulumi's whose changes of a field stay after a refresh: kubectl's own edits do not, its scaling does."""
    managers = []
    for entry in item["metadata"].get("managedFields") or []:
        name, subresource = str(entry.get("manager", "")), entry.get("subresource")
        taken = name.startswith(_TAKEN_OVER) and not subresource
        if not name.startswith(_OWN) and not taken and subresource != "status" and _holds(entry.get("fieldsV1") or {}, path):
            managers.append(f"{name} ({subresource})" if subresource else name)
    return managers


def _holds(fields: Mapping[str, Any], path: tuple[str, ...]) -> bool:
    """Whether these fields have a path, or own it as a whole; inside lists every entry is taken for the one."""
    for part in path:
        if f"f:{part}" not in fields:
            return bool(path) and fields is not None and any(key.startswith(("k:", "v:")) for key in fields)
        fields = fields[f"f:{part}"] or {}
    return True


def _at(item: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = item
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _differences(planned: Any, live: Any, path: tuple[str, ...]) -> Iterator[Difference]:
    if isinstance(planned, Mapping):
        there = live if isinstance(live, Mapping) else {}
        for key, value in planned.items():
            yield from _differences(value, there.get(key), (*path, str(key)))
    elif isinstance(planned, list | tuple):
        yield from _of_lists(planned, live if isinstance(live, list) else [], path)
    elif not _same(planned, live, path):
        yield Difference(path, planned, live)


def _of_lists(planned: list[Any] | tuple[Any, ...], live: list[Any], path: tuple[str, ...]) -> Iterator[Difference]:
    names = [one.get("name") if isinstance(one, Mapping) else None for one in planned]
    # Others may add entries of their own to such a list (a sidecar, a variable); to the ports of a Service nobody.
    if all(names) and len({*names}) == len(names) and path != ("spec", "ports"):
        there = {one.get("name"): one for one in live if isinstance(one, Mapping)}
        for name, one in zip(names, planned, strict=True):
            if name in there:
                yield from _differences(one, there[name], (*path, str(name)))
            else:
                yield Difference((*path, str(name)), one, None)
    elif len(planned) != len(live):
        yield Difference(path, planned, live)
    else:
        for number, (one, other) in enumerate(zip(planned, live, strict=True)):
            yield from _differences(one, other, (*path, str(number)))


def _same(planned: Any, live: Any, path: tuple[str, ...]) -> bool:
    if live is None:
        return not planned  # the API server leaves out what is empty
    if planned == live or (isinstance(planned, str) and live_values(planned)):
        return True
    if _QUANTITIES & {*path}:
        try:
            return amount(str(planned)) == amount(str(live))
        except ValueError:
            return False
    return False
