"""What crosses a bridge is counted once, by client, server and port: two network namespaces beside one with the bridge. Needs nft."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from sandbox.flows import count, flows

pytestmark = pytest.mark.nodes

SIZE = 200_000
SERVER = """
import socket
server = socket.create_server(("10.9.0.2", 5672))
print("listening", flush=True)
connection, _ = server.accept()
connection.sendall(b"x" * int(input()))
connection.close()
"""
CLIENT = """
import socket
connection = socket.create_connection(("10.9.0.2", 5672), timeout=10)
while connection.recv(65536): pass
"""


def inside(holder: "subprocess.Popen[bytes]") -> list[str]:
    return ["nsenter", "-t", str(holder.pid), "-n", "--"]


@pytest.fixture
def namespaces() -> Iterator[list[list[str]]]:
    """How to enter the one with the bridge, and the two that it connects: 10.9.0.1 and 10.9.0.2."""
    # The holder says so when it is in its namespace.
    holders = [subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec sleep 60"], stdout=subprocess.PIPE) for _ in range(3)]
    try:
        for holder in holders:
            assert holder.stdout is not None
            holder.stdout.readline()
        bridge, *others = [inside(holder) for holder in holders]

        def ip(namespace: list[str], *arguments: str) -> None:
            subprocess.run([*namespace, "ip", *arguments], check=True)

        ip(bridge, "link", "add", "br0", "type", "bridge")
        ip(bridge, "link", "set", "br0", "up")
        for number, namespace in enumerate(others, 1):
            peer = ("peer", "name", "eth0", "netns", str(holders[number].pid))
            ip(bridge, "link", "add", f"v{number}", "master", "br0", "type", "veth", *peer)
            ip(bridge, "link", "set", f"v{number}", "up")
            ip(namespace, "address", "add", f"10.9.0.{number}/24", "dev", "eth0")
            ip(namespace, "link", "set", "eth0", "up")
        yield [bridge, *others]
    finally:
        for holder in holders:
            holder.kill()
            holder.wait()


def test_bytes_are_counted_once_even_when_counting_is_started_twice(namespaces: list[list[str]]) -> None:
    bridge, client, server = namespaces
    count(bridge)
    count(bridge)
    assert flows(bridge) == []
    with subprocess.Popen([*server, sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as serving:
        assert serving.stdin is not None
        assert serving.stdout is not None
        serving.stdin.write(f"{SIZE}\n")
        serving.stdin.flush()
        serving.stdout.readline()
        subprocess.run([*client, sys.executable, "-c", CLIENT], check=True, timeout=20)
    [flow] = flows(bridge)
    assert (flow.client, flow.server, flow.port, flow.connections) == ("10.9.0.1", "10.9.0.2", 5672, 1)
    assert SIZE < flow.received < 1.2 * SIZE, "headers are a part of it, and nothing is counted twice"
    assert 0 < flow.sent < flow.received
