"""The kubeconfig that a stack is deployed with, as kubectl and Pulumi find it. Only what it offers is read, no credential."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from federation.config.stack import ClusterSpec

_BY_DEFAULT = Path("~/.kube/config")
_BETWEEN = ":"


@dataclass(frozen=True)
class Kubeconfig:
    """The merged entries of several files: of two entries with one name, the first one counts."""

    files: tuple[str, ...]
    current: str | None = None
    # The API server of each context.
    servers: Mapping[str, str] = field(default_factory=dict)
    # Why a file cannot be used.
    broken: str = ""

    def problem(self, spec: ClusterSpec) -> tuple[str, str] | None:
        """Why a stack's cluster cannot be reached with these files, and the remedy; None: nothing in them keeps it from that."""
        named = " and ".join(self.files)
        if self.broken or not self.files:
            where = "cluster.kubeconfig" if spec.kubeconfig else "KUBECONFIG"
            return self.broken or f"there is no kubeconfig, neither in KUBECONFIG nor at {_BY_DEFAULT}", f"name your kubeconfig in {where}"
        others = f"; it has: {', '.join(sorted(self.servers))}" if self.servers else ""
        if spec.context is None and self.current is None:
            return f"{named} has no current context{others}", "name one in fate:cluster.context"
        if (spec.context or self.current) not in self.servers:
            whose = f"context {spec.context}" if spec.context else f"its own current context {self.current}"
            return f"{named} does not have {whose}{others}", "correct fate:cluster.context, or name another file in KUBECONFIG"
        return None

    def server(self, spec: ClusterSpec) -> str:
        """The API server that a stack's context leads to; empty when that is not known."""
        return self.servers.get(spec.context or self.current or "", "")


def read_kubeconfig(spec: ClusterSpec, variable: str, folder: Path | None = None) -> Kubeconfig:
    """The kubeconfig of a stack. `variable`: the value of KUBECONFIG; `folder`: where relative paths begin (default: the working one)."""
    if spec.kubeconfig:
        named, paths = True, [(folder or Path()) / Path(spec.kubeconfig).expanduser()]
    else:
        listed = [Path(path) for path in variable.split(_BETWEEN) if path]
        named, paths = bool(listed), listed or [_BY_DEFAULT.expanduser()]
    there = [path for path in paths if path.exists()]
    if named and not there:
        return Kubeconfig((), broken=f"there is no file {', '.join(map(str, paths))}")
    current: str | None = None
    servers: dict[str, str] = {}
    for path in there:
        try:
            read = yaml.safe_load(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError):
            return Kubeconfig((), broken=f"{path} cannot be read as a kubeconfig")
        content: Mapping[str, Any] = read if isinstance(read, dict) else {}
        current = current or content.get("current-context") or None
        clusters = {name: str(cluster.get("server", "")) for name, cluster in _named(content, "clusters", "cluster")}
        servers = {name: clusters.get(context.get("cluster", ""), "") for name, context in _named(content, "contexts", "context")} | servers
    return Kubeconfig(tuple(map(str, there)), current, servers)


def _named(content: Mapping[str, Any], section: str, field_name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    entries = content.get(section)
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and "name" in entry:
            yield str(entry["name"]), entry.get(field_name) or {}
