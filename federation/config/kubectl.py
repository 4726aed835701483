"""How kubectl reaches the cluster of a stack: as Pulumi's provider does."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from federation.config.stack import ClusterSpec


def kubectl(spec: ClusterSpec, environ: Mapping[str, str]) -> list[str] | None:
    """The program ($KUBECTL, else PATH) with the stack's kubeconfig and context; None when there is none."""
    program = environ.get("KUBECTL") or shutil.which("kubectl", path=environ.get("PATH"))
    if not program:
        return None
    chosen = [f"--context={spec.context}"] if spec.context else []
    chosen += [f"--kubeconfig={Path(spec.kubeconfig).expanduser()}"] if spec.kubeconfig else []
    return [program, *chosen]


def environment(spec: ClusterSpec, environ: Mapping[str, str]) -> dict[str, str]:
    """Kubectl's environment: in a pod its service account, whatever KUBECONFIG says."""
    hidden = {"KUBECONFIG"} if spec.in_cluster else set()
    return {name: value for name, value in environ.items() if name not in hidden}
