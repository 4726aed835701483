"""Every image that a stack pulls: what upstream calls it, what its nodes are told, and the digests that pin both."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cli.keys.identity import write_fields
from cli.keys.passwords import secret_path
from cli.stackfile.edit import Scalar
from cli.tools.errors import FailedError
from cli.tools.page import Page, Table
from cli.tools.project import Stack
from cli.tools.pulumi import pulumi
from cli.tools.registry import docker_config, docker_credentials, pull_secret
from federation.base.errors import FederationError, Problem
from federation.rules.values import named_images
from federation.stack.plan import StackPlan
from federation.units.own_objects import images_of


def images_data(plan: StackPlan) -> dict[str, Any]:
    """{"images": [{upstream, reference, usedBy}]}, each image once."""
    users: dict[tuple[str, str], list[str]] = {}
    for upstream, reference, user in image_uses(plan):
        users.setdefault((upstream, reference), []).append(user)
    return {"images": [{"upstream": upstream, "reference": reference, "usedBy": by} for (upstream, reference), by in sorted(users.items())]}


def images_text(plan: StackPlan) -> Page:
    """The same as a table; one column for both names where no image is pulled from elsewhere."""
    images = images_data(plan)["images"]
    elsewhere = any(image["upstream"] != image["reference"] for image in images)
    columns = {"upstream": "upstream", "reference": "reference"} if elsewhere else {"reference": "image"}
    rows = [(*(image[column] for column in columns), ", ".join(image["usedBy"])) for image in images]
    return Page((Table((*columns.values(), "used by"), rows),))


def image_uses(plan: StackPlan) -> Iterator[tuple[str, str, str]]:
    """Each image that a unit's pods pull: who pulls it, what nodes are told, what upstream calls it."""
    for unit in plan.units:
        for module, image in sorted(unit.images.items()):
            yield image.upstream, image.reference, f"{unit.key}/{module}"
    for file in plan.manifests:
        for reference in sorted(set(images_of(file.documents()))):
            yield reference, reference, f"manifests/{file.name}"


@dataclass(frozen=True)
class Pins:
    """What `images pin` did, by upstream's names: digests that it wrote; and what tags stand for now that are pinned to another one.

    `beyond`: references that no digest of the stack file reaches.
    """

    written: dict[str, str]
    moved: dict[str, str]
    beyond: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """As data."""
        return {"written": self.written, "moved": self.moved, "beyond": list(self.beyond)}


def pin(stack: Stack, digest: Callable[[str], str], *, update: bool) -> Pins:
    """Write the digests of all images into the stack file, with `update` also of those that have one.

    `digest`: of a reference with a tag; it raises FailedError. FederationError with all that failed; then nothing was written.
    """
    loaded = stack.load()
    known, uses, beyond = named_images(loaded.spec), {}, []
    for upstream, reference, _ in image_uses(loaded.plan):
        if upstream in known:
            uses[upstream] = reference
        elif "@" not in reference:
            beyond.append(reference)
    digests: dict[str, str] = {}
    problems = []
    for upstream, reference in sorted(uses.items()):
        try:
            digests[upstream] = digest(reference.partition("@")[0])
        except FailedError as error:
            problems.append(Problem(reference, error.problem, f"{error.fix}; nothing was written"))
    if problems:
        raise FederationError(problems)
    pinned = loaded.spec.images.digests
    moved = {upstream: now for upstream, now in digests.items() if pinned.get(upstream, now) != now}
    written: dict[str, Scalar] = {
        upstream: now for upstream, now in digests.items() if upstream not in pinned or (update and upstream in moved)
    }
    if written:
        write_fields(stack, ("images", "digests"), written)
    left = {} if update else moved
    return Pins({upstream: str(now) for upstream, now in written.items()}, left, tuple(sorted(set(beyond))))


def pins_text(pins: Pins) -> str:
    """What was done, and what is left to do."""
    lines = [f"pinned: {upstream}@{now}" for upstream, now in pins.written.items()] or [
        "every image that can be pinned has a digest already"
    ]
    lines += [
        f"moved: {upstream} is {now} now, but another one is pinned: --update writes the new one" for upstream, now in pins.moved.items()
    ]
    lines += [
        f"not pinned: {reference} is in a file of fate:manifests or in chartValues: write its digest there" for reference in pins.beyond
    ]
    return "\n".join(lines)


class Logins:
    """Users and passwords of registries: those of a Docker configuration, then those of the stack's pull secret."""

    def __init__(self, stack: Stack, file: Path | None) -> None:
        self._stack, self._file = stack, file
        # Why those of the pull secret, or of a file, were left out.
        self.unusable: FailedError | None = None

    def read(self) -> None:
        """Reads the pull secret, before many images ask at once and within limits of time: pulumi takes seconds."""
        _ = self._pull_secret

    def if_usable(self, registry: str) -> tuple[str, str] | None:
        """The same; None also when what there is is unusable: many registries show their images to everybody."""
        try:
            return self(registry)
        except FailedError as error:
            self.unusable = error
            return None

    def __call__(self, registry: str) -> tuple[str, str] | None:
        """For a registry; None without. FailedError when what there is is unusable."""
        login = docker_credentials(self._own, registry)
        if login is None and isinstance(self._pull_secret, FailedError):
            raise self._pull_secret
        return login or docker_credentials(self._pull_secret, registry)

    @cached_property
    def _own(self) -> Any:
        return docker_config(self._file)

    @cached_property
    def _pull_secret(self) -> Any:
        """What it holds, or why that is unknown."""
        named = self._stack.load().spec.images.pull_secret
        if named is None or named.secret is None or self._file is not None:
            return {}
        try:
            return pull_secret(pulumi(self._stack, "config", "get", "--path", secret_path(named.secret)))
        except FederationError as error:
            return FailedError(f"fate:secrets.{named.secret}: {error.problems[0].problem}", error.problems[0].remedy)
        except FailedError as error:
            return error
