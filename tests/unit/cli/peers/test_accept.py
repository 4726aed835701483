"""`fatefed peers add`: what is refused, what is shown, what is written."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.peers.accept import accept, review
from cli.peers.acceptance import Terms
from cli.tools.project import Stack, find_project
from federation.base.errors import FederationError
from federation.base.json_document import MAX_BYTES
from federation.peers.descriptor import digest
from tests.support.configs import EXCHANGE, OSX_MESH, STAR_PARTY, Case, exchange_descriptor, party_descriptor
from tests.support.stacks import REPO, exchange, initialized, party, project, sent, stack
from tests.support.trust import ca


@pytest.fixture
def bank(tmp_path: Path) -> Stack:
    """Party 9999, waiting for its exchange."""
    return initialized(tmp_path / "bank", "bank-a", kind="party")


@pytest.fixture
def consortium(tmp_path: Path) -> Stack:
    """An exchange without members."""
    return initialized(tmp_path / "consortium", "consortium", kind="exchange")


def placed(case: Case, folder: Path) -> Stack:
    """A stack in a project."""
    case.write(project(folder / "project") / "stacks")
    return find_project(folder / "project").stack(case.config["organization"])


def added(to: Stack, file: Path, name: str | None = None) -> str:
    """Accept a file; the name it got."""
    found = review(to, file, name)
    accept(found)
    return found.name


def problem(to: Stack, file: Path, name: str | None = None) -> str:
    """Why a file is refused; nothing is written then."""
    before = {path: path.read_bytes() for path in to.project.folder.rglob("*") if path.is_file()}
    with pytest.raises(FederationError) as raised:
        review(to, file, name)
    assert {path: path.read_bytes() for path in to.project.folder.rglob("*") if path.is_file()} == before
    assert all(found.place and found.problem and found.remedy for found in raised.value.problems)
    return str(raised.value)


def test_an_accepted_exchange_becomes_the_default_route(bank: Stack, tmp_path: Path) -> None:
    file = sent(tmp_path, exchange())
    found = review(bank, file)
    assert (found.name, found.state, found.path, found.previous) == ("consortium", "active", "peers/consortium.json", None)
    assert [change.object for change in found.routes] == ["pulsar-route-table", "nginx-route-table"]
    pulsar, nginx = (change.diff for change in found.routes)
    assert "+default:" in pulsar
    assert "\n-    - host: 127.0.0.1\n" in nginx
    assert "\n+    - host: 198.51.100.4\n" in nginx
    accept(found)
    assert (bank.file.parent / "peers/consortium.json").read_bytes() == file.read_bytes()
    loaded = bank.load()
    assert loaded.plan.pending == {}
    assert loaded.spec.peers["consortium"].sha256 == digest(file.read_bytes())


def test_a_review_writes_nothing(bank: Stack, tmp_path: Path) -> None:
    before = bank.file.read_bytes()
    assert review(bank, sent(tmp_path, exchange())).needed
    assert bank.file.read_bytes() == before
    assert not (bank.file.parent / "peers").exists()


def test_accepting_twice_is_not_needed(bank: Stack, tmp_path: Path) -> None:
    file = sent(tmp_path, exchange())
    added(bank, file)
    assert not review(bank, file).needed


def test_a_new_address_is_shown_beside_the_old_one(consortium: Stack, tmp_path: Path) -> None:
    added(consortium, sent(tmp_path, party()))
    body = party()
    body["endpoints"]["pulsar"]["ports"] = {"tls": 6652}
    found = review(consortium, sent(tmp_path, body))
    assert [(change.field, change.old, change.new) for change in found.changes] == [("endpoints.pulsar.ports.tls", "6651", "6652")]
    assert [(change.unit, change.object, change.file) for change in found.routes] == [
        ("exchange", "exchange-routes", "records.config"),
        ("exchange", "exchange-routes", "sni.yaml"),
    ]
    assert "-    tunnel_route: 198.51.100.20:6651\n+    tunnel_route: 198.51.100.20:6652\n" in found.routes[1].diff


def test_the_state_of_a_peer_is_kept(consortium: Stack, tmp_path: Path) -> None:
    added(consortium, sent(tmp_path, party()))
    consortium.file.write_text(consortium.file.read_text().replace("state: active", "state: suspended # audit"))
    found = review(consortium, sent(tmp_path, party(host="198.51.100.21")))
    assert (found.state, found.routes) == ("suspended", ())
    accept(found)
    assert "state: suspended # audit\n" in consortium.file.read_text()


def test_a_file_beside_the_stack_file_stays_where_it_is(bank: Stack) -> None:
    file = sent(bank.file.parent / "peers", exchange(), "consortium.json")
    found = review(bank, file)
    assert found.path == "peers/consortium.json"
    accept(found)
    assert bank.load().plan.pending == {}
    # Overwritten in place by its owner's new version: the preview refuses it until it is accepted.
    sent(bank.file.parent / "peers", exchange(host="198.51.100.5"), "consortium.json")
    with pytest.raises(FederationError, match="changed since it was accepted"):
        bank.load()
    again = review(bank, file)
    assert again.previous is None
    assert "cannot be shown" in again.warnings[0]
    accept(again)
    assert "198.51.100.5" in str(bank.load().plan.unit("party-9999").routes)


def test_a_file_of_another_name_beside_the_stack_file_is_not_copied(bank: Stack) -> None:
    assert added(bank, sent(bank.file.parent / "peers", exchange(), "from-the-consortium.json")) == "consortium"
    assert bank.load().spec.peers["consortium"].descriptor == "peers/from-the-consortium.json"
    assert [path.name for path in (bank.file.parent / "peers").iterdir()] == ["from-the-consortium.json"]


def test_a_file_is_found_from_the_folder_of_the_stack_file(bank: Stack) -> None:
    sent(bank.file.parent / "peers", exchange(), "consortium.json")
    assert review(bank, Path("peers/consortium.json")).name == "consortium"


def test_a_gone_file_is_replaced(bank: Stack, tmp_path: Path) -> None:
    added(bank, sent(tmp_path, exchange()))
    (bank.file.parent / "peers/consortium.json").unlink()
    assert added(bank, sent(tmp_path, exchange())) == "consortium"
    assert bank.load().plan.pending == {}


def test_a_file_that_another_stack_of_the_project_accepted_is_not_overwritten(bank: Stack, tmp_path: Path) -> None:
    """An organization in two federations has two stacks; a peer may have one name in both."""
    added(bank, sent(tmp_path, exchange()))
    accepted = (bank.file.parent / "peers/consortium.json").read_bytes()
    other = initialized(bank.project.folder, "bank-a-trials", kind="party", federation="trials")
    theirs = sent(tmp_path, exchange(federation={"name": "trials", "domain": "fraud.example"}), "theirs.json")
    found = review(other, theirs, "consortium")
    accept(found)
    assert other.load().plan.pending == {}
    assert found.path == "peers/bank-a-trials/consortium.json"
    assert (other.file.parent / found.path).read_bytes() == theirs.read_bytes()
    assert (bank.file.parent / "peers/consortium.json").read_bytes() == accepted
    assert bank.load().plan.pending == {}
    newer = sent(tmp_path, exchange(host="198.51.100.9", federation={"name": "trials", "domain": "fraud.example"}), "newer.json")
    assert added(other, newer) == "consortium"
    assert (other.file.parent / found.path).read_bytes() == newer.read_bytes(), "it stays where it is"


def test_a_file_that_a_stack_may_rely_on_which_cannot_be_read_now_is_not_overwritten(bank: Stack, tmp_path: Path) -> None:
    added(bank, sent(tmp_path, exchange()))
    accepted = (bank.file.parent / "peers/consortium.json").read_bytes()
    bank.file.write_text(bank.file.read_text() + "  :broken\n")
    other = initialized(bank.project.folder, "bank-b", kind="party", party_id="9998")
    assert added(other, sent(tmp_path, exchange(host="198.51.100.5"))) == "consortium"
    assert (bank.file.parent / "peers/consortium.json").read_bytes() == accepted
    assert other.load().plan.pending == {}


def test_an_announced_exchange_is_taken_also_when_another_stack_has_its_file(bank: Stack, tmp_path: Path) -> None:
    file = sent(tmp_path, exchange())
    added(bank, file)
    other = initialized(bank.project.folder, "bank-b", kind="party", party_id="9998")
    found = review(other, file)
    accept(found)
    assert (found.name, found.path) == ("consortium", "peers/consortium.json")
    assert other.load().plan.pending == {}
    # A newer one that only one of them has accepted leaves the other its own.
    newer = review(other, sent(tmp_path, exchange(host="198.51.100.5"), "newer.json"))
    accept(newer)
    assert (newer.name, newer.path) == ("consortium", "peers/bank-b/consortium.json")
    assert (bank.load().plan.pending, other.load().plan.pending) == ({}, {})


def test_an_announced_exchange_is_taken_also_when_its_file_lies_there_already(bank: Stack, tmp_path: Path) -> None:
    """Whoever put it there did what the stack file says; and accepts it from where it came."""
    sent(bank.file.parent / "peers", exchange(), "consortium.json")
    file = sent(tmp_path, exchange())
    assert added(bank, file) == "consortium"
    assert (bank.file.parent / "peers/consortium.json").read_bytes() == file.read_bytes()
    assert bank.load().plan.pending == {}


def test_an_exchange_that_was_announced_by_another_name_is_the_one_that_is_awaited(tmp_path: Path) -> None:
    bank = initialized(tmp_path / "bank", "bank-a", kind="party", peers=("hub",))
    found = review(bank, sent(tmp_path, exchange("consortium")))
    accept(found)
    assert found.name == "hub"
    assert any("hub" in warning and "consortium" in warning for warning in found.warnings), found.warnings
    assert bank.load().plan.pending == {}


def test_the_file_that_lies_there_tells_for_whom_a_peer_was_announced(tmp_path: Path) -> None:
    member = initialized(tmp_path / "bank", "bank-a", kind="mesh", peers=("left", "right"))
    known = {"trust": {"authorities": [ca("10000")]}}
    sent(member.file.parent / "peers", party("clinic-b", "10000", **known), "right.json")
    assert added(member, sent(tmp_path, party("clinic-b", "10000", "198.51.100.21", **known))) == "right"


def test_a_party_does_not_take_the_name_of_an_announced_exchange(bank: Stack, tmp_path: Path) -> None:
    """An organization may have both."""
    assert added(bank, sent(tmp_path, party("consortium", "10000", trust={"authorities": [ca("10000")]}))) == "consortium-10000"
    assert added(bank, sent(tmp_path, exchange())) == "consortium"


def test_a_peer_without_a_ca_is_refused_while_certificates_are_required(bank: Stack, tmp_path: Path) -> None:
    """Before anything is written: nothing that it sends would arrive."""
    before = bank.file.read_text()
    with pytest.raises(FederationError, match="would refuse peer clinic-b: this stack has no CA"):
        added(bank, sent(tmp_path, party("clinic-b", "10000")))
    assert bank.file.read_text() == before


def test_a_party_without_its_exchange_is_said_first(bank: Stack, tmp_path: Path) -> None:
    bank.file.write_text(bank.file.read_text().replace("fate:peers:\n", "fate:peers:\n    aaa: {descriptor: peers/aaa.json}\n"))
    warnings = bank.load().plan.warnings
    assert warnings[0].startswith("party-9999 reaches no one through its exchange: peer consortium is pending: ")
    assert [said.split(":")[0] for said in warnings if "is pending" in said][1:] == ["peer aaa is pending"]
    added(bank, sent(tmp_path, exchange()))
    assert not any("reaches no one" in warning for warning in bank.load().plan.warnings)


def test_a_newcomer_does_not_overwrite_what_another_peer_was_accepted_with(tmp_path: Path) -> None:
    """Whoever chooses the name of another peer's file would keep the stack from every preview."""
    stack = placed(OSX_MESH, tmp_path)
    lab = party_descriptor("10005", "lab", host="198.51.100.40", engine="OSX")
    file = sent(stack.file.parent / "peers", lab.plain(), "mallory.json")
    assert added(stack, file, "lab") == "lab"
    mallory = party_descriptor("10006", "mallory", host="198.51.100.41", engine="OSX")
    found = review(stack, sent(tmp_path, mallory.plain()))
    accept(found)
    assert (found.name, found.path) == ("mallory", "peers/bank-a/mallory.json")
    assert {peer.name for peer in stack.load().peers.accepted} >= {"lab", "mallory"}
    again = review(stack, sent(tmp_path, mallory.plain() | {"release": "2.2.1"}, "again.json"), "mallory")
    assert again.path == "peers/bank-a/mallory.json"


