"""Why pods are not ready, in one sentence, and what to do about it."""

from collections.abc import Iterator

from cli.doctor.snapshot import name_of
from cli.tools.kubectl import Object

# What Kubernetes calls it, and the remedy; {pod}, {container}, {namespace} and {module} are filled in.
_PULL = "check fate:images (registry, pullSecret), modules.{module}.image, and whether the nodes reach the registry"
_LOGS = "`kubectl -n {namespace} logs {pod} -c {container} --previous` says why"
_REMEDIES = {
    "ImagePullBackOff": _PULL,
    "ErrImagePull": _PULL,
    "InvalidImageName": "correct modules.{module}.image",
    "CrashLoopBackOff": _LOGS,
    "Error": _LOGS,
    "OOMKilled": "raise modules.{module}.resources.limits.memory",
    "CreateContainerConfigError": "a Secret or ConfigMap that it names is missing: run `pulumi up`, or create the one you named",
    "Unschedulable": "no suitable node has room for it: see modules.{module}.resources, nodeSelector and tolerations",
}
_ELSE = "`kubectl -n {namespace} describe pod {pod}` says more"


def pod_diagnosis(namespace: str, module: str, pods: list[Object], workload: Object | None = None) -> tuple[str, str]:
    """What keeps a module's pods from being ready, and what to do. `workload`: their Deployment, which says why it may not make any."""
    if not pods:
        refused = [
            condition for condition in (workload or {}).get("status", {}).get("conditions", []) if condition.get("type") == "ReplicaFailure"
        ]
        detail = "".join(f": {condition.get('message', '')}" for condition in refused)
        fix = "a quota, an account that is missing, or an admission plugin of the API server"
        return f"it has no pods{detail}", f"`kubectl -n {namespace} get events` says why: often {fix}"
    for pod in sorted(pods, key=name_of):
        for reason, message, container in _reasons(pod):
            names = {"namespace": namespace, "module": module, "pod": name_of(pod), "container": container}
            detail = f": {message}" if message else ""
            return f"{name_of(pod)}{f' ({container})' if container else ''} {reason}{detail}", _REMEDIES.get(reason, _ELSE).format(**names)
    pod = sorted(pods, key=name_of)[0]
    return "its pods have started, but do not answer yet", f"wait; else {_ELSE.format(namespace=namespace, pod=name_of(pod))}"


def _reasons(pod: Object) -> Iterator[tuple[str, str, str]]:
    """(reason, message, container) of what is wrong with a pod, the most telling first."""
    status = pod.get("status", {})
    for condition in status.get("conditions", []):
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            yield str(condition.get("reason", "Unschedulable")), str(condition.get("message", "")), ""
    for container in [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]:
        last = (container.get("lastState") or {}).get("terminated") or {}
        state = container.get("state") or {}
        if last.get("reason") == "OOMKilled":
            yield "OOMKilled", "it used more memory than its limit", container["name"]
        if (waiting := state.get("waiting")) and waiting.get("reason") not in (None, "PodInitializing", "ContainerCreating"):
            yield str(waiting["reason"]), str(waiting.get("message", "")), container["name"]
        if (ended := state.get("terminated")) and ended.get("exitCode"):
            yield str(ended.get("reason", "Error")), f"exit code {ended['exitCode']}", container["name"]
