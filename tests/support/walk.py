"""Walking rendered Kubernetes objects. Nothing here asserts: a test first asserts that what it walks is not empty."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job")


@dataclass(frozen=True)
class Container:
    """One container of a pod template; `where` reads kind/object/container."""

    where: str
    init: bool
    spec: dict[str, Any]
    pod: dict[str, Any]

    @property
    def main(self) -> bool:
        """Whether it is what its pod is there for: the first of its containers."""
        return self.spec is self.pod["containers"][0]


def name_of(item: Object) -> str:
    """`Kind/name`."""
    return f"{item['kind']}/{item['metadata']['name']}"


def of_kind(objects: Iterable[Object], *kinds: str) -> list[Object]:
    """The objects of some kinds."""
    return [item for item in objects if item["kind"] in kinds]


def named(objects: Iterable[Object], kind: str, name: str) -> Object:
    """The one object of this kind and name. KeyError when there is none."""
    for item in objects:
        if item["kind"] == kind and item["metadata"]["name"] == name:
            return item
    raise KeyError(f"{kind}/{name}")


def workloads(objects: Iterable[Object]) -> list[Object]:
    """The objects that have a pod template."""
    return of_kind(objects, *WORKLOADS)


def containers(objects: Iterable[Object]) -> Iterator[Container]:
    """Every container of every pod template, init containers included."""
    for item in workloads(objects):
        pod = item["spec"]["template"]["spec"]
        for key in ("initContainers", "containers"):
            for spec in pod.get(key, []):
                yield Container(f"{name_of(item)}/{spec['name']}", key == "initContainers", spec, pod)


def environment(container: Container) -> dict[str, Any]:
    """A container's variables: {name: value, or the valueFrom it comes from}."""
    return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in container.spec.get("env", [])}


def config_texts(objects: Iterable[Object]) -> dict[str, str]:
    """Every text of every ConfigMap: {name/key: text}."""
    return {f"{item['metadata']['name']}/{key}": text for item in of_kind(objects, "ConfigMap") for key, text in item["data"].items()}
