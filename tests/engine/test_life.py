"""The life of a peer on the real engine: what is refused of signed files, suspension, renewal, an exchange that may not go."""

import json
import re
from pathlib import Path

import pytest
import yaml

from federation.peers.descriptor import Descriptor
from federation.peers.signed import receive, sign
from federation.pki.identity import fingerprint, load_identity, new_identity
from sandbox.errors import SandboxError
from sandbox.workspace import Workspace
from tests.engine.operators import Federation, config_map, hand_over, identity, in_a_week, objects
from tests.support.configs import SIGNED_FROM, SIGNED_UNTIL

pytestmark = pytest.mark.engine
ROOT = Path(__file__).resolve().parents[2]

RELIED_ON = "deployments,services,configmaps,networkpolicies"
ROUTES = ("update", "kubernetes:core/v1:ConfigMap", "exchange-routes")


def refused(space: Workspace) -> str:
    """What a preview says that fails."""
    with pytest.raises(SandboxError) as raised:
        space.preview()
    return str(raised.value)


def test_a_tampered_descriptor_is_refused_in_the_preview_with_its_place(federation: Federation) -> None:
    space = federation.consortium
    file = space.folder / "stacks" / "peers" / "clinic-b.json"
    whole = file.read_bytes()
    envelope = json.loads(whole)
    try:
        file.write_text(json.dumps(envelope | {"payload": envelope["payload"][:-8] + "AAAAAAAA"}))
        text = refused(space)
        assert "fate:peers.clinic-b.descriptor: peers/clinic-b.json changed since it was accepted" in text
        assert "the signature does not match the file" in text
        assert "Pulumi.consortium.yaml:" in text
        assert "nothing was changed" in text
        # A stranger's signature fits, and is not the accepted one.
        found = receive(whole, "here")
        assert not isinstance(found, tuple)
        file.write_bytes(sign(found.descriptor, new_identity(), 99, str(SIGNED_FROM), str(SIGNED_UNTIL)))
        assert "peers/clinic-b.json changed since it was accepted" in refused(space)
        added = space.attempt("fatefed", "peers", "add", "peers/clinic-b.json", "-s", "consortium", "--yes")
        assert added.returncode == 1
        assert b"not with the accepted key" in added.stderr
    finally:
        file.write_bytes(whole)
    assert space.preview() == []


def test_an_older_descriptor_is_not_accepted_again(federation: Federation) -> None:
    sender, receiver = federation.bank, federation.consortium
    old = (receiver.folder / "stacks" / "peers" / "bank-a.json").read_bytes()
    hand_over(sender, receiver)
    assert objects(receiver.preview()) == [], "the same addresses under a new serial"
    file = receiver.folder / "old.json"
    file.write_bytes(old)
    again = receiver.attempt("fatefed", "peers", "add", str(file), "-s", "consortium", "--key", identity(sender), "--yes")
    assert (again.returncode, b"is older than the accepted" in again.stderr) == (1, True)
    receiver.up()


def test_a_stranger_at_the_exchanges_own_address_gets_no_route(federation: Federation) -> None:
    space, key = federation.consortium, new_identity()
    own = space.json("pulumi", "stack", "output", "-s", "consortium")["endpoints"]["exchange"]["trafficServer"]
    member = receive((space.folder / "stacks" / "peers" / "clinic-b.json").read_bytes(), "here")
    assert not isinstance(member, tuple)
    body = member.descriptor.plain()
    body |= {"organization": "stranger", "partyId": "10066"}
    body.pop("trust", None)
    body["endpoints"]["pulsar"] |= {"host": own["host"], "addresses": own["addresses"], "ports": {"tls": own["ports"]["tls"]}}
    body["endpoints"]["pulsar"]["serverName"] = body["endpoints"]["pulsar"]["serverName"].replace("10000", "10066")
    file, stack_file = space.folder / "stranger.json", space.folder / "stacks" / "Pulumi.consortium.yaml"
    file.write_bytes(sign(Descriptor.model_validate(body), key, 1, str(SIGNED_FROM), str(SIGNED_UNTIL)))
    before = stack_file.read_text()
    try:
        add = ("fatefed", "peers", "add", str(file), "--key", fingerprint(load_identity(key).public_key()), "--yes", "-s", "consortium")
        early = space.attempt(*add)
        assert (early.returncode, b"of this cluster (cluster.ranges)" in early.stderr) == (1, True)
        # Where the stack does not name the range, it is known by the address alone.
        without = before.replace("ranges: [100.64.0.0/16, 10.96.0.0/16]", "ranges: [100.64.0.0/16]")
        assert without != before
        stack_file.write_text(without)
        space.run(*add)
        text = refused(space)
        assert f"its pulsar is published at {own['host']}:{own['ports']['tls']}, which is this stack's own exchange's trafficServer" in text
        assert "Traceback" not in text
        assert "10066" not in str(config_map(space, "fate-exchange", "exchange-routes"))
    finally:
        stack_file.write_text(before)
    assert space.preview() == []


