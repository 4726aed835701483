"""When a rule set is applied, and what the log says: with a scripted API server in the place of a real one."""

import json
import os
import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.errors import SandboxError
from sandbox.policies import cni
from sandbox.policies.enforcer import APPLIED, PATHS, enforce

Object = dict[str, Any]
PATIENCE = 2.0  # seconds; changes must be applied within one


class Server:
    """The lists of an API server, and the events that a test sends to who watches them."""

    def __init__(self) -> None:
        node = {"metadata": {"name": "node-a", "resourceVersion": "1"}, "spec": {"podCIDR": "10.50.0.0/24"}}
        self.lists: dict[str, list[Object]] = {path: [] for path in PATHS.values()}
        self.lists[PATHS["nodes"]] = [node]
        self.lists[PATHS["namespaces"]] = [{"metadata": {"name": "party"}}]
        self.events: dict[str, queue.Queue[Object]] = {path: queue.Queue() for path in PATHS.values()}
        self.held = threading.Event()
        self.held.set()
        self.listings = 0

    def get(self, path: str) -> Object:
        """The list at a path; that of pods only once `held` is set."""
        if path == PATHS["pods"]:
            self.held.wait()
            self.listings += 1
        return {"items": self.lists[path], "metadata": {"resourceVersion": "1"}}

    def watch(self, path: str, version: str) -> Iterator[Object]:
        """Events, as the test sends them; one without a type breaks the connection."""
        assert version
        while event := self.events[path].get():
            if "type" not in event:
                raise ConnectionResetError("broken")
            yield event

    def send(self, name: str, kind: str, item: Object) -> None:
        """An event of the list."""
        item["metadata"]["resourceVersion"] = "2"
        self.events[PATHS[name]].put({"type": kind, "object": item})


class Running:
    """The enforcer in a thread, what it applied, and what it wrote."""

    def __init__(self, server: Server, *, in_force: bool = False, results: Path = Path("/nonexistent")) -> None:
        self.applied: queue.Queue[str] = queue.Queue()
        self.log: queue.Queue[str] = queue.Queue()
        self.refused = 0
        arguments = (server, "node-a", self.log.put, self._apply)
        threading.Thread(target=enforce, args=arguments, kwargs={"in_force": in_force, "results": results}, daemon=True).start()

    def _apply(self, text: str) -> None:
        if self.refused:
            self.refused -= 1
            raise SandboxError("nft: busy")
        self.applied.put(text)

    def says(self, part: str) -> str:
        """The next line of the log with this in it."""
        while part not in (line := self.log.get(timeout=PATIENCE)):
            pass
        return line


def pod(name: str, address: str) -> Object:
    """A pod of the node."""
    return {"metadata": {"name": name, "namespace": "party"}, "spec": {"nodeName": "node-a"}, "status": {"podIP": address}}


def policy(**spec: Any) -> Object:
    """A policy for every pod of the namespace."""
    return {"metadata": {"name": "closed", "namespace": "party"}, "spec": {"podSelector": {}} | spec}


def test_nothing_is_applied_and_the_log_says_so_until_everything_was_read() -> None:
    server = Server()
    server.held.clear()
    running = Running(server)
    assert running.says("node-a") == "node node-a: nothing is denied until policies, pods, namespaces and nodes have been read"
    with pytest.raises(queue.Empty):
        running.applied.get(timeout=0.3)
    server.held.set()
    assert "table inet sandbox-policies" in running.applied.get(timeout=PATIENCE)
    running.says(f"0 policies, 0 pods of this node{APPLIED}")


def test_a_second_run_says_that_the_rules_of_the_first_hold() -> None:
    running = Running(Server(), in_force=True)
    running.says("the rule set of an earlier run stays in force until")


def test_each_change_is_applied_within_a_second_and_only_if_it_changes_the_rules() -> None:
    server = Server()
    running = Running(server)
    running.applied.get(timeout=PATIENCE)
    server.send("policies", "ADDED", policy())
    assert "chain ingress/party/closed" in running.applied.get(timeout=1)
    server.send("pods", "ADDED", pod("db", "10.50.0.2"))
    assert "10.50.0.2 : goto ingress-0" in running.applied.get(timeout=1)
    server.send("pods", "MODIFIED", pod("db", "10.50.0.3"))
    assert "10.50.0.3 : goto ingress-0" in running.applied.get(timeout=1)
    server.send("pods", "BOOKMARK", {"metadata": {}})
    server.send("nodes", "MODIFIED", server.lists[PATHS["nodes"]][0] | {"status": {"heartbeat": 1}})
    with pytest.raises(queue.Empty):
        running.applied.get(timeout=0.3)
    server.send("policies", "DELETED", policy())
    assert "closed" not in running.applied.get(timeout=1)


@pytest.mark.parametrize("event", [{}, {"type": "ERROR", "object": {"code": 410}}], ids=["broken", "expired"])
def test_a_watch_that_ends_is_followed_by_a_new_list(event: Object) -> None:
    server = Server()
    running = Running(server)
    running.applied.get(timeout=PATIENCE)
    before = server.listings
    server.lists[PATHS["pods"]] = [pod("db", "10.50.0.2")]
    server.events[PATHS["pods"]].put(event or {"broken": True})
    assert "10.50.0.2" in running.applied.get(timeout=PATIENCE)
    assert server.listings > before