def test_names_follow_the_organization_and_its_party_ids(consortium: Stack, tmp_path: Path) -> None:
    assert added(consortium, sent(tmp_path, party("bank-a", "9999", "198.51.100.1"))) == "bank-a"
    assert added(consortium, sent(tmp_path, party("bank-a", "9998", "198.51.100.2"))) == "bank-a-9998"
    assert added(consortium, sent(tmp_path, party("bank-a", "9998", "198.51.100.3"))) == "bank-a-9998"
    assert added(consortium, sent(tmp_path, party("bank-a", "9999", "198.51.100.4"))) == "bank-a"
    assert added(consortium, sent(tmp_path, party("clinic-b", "10000"), "b.json"), "hospital") == "hospital"
    assert added(consortium, sent(tmp_path, party("clinic-b", "10000", "198.51.100.9"), "b.json")) == "hospital"
    assert [peer.party_id for peer in consortium.load().peers.parties()] == ["9998", "9999", "10000"]


def test_a_peer_typed_by_hand_takes_its_addresses_from_its_descriptor(tmp_path: Path) -> None:
    by_hand = initialized(tmp_path, "bank-a", kind="external")
    found = review(by_hand, sent(tmp_path, exchange()))
    assert {change.field for change in found.changes} >= {"endpoints.trafficServer.host", "release"}
    accept(found)
    entry = by_hand.load().spec.peers["consortium"]
    assert (entry.unsigned, entry.nginx, entry.descriptor) == (False, None, "peers/consortium.json")


