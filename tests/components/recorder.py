"""Pulumi's engine replaced by a recorder: what a program registers, and what a cluster would answer."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from google.protobuf import json_format  # type: ignore[import-untyped]
from pulumi.runtime import mocks, rpc, settings

SECRET = rpc._special_sig_key
PROJECT, STACK = "fate", "bank-a"


@dataclass(frozen=True)
class Registered:
    """One registered resource, as the engine is told of it; secrets stand in `inputs` as `Secret`."""

    type: str
    name: str
    urn: str
    parent: str
    inputs: dict[str, Any]
    retained: bool
    dependencies: frozenset[str]
    provider: str
    remote: bool
    # Whose changes the engine does not print.
    hidden: tuple[str, ...] = ()
    # What the engine encrypts of what the provider answers.
    secret_outputs: tuple[str, ...] = ()
    # Of the provider's plugin.
    version: str = ""

    @property
    def label(self) -> tuple[str, str]:
        """Short type and logical name."""
        return self.type.rsplit(":", 1)[-1], self.name


@dataclass(frozen=True)
class Secret:
    """A secret value inside recorded inputs."""

    value: Any


@dataclass
class Cluster(mocks.Mocks):
    """What the cluster answers: addresses of Services by `namespace/name`; a preview knows none."""

    preview: bool = False
    balanced: Mapping[str, str] = field(default_factory=dict)
    by_name: Mapping[str, str] = field(default_factory=dict)
    answers: bool = True

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        """Nothing is ever looked up, but whether the API server answers."""
        if args.token == "kubernetes:yaml:decode":
            item = json.loads(args.args["text"])
            place = {} if self.answers else {"namespace": args.args["defaultNamespace"]}
            return {"result": [{**item, "metadata": {**item["metadata"], **place}}]}, []
        raise AssertionError(f"unexpected lookup {args.token}")

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        """The state of a new resource."""
        state = dict(args.inputs)
        if args.resource_id:  # an object that is read
            state["metadata"] = {"uid": f"UID of {args.resource_id}"}
        if args.typ == "kubernetes:core/v1:Service" and not self.preview:
            place = f"{state['metadata']['namespace']}/{state['metadata']['name']}"
            state["spec"] = {**state["spec"], "clusterIP": cluster_ip(place)}
            ingress = [{"ip": self.balanced[place]}] if place in self.balanced else []
            ingress += [{"hostname": self.by_name[place]}] if place in self.by_name else []
            state["status"] = {"loadBalancer": {"ingress": ingress} if ingress else {}}
        if args.typ in ("kubernetes:helm.sh/v4:Chart", "kubernetes:yaml/v2:ConfigGroup"):
            state["resources"] = []  # the provider would render them
        return f"{args.name}-id", state


def cluster_ip(place: str) -> str:
    """A stable address for `namespace/name`."""
    return f"10.{sum(place.encode()) % 250}.{len(place)}.{place.encode()[-1]}"


class _Monitor(mocks.MockMonitor):
    def __init__(self, answers: mocks.Mocks) -> None:
        super().__init__(answers)
        self.seen: list[Registered] = []
        self.outputs: dict[str, Any] = {}

    def RegisterResource(self, request: Any) -> Any:
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        self.seen.append(
            Registered(
                type=request.type,
                name=request.name,
                urn=response.urn,
                parent=request.parent,
                inputs=_marked(json_format.MessageToDict(request.object)),
                retained=request.retainOnDelete,
                dependencies=frozenset(request.dependencies),
                provider=request.provider or next(iter(request.providers.values()), ""),
                remote=request.remote,
                hidden=tuple(request.hideDiffs),
                secret_outputs=tuple(request.additionalSecretOutputs),
                version=request.version,
            )
        )
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:
        self.outputs[request.urn] = _marked(json_format.MessageToDict(request.outputs))
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]


class _Callbacks:
    """Takes resource hooks; the engine, which would call them, is not here: tests/engine sees them refuse."""

    def register_resource_hook(self, hook: pulumi.ResourceHook) -> None:
        """Accept a hook."""


@dataclass(frozen=True)
class Run:
    """A program that ran to its end."""

    resources: tuple[Registered, ...]
    outputs: Mapping[str, Any]
    exports: Mapping[str, Any]

    def of(self, kind: str) -> list[Registered]:
        """The resources of a short type, such as ConfigMap."""
        return [resource for resource in self.resources if resource.label[0] == kind]

    def one(self, kind: str, name: str) -> Registered:
        """The resource of a short type and logical name."""
        found = [resource for resource in self.resources if resource.label == (kind, name)]
        assert len(found) == 1, f"{kind} {name}: {sorted(resource.label for resource in self.resources)}"
        return found[0]

    def children(self, parent: Registered) -> set[tuple[str, str]]:
        """Short types and names of what a component registered below itself."""
        return {resource.label for resource in self.resources if resource.parent == parent.urn}

    def outputs_of(self, resource: Registered) -> Any:
        """What a component published."""
        return self.outputs[resource.urn]


def run(program: Callable[[], object], cluster: Cluster | None = None, stack: str = STACK) -> Run:
    """Run a program to its end, every output awaited; its errors are raised here."""
    cluster = cluster or Cluster()
    monitor = _Monitor(cluster)
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda _loop, _context: None)  # what failed is raised below
    asyncio.set_event_loop(loop)
    settings.set_root_resource(None)  # type: ignore[arg-type]  # each run has a stack of its own
    mocks.set_mocks(cluster, project=PROJECT, stack=stack, preview=cluster.preview, monitor=monitor)
    settings.SETTINGS.callbacks = _Callbacks()  # type: ignore[attr-defined]
    exports: list[Any] = []

    def whole() -> pulumi.Output[None]:
        program()
        root = settings.get_root_resource()
        assert root is not None
        found: dict[str, Any] = getattr(root, "outputs", {})
        return pulumi.Output.from_input(found).apply(exports.append, run_with_unknowns=True)

    pulumi.runtime.test(whole)()  # type: ignore[no-untyped-call]
    resources = tuple(resource for resource in monitor.seen if resource.type != "pulumi:pulumi:Stack")
    return Run(resources, dict(monitor.outputs), exports[0])


def plain(data: Any) -> Any:
    """Recorded data without the marks of secrets."""
    if isinstance(data, Secret):
        return plain(data.value)
    if isinstance(data, dict):
        return {key: plain(value) for key, value in data.items()}
    return [plain(item) for item in data] if isinstance(data, list) else data


def secrets_in(data: Any) -> list[Any]:
    """Every secret value inside recorded data."""
    if isinstance(data, Secret):
        return [data.value]
    items = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    return [secret for item in items for secret in secrets_in(item)]


def unknown_in(data: Any) -> bool:
    """Whether recorded data holds a value that is not known yet."""
    if isinstance(data, Secret):
        return unknown_in(data.value)
    items = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    return data == rpc.UNKNOWN or any(unknown_in(item) for item in items)


def _marked(data: Any) -> Any:
    if isinstance(data, dict):
        if data.get(SECRET) == rpc._special_secret_sig:
            return Secret(_marked(data.get("value")))
        return {key: _marked(value) for key, value in data.items()}
    return [_marked(item) for item in data] if isinstance(data, list) else data
