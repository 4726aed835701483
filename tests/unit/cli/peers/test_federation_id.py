"""A federation has an id: its founder makes it, members learn it by accepting a descriptor, and another federation's is refused."""

import json
from pathlib import Path

import pytest

from cli.commands.show import review_text
from cli.main import main
from cli.peers.accept import Review, accept, review
from cli.stackfile.move_peers import move_peers
from cli.tools.project import Stack, find_project
from federation.base.errors import FederationError
from federation.peers.descriptor import Descriptor
from tests.support.configs import EXCHANGE, MESH, party_descriptor
from tests.support.stacks import exchange, initialized, party, project, sent

ID, OTHER = "5f3c1e0a-7b1d-4c55-9a3e-2f6d8c4b7a10", "0d1c2b3a-7b1d-4c55-9a3e-2f6d8c4b7a10"


def knowing(body: dict[str, object], federation_id: str = ID) -> dict[str, object]:
    """The body of a member that knows the id."""
    return body | {"schemaVersion": 2, "federation": {"name": "fraud", "domain": "fraud.example", "id": federation_id}}


def added(to: Stack, file: Path, name: str | None = None) -> Review:
    """Accept a file."""
    found = review(to, file, name)
    accept(found)
    return found


@pytest.fixture
def bank(tmp_path: Path) -> Stack:
    """Party 9999, which knows no id."""
    return initialized(tmp_path / "bank", "bank-a", kind="party")


@pytest.fixture
def consortium(tmp_path: Path) -> Stack:
    """The founder."""
    return initialized(tmp_path / "consortium", "consortium", kind="exchange", federation_id=ID)


def started(folder: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str | None:
    """The id in the stack file that `fatefed init` writes."""
    monkeypatch.chdir(project(folder))
    assert main(["init", *arguments, "-s", "org-1"]) == 0
    found = find_project(folder).stack("org-1").load().spec.federation
    return found.id


def test_whoever_founds_a_federation_makes_its_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hubs = {started(tmp_path / name, monkeypatch, "exchange") for name in ("a", "b")}
    assert len(hubs) == 2
    assert None not in hubs
    assert started(tmp_path / "c", monkeypatch, "mesh") is None, "each member of a mesh runs it, and only one of them founds it"
    assert started(tmp_path / "d", monkeypatch, "mesh", "--federation-id", "new") not in {None, *hubs}
    assert started(tmp_path / "e", monkeypatch, "party") is None
    assert started(tmp_path / "f", monkeypatch, "exchange", "--federation-id", ID) == ID
    monkeypatch.chdir(project(tmp_path / "g"))
    assert main(["init", "party", "--federation-id", "fraud", "-s", "org-1"]) == 1


def test_a_descriptor_is_of_version_2_just_when_the_id_is_known(bank: Stack, consortium: Stack) -> None:
    old, new = bank.load().plan.unit("party-9999").descriptor, consortium.load().plan.unit("exchange").descriptor
    assert (old["schemaVersion"], "id" in old["federation"]) == (1, False), "members of an earlier version read it"
    assert (new["schemaVersion"], new["federation"]["id"]) == (2, ID)
    for wrong in ({**knowing(party()), "schemaVersion": 1}, {**party(), "schemaVersion": 2}):
        with pytest.raises(ValueError, match=r"version 2 has a federation\.id, version 1 has none"):
            Descriptor.model_validate(wrong)


def test_a_member_learns_the_id_with_the_first_descriptor_that_has_it(bank: Stack, tmp_path: Path) -> None:
    file = sent(tmp_path, knowing(exchange()))
    found = review(bank, file)
    assert f"id of the federation: {ID} (new to this stack: it would be written to fate:federation.id)" in review_text(found)
    assert found.plain()["federationId"] == ID
    before = bank.file.read_text()
    accept(found)
    assert f'\n    id: "{ID}"\n' in bank.file.read_text() or f"\n    id: {ID}\n" in bank.file.read_text()
    assert bank.file.read_text().count("\n") > before.count("\n"), "comments stay"
    loaded = bank.load()
    assert (loaded.spec.federation.id, loaded.plan.unit("party-9999").descriptor["schemaVersion"]) == (ID, 2)
    assert not review(bank, file).needed
    assert "new to this stack" not in review_text(review(bank, sent(tmp_path, knowing(exchange(host="198.51.100.5")))))


def test_it_is_learned_beside_a_file_of_peers_too(tmp_path: Path) -> None:
    project(tmp_path / "hub")
    EXCHANGE.write(tmp_path / "hub" / "stacks")
    hub = find_project(tmp_path / "hub").stack("consortium")
    move_peers(hub)
    added(hub, sent(tmp_path, knowing(party("shop-c", "10001", "198.51.100.66"))))
    assert hub.load().spec.federation.id == ID
    assert ID not in (hub.file.parent / "peers" / "consortium.yaml").read_text()


def test_the_descriptor_of_another_federation_of_the_same_words_is_refused(consortium: Stack, tmp_path: Path) -> None:
    before = consortium.file.read_bytes()
    with pytest.raises(FederationError) as raised:
        review(consortium, sent(tmp_path, knowing(party(), OTHER)))
    (found,) = raised.value.problems
    assert found.problem == f"belongs to the federation with the id {OTHER}; this stack belongs to {ID}"
    assert consortium.file.read_bytes() == before


def test_a_descriptor_without_the_id_is_accepted_with_a_warning(consortium: Stack, tmp_path: Path) -> None:
    """Of a member that runs an earlier version, or has accepted nobody yet."""
    found = added(consortium, sent(tmp_path, party()))
    assert found.warnings[0].startswith(f"it lacks the federation's id, {ID}: another federation may have the same name")
    assert consortium.load().spec.federation.id == ID
    again = added(consortium, sent(tmp_path, knowing(party())))
    assert [(change.field, change.new) for change in again.changes] == [("federation.id", ID), ("schemaVersion", "2")]
    assert not any("does not say" in warning for warning in again.warnings)


def test_an_accepted_peer_of_another_id_stops_a_preview(tmp_path: Path) -> None:
    """Somebody has written another federation's id into the stack file."""
    peer = Descriptor.model_validate(knowing(party_descriptor("10001", "shop-c").plain()))
    case = MESH.changed(lambda config: config["federation"].update(id=OTHER)).with_peer("shop-c", peer)
    with pytest.raises(FederationError, match=f"belongs to the federation with the id {ID}; this stack belongs to {OTHER}"):
        case.load(tmp_path)


def test_learning_the_id_is_no_change_of_federation(bank: Stack, tmp_path: Path) -> None:
    """It restarts nothing, and asks no peer to act."""
    before = bank.load().plan.unit("party-9999").recorded
    added(bank, sent(tmp_path, knowing(exchange())))
    after = bank.load().plan.unit("party-9999").recorded
    assert (json.dumps(before["identity"]), before["modules"]) == (json.dumps(after["identity"]), after["modules"])
