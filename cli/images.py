"""Every image that a stack pulls: what upstream calls it, and what its nodes are told."""

from collections.abc import Iterator
from typing import Any

from cli.show import table
from federation.extra_manifests import images_of
from federation.plan import StackPlan


def images_data(plan: StackPlan) -> dict[str, Any]:
    """{"images": [{upstream, reference, usedBy}]}, each image once."""
    users: dict[tuple[str, str], list[str]] = {}
    for upstream, reference, user in _uses(plan):
        users.setdefault((upstream, reference), []).append(user)
    return {"images": [{"upstream": upstream, "reference": reference, "usedBy": by} for (upstream, reference), by in sorted(users.items())]}


def images_text(plan: StackPlan) -> str:
    """The same as a table."""
    rows = [(image["upstream"], image["reference"], ", ".join(image["usedBy"])) for image in images_data(plan)["images"]]
    return table([("UPSTREAM", "REFERENCE", "USED BY"), *rows])


def _uses(plan: StackPlan) -> Iterator[tuple[str, str, str]]:
    for unit in plan.units:
        for module, image in sorted(unit.images.items()):
            yield image.upstream, image.reference, f"{unit.key}/{module}"
    for file in plan.manifests:
        for reference in sorted(set(images_of(file.documents()))):
            yield reference, reference, f"manifests/{file.name}"
