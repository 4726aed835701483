"""The comparison of the host before and after sees what nodes leave, and nothing of other programs."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.nodes.host import Host, cgroups_of_nodes, processes_of

pytestmark = pytest.mark.nodes


def test_only_cgroups_that_a_node_left_outside_its_box_count(tmp_path: Path) -> None:
    for name in (
        "memory/process_api/1a2b",
        "memory/fate-sandbox-bank-a-1/kubepods/burstable",
        "memory/x/kubepods",
        "pids/cri-containerd-1",
    ):
        (tmp_path / name).mkdir(parents=True)
    assert cgroups_of_nodes(tmp_path) == [f"{tmp_path}/memory/x/kubepods", f"{tmp_path}/pids/cri-containerd-1"]


def test_a_cgroup_that_goes_while_it_is_looked_at_does_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    (tmp_path / "kubepods").mkdir()
    scan = os.scandir

    def vanishing(folder: str) -> object:
        if Path(folder).name == "gone":
            Path(folder).rmdir()
        return scan(folder)

    monkeypatch.setattr(os, "scandir", vanishing)
    assert cgroups_of_nodes(tmp_path) == [f"{tmp_path}/kubepods"]


def test_what_a_node_leaves_on_the_host_is_a_difference(tmp_path: Path) -> None:
    before = Host.now()
    left = Path("/run/sandbox-left-by-a-test")
    left.mkdir()
    try:
        assert before.differences(Host.now()).get("folders") == (set(), {str(left)})
    finally:
        left.rmdir()


def test_a_process_is_a_roots_by_its_folder_or_its_command_line(tmp_path: Path) -> None:
    assert processes_of(tmp_path) == {}
    (tmp_path / "run").mkdir()
    by_folder = subprocess.Popen(["sleep", "60"], cwd=tmp_path / "run")
    by_command = subprocess.Popen(["tail", "-f", str(tmp_path / "run" / "log")], stderr=subprocess.DEVNULL)
    try:
        assert by_folder.pid in processes_of(tmp_path)
        assert processes_of(tmp_path / "run" / "log").keys() <= {by_command.pid}
    finally:
        for process in (by_folder, by_command):
            process.kill()
            process.wait()
    assert processes_of(tmp_path) == {}