def test_suspension_changes_routes_only_and_is_undone(federation: Federation) -> None:
    space = federation.consortium
    before = config_map(space, "fate-exchange", "exchange-routes")
    printed = space.fatefed("peers", "suspend", "clinic-b", "--reason", "audit until March")
    assert "pulumi up -s consortium" in printed
    assert "10000.fraud.example" in printed
    changes = objects(space.preview())
    assert ROUTES in changes
    assert {kind for _, kind, _ in changes} <= {ROUTES[1], "kubernetes:networking.k8s.io/v1:NetworkPolicy"}
    assert {operation for operation, _, _ in changes} == {"update"}
    space.up()
    during = config_map(space, "fate-exchange", "exchange-routes")
    assert "10000.fraud.example" not in during["sni.yaml"]
    assert "127.0.0.1" in during["route_table.yaml"], "nginx forgets entries at a restart only"
    peers = space.json("pulumi", "stack", "output", "-s", "consortium")["peers"]
    assert peers == {"bank-a": {"state": "active"}, "clinic-b": {"state": "suspended", "reason": "audit until March"}}
    for other in (federation.bank, federation.clinic):
        assert other.preview() == [], "one side alone can sever"
    _goes_on_without_its_file(space, during)
    space.fatefed("peers", "resume", "clinic-b")
    space.up()
    assert config_map(space, "fate-exchange", "exchange-routes") == before
    assert space.preview() == []


def _goes_on_without_its_file(space: Workspace, routes: dict[str, str]) -> None:
    """A damaged or lost file of a suspended peer stops no preview and no up, and changes no route; without it, it stays away."""
    file = space.folder / "stacks" / "peers" / "clinic-b.json"
    whole = file.read_bytes()
    try:
        for harm in (lambda: file.write_bytes(whole[:100]), file.unlink):
            harm()
            done = space.attempt("pulumi", "preview", "--non-interactive", "--color", "never", "-s", "consortium")
            text = (done.stdout + done.stderr).decode()
            assert (done.returncode, "peer clinic-b is suspended, and stays blocked as party 10000" in text) == (0, True), text
            assert objects(space.preview()) == []
            space.up()
            assert config_map(space, "fate-exchange", "exchange-routes") == routes
            assert space.attempt("fatefed", "peers", "resume", "clinic-b", "-s", "consortium").returncode == 1
    finally:
        file.write_bytes(whole)
    assert space.preview() == []


def test_peers_in_a_file_of_their_own_preview_nothing_and_are_suspended_there(federation: Federation) -> None:
    space = federation.consortium
    stack_file, peers = space.folder / "stacks" / "Pulumi.consortium.yaml", space.folder / "stacks" / "peers" / "consortium.yaml"
    before = stack_file.read_text()
    try:
        space.fatefed("peers", "move")
        assert "fate:peers:" not in stack_file.read_text()
        assert space.preview() == []
        space.fatefed("peers", "suspend", "clinic-b")
        assert ROUTES in objects(space.preview())
        space.fatefed("peers", "resume", "clinic-b")
        assert space.preview() == []
        peers.rename(peers.with_suffix(".gone"))
        assert "stacks/peers/consortium.yaml: cannot be read" in refused(space)
    finally:
        stack_file.write_text(before)
        for file in (peers, peers.with_suffix(".gone")):
            file.unlink(missing_ok=True)
    assert space.preview() == []