def test_a_peer_with_rollsite_typed_by_hand_takes_its_address_from_its_descriptor(tmp_path: Path) -> None:
    by_hand = initialized(tmp_path, "bank-a", kind="external", engine="Eggroll")
    found = review(by_hand, sent(tmp_path, exchange_descriptor(engine="Eggroll").plain()))
    assert [change.object for change in found.routes] == ["rollsite-route-table"]
    assert "198.51.100.4" in found.routes[0].diff
    accept(found)
    entry = by_hand.load().spec.peers["consortium"]
    assert (entry.unsigned, entry.rollsite, entry.descriptor) == (False, None, "peers/consortium.json")


def test_a_descriptor_of_another_party_does_not_replace_one_typed_by_hand(consortium: Stack, tmp_path: Path) -> None:
    text = consortium.file.read_text()
    typed = '    old-clinic: {unsigned: true, partyId: "10001", pulsar: "198.51.100.40:6651", nginx: "198.51.100.40:9300"}\n'
    consortium.file.write_text(text[: text.index("  fate:peers:")] + "  fate:peers:\n" + typed)
    consortium.load()
    found = problem(consortium, sent(tmp_path, party("stranger", "10002")), "old-clinic")
    assert "describes party 10002, but peer old-clinic was accepted as party 10001" in found
    assert added(consortium, sent(tmp_path, party("clinic-c", "10001"))) == "old-clinic"


