"""`make demo`: three organizations, each with a cluster of its own, linked into a federation by real `pulumi up`s.

It does what three separate operators would do. Between their folders only signed descriptor files are copied, and
fingerprints of keys are told. It can be interrupted and run again; it writes no tracked file.
"""

import shutil
import sys
import time
from collections.abc import Sequence

from sandbox import cluster, tools
from sandbox.errors import SandboxError
from sandbox.state import COMPONENTS, default_root, organizations
from sandbox.steps import counts, each, export, must_be_unchanged, receive, run, say, step
from sandbox.summary import show_summary
from sandbox.workspace import REPO, Workspace

DEMO = REPO / ".demo"
EXCHANGE, PARTIES = "consortium", {"bank-a": "9999", "clinic-b": "10000"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; exit status 1 when any step did not do what it should."""
    return run("demo", __doc__, {"up": up, "down": down}, arguments)


def up() -> None:
    """Bring everything up and link it."""
    begun = time.monotonic()
    organizations = [EXCHANGE, *PARTIES]
    with step("tools: find or build"):
        tools.ensure((*tools.CLIENT_TOOLS, *COMPONENTS), say)
    with step("three control planes"):
        cluster.up(default_root(), organizations, say)
    spaces = {name: Workspace(name, DEMO / name, cluster.kubeconfig(default_root(), name)) for name in organizations}
    with step("three working folders: project, backend, passphrase, stack"):
        each(spaces, lambda space: space.prepare())
    consortium = spaces[EXCHANGE]
    with step("identities: each makes the key that signs its descriptors"):
        each(spaces, lambda space: space.fatefed("identity", "create"))
    with step("each party: its certificate authority and its passwords, encrypted in its stack file"):
        each({name: spaces[name] for name in PARTIES}, lambda space: space.fatefed("trust", "init"))
        each(spaces, lambda space: space.fatefed("secrets", "init"))
    with step("consortium: pulumi up (the exchange)"):
        say(f"  {counts(consortium.up())}")
        export(consortium)
    with step("bank-a and clinic-b: import the exchange, pulumi up (a FATE party each)"):
        each({name: spaces[name] for name in PARTIES}, lambda space: _join(space, consortium))
    with step("consortium: import both parties, preview, pulumi up"):
        _link(consortium, [spaces[name] for name in PARTIES])
    with step("bank-a and clinic-b: accept each other, for the certificates of their data plane"):
        bank, clinic = (spaces[name] for name in PARTIES)
        _trust(bank, clinic)
        _trust(clinic, bank)
    with step("a second pulumi up changes nothing, anywhere"):
        each(spaces, must_be_unchanged)
    show_summary(spaces, PARTIES, time.monotonic() - begun)


def down() -> None:
    """Stop the three control planes and delete what the demo made; other clusters of the sandbox stay."""
    ours = [EXCHANGE, *PARTIES]
    # An empty list would mean every cluster.
    if running := [name for name in ours if name in organizations(default_root())]:
        cluster.down(default_root(), running, say)
    for name in ours:
        shutil.rmtree(DEMO / name, ignore_errors=True)
    say("the demo's clusters and folders are gone")


def _join(space: Workspace, consortium: Workspace) -> None:
    receive(space, consortium)
    say(f"  {space.organization}: {counts(space.up())}")
    export(space)


# What a preview of the exchange's stack may hold when parties join.
_LINKING = [
    ("update", "kubernetes:core/v1:ConfigMap", "exchange-routes"),
    ("update", "kubernetes:networking.k8s.io/v1:NetworkPolicy", "exchange-policy-doctor"),
    ("update", "kubernetes:networking.k8s.io/v1:NetworkPolicy", "exchange-policy-peers-nginx"),
    ("update", "kubernetes:networking.k8s.io/v1:NetworkPolicy", "exchange-policy-peers-traffic-server"),
    ("update", "fate:federation:Exchange", "exchange"),
    ("update", "pulumi:pulumi:Stack", "fate-consortium"),
]


def _link(consortium: Workspace, parties: list[Workspace]) -> None:
    for party in parties:
        receive(consortium, party)
    _must_only_change(consortium, _LINKING)
    say(f"  {counts(consortium.up())}")


def _trust(space: Workspace, peer: Workspace) -> None:
    receive(space, peer)
    party = f"party-{PARTIES[space.organization]}"
    allowed = [
        ("update", "kubernetes:core/v1:Secret", f"{party}-pulsar-cert"),
        ("update", "kubernetes:core/v1:ConfigMap", f"{party}-nginx-routes"),
        ("update", "kubernetes:core/v1:ConfigMap", f"{party}-pulsar-routes"),
        ("update", "fate:federation:FateParty", party),
        ("update", "pulumi:pulumi:Stack", f"fate-{space.organization}"),
    ]
    _must_only_change(space, allowed)
    say(f"  {space.organization}: {counts(space.up())}")


def _must_only_change(space: Workspace, allowed: list[tuple[str, str, str]]) -> None:
    changes = [change for change in space.preview() if not change[1].startswith("fate:federation:External")]
    for operation, kind, name in changes:
        say(f"  {space.organization}: preview: {operation} {kind} {name}")
    if unexpected := [change for change in changes if change not in allowed]:
        raise SandboxError(f"adding peers must only change routes, network policies and trust, but would also: {unexpected}")


if __name__ == "__main__":
    sys.exit(main())
