"""A certificate that was given, and is another one under the same entry: what a real preview says of it, whose diff shows no value."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sandbox import pki
from sandbox.workspace import Workspace
from tests.engine.operators import DOMAIN, PUBLISHED, give_secrets, objects, operator

pytestmark = pytest.mark.engine

NAME = f"9999.{DOMAIN}"
ENTRIES = "party-9999-ca, party-9999-certificate"


@pytest.fixture(scope="module")
def bank(clusters: dict[str, Path], authority: pki.Authority, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A party with Pulsar and the federation's certificate, deployed."""
    party = {
        "namespace": "provided",
        "release": "1.11.2",
        "computing": "Spark_local",
        "federation": "Pulsar",
        "storage": "LocalFS",
        "tls": "provided",
        "persistence": "none",
        "publish": {"pulsar": PUBLISHED, "nginx": PUBLISHED},
    }
    config = {
        "organization": "bank-a",
        "federation": {"name": "fraud", "domain": DOMAIN, "topology": "mesh", "link": "native"},
        "parties": {"9999": party},
    }
    space = operator("bank-a", tmp_path_factory.mktemp("provided"), clusters["bank-a"], config)
    give_secrets(space, authority, {"party-9999": NAME})
    space.up()
    return space


@pytest.fixture(autouse=True)
def as_deployed(bank: Workspace) -> Iterator[None]:
    """Each test begins from what was deployed."""
    before = bank.stack_file.read_bytes()
    yield
    bank.stack_file.write_bytes(before)


def give(space: Workspace, authority: pki.Authority, **more: bytes) -> None:
    """Another key and certificate, and what else changes."""
    key = pki.new_key("rsa-2048")
    space.set_secret("party-9999-key", pki.key_pem(key))
    space.set_secret("party-9999-certificate", pki.pem(pki.issue(authority, key.public_key(), NAME, names=[NAME])))
    for name, value in more.items():
        space.set_secret(f"party-9999-{name}", value)


def said(space: Workspace) -> str:
    """What a preview prints."""
    done = space.attempt("pulumi", "preview", "--non-interactive", "--color", "never", "-s", space.organization)
    text = (done.stdout + done.stderr).decode()
    assert done.returncode == 0, text
    return " ".join(text.split())


def test_another_certificate_of_the_federations_ca(bank: Workspace, authority: pki.Authority) -> None:
    give(bank, authority)
    assert objects(bank.preview()) == [("update", "kubernetes:core/v1:Secret", "party-9999-pulsar-cert")]
    text = said(bank)
    assert "party-9999: reload: its certificate changes: it is valid until 20" in text
    assert "; Pulsar reads it within 5 minutes; no pod restarts" in text
    assert "another CA signs" not in text


def test_another_ca_than_before(bank: Workspace, authority: pki.Authority) -> None:
    other = pki.new_authority("others")
    give(bank, other, ca=pki.pem(other.certificate))
    text = said(bank)
    assert "party-9999: cut: another CA signs its certificate, " in text
    assert "to act: this stack; before: every peer has it in its own fate:secrets, beside the old one" in text
    assert "are no longer trusted" in text


def test_fatefed_plan_says_what_it_does_not_see(bank: Workspace, authority: pki.Authority) -> None:
    give(bank, authority)
    found = bank.json("fatefed", "plan", "-s", "bank-a")
    assert (found["effects"], found["severity"]) == ([], 0)
    sentence = f"party-9999: whether {ENTRIES} of fate:secrets are the deployed ones, and what follows, `pulumi preview` says"
    assert found["unseen"] == [sentence]


def test_after_the_up_nothing_is_left_to_say(bank: Workspace, authority: pki.Authority) -> None:
    give(bank, authority)
    bank.up()
    assert bank.preview() == []
    assert "is another one" not in said(bank)
    # What the state remembers of it is what the certificate tells everybody.
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    state = json.loads(bank.run("pulumi", "stack", "export", "-s", "bank-a"))["deployment"]["resources"]
    (unit,) = [resource for resource in state if resource["type"] == "fate:federation:FateParty"]
    assert unit["inputs"]["provided"]["pulsar"]["until"] > tomorrow.isoformat()
