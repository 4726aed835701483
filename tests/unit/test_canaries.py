"""The engine tests' canary stacks have every slot for a secret that the models know: a new slot fails here until they fill it."""

import base64
from pathlib import Path
from typing import get_args

import pytest

from federation.config.party import PartySpec
from federation.config.stack import StackSpec
from sandbox import pki
from tests.support.canaries import STACKS, canary, filled, marks, mentions, slots
from tests.support.configs import Case, Config

# Where the models speak of fate:secrets: a field that names an entry, and is none of these, is a slot that `slots` does not see.
_KNOWN = {
    "BoardsTls.secret",
    "Credential.previous",
    "Credential.secret",
    "PartySpec.tls",
    "PartyTrust.signing",
    "PullSecret.secret",
    "Volume.secret",  # a Secret that exists already
}


def test_the_canary_stacks_fill_every_slot_of_the_models() -> None:
    known = slots()
    assert {"parties.*.credentials.mysqlRoot", "parties.*.engines.rabbitmq.external.password", "images.pullSecret"} <= known
    given = {slot for config in STACKS for slot in filled(StackSpec.model_validate(config))}
    assert given == known, f"put what is missing into tests/support/canaries.py: {sorted(known - given)}"


@pytest.mark.parametrize("config", STACKS, ids=lambda config: str(config["organization"]))
def test_the_canary_stacks_read_every_entry_that_they_name(config: Config, tmp_path: Path) -> None:
    names = {name for found in filled(StackSpec.model_validate(config)).values() for name in found}
    read = set(Case("canaries", config).load(tmp_path).plan.secret_names)
    assert names - read <= {"consoles"}, "which is a prefix of two entries"
    assert read


def test_no_field_names_an_entry_in_a_way_that_the_walk_does_not_know() -> None:
    assert mentions() == _KNOWN
    assert set(get_args(PartySpec.model_fields["tls"].annotation)) == {"partyCa", "provided", "certManager", "none"}


def test_a_slot_that_nobody_fills_is_noticed() -> None:
    config = {**STACKS[0], "images": {}}
    given = {slot for one in (config, *STACKS[1:]) for slot in filled(StackSpec.model_validate(one))}
    assert slots() - given == {"images.pullSecret"}


@pytest.mark.parametrize("kind", ["rsa-2048", "ec-p256"])
def test_a_key_is_found_again_in_every_spelling(kind: str) -> None:
    key = pki.new_key(kind)
    wanted = marks(pki.key_pem(key, "traditional").decode())
    for form in ("pkcs8", "traditional"):
        assert [mark for mark in wanted if mark in pki.key_pem(key, form).decode()]


def test_a_password_is_found_again_also_inside_base64() -> None:
    password = canary("x")
    for before in ("", "a", "ab", "abc"):
        text = base64.b64encode(f"{before}{password}:after".encode()).decode()
        assert [mark for mark in marks(password) if mark in text], before
    assert not [mark for mark in marks(password) if mark in base64.b64encode(canary("y").encode()).decode()]
