"""A stack's own Kubernetes objects (`fate:manifests`): reads them, and refuses those that it must not create."""

import json
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from federation.base.errors import Finding, PlaceOf, Problem, of_each, warning
from federation.base.naming import CHART_OBJECTS
from federation.base.yaml_file import BOMB, MISTAGGED, is_below, is_bomb
from federation.config.partial import need_every_entry
from federation.config.stack import StackSpec
from federation.config.units import units
from federation.units.unit import UnitPlan

MAX_BYTES = 1024 * 1024
# Kubernetes' own cluster-scoped kinds.
CLUSTER_KINDS = frozenset({
    "APIService", "CertificateSigningRequest", "ClusterRole", "ClusterRoleBinding", "ClusterTrustBundle", "ComponentStatus", "CSIDriver",
    "CSINode", "CustomResourceDefinition", "DeviceClass", "DeviceTaintRule", "FlowSchema", "GatewayClass", "IngressClass", "IPAddress",
    "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding", "MutatingWebhookConfiguration", "Namespace", "Node", "PersistentVolume",
    "PriorityClass", "PriorityLevelConfiguration", "ResourceSlice", "RuntimeClass", "ServiceCIDR", "StorageClass", "StorageVersion",
    "StorageVersionMigration", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration",
    "VolumeAttachment", "VolumeAttributesClass", "VolumeSnapshotClass", "VolumeSnapshotContent",
})  # fmt: skip
# Kubernetes' own groups: their other kinds are namespaced. Of a custom resource only the cluster knows.
_OWN_GROUPS = ("", "apps", "autoscaling", "batch", "extensions", "policy")
# These stay in the cluster when their entry is removed: data or other objects would go with them.
KEPT_KINDS = frozenset({"CustomResourceDefinition", "Namespace", "PersistentVolume", "PersistentVolumeClaim"})
# Pulumi waits for a claim's first pod, which may need other objects of the stack, and 10 s for a Service.
_NOT_AWAITED = frozenset({"PersistentVolumeClaim", "Service"})
# Kubernetes fills such a Secret with a token that never expires.
_TOKEN_TYPE = "kubernetes.io/service-account-token"  # noqa: S105
# kubectl keeps a copy of every applied object here, with the values of Secrets.
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


class _Loader(yaml.SafeLoader):
    """Loads dates as text, because Kubernetes has no dates."""


_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True)
class ExtraObject:
    """One object of a file; `where` is `file:line Kind/name`."""

    where: str
    document: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """Its kind."""
        return str(self.document["kind"])

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.document["metadata"]["name"])

    @property
    def namespace(self) -> str | None:
        """Its namespace; None for a cluster-scoped object, or without `metadata.namespace`."""
        namespace = self.document["metadata"].get("namespace")
        return None if namespace is None else str(namespace)

    @property
    def group(self) -> str:
        """Its API group; empty for the core group, which Pulumi also knows as `core`."""
        group = str(self.document["apiVersion"]).rpartition("/")[0]
        return "" if group == "core" else group

    @property
    def of_cluster(self) -> bool:
        """Whether it is cluster-scoped. A custom resource counts as cluster-scoped when its metadata has no namespace."""
        own = self.group in _OWN_GROUPS or self.group.endswith(".k8s.io")
        return self.kind in CLUSTER_KINDS or (not own and self.namespace is None)


@dataclass(frozen=True)
class ExtraManifests:
    """The objects of one entry of `fate:manifests`."""

    name: str
    objects: tuple[ExtraObject, ...]

    def documents(self) -> tuple[dict[str, Any], ...]:
        """The objects as Pulumi applies them: as written, with an annotation on those that Pulumi must not await."""
        return tuple(_not_awaited(extra) for extra in self.objects)


def read_manifests(spec: StackSpec, folder: Path, place_of: PlaceOf) -> tuple[tuple[ExtraManifests, ...], tuple[Problem, ...]]:
    """The objects of every file of `fate:manifests`, and all problems with them. `folder`: of the stack file, which must hold the files."""
    files: list[ExtraManifests] = []
    problems: list[Problem] = []
    for name, relative in sorted(spec.manifests.items()):
        where = place_of(("manifests", name))
        objects: list[ExtraObject] = []
        for result in _objects(folder, relative, where):
            if isinstance(result, Problem):
                problems.append(result)
            else:
                objects.append(result)
                problems += _object_problems(result, spec, where)
        files.append(ExtraManifests(name, tuple(objects)))
    return tuple(files), (*problems, *_written_twice(files, place_of))


