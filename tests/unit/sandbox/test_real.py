"""What a cluster with a real node has of its own: processes, addresses, certificates, files, and what it asks of the machine."""

import os
import struct
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509

from sandbox import cluster, components, credentials, objects, state
from sandbox.cli import main
from sandbox.errors import MissingRequirementsError, SandboxError
from sandbox.policies.enforcer import APPLIED
from sandbox.real import images, node, requirements, starting
from sandbox.state import COMPONENTS, REAL_COMPONENTS, Cluster


@pytest.fixture
def real(tmp_path: Path) -> Cluster:
    return state.create(tmp_path, "bank-a", "real")


@pytest.fixture
def kwok(tmp_path: Path) -> Cluster:
    return state.create(tmp_path, "clinic-b")


def test_a_cluster_has_kwoks_nodes_unless_asked_otherwise(tmp_path: Path, real: Cluster, kwok: Cluster) -> None:
    assert (kwok.nodes, kwok.components) == ("kwok", COMPONENTS)
    assert (real.nodes, real.components) == ("real", REAL_COMPONENTS)
    assert state.load(tmp_path, "bank-a") == real


def test_a_cluster_that_an_older_sandbox_made_has_kwoks_nodes(tmp_path: Path, kwok: Cluster) -> None:
    marker = kwok.folder / state.MARKER
    older = "".join(line for line in marker.read_text().splitlines(keepends=True) if '"nodes"' not in line).replace(",\n}", "\n}")
    assert older != marker.read_text()
    marker.write_text(older)
    assert state.load(tmp_path, "clinic-b") == kwok


def test_a_cluster_keeps_its_kind_of_nodes(tmp_path: Path, kwok: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements, "check", lambda: None)
    with pytest.raises(SandboxError, match="clinic-b has nodes of kind kwok, not real"):
        cluster.up(tmp_path, ["clinic-b"], print, "real")


def test_nodes_of_a_root_have_addresses_that_do_not_meet(real: Cluster, kwok: Cluster) -> None:
    addresses = {one.node_ip(number) for one in (real, kwok) for number in (1, 2, 3)}
    assert len(addresses) == 6
    names = [item["metadata"]["name"] for _, item in objects.base_objects(kwok) if item["kind"] == "Node"]
    assert names == ["clinic-b-1", "clinic-b-2", "clinic-b-3"]
    (only,) = [item for _, item in objects.base_objects(real, "dns:1") if item["kind"] == "Node"]
    assert only["spec"]["podCIDR"] == real.node_pods()


def test_only_an_api_server_with_a_real_node_listens_beyond_loopback(real: Cluster, kwok: Cluster) -> None:
    assert "--bind-address=127.0.0.1" in components.arguments(kwok, "kube-apiserver")
    arguments = components.arguments(real, "kube-apiserver")
    assert "--bind-address=0.0.0.0" in arguments
    assert f"--advertise-address={real.node_ip()}" in arguments


def test_only_a_real_node_has_certificates_and_they_name_it(real: Cluster, kwok: Cluster) -> None:
    for one in (real, kwok):
        credentials.ensure_pki(one)
    extra = {path.stem for path in real.pki.iterdir()} - {path.stem for path in kwok.pki.iterdir()}
    assert extra == {"kubelet", "kubelet-server", "kube-proxy", "policies", "apiserver-kubelet-client"}
    subject = x509.load_pem_x509_certificate((real.pki / "kubelet.crt").read_bytes()).subject.rfc4514_string()
    assert subject == "CN=system:node:bank-a-1,O=system:nodes"


def test_kwok_serves_volumes_and_addresses_and_no_pods_where_nodes_are_real(real: Cluster) -> None:
    node.write_files(real, "pause:1")
    config, *stages = yaml.safe_load_all((real.folder / "node" / "kwok.yaml").read_text())
    assert "manageAllNodes" not in config["options"]
    assert config["options"]["manageNodesWithAnnotationSelector"]
    assert {stage["spec"]["resourceRef"]["kind"] for stage in stages} == {"PersistentVolumeClaim", "PersistentVolume", "Service", "Ingress"}
    (claim,) = [stage for stage in stages if stage["metadata"]["name"] == "claim-gets-a-volume"]
    template = claim["spec"]["steps"][0]["apply"]["template"]
    assert "flexVolume: {driver: sandbox.federation.fate/folder}" in template
    assert "hostPath" not in template


def test_the_files_of_a_node_hold_its_values_and_no_placeholder(real: Cluster) -> None:
    node.write_files(real, "pause:1")
    files = [path for path in (real.folder / "node").rglob("*") if path.is_file() and path.suffix != ""]
    assert len(files) >= 5
    assert not [path.name for path in files if "$" in path.read_text()]
    assert yaml.safe_load((real.folder / "node" / "kubelet.yaml").read_text())["clusterDNS"] == [real.dns_ip]
    assert os.access(real.folder / "node/volume-plugins/sandbox.federation.fate~folder/folder", os.X_OK)


