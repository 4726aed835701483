"""The network between clusters is mended by the next start, whatever is left of it. Its boxes are bare namespaces here."""

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import processes, state
from sandbox.real import box, wan
from sandbox.state import Cluster

pytestmark = pytest.mark.nodes

ROOT_NAMESPACES = ("net", "mnt", "pid", "ipc", "uts", "cgroup")


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[list[Cluster]]:
    """Two boxes in which nothing runs, connected."""
    clusters = [state.create(tmp_path, name, "real") for name in ("bank-a", "clinic-b")]
    try:
        for cluster in clusters:
            cluster.run.mkdir(parents=True, exist_ok=True)
            log = cluster.run / "box.log"
            box.launch(cluster.run, "box", ["/bin/sleep", "infinity"], log, namespaces=ROOT_NAMESPACES)
        mend(tmp_path, clusters)
        assert reaches(*clusters)
        yield clusters
    finally:
        processes.stop([cluster.pid_file("box") for cluster in clusters], grace=0.1)
        wan.stop(tmp_path)


def mend(root: Path, clusters: list[Cluster]) -> None:
    """What `sandbox up` does about the network."""
    wan.start(root)
    for cluster in clusters:
        wan.connect(root, cluster)


def reaches(one: Cluster, other: Cluster) -> bool:
    """Whether a box gets an answer from another's kernel: a refused connection is one, and silence is none."""
    command = [*box.enter(one), "busybox", "nc", "-w", "2", other.node_ip(), "9"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=20)
    return "refused" in done.stderr


def test_a_network_whose_start_was_interrupted_is_finished(pair: list[Cluster], tmp_path: Path) -> None:
    subprocess.run([*wan.enter(tmp_path), "ip", "link", "delete", "br0"], check=True)
    assert not reaches(*pair)
    mend(tmp_path, pair)
    assert reaches(*pair)


def test_boxes_leave_a_network_that_has_ended_and_that_something_keeps(pair: list[Cluster], tmp_path: Path) -> None:
    keeper = subprocess.Popen([*wan.enter(tmp_path), "sleep", "60"])
    try:
        time.sleep(0.5)  # until it is inside
        record = processes.read_record(tmp_path / ".wan.pid")
        assert record is not None
        assert processes.send(record, signal.SIGKILL)
        while processes.alive(record):
            time.sleep(0.01)
        assert "wan0@" in box.run(pair[0], "ip", "-o", "link"), "else nothing is left of the old network"
        mend(tmp_path, pair)
        assert reaches(*pair)
    finally:
        keeper.kill()
        keeper.wait()


def test_a_network_that_is_whole_stays_as_it_is(pair: list[Cluster], tmp_path: Path) -> None:
    before = box.run(pair[0], "ip", "-o", "link")
    mend(tmp_path, pair)
    assert box.run(pair[0], "ip", "-o", "link") == before
