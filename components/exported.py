"""Messages of previews and `pulumi up` about exported descriptors: those out of date, and those of a new unit, which no peer has yet."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import pulumi
from pulumi import Output

from components.unit import Unit
from federation.changes.exported import export_command, exported_warnings, published_fields, send
from federation.config.stack import StackSpec

Bodies = Mapping[str, Output[dict[str, Any]]]


def compared_with_exports(bodies: Bodies, spec: StackSpec, stack: str) -> Bodies:
    """The bodies as they are; on the way, a warning of each exported one that says otherwise.

    `bodies`: what each unit publishes, in a preview with markers for addresses that are not known yet; `stack`: for commands.
    """

    def tell(bodies: Mapping[str, Mapping[str, Any]]) -> None:
        for warning in exported_warnings(spec, {key: published_fields(body) for key, body in bodies.items()}, f"-s {stack}"):
            pulumi.log.warn(warning)

    Output.all(**bodies).apply(tell)
    return bodies


def published_bodies(units: Mapping[str, Unit], spec: StackSpec, stack: str) -> Bodies:
    """What each unit publishes; on the way, which descriptors are to be exported: out of date ones, and those of units that are new."""
    for key, unit in units.items():
        if key not in spec.exported:
            Output.all(unit.descriptor, unit.resources).apply(partial(_suggest, key, unit, f"-s {stack}"))
    return compared_with_exports({key: unit.descriptor for key, unit in units.items()}, spec, stack)


def _suggest(key: str, unit: Unit, options: str, _: object) -> None:
    if unit.new:
        pulumi.log.info(f"next: {send(export_command(key, options))}")
