"""What is remembered about clusters, and where it may and may not be deleted."""

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import cluster, state
from sandbox.errors import SandboxError


def test_each_cluster_gets_addresses_and_a_port_of_its_own(tmp_path: Path) -> None:
    made = [state.create(tmp_path, name) for name in ("a", "b", "c")]
    for fact in ("index", "port", "service_cidr", "service_ip", "pod_cidr", "url"):
        assert len({getattr(one, fact) for one in made}) == len(made), fact
    state.forget(tmp_path, "b")
    assert state.create(tmp_path, "d").index == 1, "a freed index is used again"


def test_a_cluster_is_remembered_as_it_was_made(tmp_path: Path) -> None:
    made = state.create(tmp_path, "bank-a")
    assert state.load(tmp_path, "bank-a") == made
    assert state.load(tmp_path, "other") is None
    assert state.organizations(tmp_path) == ["bank-a"]
    assert stat.S_IMODE(made.folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["", "A", "a/b", "..", "-a", "a-", "a b", "x" * 41])
def test_names_that_cannot_be_folders_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SandboxError, match="no organization name"):
        state.create(tmp_path, name)


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a short path: pytest's own holds a number that grows, and the test's name."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def test_a_deep_root_has_its_sockets_in_a_short_folder_deleted_with_the_cluster(
    short: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(short))
    deep = tmp_path / ("d" * 100)
    made = state.create(deep, "a")
    assert made.sockets.parent == short
    assert len(os.fsencode(made.sockets / "etcd-peer.sock")) <= 107
    state.make_socket_folder(made.sockets)
    assert stat.S_IMODE(made.sockets.stat().st_mode) == 0o700
    monkeypatch.delenv("TMPDIR")
    state.forget(deep, "a")
    assert not made.sockets.exists()


def test_paths_that_a_socket_url_could_not_hold_are_avoided(tmp_path: Path) -> None:
    assert state.socket_folder(tmp_path / "a") == tmp_path / "a" / "run"
    assert " " not in str(state.socket_folder(tmp_path / "with space" / "a"))


def test_a_socket_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SandboxError, match="belongs to someone else"):
        state.make_socket_folder(tmp_path / "link")


def test_a_folder_that_is_no_cluster_is_neither_used_nor_deleted(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "thesis").touch()
    with pytest.raises(SandboxError, match="is no sandbox cluster"):
        state.create(tmp_path, "docs")
    cluster.down(tmp_path, ["docs"], lambda _: None)
    assert (tmp_path / "docs" / "thesis").exists()


def test_what_an_up_killed_at_once_left_does_not_bar_the_next(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / ".cluster.json.x1").touch()
    assert state.create(tmp_path, "a").index == 0


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"sockets": "/s"}', "null"])
def test_a_damaged_memory_is_said_and_can_be_removed(tmp_path: Path, text: str) -> None:
    folder = state.create(tmp_path, "a").folder
    (folder / state.MARKER).write_text(text)
    with pytest.raises(SandboxError, match="`sandbox down a` removes it"):
        cluster.status(tmp_path)
    cluster.down(tmp_path, [], lambda _: None)
    assert not folder.exists()


def test_nothing_to_stop_is_a_success_that_says_so(tmp_path: Path) -> None:
    said: list[str] = []
    cluster.down(tmp_path / "none", [], said.append)
    cluster.down(tmp_path, [], said.append)
    cluster.down(tmp_path, ["a"], said.append)
    assert [("nothing to stop" in line) for line in said] == [True] * 3


def test_a_port_is_free_only_while_nobody_listens(tmp_path: Path) -> None:
    import socket

    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        assert not state.port_is_free(port)
    assert state.port_is_free(port)
    assert state.free_port(avoid=[port]) != port
