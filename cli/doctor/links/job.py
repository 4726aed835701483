"""A short Job that asks peers from inside the cluster: the program of probe.py in FATE-Flow's image, deleted afterwards."""

import inspect
import json
import math
import secrets
import time
from typing import Any

from cli.doctor import probe
from cli.doctor.pods import pod_diagnosis
from cli.doctor.snapshot import labels, name_of
from cli.tools.errors import CommandError, FailedError
from cli.tools.kubectl import Ask, Cluster, Object, Reading
from federation.base import naming
from federation.catalogue.kinds import KINDS
from federation.config.modules import ImageSpec
from federation.manifests.modules import image_use
from federation.stack.load import LoadedStack
from federation.units.unit import UnitPlan

NAME, IMAGE_MODULE = naming.DOCTOR, "fateflow"
_RIGHTS = "here: it needs docs/rbac/viewer.yaml and docs/rbac/doctor-job.yaml in namespace {}"
_LOOK_SECONDS = 0.5
# Shares of the time for everything: the pod starts, asks, and then its answers are read; the last seconds are for the deletion.
_ASKING, _CLEAN_SECONDS = 0.4, 3.0
_RESOURCES = {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"cpu": "500m", "memory": "256Mi"}}


def asking_unit(loaded: LoadedStack) -> UnitPlan:
    """Beside which unit the Job runs: a party, else the exchange. CommandError when the stack has neither, and so no such image."""
    with_image = [unit for unit in loaded.plan.units if KINDS[unit.kind].program == "FATE"]
    if with_image:
        return min(with_image, key=lambda unit: not KINDS[unit.kind].of_a_party)
    raise CommandError("--in-cluster", "no unit of this stack has an image with Python", "ask from this machine: drop --in-cluster")


def ask_in_cluster(
    loaded: LoadedStack, unit: UnitPlan, cluster: Cluster, questions: list[dict[str, Any]], seconds: float
) -> list[dict[str, Any]]:
    """The answers that a pod in the namespace of a unit gets. FailedError when there is no pod, or it does not end in time."""
    end = time.monotonic() + seconds - _CLEAN_SECONDS
    asking = seconds * _ASKING
    job = job_manifest(loaded, unit, {"questions": questions, "seconds": asking, "each": asking / 3}, seconds)
    name: str = job["metadata"]["name"]
    if (refused := cluster.create(job)) is not None:
        raise FailedError(f"the Job is refused: {refused.reason}", _RIGHTS.format(unit.namespace))
    try:
        pod = _ended(cluster, unit.namespace, name, end)
        output = cluster.output(unit.namespace, name_of(pod))
        if isinstance(output, Reading):
            raise FailedError(f"what pod {name_of(pod)} says cannot be read: {output.reason}", _RIGHTS.format(unit.namespace))
        return _answers(output)
    finally:
        # If that is refused, the Job's own ttlSecondsAfterFinished ends it.
        cluster.delete("job", unit.namespace, name)


def _ended(cluster: Cluster, namespace: str, name: str, end: float) -> Object:
    """The Job's pod, when it has ended."""
    question = Ask("pods", namespace)
    while True:
        reading = cluster.read([question])[question]
        if reading.state != "ok":
            raise FailedError(f"pods cannot be read: {reading.reason}", _RIGHTS.format(namespace))
        pods = [pod for pod in reading.items if labels(pod).get("job-name") == name]
        if pods and pods[0].get("status", {}).get("phase") in ("Succeeded", "Failed"):
            return pods[0]
        if time.monotonic() + _LOOK_SECONDS > end:
            why, fix = pod_diagnosis(namespace, IMAGE_MODULE, pods)
            raise FailedError(
                f"the Job's pod did not end in time: {why}", f"here: give more with --timeout, if its image is new there; {fix}"
            )
        time.sleep(_LOOK_SECONDS)


def _answers(output: str) -> list[dict[str, Any]]:
    try:
        answers: list[dict[str, Any]] = json.loads(output)
    except ValueError:
        last = (output.strip().splitlines() or ["nothing"])[-1][:200]
        raise FailedError(f"the pod says no answers, but: {last}", "here: has FATE-Flow's image python on its PATH?") from None
    return answers


def job_manifest(loaded: LoadedStack, unit: UnitPlan, request: dict[str, Any], seconds: float) -> Object:
    """The Job. Program and questions are arguments, so that it needs no ConfigMap; it has no token, no Secret and no volume."""
    values = unit.chart.values.plain()
    # The label by which a policy of the unit lets the pod out (federation/access/network_policy.py).
    marks = {naming.MODULE: NAME, naming.PART_OF: "fate"}
    pod = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "imagePullSecrets": [{"name": name} for name in values["imagePullSecrets"]],
        "containers": [{"name": NAME, **_container(loaded, unit), "args": ["-c", inspect.getsource(probe), json.dumps(request)]}],
        **_placement(values["modules"].get(IMAGE_MODULE, {})),
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": f"{NAME}-{secrets.token_hex(4)}", "namespace": unit.namespace, "labels": marks},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": math.ceil(seconds),
            "ttlSecondsAfterFinished": 60,
            "template": {"metadata": {"labels": marks}, "spec": pod},
        },
    }


def _container(loaded: LoadedStack, unit: UnitPlan) -> dict[str, Any]:
    """FATE-Flow's own image, which has Python and is on the party's nodes already; of an exchange, that of its release."""
    values = unit.chart.values.plain()
    module = values["modules"].get(IMAGE_MODULE)
    row = loaded.spec.catalogue[unit.release].modules[IMAGE_MODULE]
    user = row.security.run_as_user if module is None else module["security"].get("runAsUser")
    return {
        "image": image_use(row, ImageSpec(), loaded.spec.images).reference if module is None else module["image"],
        "imagePullPolicy": (module or {}).get("imagePullPolicy") or values["imagePullPolicy"],
        "command": ["python"],
        "resources": _RESOURCES,
        "securityContext": {
            **({} if user is None else {"runAsUser": user, "runAsNonRoot": True}),
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def _placement(module: dict[str, Any]) -> dict[str, Any]:
    """Where FATE-Flow's own pod may run."""
    return {key: module[key] for key in ("nodeSelector", "tolerations") if module.get(key)}
