"""What a preview and `pulumi up` say of descriptors that were exported and are out of date."""

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi import Output

from federation.changes.exported import exported_warnings, published_fields
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