def test_a_peer_of_another_engine_is_refused(tmp_path: Path) -> None:
    mine = initialized(tmp_path, "bank-a", kind="party", engine="Eggroll")
    with pytest.raises(FederationError, match=r"uses Pulsar, while parties\.9999\.federation of this stack uses Eggroll"):
        review(mine, sent(tmp_path, exchange()))


def test_a_missing_peer_of_a_party_can_be_added(tmp_path: Path) -> None:
    text = initialized(tmp_path, "bank-a", kind="party").file.read_text()
    lonely = stack(tmp_path, "bank-a", text[: text.index("  fate:peers:")] + "  fate:peers: {}\n")
    with pytest.raises(FederationError, match="there is no peer consortium"):
        lonely.load()
    assert added(lonely, sent(tmp_path, exchange())) == "consortium"
    assert lonely.load().plan.pending == {}


def test_a_peer_whose_nginx_has_no_ip_address_stays_pending(consortium: Stack, tmp_path: Path) -> None:
    body = party()
    body["endpoints"]["nginx"] |= {"host": "fate.clinic-b.example", "addresses": []}
    found = review(consortium, sent(tmp_path, body))
    (change,) = found.routes
    assert [line for line in change.diff.splitlines() if "host" in line] == ["+    - host: 127.0.0.1"]
    assert "stays pending" in found.warnings[0]
    assert "cannot resolve" in found.warnings[0]


