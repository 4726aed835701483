"""`fatefed logs`: what the pods of one module print, as kubectl reads it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cli.doctor.own.named import by_name
from cli.doctor.snapshot import UnitView, expected
from cli.tools.errors import CommandError
from cli.tools.kubectl import Ask, Cluster
from federation.base.naming import INSTANCE, MODULE
from federation.stack.load import LoadedStack
from federation.units.module_rules import module_path
from federation.units.unit import UnitPlan

# More than any module has: kubectl refuses to follow more than five without being told.
_PODS = 1000


@dataclass(frozen=True)
class Module:
    """A module of a unit, by its pods' labels; a word of the stack file such as `spark` means several."""

    unit: UnitPlan
    components: tuple[str, ...]

    @property
    def selector(self) -> str:
        """The labels of its pods, as kubectl takes them."""
        return f"{INSTANCE}={self.unit.key},{MODULE} in ({','.join(self.components)})"

    def __str__(self) -> str:
        return f"{' and '.join(self.components)} of {self.unit.key}"


def find_module(loaded: LoadedStack, word: str, unit: str | None) -> Module:
    """The module of that name, as `status` or the stack file names it. CommandError for one that none has, or several units have."""
    units = loaded.plan.units
    shown = {module.component for one in units if unit in (None, one.key) for module in expected(one)}
    return by_name("module", word, unit, {one.key: _words(one) for one in units}, shown)


def _words(unit: UnitPlan) -> dict[str, Module]:
    """Each word for a module of a unit."""
    words: dict[str, tuple[str, ...]] = {}
    for module in expected(unit):
        for word in dict.fromkeys((module.component, module.name, module_path(module.name)[0])):
            words[word] = (*words.get(word, ()), module.component)
    return {word: Module(unit, components) for word, components in words.items()}


def read_logs(module: Module, cluster: Cluster, options: Sequence[str]) -> Iterator[str]:
    """Every line that the module's pods print, as kubectl gives it: behind `[pod/POD/CONTAINER]`, or why a container has none.

    CommandError when its pods cannot be read, or there are none.
    """
    place, namespace = f"pods of {module}", module.unit.namespace
    ask = Ask("pods", namespace)
    readings = cluster.read([ask])
    if readings[ask].state != "ok":
        raise CommandError(
            place, cluster.explained(readings[ask]).reason, "apply docs/rbac/viewer.yaml in its namespace, or see what kubectl says"
        )
    view = UnitView(module.unit, readings)
    if not any(view.of_module("pods", component) for component in module.components):
        raise CommandError(place, f"there are none in namespace {namespace}", "`fatefed doctor` says why")
    # A container without logs must not end those of the others.
    every = ["--all-containers", "--prefix", "--ignore-errors", f"--max-log-requests={_PODS}"]
    return cluster.lines(["logs", "--namespace", namespace, "--selector", module.selector, *every, *options])