def test_a_policy_that_cannot_be_enforced_is_named_and_the_rules_of_before_stay() -> None:
    server = Server()
    running = Running(server)
    running.applied.get(timeout=PATIENCE)
    server.send("policies", "ADDED", policy(newField={}))
    assert "'newField'" in running.says("party/closed")
    with pytest.raises(queue.Empty):
        running.applied.get(timeout=0.3)
    server.send("policies", "MODIFIED", policy())
    assert "chain ingress/party/closed" in running.applied.get(timeout=1)


def result(folder: Path, name: str, address: str, container: str) -> None:
    """What libcni keeps of a pod's network."""
    kept = {
        "kind": "cniCacheV1",
        "containerId": container,
        "ifName": "eth0",
        "networkName": "pods",
        "cniArgs": [["IgnoreUnknown", "1"], ["K8S_POD_NAMESPACE", "party"], ["K8S_POD_NAME", name]],
        "result": {"cniVersion": "1.0.0", "ips": [{"address": f"{address}/24", "gateway": "10.50.0.1"}]},
    }
    (folder / f"pods-{container}-eth0").write_text(json.dumps(kept))


def test_a_pod_is_filtered_as_soon_as_the_node_gave_it_an_address(tmp_path: Path) -> None:
    server = Server()
    server.lists[PATHS["policies"]] = [policy()]
    starting = pod("db", "")
    server.lists[PATHS["pods"]] = [starting]
    (tmp_path / "cni-loopback-lo").write_text(json.dumps({"cniArgs": None, "result": {"cniVersion": "1.0.0"}}))
    running = Running(server, results=tmp_path)
    assert "goto" not in running.applied.get(timeout=PATIENCE)
    result(tmp_path, "db", "10.50.0.2", "first")
    assert "10.50.0.2 : goto ingress-0" in running.applied.get(timeout=1)
    # The API server's answer, which comes later, changes nothing.
    server.send("pods", "MODIFIED", pod("db", "10.50.0.2"))
    with pytest.raises(queue.Empty):
        running.applied.get(timeout=0.3)
    # After the node restarted: its new address counts at once, though the API server still has the old one.
    result(tmp_path, "db", "10.50.0.3", "second")
    os.utime(tmp_path / "pods-second-eth0", (2e9, 2e9))
    text = running.applied.get(timeout=1)
    assert "10.50.0.3 : goto ingress-0" in text
    assert "10.50.0.2" not in text


def test_a_result_that_is_being_written_is_read_when_it_is_complete(tmp_path: Path) -> None:
    server = Server()
    server.lists[PATHS["pods"]] = [pod("db", "")]
    (tmp_path / "pods-first-eth0").write_text('{"kind": "cniCache')
    running = Running(server, results=tmp_path)
    running.applied.get(timeout=PATIENCE)
    result(tmp_path, "db", "10.50.0.2", "first")
    assert "10.50.0.2" in running.applied.get(timeout=1)


def test_a_result_of_another_form_is_named_and_the_others_count(tmp_path: Path) -> None:
    server = Server()
    server.lists[PATHS["pods"]] = [pod("db", "")]
    for name, content in (("another", {"kind": "of another version"}), ("list", [1])):
        (tmp_path / f"pods-{name}-eth0").write_text(json.dumps(content))
    running = Running(server, results=tmp_path)
    running.says("the address in it is not used before the API server knows it")
    running.applied.get(timeout=PATIENCE)
    result(tmp_path, "db", "10.50.0.2", "first")
    assert "10.50.0.2" in running.applied.get(timeout=1)


def test_an_unreadable_folder_of_results_is_said_and_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server()
    server.lists[PATHS["pods"]] = [pod("db", "")]
    running = Running(server, results=tmp_path)
    running.applied.get(timeout=PATIENCE)
    sizes = cni._sizes
    monkeypatch.setattr(cni, "_sizes", lambda folder: [][0])
    running.says(f"{tmp_path}: IndexError: list index out of range; the addresses of before stay")
    monkeypatch.setattr(cni, "_sizes", sizes)
    result(tmp_path, "db", "10.50.0.2", "first")
    assert "10.50.0.2" in running.applied.get(timeout=1)


def test_an_event_of_another_form_is_said_and_the_list_is_read_again() -> None:
    server = Server()
    running = Running(server)
    running.applied.get(timeout=PATIENCE)
    server.lists[PATHS["pods"]] = [pod("db", "10.50.0.2")]
    server.events[PATHS["pods"]].put({"type": "ADDED", "object": {"kind": "Pod"}})
    running.says("/api/v1/pods: KeyError: 'metadata'; what was read before stays in force")
    assert "10.50.0.2" in running.applied.get(timeout=PATIENCE)


def test_what_nft_refuses_is_said_and_tried_again() -> None:
    server = Server()
    running = Running(server)
    running.applied.get(timeout=PATIENCE)
    running.refused = 1
    server.send("policies", "ADDED", policy())
    running.says("nft: busy; the rule set of before stays, next try in 1 s")
    assert "chain ingress/party/closed" in running.applied.get(timeout=PATIENCE)