def test_a_stranger_cannot_take_over_a_name(bank: Stack, tmp_path: Path) -> None:
    added(bank, sent(tmp_path, exchange()))
    assert "was accepted as the exchange of consortium" in problem(bank, sent(tmp_path, exchange("mallory", "203.0.113.66")), "consortium")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (party(federation={"name": "other", "domain": "fraud.example"}), "is a descriptor of federation other"),
        (party(federation={"name": "fraud", "domain": "other.example"}), "this stack belongs to fraud (fraud.example)"),
        (party("clinic-b", "9999"), "party 9999 is a party of this stack"),
        (party(secretKey="x"), "looks like a secret"),
        (party(partyId="10 000"), "a party id is a positive whole number"),
        (party(endpoints={}), "publishes exactly"),
        ({key: value for key, value in party().items() if key != "release"}, "release is missing"),
        ({key: value for key, value in party().items() if key != "backends"}, "only a party has backends"),
        (party(organization="../../etc"), "organization"),
        (party(schemaVersion=3), "schemaVersion"),
        (exchange("consortium", signature="x"), "unknown key 'signature'"),
    ],
)  # fmt: skip
def test_a_wrong_descriptor_is_refused(bank: Stack, tmp_path: Path, body: dict[str, Any], expected: str) -> None:
    found = problem(bank, sent(tmp_path, body))
    assert expected in found
    assert "sent.json" in found


def test_a_party_id_of_another_peer_is_refused(consortium: Stack, tmp_path: Path) -> None:
    added(consortium, sent(tmp_path, party("clinic-b", "10000")))
    assert "party id 10000 of peer other already belongs to peer clinic-b" in problem(consortium, sent(tmp_path, party("other", "10000")))


def test_ones_own_exchange_is_no_peer(consortium: Stack, tmp_path: Path) -> None:
    assert "stack's own exchange" in problem(consortium, sent(tmp_path, exchange("consortium")))