def clashes(files: tuple[ExtraManifests, ...], units: tuple[UnitPlan, ...], place_of: PlaceOf) -> Iterator[Problem]:
    """Objects that this program also makes: both would write the same object, and removing the entry would delete it."""
    made = {unit.namespace: _own_objects(unit) for unit in units}
    namespaces = {manifest.name for unit in units for manifest in unit.namespace_object}
    for file in files:
        for extra in file.objects:
            names = made.get(extra.namespace or "", set())
            ours = (extra.kind, extra.name) in names or (extra.namespace in made and extra.name in CHART_OBJECTS)
            if ours or (extra.kind == "Namespace" and extra.name in namespaces):
                yield Problem(
                    place_of(("manifests", file.name)),
                    f"{extra.where} has the name of an object that this program creates",
                    "choose another name",
                )


def reaching_out(files: tuple[ExtraManifests, ...], spec: StackSpec) -> Iterator[Finding]:
    """Warnings of objects outside the stack's own namespaces, and of tokens that never expire."""
    own = _own_namespaces(spec)
    for file in files:
        for extra in file.objects:
            where, title = f"manifests.{file.name}", f"manifests.{file.name}: {extra.where}"
            if extra.of_cluster:
                yield warning(where, f"{title} is a cluster-scoped object")
            elif extra.namespace not in own:
                yield warning(where, f"{title} is in namespace {extra.namespace}, which is not one of this stack's")
            if extra.kind == "Secret" and extra.document.get("type") == _TOKEN_TYPE:
                text = f"{title} makes Kubernetes keep a service account token that never expires:"
                yield warning(where, text, "prefer `kubectl create token`")


def images_of(document: Any) -> Iterator[str]:
    """The images of every container below a document."""
    if isinstance(document, dict):
        for key, value in document.items():
            if key in ("containers", "initContainers") and isinstance(value, list):
                yield from (str(one["image"]) for one in value if isinstance(one, dict) and "image" in one)
            else:
                yield from images_of(value)
    elif isinstance(document, list | tuple):
        for value in document:
            yield from images_of(value)


def _own_objects(unit: UnitPlan) -> set[tuple[str, str]]:
    made = (*unit.owner, *unit.services, *unit.routes, *unit.policies, *unit.certificates, *unit.console_objects)
    issued = {("Secret", manifest.fields["spec"]["secretName"]) for manifest in unit.certificates}
    return {(manifest.kind, manifest.name) for manifest in made} | {("Secret", secret.name) for secret in unit.secrets} | issued


def _objects(folder: Path, relative: str, where: str) -> Iterator[ExtraObject | Problem]:
    path = folder / relative
    try:
        if not is_below(relative, folder):
            yield Problem(where, f"{relative} is outside the folder of the stack file", "keep manifests in the folder of the stack file")
            return
        status = path.stat()
        # Reading a pipe would wait for ever.
        if not stat.S_ISREG(status.st_mode):
            yield Problem(where, f"{relative} cannot be read: it is not a regular file", "correct the path or the file")
            return
        if status.st_size > MAX_BYTES:
            yield Problem(where, f"{relative} is larger than 1 MiB", "split it into several entries")
            return
        nodes = list(yaml.compose_all(path.read_bytes().decode(), Loader=_Loader))
        if any(map(is_bomb, nodes)):
            yield Problem(where, f"{relative}: {BOMB[0]}", BOMB[1])
            return
        documents = [(node.start_mark.line + 1, _Loader("").construct_document(node)) for node in nodes if node is not None]
        # Kubernetes takes JSON only: no bytes, and no document that contains itself.
        json.dumps(documents)
    except (OSError, ValueError, RuntimeError) as error:
        yield Problem(where, f"{relative} cannot be read: {getattr(error, 'strerror', None) or error}", "correct the path or the file")
        return
    except yaml.YAMLError as error:
        yield Problem(where, f"{relative} is not valid YAML: {' '.join(str(error).split())}", "correct the file")
        return
    except MISTAGGED:
        # JSON raises one of them for bytes and sets.
        yield Problem(where, f"{relative}: a value does not match its tag (!!), or JSON cannot hold it", "remove the tag")
        return
    filled = [(line, document) for line, document in documents if document is not None]
    if not filled:
        yield Problem(where, f"{relative} holds no object", "write one, or remove this line")
    for line, document in filled:
        yield from _expanded(document, f"{relative}:{line}", where)