def test_a_party_of_a_star_severs_a_member_by_itself(federation: Federation) -> None:
    """Its CA is no longer trusted, and no default route leads to it."""
    space = federation.bank
    names = ("nginx-route-table", "pulsar-route-table")
    before = [config_map(space, "fate-9999", name) for name in names]
    space.fatefed("peers", "suspend", "clinic-b")
    assert sorted(objects(space.preview())) == [
        ("update", "kubernetes:core/v1:ConfigMap", "party-9999-nginx-routes"),
        ("update", "kubernetes:core/v1:ConfigMap", "party-9999-pulsar-routes"),
        ("update", "kubernetes:core/v1:Secret", "party-9999-pulsar-cert"),
    ]
    space.up()
    assert set(authority_files(space)) == {"ca.cert.pem", "ca-9999.cert.pem"}
    nginx, pulsar, trust = (yaml.safe_load(text) for name in names for _, text in sorted(config_map(space, "fate-9999", name).items()))
    assert trust["trusted"] == []
    assert nginx[10000] == {"fateflow": [{"host": "127.0.0.1", "http_port": 1}]}
    assert pulsar[10000] == {"host": "127.0.0.1", "port": 1, "sslPort": 1, "proxy": ""}
    assert {"default"} < set(nginx) & set(pulsar), "the rest goes to the exchange"
    for other in (federation.consortium, federation.clinic):
        assert other.preview() == [], "nobody else is asked"
    space.fatefed("peers", "resume", "clinic-b")
    space.up()
    assert [config_map(space, "fate-9999", name) for name in names] == before
    assert set(authority_files(space)) == {"ca.cert.pem", "ca-9999.cert.pem", "ca-10000.cert.pem"}
    assert space.preview() == []


def authority_files(space: Workspace) -> list[str]:
    """The files of CAs that Pulsar has mounted."""
    return [file for file in space.kubectl("get", "secret", "pulsar-cert", "-n", "fate-9999")["data"] if file.startswith("ca")]


def test_a_certificate_is_renewed_by_up_and_the_preview_says_so(federation: Federation) -> None:
    """Another lifetime stands in for the passing of time: it is the same function of the day."""
    space = federation.bank
    until = space.kubectl("get", "secret", "pulsar-cert", "-n", "fate-9999")["metadata"]["annotations"]["federation.fate/certificate-until"]
    assert nightly(space) == (0, "nothing to do\n")
    space.run("pulumi", "config", "set", "--path", "fate:trust.leafDays", "200", "-s", "bank-a")
    code, said = nightly(space)
    assert code == 1
    assert re.search(r"^update .*::party-9999-pulsar-cert$", said, re.M)
    assert objects(space.preview()) == [("update", "kubernetes:core/v1:Secret", "party-9999-pulsar-cert")]
    text = space.run("pulumi", "preview", "--color", "never", "-s", "bank-a")
    assert re.search(rf"the certificate of party-9999 is renewed: until 20..-..-.., so far until {until}; Pulsar reads it", text)
    assert "PRIVATE" not in text
    assert "BEGIN CERTIFICATE" not in text
    space.up()
    assert space.preview() == []
    assert set(space.up()) == {"unchanged"}
    secret = space.kubectl("get", "secret", "pulsar-cert", "-n", "fate-9999")
    assert secret["metadata"]["annotations"]["federation.fate/certificate-until"] < until
    due = space.json("pulumi", "stack", "output", "-s", "bank-a")["renewalDue"]
    assert set(due["party-9999"]) == {"certificate", "authority"}
    assert nightly(space) == (0, "nothing to do\n")


