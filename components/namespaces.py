"""The namespaces of a stack as they are before it touches them, asked by kubectl: Pulumi can read no object that may be missing."""

import json
import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pulumi
from pulumi import ResourceHook, ResourceHookArgs, ResourceHookOptions

from components.last_messages import LastMessages
from federation.base import naming
from federation.base.errors import FederationError, PlaceOf, Problem
from federation.changes.cluster import unreachable_cluster
from federation.config.kubeconfig import read_kubeconfig
from federation.config.kubectl import environment, kubectl
from federation.config.stack import ClusterSpec
from federation.units.namespace_owner import CLAIMS, WORKLOADS, Occupants, foreign_owner, granted, left_claims, names_of_ours, occupied
from federation.units.node_ports import node_ports, taken_node_ports
from federation.units.unit import UnitPlan

_SECONDS = 20  # an API server that is well answers in far less than one


class UnreadError(Exception):
    """The content of a namespace is unknown, which is no reason to stop: kubectl is missing, or may not read it."""


class Namespaces:
    """Whose the stack's namespaces are, and whose its node ports. Of a unit that the state does not know more is asked."""

    def __init__(self, spec: ClusterSpec, folder: Path, place_of: PlaceOf, units: Iterable[UnitPlan]) -> None:
        """`folder`: from where a relative kubeconfig is meant.

        FederationError when a namespace belongs to another stack, or is missing and not for this one to make, and when a Service
        that is not of this stack has a node port of a unit; RunError when the cluster does not answer.
        """
        self._spec, self._folder, self._place = spec, folder, place_of
        units = [*units]
        if spec.scope == "namespaced" and (absent := [unit for unit in units if not self._exists(unit.namespace)]):
            problem = "namespace {} does not exist, or has no ConfigMap kube-root-ca.crt"
            raise FederationError(Problem(self._at(unit), problem.format(unit.namespace), granted(unit.namespace)) for unit in absent)
        notes = [(unit, self._note(unit)) for unit in self._asked(units)]
        wrong = [(unit, why) for unit, note in notes if note is not None and (why := foreign_owner(unit, note)) is not None]
        taken = [Problem(self._at(unit), problem, remedy) for unit, problem, remedy in taken_node_ports(units, self._services(units))]
        if wrong or taken:
            raise FederationError([*(Problem(self._at(unit), *why) for unit, why in wrong), *taken])

    def occupancy_guard(self, unit: UnitPlan, last: LastMessages) -> ResourceHook:
        """Refuses, in a preview too, a unit that the state does not know, where others use its namespace; warns of claims that are left."""

        def check(_: ResourceHookArgs) -> None:
            for asked in self._asked([unit]):
                try:
                    occupants = self._occupants(asked)
                except UnreadError as error:
                    pulumi.log.warn(f"{unit.key}: whether others use namespace {unit.namespace} is not known: {error}")
                    continue
                if (why := occupied(unit, occupants)) is not None:
                    last.refuse(f"fate:{unit.config_path}: {why[0]}\n    remedy: {why[1]}")
                if (left := left_claims(unit, occupants)) is not None:
                    pulumi.log.warn(f"{unit.key}: {left[0]}\n    remedy: {left[1]}")

        return ResourceHook(f"{unit.key}-is-free", check, opts=ResourceHookOptions(on_dry_run=True))

    def _asked(self, units: Iterable[UnitPlan]) -> list[UnitPlan]:
        return [unit for unit in units if unit.namespace not in self._spec.take_over]

    def _at(self, unit: UnitPlan) -> str:
        return self._place(tuple(unit.config_path.split(".")))

    def _services(self, units: Iterable[UnitPlan]) -> list[Mapping[str, Any]]:
        """All Services of the cluster, where a unit was given node ports; none where the stack may not read them (doctor says so)."""
        if not any(map(node_ports, units)):
            return []
        try:
            return list((self._get("default", "services", "--all-namespaces") or {}).get("items", []))
        except UnreadError:
            return []

    def _exists(self, namespace: str) -> bool:
        """Whether a namespace is there: by what Kubernetes puts into each, which the published Role may read; unread counts as there."""
        try:
            return self._get(namespace, "configmaps", naming.ROOT_CA) is not None
        except UnreadError:
            return True

    def _note(self, unit: UnitPlan) -> Mapping[str, str] | None:
        try:
            return self._owner(unit)
        except UnreadError as error:
            pulumi.log.warn(f"{unit.key}: whose namespace {unit.namespace} is, is not known: {error}")
            return None

    def _owner(self, unit: UnitPlan) -> Mapping[str, str] | None:
        note = self._get(unit.namespace, "configmaps", naming.OWNER)
        return None if note is None else note.get("data") or {}

    def _occupants(self, unit: UnitPlan) -> Occupants:
        read = {resource: (self._get(unit.namespace, resource) or {}).get("items", []) for resource in (*WORKLOADS, CLAIMS)}
        workloads = [name for resource in WORKLOADS for name in names_of_ours(resource, read[resource])]
        return Occupants(self._owner(unit), tuple(workloads), tuple(sorted(item["metadata"]["name"] for item in read[CLAIMS])))

    def _get(self, namespace: str, *what: str) -> dict[str, Any] | None:
        """The object that `kubectl get` prints; None: it does not exist. UnreadError; RunError when the cluster does not answer."""
        command = kubectl(self._spec, os.environ)
        if command is None:
            raise UnreadError("kubectl is not found on PATH; install it, or name it with KUBECTL=PATH")
        options = ["--namespace", namespace, "--ignore-not-found", "--output", "json", f"--request-timeout={_SECONDS}s"]
        asked = {
            "capture_output": True,
            "text": True,
            "timeout": _SECONDS + 5,
            "cwd": self._folder,
            "env": environment(self._spec, os.environ),
        }
        try:
            done = subprocess.run([*command, "get", *what, *options], check=False, **asked)  # type: ignore[call-overload]
        except subprocess.TimeoutExpired:
            raise self._unreachable() from None
        except OSError as error:
            raise UnreadError(f"kubectl cannot be run: {error.strerror}") from None
        if done.returncode == 0:
            return dict(json.loads(done.stdout)) if done.stdout.strip() else None
        reason = ([line.strip() for line in done.stderr.splitlines() if line.strip()] or ["kubectl failed without a message"])[-1]
        if "(Forbidden)" in reason:
            raise UnreadError(reason)
        raise self._unreachable()

    def _unreachable(self) -> pulumi.RunError:
        return pulumi.RunError(unreachable_cluster(self._spec, read_kubeconfig(self._spec, os.environ.get("KUBECONFIG", ""), self._folder)))