def _expanded(document: Any, at: str, where: str) -> Iterator[ExtraObject | Problem]:
    """The objects of a document; of a list its items, as Pulumi creates them. Pulumi takes every document with `items` for a list."""
    items = document.get("items") if isinstance(document, dict) else None
    if not isinstance(items, list):
        yield _object(document, at, where)
    elif not str(document.get("kind", "")).endswith("List"):
        yield Problem(where, f"{at} has both a kind and items: Pulumi would create the items only", "give each object its own document")
    elif not items:
        yield Problem(where, f"{at} is a list without items", "write some, or remove it")
    else:
        for number, item in enumerate(items):
            yield from _expanded(item, f"{at} items[{number}]", where)


def _object(document: Any, at: str, where: str) -> ExtraObject | Problem:
    metadata = document.get("metadata") if isinstance(document, dict) else None
    words = [] if not isinstance(metadata, dict) else [document.get("apiVersion"), document.get("kind"), metadata.get("name")]
    if not words or not all(isinstance(word, str) and word for word in words):
        return Problem(
            where, f"{at} is not a Kubernetes object", "write apiVersion, kind and metadata.name; one object in each document or item"
        )
    return ExtraObject(f"{at} {words[1]}/{words[2]}", document)


def _object_problems(extra: ExtraObject, spec: StackSpec, where: str) -> Iterator[Problem]:
    return of_each((_holds_no_secret, _goes_where_it_is_meant_to), lambda rule: rule(extra, spec, where))


def _holds_no_secret(extra: ExtraObject, spec: StackSpec, where: str) -> Iterator[Problem]:
    if extra.kind == "Secret" and _holds_values(extra.document):
        remedy = "secrets belong in fate:secrets; if no setting takes it, create the Secret with kubectl and name it"
        yield Problem(where, f"{extra.where} holds secrets in plain text", remedy)


def _goes_where_it_is_meant_to(extra: ExtraObject, spec: StackSpec, where: str) -> Iterator[Problem]:
    own = _own_namespaces(spec)
    known = f"one of this stack's: {', '.join(sorted(own))}"
    if extra.of_cluster:
        if spec.cluster.scope == "namespaced":
            yield Problem(where, f"{extra.where} is a cluster-scoped object", "remove it, or use cluster.scope: cluster")
    elif extra.namespace is None:
        yield Problem(where, f"{extra.where} has no namespace", f"write metadata.namespace, {known}")
    elif extra.namespace not in own and spec.cluster.scope == "namespaced":
        yield Problem(where, f"{extra.where} is in namespace {extra.namespace}", f"with scope: namespaced it must be {known}")


def _own_namespaces(spec: StackSpec) -> set[str]:
    need_every_entry(spec.parties, spec.serving, spec.site_portal)
    return {unit.namespace for unit in units(spec)}


def _holds_values(secret: Mapping[str, Any]) -> bool:
    notes = secret["metadata"].get("annotations")
    return bool(secret.get("data") or secret.get("stringData") or (isinstance(notes, dict) and _LAST_APPLIED in notes))


def _written_twice(files: list[ExtraManifests], place_of: PlaceOf) -> Iterator[Problem]:
    seen: dict[tuple[str, str, str | None, str], str] = {}
    for file in files:
        for extra in file.objects:
            key = (extra.group, extra.kind, extra.namespace, extra.name)
            if key in seen:
                yield Problem(place_of(("manifests", file.name)), f"{extra.where} is also in {seen[key]}", "keep one of them")
            seen.setdefault(key, extra.where)


def _not_awaited(extra: ExtraObject) -> dict[str, Any]:
    document = dict(extra.document)
    if extra.kind in _NOT_AWAITED:
        annotations = {"pulumi.com/skipAwait": "true", **(document["metadata"].get("annotations") or {})}
        document["metadata"] = {**document["metadata"], "annotations": annotations}
    return document
