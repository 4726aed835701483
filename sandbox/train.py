"""`make demo-train`: two organizations on real nodes, deployed by `pulumi up` alone, train a model across their clusters.

FATE 2.2.0 itself runs, in test images from `sandbox images`. It can be interrupted and run again; it writes no tracked file.
"""

import shutil
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from sandbox import cluster, flows, state, tools
from sandbox.files import private_dir, write_atomic
from sandbox.images import build as images
from sandbox.images.recipes import REGISTRY
from sandbox.real import requirements, wan
from sandbox.state import Cluster
from sandbox.steps import counts, each, export, must_be_unchanged, receive, run, say, step
from sandbox.workspace import REPO, Workspace

DEMO = REPO / ".demo" / "train"
ROOT = DEMO / "sandbox"
GUEST, HOST = "bank-a", "clinic-b"
PARTIES = {GUEST: "9999", HOST: "10000"}
_JOB_SECONDS = 500  # less than a workspace waits for a command
# Two parties share two processors: what FATE's images ask for by default would not fit.
_RESOURCES = {
    "fateflow": ("300m", "4", "2Gi", "6Gi"),
    "mysql": ("100m", "1", "256Mi", "1Gi"),
    "nginx": ("50m", "1", "64Mi", "256Mi"),
    "rabbitmq": ("100m", "1", "256Mi", "1Gi"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo. Exit status 1 when a step did not do what it should, 2 where real nodes cannot run."""
    return run("demo-train", __doc__, {"up": up, "down": down}, arguments)


def up() -> None:
    """Deploy both parties, link them, give each its part of the data, and train."""
    begun = time.monotonic()
    requirements.check()
    spaces = deploy(ROOT, DEMO)
    upload_samples(spaces)
    for job in ("toy", "psi", "train"):
        with step(f"{GUEST}: fatefed verify --job {job}"):
            say(verify(spaces[GUEST], job))
    show_flows(spaces)
    say(f"\nto go on by hand: cd {(DEMO / GUEST).relative_to(REPO)} && . ./env")
    say(f"the end: make demo-train-down\n\n{time.monotonic() - begun:.0f} s in all")


def down() -> None:
    """Stop the clusters and delete what the demo made."""
    if ROOT.is_dir():
        cluster.down(ROOT, [], say)
    shutil.rmtree(DEMO, ignore_errors=True)
    say("the demo's clusters and folders are gone")


def deploy(root: Path, folder: Path) -> dict[str, Workspace]:
    """Two clusters with real nodes below `root`, and in each a party, linked with the other's. Working folders below `folder`."""
    with step("tools and images: find or build"):
        tools.ensure((*tools.CLIENT_TOOLS, *state.COMPONENTS, *requirements.TOOLS), say)
        images.ensure(say)
    with step("two clusters with a real node each"):
        clusters = {one.organization: one for one in cluster.up(root, list(PARTIES), say, nodes="real")}
        flows.count(wan.enter(root))
    spaces = {name: Workspace(name, folder / name, cluster.kubeconfig(root, name)) for name in PARTIES}
    with step("two working folders: project, stack, keys and passwords"):
        _write_stacks(spaces, clusters)
        each(spaces, lambda space: space.prepare())
        each(spaces, lambda space: space.fatefed("keys", "init"))
    with step("both: pulumi up"):
        each(spaces, _first_up)
    with step("each accepts the other's descriptor: pulumi up"):
        for receiver, sender in ((GUEST, HOST), (HOST, GUEST)):
            receive(spaces[receiver], spaces[sender])
        each(spaces, lambda space: say(f"  {space.organization}: {counts(space.up())}"))
    with step("a second pulumi up changes nothing, anywhere"):
        each(spaces, must_be_unchanged)
    return spaces


def _first_up(space: Workspace) -> None:
    say(f"  {space.organization}: {counts(space.up())}")
    export(space)


def _write_stacks(spaces: Mapping[str, Workspace], clusters: Mapping[str, Cluster]) -> None:
    if all(space.stack_file.exists() for space in spaces.values()):
        return
    federation = {"name": "trial", "domain": "trial.example", "id": str(uuid.uuid4()), "topology": "mesh", "link": "native"}
    for name, space in spaces.items():
        others = [one for one in PARTIES if one != name]
        config = {
            "organization": name,
            "federation": federation,
            "cluster": {"ranges": [clusters[name].pod_cidr, clusters[name].service_cidr]},
            "images": {"registry": REGISTRY, "pullPolicy": "Never"},
            "parties": {PARTIES[name]: _party(PARTIES[name], [f"{clusters[other].node_ip()}/32" for other in others])},
            "peers": {other: {"descriptor": f"peers/{other}.json"} for other in others},
        }
        private_dir(space.stack_file.parent)
        text = yaml.safe_dump({"config": {f"fate:{key}": value for key, value in config.items()}}, sort_keys=False)
        write_atomic(space.stack_file, text.encode())


def _party(party: str, peers: list[str]) -> dict[str, Any]:
    """A slim party: FATE-Flow with Spark inside, MySQL, RabbitMQ and the router. `peers`: address ranges that may connect."""
    modules = {
        name: {"resources": {"requests": {"cpu": cpu, "memory": memory}, "limits": {"cpu": most, "memory": most_memory}}}
        for name, (cpu, most, memory, most_memory) in _RESOURCES.items()
    }
    return {
        "namespace": f"fate-{party}",
        "release": "2.2.0",
        "computing": "Spark_local",
        "federation": "RabbitMQ",
        "storage": "File",
        "persistence": {},
        "modules": modules,
        "publish": {service: {"type": "LoadBalancer", "sourceRanges": peers} for service in ("rabbitmq", "nginx")},
    }


def upload_samples(spaces: Mapping[str, Workspace]) -> None:
    """Give each organization its half of the sample, unless it has it."""
    with step("both: fatefed data upload, each its columns of people whom it knows"):
        each(spaces, _upload)


def _upload(space: Workspace) -> None:
    role = "guest" if space.organization == GUEST else "host"
    say("  " + space.fatefed("data", "upload", "--sample", role, "--replace").strip().splitlines()[-1])


def verify(space: Workspace, job: str) -> str:
    """The acceptance test with the other party; what it printed."""
    return space.fatefed("verify", "--peer", PARTIES[HOST], "--job", job, "--timeout", str(_JOB_SECONDS))


def node_addresses(root: Path) -> dict[str, str]:
    """Who has a node, by its address on the network between the clusters."""
    return {own.node_ip(): name for name in PARTIES if (own := state.load(root, name)) is not None}


def flows_between(root: Path) -> list[flows.Flow]:
    """What crossed the network between the clusters since they were deployed."""
    return flows.flows(wan.enter(root))


def show_flows(spaces: Mapping[str, Workspace]) -> None:
    """Print who talked to whom between the clusters: ports and bytes."""
    owners = node_addresses(ROOT)
    for name, space in spaces.items():
        for service in space.kubectl("get", "services", "-A")["items"]:
            owners[service["spec"]["clusterIP"]] = f"{name} {service['metadata']['name']}"
    say(f"\n{'who':24}{'to':36}{'port':>6}{'connections':>13}{'KiB sent':>11}{'KiB back':>11}")
    for flow in flows_between(ROOT):
        client, server = (owners.get(address, address) for address in (flow.client, flow.server))
        say(f"{client:24}{server:36}{flow.port:>6}{flow.connections:>13}{flow.sent / 1024:>11.1f}{flow.received / 1024:>11.1f}")


if __name__ == "__main__":
    sys.exit(main())
