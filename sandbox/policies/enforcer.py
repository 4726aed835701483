"""The process that keeps a node's rule set equal to the policies of its cluster. It runs in the node's network namespace.

The kernel keeps the last rule set when the process ends, also when it is killed.
"""

import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from sandbox.api import Api
from sandbox.errors import SandboxError
from sandbox.policies.cni import RESULTS, Assigned, with_addresses
from sandbox.policies.model import Object, PolicyError
from sandbox.policies.ruleset import TABLE, ruleset
from sandbox.policies.watch import Watched

USER = "policies"  # its client certificate
PATHS = {
    "policies": "/apis/networking.k8s.io/v1/networkpolicies",
    "pods": "/api/v1/pods",
    "namespaces": "/api/v1/namespaces",
    "nodes": "/api/v1/nodes",
}
_BRIDGE = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
APPLIED = "; applied in "  # in the log, for each rule set of this process
_SETTLE = 0.05  # seconds: what comes together is applied together
_RETRY = 1.0  # seconds

Say = Callable[[str], None]


def enforce(api: Api, node: str, say: Say, apply: Callable[[str], None], *, in_force: bool, results: Path = RESULTS) -> None:
    """Watch the cluster and apply each rule set that differs from the last one. Never returns.

    `in_force`: whether there is one already. `results`: where the network plugins keep what they assigned.
    """
    changed = threading.Event()
    watched = {name: Watched(api, path, changed, say).start() for name, path in PATHS.items()}
    assigned = Assigned(changed, say, results).start()
    before = "the rule set of an earlier run stays in force" if in_force else "nothing is denied"
    say(f"node {node}: {before} until policies, pods, namespaces and nodes have been read")
    applied = ""
    while True:
        changed.wait()
        changed.clear()
        time.sleep(_SETTLE)
        objects = {name: one.items() for name, one in watched.items()}
        this = next((item for item in objects["nodes"] if item["metadata"]["name"] == node), None)
        if this is None or not all(one.listed for one in watched.values()):
            continue
        began = time.monotonic()
        try:
            pods = with_addresses(objects["pods"], assigned.addresses)
            text = ruleset(objects["policies"], pods, objects["namespaces"], this)
            if text != applied:
                apply(text)
                applied = text
                say(f"{_counts(objects['policies'], objects['pods'], node)}{APPLIED}{(time.monotonic() - began) * 1000:.0f} ms")
        except PolicyError as error:
            say(f"{error}\n  the rule set of before stays until that is mended; pods that are new since then reach nothing")
        except SandboxError as error:
            say(f"{error}; the rule set of before stays, next try in {_RETRY:.0f} s")
            time.sleep(_RETRY)
            changed.set()


def apply_rules(text: str) -> None:
    """Replace our table. SandboxError with the words of nft."""
    done = subprocess.run(["nft", "-f", "-"], input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SandboxError(f"nft: {done.stderr.strip() or f'exit status {done.returncode}'}")


def rules_in_force() -> bool:
    """Whether the kernel has a rule set of ours, of this process or of an earlier one."""
    return subprocess.run(["nft", "list", "table", *TABLE.split()], capture_output=True, check=False).returncode == 0


def require_bridge_filter() -> None:
    """SandboxError where packets between two pods of this node would pass by every rule."""
    if not _BRIDGE.exists() or _BRIDGE.read_text().strip() != "1":
        raise SandboxError(f"{_BRIDGE} is not 1", "packets between pods on one bridge would not be filtered")


def _counts(policies: Iterable[Object], pods: Iterable[Object], node: str) -> str:
    own = sum(pod["spec"].get("nodeName") == node for pod in pods)
    return f"{len(list(policies))} policies, {own} pods of this node"