def test_the_nightly_job_names_what_ends_soon_and_a_preview_that_fails(federation: Federation) -> None:
    sender, space = federation.clinic, federation.bank
    sender.fatefed("descriptor", "export", "--days", "9", "-o", str(space.folder / "short.json"))
    files = [space.folder / "stacks" / "Pulumi.bank-a.yaml", space.folder / "stacks" / "peers" / "clinic-b.json"]
    before = [file.read_bytes() for file in files]
    try:
        space.fatefed("peers", "add", "short.json", "--key", identity(sender), "--yes")
        code, said = nightly(space)
        assert code == 1
        assert "the descriptor of peer clinic-b expires on" in said
        assert "update" not in said
        files[1].write_bytes(b"{}")
        assert nightly(space)[0] == 2
    finally:
        for file, content in zip(files, before, strict=True):
            file.write_bytes(content)


def nightly(space: Workspace) -> tuple[int, str]:
    """Exit status and output of the sample job, as cron would run it."""
    done = space.attempt("env", f"STACK={space.organization}", "sh", str(ROOT / "docs" / "jobs" / "nightly.sh"))
    return done.returncode, done.stdout.decode()


def test_a_ca_is_replaced_in_three_previews(federation: Federation) -> None:
    """At each step only trust changes, on both sides, and at no time does one side present what the other does not trust."""
    bank, clinic = federation.bank, federation.clinic
    secret = {"bank-a": ("update", "kubernetes:core/v1:Secret", "party-9999-pulsar-cert"),
              "clinic-b": ("update", "kubernetes:core/v1:Secret", "party-10000-pulsar-cert")}  # fmt: skip
    bank.fatefed("trust", "rotate")
    assert objects(bank.preview()) == [secret["bank-a"]]
    bank.up()
    hand_over(bank, clinic)
    assert objects(clinic.preview()) == [secret["clinic-b"]]
    clinic.up()
    bank.fatefed("trust", "rotate", "--yes")
    assert objects(bank.preview()) == [secret["bank-a"]]
    bank.up()
    assert (clinic.preview(), federation.consortium.preview()) == ([], [])
    bank.fatefed("trust", "rotate", "--yes")
    assert objects(bank.preview()) == [secret["bank-a"]]
    bank.up()
    hand_over(bank, clinic)
    assert objects(clinic.preview()) == [secret["clinic-b"]]
    clinic.up()
    assert federation.consortium.preview() == [], "an exchange holds no certificate, and members' descriptors did not change for it"
    for space in (bank, clinic):
        assert space.preview() == []


def test_an_exchange_with_active_members_is_not_destroyed(federation: Federation) -> None:
    space = federation.consortium
    before = space.kubectl("get", RELIED_ON, "-n", "fate-exchange")["items"]
    assert {one["kind"] for one in before} == {"Deployment", "Service", "ConfigMap", "NetworkPolicy"}
    held = [one["metadata"]["uid"] for one in before]
    for hurry in ((), ("--skip-preview",)):
        done = space.attempt("pulumi", "destroy", "--yes", *hurry, "--non-interactive", "--color", "never", "-s", "consortium")
        said = (done.stdout + done.stderr).decode()
        assert done.returncode != 0
        assert "exchange-has-active-members" in said
        assert "protected" in said
        after = space.kubectl("get", RELIED_ON, "-n", "fate-exchange")["items"]
        assert [one["metadata"]["uid"] for one in after] == held, hurry
        assert objects(space.preview()) == []
        space.up()  # without a preview the state forgets who the members are, and who deployed what: notes, no object
    assert space.preview() == []


def test_an_exchange_is_destroyed_after_its_dated_override(federation: Federation) -> None:
    space, until = federation.consortium, in_a_week()
    space.run("pulumi", "config", "set", "--path", "fate:exchange.allowDestroyUntil", until, "-s", "consortium")
    text = space.run("pulumi", "preview", "--color", "never", "-s", "consortium")
    assert f"the exchange may be destroyed until {until}, although bank-a, clinic-b rely on it" in text
    space.up()
    preview = space.run("pulumi", "destroy", "--preview-only", "--non-interactive", "--color", "never", "-s", "consortium")
    assert "exchange-routes" in preview
    space.run("pulumi", "config", "rm", "--path", "fate:exchange.allowDestroyUntil", "-s", "consortium")
    space.up()
    again = space.attempt("pulumi", "destroy", "--preview-only", "--non-interactive", "--color", "never", "-s", "consortium")
    assert again.returncode != 0