def test_a_party_cannot_stand_in_for_the_exchange(bank: Stack, tmp_path: Path) -> None:
    assert "peer consortium is a party, not an exchange" in problem(bank, sent(tmp_path, party()), "consortium")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "not a whole JSON document"),
        (b'{"schemaVersion": 1, "kind": "pa', "not a whole JSON document"),
        (b"\xff\xfe", "not a whole JSON document"),
        (b"[]", "not a JSON object"),
        (b" " * (MAX_BYTES + 1), "far more than a descriptor"),
        (b"[" * 100_000, "not a whole JSON document"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_descriptor_is_refused(bank: Stack, tmp_path: Path, content: bytes, expected: str) -> None:
    file = tmp_path / "sent.json"
    file.write_bytes(content)
    assert expected in problem(bank, file)


def test_a_pipe_is_refused_and_not_waited_for(bank: Stack, tmp_path: Path) -> None:
    """In a process of its own, which ends in any case."""
    os.mkfifo(tmp_path / "pipe")
    words = [sys.executable, "-m", "cli", "peers", "add", str(tmp_path / "pipe"), "-C", str(bank.project.folder), "-s", bank.name]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, cwd=REPO, check=False)
    assert (done.returncode, "cannot be read: it is not a regular file" in done.stderr) == (1, True), done.stderr


OWN_RELEASE = b"release: 2.2.0+bank.1\nbase: 2.2.0\nupgradeFrom: [2.2.0]\nmodules:\n  fateflow: {tag: 2.2.0-bank}\n"


def test_a_stack_with_releases_of_its_own_gets_peers(tmp_path: Path) -> None:
    case = OSX_MESH.changed(
        lambda config: (config.update(releases=["releases/own.yaml"]), config["parties"]["9999"].update(release="2.2.0+bank.1"))
    )
    own = placed(case.with_file("releases/own.yaml", OWN_RELEASE), tmp_path)
    body = party_descriptor("10001", "new-org", host="203.0.113.70", engine="OSX").plain()
    assert added(own, sent(tmp_path, body)) == "new-org"
    assert own.load().plan.states["new-org"] == {"state": "active"}
    (own.file.parent / "releases" / "own.yaml").write_text("release: x\n")
    assert "releases" in problem(own, sent(tmp_path, body))


