"""`fatefed peers list`: who the peers are, in which state, and what of their descriptors is compared by phone."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cli.main import main
from cli.peers.listing import peers_data
from federation.peers.accepted import Peer
from tests.support.configs import EXCHANGE, Case, key_of, party_descriptor
from tests.support.stacks import of_case

_SUSPENDED = EXCHANGE.with_peer("shop-c", party_descriptor("10002", organization="shop-c"), state="suspended", reason="audit")
_MIXED = _SUSPENDED.with_entry("old-clinic", unsigned=True, partyId="10001", pulsar="p.example:6651", nginx="198.51.100.40:9300")


def listed(case: Case, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    """What the verb prints of a case's stack."""
    monkeypatch.chdir(of_case(folder, case).project.folder)
    assert main(["peers", "list", "-s", "bank-a", *more]) == 0
    return capsys.readouterr().out


def test_each_signed_peer_is_listed_with_serial_last_day_and_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    head, *lines = listed(_MIXED, tmp_path, monkeypatch, capsys).splitlines()
    assert head.split() == ["PEER", "WHAT", "ORGANIZATION", "STATE", "SERIAL", "VALID", "UNTIL", "KEY", "WHY"]
    cells = {line.split()[0]: line[head.index("STATE") :].split() for line in lines}
    loaded = {peer.name: peer for peer in of_case(tmp_path / "again", _MIXED).load().peers.accepted}
    assert cells.keys() == {"bank-a", "clinic-b", "old-clinic", "shop-c"}
    for name in ("bank-a", "clinic-b"):
        assert cells[name] == ["active", "1", loaded[name].not_after, key_of(name)]
    assert cells["shop-c"] == ["suspended", "1", loaded["shop-c"].not_after, key_of("shop-c"), "audit"]
    assert cells["old-clinic"] == ["active", "-", "-", "-"]


def test_programs_get_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    peers = json.loads(listed(_MIXED, tmp_path, monkeypatch, capsys, "--json"))["peers"]
    assert (peers["shop-c"]["key"], peers["shop-c"]["serial"], len(peers["shop-c"]["notAfter"])) == (key_of("shop-c"), 1, 10)
    assert peers["old-clinic"].keys() & {"key", "serial", "notAfter"} == set()


class Walked(tuple[Peer, ...]):
    """Peers that count how often somebody begins to walk over them."""

    walks = 0

    def __iter__(self) -> Iterator[Peer]:
        self.walks += 1
        return super().__iter__()


def test_many_peers_are_not_searched_one_by_one(tmp_path: Path) -> None:
    loaded = of_case(tmp_path, _MIXED).load()
    accepted = Walked(loaded.peers.accepted)
    peers = peers_data(replace(loaded, peers=replace(loaded.peers, accepted=accepted)))
    assert len(peers) == len(accepted) == 4
    assert accepted.walks == 1


def test_a_pending_peer_has_none_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    case = EXCHANGE.with_entry("late", descriptor="peers/late.json")
    line = next(line for line in listed(case, tmp_path, monkeypatch, capsys).splitlines() if line.startswith("late"))
    assert line.split()[:7] == ["late", "-", "-", "pending", "-", "-", "-"]
