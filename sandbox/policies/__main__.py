"""Starts the enforcer: python -m sandbox.policies ROOT ORGANIZATION NODE."""

import sys
import time
from pathlib import Path

from sandbox import state
from sandbox.api import Api
from sandbox.errors import SandboxError
from sandbox.policies.enforcer import USER, apply_rules, enforce, require_bridge_filter, rules_in_force


def main(root: str, organization: str, node: str) -> None:
    """Enforce the policies of an organization's cluster on one node, in the network namespace of the caller."""
    cluster = state.load(Path(root), organization)
    if cluster is None:
        raise SandboxError(f"{organization} has no cluster in {root}")
    require_bridge_filter()
    enforce(Api(cluster, USER), node, say, apply_rules, in_force=rules_in_force())


def say(line: str) -> None:
    """A line of the log, with the time in UTC."""
    print(f"{time.strftime('%H:%M:%S', time.gmtime())} {line}", flush=True)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except SandboxError as problem:
        sys.exit(f"sandbox: {problem}")