def test_a_peer_for_which_there_is_no_room_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Accepting it would make a stack that no command loads."""
    monkeypatch.setattr("federation.stack.limits.NGINX_ROUTES", 2)
    full = placed(EXCHANGE, tmp_path)
    full.load()
    body = party("new-org", "10001", "203.0.113.70")
    assert "nginx of exchange would have 3 routes" in problem(full, sent(tmp_path, body))
    assert added(full, sent(tmp_path, party_descriptor(port=6652).plain())) == "clinic-b", "what is there already may change"


def test_a_peer_at_the_address_of_another_is_a_warning(tmp_path: Path) -> None:
    found = review(placed(EXCHANGE, tmp_path), sent(tmp_path, party_descriptor("10001", "evil-corp").plain()))
    assert (
        "peers clinic-b and evil-corp, of different keys, are both at 203.0.113.20:6651: ask both owners whose address it is"
        in found.warnings
    )


def test_a_peer_by_name_alone_is_refused_until_the_operator_accepts_the_name(tmp_path: Path) -> None:
    """Whoever controls the name decides where pods dial, later too (DNS rebinding); the peer chooses the port."""
    stack = placed(OSX_MESH, tmp_path)
    by_name = sent(tmp_path, party_descriptor("10001", "mallory", host="osx.mallory.example", port=22, engine="OSX").plain())
    with pytest.raises(FederationError, match=r"endpoints\.osx: osx\.mallory\.example is a name without addresses") as refused:
        review(stack, by_name)
    assert "publish.osx.advertise.addresses" in str(refused.value)
    assert "mallory" not in stack.load().spec.peers
    found = review(stack, by_name, None, Terms(resolve=True))
    (said,) = [warning for warning in found.warnings if "anywhere" in warning]
    assert "so osx may dial port 22 anywhere, this cluster included (fate:cluster.ranges is absent)" in said
    assert [warning for warning in found.warnings if "publishes osx at port 22, a port that system services use" in warning]
    accept(found)
    assert stack.load().spec.peers["mallory"].resolve
    assert "mallory" not in stack.load().plan.pending
    # It is remembered for the next one, and ends with the first that has addresses.
    accept(review(stack, sent(tmp_path, party_descriptor("10001", "mallory", host="new.mallory.example", engine="OSX").plain())))
    assert stack.load().spec.peers["mallory"].resolve
    accept(review(stack, sent(tmp_path, party_descriptor("10001", "mallory", host="198.51.100.99", engine="OSX").plain())))
    assert not stack.load().spec.peers["mallory"].resolve
    again = sent(tmp_path, party_descriptor("10001", "mallory", host="osx.mallory.example", engine="OSX").plain())
    with pytest.raises(FederationError, match="is a name without addresses"):
        review(stack, again)


def test_a_peer_that_was_accepted_by_name_before_keeps_its_routes_and_may_export_again(tmp_path: Path) -> None:
    """Invariant 4: a rule that comes later does not reach back."""
    by_name = party_descriptor("10001", "hospital-c", host="osx.hospital-c.example", engine="OSX")
    stack = placed(OSX_MESH.with_peer("hospital-c", by_name), tmp_path)
    plan = stack.load().plan
    assert "hospital-c" not in plan.pending
    assert "10001" in plan.unit("party-9999").links
    assert [warning for warning in plan.warnings if "or accept the name: peers.hospital-c.resolve: true" in warning]
    review(stack, sent(tmp_path, by_name.model_copy(update={"release": "2.2.0"}).plain()))
    known = OSX_MESH.changed(lambda config: config.update(cluster={"ranges": ["10.96.0.0/12"]}))
    on_purpose = placed(known.with_peer("hospital-c", by_name, resolve=True), tmp_path / "on-purpose")
    assert not [warning for warning in on_purpose.load().plan.warnings if "hospital-c" in warning]


PRIVATE = ["10.0.0.5", "172.16.0.1", "192.168.1.1", "100.64.0.1", "198.18.0.1", "fd12::1", "2001:2::1", "::ffff:10.0.0.5"]


@pytest.mark.parametrize("host", PRIVATE)
def test_a_peer_in_a_private_network_is_refused_until_the_stack_knows_its_own_cluster(host: str, tmp_path: Path) -> None:
    file = sent(tmp_path, party_descriptor("10001", "hospital-c", host=host, engine="OSX").plain())
    with pytest.raises(FederationError) as refused:
        review(placed(OSX_MESH, tmp_path), file)
    (problem,) = refused.value.problems
    assert problem.problem == f"{host} is a private address, and may belong to this cluster"
    assert "fate:cluster.ranges" in problem.remedy
    ranges = ["10.96.0.0/12", "fd00:10::/64"]
    known = placed(OSX_MESH.changed(lambda config: config.update(cluster={"ranges": ranges})), tmp_path / "known")
    assert not [warning for warning in review(known, file).warnings if host in warning]
    inside = sent(tmp_path, party_descriptor("10001", "hospital-c", host="10.96.0.1", engine="OSX").plain())
    with pytest.raises(FederationError, match=r"in 10\.96\.0\.0/12 of this cluster"):
        review(known, inside)


def test_a_peer_that_was_accepted_in_a_private_network_before_is_warned_of_and_keeps_its_routes(tmp_path: Path) -> None:
    private = party_descriptor("10001", "hospital-c", host="10.0.0.5", engine="OSX")
    stack = placed(OSX_MESH.with_peer("hospital-c", private), tmp_path)
    plan = stack.load().plan
    assert "10001" in plan.unit("party-9999").links
    (said,) = [warning for warning in plan.warnings if "10.0.0.5" in warning]
    assert "it was accepted before, so it stays" in said
    review(stack, sent(tmp_path, private.model_copy(update={"release": "2.2.0"}).plain()))


def test_who_is_not_dialled_may_be_anywhere(tmp_path: Path) -> None:
    """Members of a star accept each other for their certificates: their exchange dials."""
    stack = placed(STAR_PARTY, tmp_path)
    for host in ("10.0.0.5", "pulsar.clinic-b.example"):
        review(stack, sent(tmp_path, party_descriptor(host=host).plain()))


@pytest.mark.parametrize("path", ["peers/\0.json", "x" * 5000], ids=["a NUL", "a long name"])
def test_a_path_that_no_file_can_have_leads_to_none(path: str, tmp_path: Path) -> None:
    """In the entry that the peer's name would be, in another one, and in another stack."""
    file = sent(tmp_path, party_descriptor("10001", "hospital-c", host="198.51.100.30", engine="OSX").plain())
    elsewhere = placed(OSX_MESH, tmp_path / "elsewhere")
    other = OSX_MESH.with_entry("other", descriptor=path, sha256="0" * 64)
    elsewhere.file.with_name("Pulumi.other.yaml").write_text(other.text())
    assert review(elsewhere, file).path == "peers/hospital-c.json"
    broken = placed(OSX_MESH.with_entry("other", descriptor=path), tmp_path / "other")
    assert "fate:peers.other.descriptor: " in problem(broken, file)
    announced = placed(OSX_MESH.with_entry("hospital-c", descriptor=path), tmp_path / "announced")
    assert "hospital-c" in (problem(announced, file, "third") if "\0" in path else review(announced, file).name)


