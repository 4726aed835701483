"""Objects of Kubernetes as resources, and what the provider renders, without the classes that the SDK has for each kind.

Importing those takes longer than all else that the program imports, and for each object of a chart they ask the engine for its whole state
([decision 0052](../docs/decisions/0052-where-the-time-of-a-preview-goes.md)).
"""

from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

import pulumi
from pulumi import Input, Output, Resource, ResourceOptions
from pulumi.resource import DependencyResource
from pulumi.runtime.rpc import get_resource_module
from pulumi_kubernetes import _utilities

_VERSION = ResourceOptions(version=version("pulumi-kubernetes"))
# What the API server answers beside the inputs: without a key, Pulumi would not keep it.
_ANSWERED = {"metadata": None, "spec": None, "status": None}


class KubernetesObject(pulumi.CustomResource):
    """One object; Pulumi knows it by the type that the SDK's class would have."""

    metadata: Output[dict[str, Any]]
    spec: Output[dict[str, Any]]
    status: Output[dict[str, Any]]

    def __init__(self, name: str, api_version: str, kind: str, fields: Mapping[str, Input[Any]], opts: ResourceOptions) -> None:
        """`fields`: the object's, named as in YAML, with its metadata."""
        written = {} if opts.id else {"apiVersion": api_version, "kind": kind}
        super().__init__(_token(api_version, kind), name, {**_ANSWERED, **written, **fields}, ResourceOptions.merge(_VERSION, opts))

    @classmethod
    def read(cls, kind: str, resource_id: Input[str], name: str, opts: ResourceOptions) -> "KubernetesObject":
        """An object of the core API that the stack does not make; `resource_id`: `namespace/name`, or `name`."""
        return cls(name, "v1", kind, {}, ResourceOptions.merge(opts, ResourceOptions(id=resource_id)))


class Rendered(pulumi.ComponentResource):
    """A component that the provider makes; its objects are known by their URNs only."""

    resources: Output[list[Resource]]

    def __init__(self, token: str, name: str, inputs: Mapping[str, Input[Any]], opts: ResourceOptions) -> None:
        super().__init__(token, name, {**inputs, "resources": None}, ResourceOptions.merge(_VERSION, opts), remote=True)


def _token(api_version: str, kind: str) -> str:
    return f"kubernetes:{_module(api_version)}:{kind}"


def _module(api_version: str) -> str:
    return api_version if "/" in api_version else f"core/{api_version}"


class _ByUrn(pulumi.runtime.ResourceModule):
    """Makes a resource of a reference, such as those that a chart has to its objects: its URN is all that is known."""

    def version(self) -> None:
        """Any."""

    def construct(self, name: str, typ: str, urn: str) -> Resource:
        return DependencyResource(urn)


def register_references(api_versions: Iterable[str]) -> None:
    """References to objects of these versions become resources, also of a custom resource's version, which no SDK knows.

    Without, the SDK makes a text of such a reference, and nothing can depend on it.
    """
    for module in {_module(api_version) for api_version in api_versions}:
        if get_resource_module("kubernetes", module, "") is None:
            pulumi.runtime.register_resource_module("kubernetes", module, _ByUrn())


# In the place of the SDK's own classes too.
_utilities.Module.construct = _ByUrn.construct  # type: ignore[method-assign,assignment]
