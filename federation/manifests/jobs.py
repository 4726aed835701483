"""Jobs that a plan runs before the chart: a script in a ConfigMap, in an image of the release, awaited by `pulumi up`."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from federation.base.naming import selector
from federation.base.pods import Toleration
from federation.chart_values.modules import Container, SecretKey
from federation.manifests.objects import Manifest, config_map

# Longer than a script waits for its server (60 times 2 s, and 5 s for each attempt).
_SECONDS = 600
_SCRIPTS = "/scripts"


@dataclass(frozen=True)
class JobPlan:
    """A Job and the ConfigMap with its files."""

    files: Manifest
    job: Manifest


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a Job runs: `command` in a container, with files and an environment of plain values and of Secrets."""

    name: str
    command: tuple[str, ...]
    files: Mapping[str, str]
    env: Mapping[str, str]
    secrets: Mapping[str, SecretKey]
    container: Container
    # What is not part of the files, and makes a finished Job run again: such as which password it is about.
    occasion: str = ""


@dataclass(frozen=True, kw_only=True)
class Where:
    """Where a party's Jobs run, and what their pods have in common."""

    instance: str
    namespace: str
    labels: Mapping[str, str]
    pull_policy: str
    pull_secrets: tuple[str, ...]
    node_selector: Mapping[str, str]
    tolerations: tuple[Toleration, ...]


def script(name: str) -> str:
    """The text of a script of `federation/manifests/scripts`."""
    return files("federation.manifests").joinpath("scripts", name).read_text("utf-8")


def job(task: Task, where: Where) -> JobPlan:
    """A Job that runs once. It is replaced, and so runs again, when a file, the target or the occasion changes; never by itself.

    Nothing deletes a finished Job (no ttlSecondsAfterFinished): the next `pulumi up` would make it again.
    """
    labels = {**where.labels, **selector(task.name, where.instance), "app.kubernetes.io/component": task.name}
    name = f"{task.name}-files"
    config = config_map(name, name, where.namespace, labels, task.files)
    template = {"metadata": {"labels": labels, "annotations": _run_again(task)}, "spec": _pod(task, where, name)}
    spec = {"backoffLimit": 1, "activeDeadlineSeconds": _SECONDS, "template": template}
    # A Job that failed is replaced by the next `pulumi up`, which would else wait for the failed one.
    notes = {"pulumi.com/replaceUnready": "true"}
    return JobPlan(config, Manifest(task.name, "batch/v1", "Job", task.name, where.namespace, labels, notes, {"spec": spec}))


def _run_again(task: Task) -> dict[str, str]:
    text = "".join(f"{name}\0{content}\0" for name, content in sorted(task.files.items()))
    occasion = {"federation.fate/occasion": task.occasion} if task.occasion else {}
    return {"checksum/files": hashlib.sha256(text.encode()).hexdigest(), **occasion}


def _pod(task: Task, where: Where, config: str) -> dict[str, Any]:
    user = task.container.security.run_as_user
    placement: dict[str, Any] = {"nodeSelector": dict(where.node_selector)} if where.node_selector else {}
    if where.tolerations:
        placement["tolerations"] = [toleration.plain() for toleration in where.tolerations]
    if where.pull_secrets:
        placement["imagePullSecrets"] = [{"name": name} for name in where.pull_secrets]
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        **placement,
        "containers": [
            {
                "name": task.name,
                "image": task.container.image,
                "imagePullPolicy": task.container.image_pull_policy or where.pull_policy,
                "command": list(task.command),
                "env": _environment(task),
                "resources": task.container.resources.plain(),
                "securityContext": {
                    **({} if user is None else {"runAsUser": user, "runAsNonRoot": True}),
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                # Some shells keep a here-document in a file.
                "volumeMounts": [{"name": "files", "mountPath": _SCRIPTS, "readOnly": True}, {"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108
            }
        ],
        "volumes": [
            {"name": "files", "configMap": {"name": config}},
            {"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
        ],
    }


def _environment(task: Task) -> list[dict[str, Any]]:
    plain = [{"name": name, "value": value} for name, value in task.env.items()]
    return plain + [{"name": name, "valueFrom": {"secretKeyRef": key.plain()}} for name, key in task.secrets.items()]