@pytest.mark.parametrize(
    ("user", "path", "sentence"),
    [
        (1000, "/usr/bin:/bin", "`--nodes real` needs root; `--nodes kwok` works without"),
        (0, "", "`--nodes real` needs the Debian packages busybox-static, containerd, iproute2, iptables, mount, nftables, procps, runc, "
                "util-linux (`make real-nodes` installs them); `--nodes kwok` works without"),
        (1000, "", "`--nodes real` needs root and the Debian packages busybox-static, "),
    ],
)  # fmt: skip
def test_what_a_machine_lacks_is_one_sentence(user: int, path: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(requirements, "_missing_plugins", lambda: [])
    monkeypatch.setattr(requirements, "_cgroups_will_do", lambda: True)
    monkeypatch.setattr(requirements, "_missing_busybox", lambda: [] if path else ["busybox-static"])
    monkeypatch.setattr(requirements, "_BRIDGE_FILTER", tmp_path)
    if path:
        monkeypatch.setattr(requirements, "_find", Path)
    else:
        monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingRequirementsError) as refused:
        requirements.check()
    assert str(refused.value).startswith(sentence)
    assert "\n" not in str(refused.value)


def test_a_busybox_that_needs_libraries_and_a_missing_kernel_module_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(requirements, "_find", Path)
    monkeypatch.setattr(requirements, "_missing_plugins", lambda: [])
    monkeypatch.setattr(requirements, "_cgroups_will_do", lambda: True)
    monkeypatch.setattr(requirements, "_BRIDGE_FILTER", tmp_path / "none")
    monkeypatch.setattr(images, "BUSYBOX", Path(sys.executable).resolve())
    with pytest.raises(MissingRequirementsError, match=r"Debian package busybox-static .* and the kernel module br_netfilter"):
        requirements.check()


def elf(*kinds: int, bits: int = 64, order: str = "<") -> bytes:
    """The start of a program with segments of these kinds."""
    wide = bits == 64
    head, row = (64, 56) if wide else (52, 32)
    data = bytearray(head + row * len(kinds))
    data[:6] = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2])
    struct.pack_into(f"{order}{'Q' if wide else 'I'}", data, 32 if wide else 28, head)
    struct.pack_into(f"{order}HH", data, 54 if wide else 42, row, len(kinds))
    for number, kind in enumerate(kinds):
        struct.pack_into(f"{order}I", data, head + row * number, kind)
    return bytes(data)


@pytest.mark.parametrize("machine", [{}, {"bits": 32}, {"order": ">"}], ids=str)
def test_a_program_is_static_when_it_names_no_interpreter(tmp_path: Path, machine: dict[str, Any]) -> None:
    program = tmp_path / "program"
    program.write_bytes(elf(1, 6, 2, **machine))
    assert requirements.is_static(program)
    program.write_bytes(elf(1, 6, 3, **machine))
    assert not requirements.is_static(program)


def test_what_is_no_program_is_not_static(tmp_path: Path) -> None:
    (tmp_path / "script").write_text("#!/bin/sh\n")
    assert not requirements.is_static(tmp_path / "script")
    assert not requirements.is_static(tmp_path / "none")


def test_cgroups_of_version_2_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(requirements, "_find", Path)
    monkeypatch.setattr(requirements, "_missing_plugins", lambda: [])
    monkeypatch.setattr(requirements, "_missing_busybox", lambda: [])
    monkeypatch.setattr(requirements, "_cgroups_will_do", lambda: False)
    with pytest.raises(MissingRequirementsError, match="needs cgroups of version 1"):
        requirements.check()


def test_a_missing_requirement_ends_with_status_2_and_makes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    root = tmp_path / "none"
    assert main(["--root", str(root), "up", "--nodes", "real", "bank-a"]) == 2
    assert not root.exists()


def test_network_policies_are_ready_only_when_this_process_has_applied_them(real: Cluster) -> None:
    log = real.log("policies")
    log.parent.mkdir(parents=True, exist_ok=True)
    assert not starting._enforced(real)
    log.write_text("12:00:00 node bank-a-1: the rule set of an earlier run stays in force until policies have been read\n")
    assert not starting._enforced(real)
    with log.open("a") as file:
        file.write(f"12:00:01 0 policies, 3 pods of this node{APPLIED}7 ms\n")
    assert starting._enforced(real)


def test_a_node_of_kwok_cannot_be_restarted(tmp_path: Path, kwok: Cluster) -> None:
    with pytest.raises(SandboxError, match="clinic-b has no real node"):
        cluster.restart_node(tmp_path, "clinic-b", print)