def test_a_missing_file_is_named(bank: Stack, tmp_path: Path) -> None:
    assert "nowhere.json: cannot be read: No such file" in problem(bank, tmp_path / "nowhere.json")


@pytest.mark.parametrize("name", ["../outside", "a/b", "Upper", "", "x" * 64])
def test_a_name_leads_nowhere_else(bank: Stack, tmp_path: Path, name: str) -> None:
    problem(bank, sent(tmp_path, exchange()), name or " ")


def test_a_peer_file_outside_the_folder_is_refused(bank: Stack, tmp_path: Path) -> None:
    bank.file.write_text(bank.file.read_text().replace("peers/consortium.json", "../../consortium.json"))
    assert "is outside the folder" in problem(bank, sent(tmp_path / "elsewhere", exchange()), "consortium")


def test_a_folder_of_peers_that_leads_outside_is_refused(bank: Stack, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (bank.file.parent / "peers").symlink_to(tmp_path / "elsewhere")
    assert "outside the folder" in problem(bank, sent(tmp_path, exchange()))


def test_every_problem_of_the_stack_file_is_said(bank: Stack, tmp_path: Path) -> None:
    bank.file.write_text(bank.file.read_text().replace("storage: HDFS", "storge: HDFS").replace("topology: star", "topology: ring"))
    found = problem(bank, sent(tmp_path, exchange()))
    assert "did you mean 'storage'?" in found
    assert "fate:federation.topology" in found


def test_a_stack_file_that_changed_meanwhile_is_not_overwritten(bank: Stack, tmp_path: Path) -> None:
    found = review(bank, sent(tmp_path, exchange()))
    bank.file.write_text(bank.file.read_text() + "# a colleague's edit\n")
    with pytest.raises(FederationError, match="changed while"):
        accept(found)
    assert not (bank.file.parent / "peers").exists()


def test_a_stack_file_keeps_its_mode_and_its_link(bank: Stack, tmp_path: Path) -> None:
    real = tmp_path / "elsewhere.yaml"
    bank.file.rename(real)
    real.chmod(0o640)
    bank.file.symlink_to(real)
    added(bank, sent(tmp_path, exchange()))
    assert bank.file.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert "sha256" in real.read_text()
