"""Certificates that an operator gives: what a preview says when their values change, and what `fatefed plan` can know of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import ec

from cli.main import main
from federation.changes.effects import Effect, effects
from federation.stack.load import published_plan
from federation.trust.provided import READERS
from tests.support.configs import EVERY_CASE, MESH, PORTAL, Case, key_of
from tests.support.stacks import project
from tests.unit.federation.pki.test_certificates import CA_KEY, GOOD, KEY, NAME, OTHER, Provided, pem, signed, text
from tests.unit.federation.trust.test_plan import ca

NEXT_KEY = ec.generate_private_key(ec.SECP256R1())
NEXT = text(signed("next CA", NEXT_KEY, "next CA", NEXT_KEY, authority=True))
PAIR = ("9999 <-> 10000",)
ANEW = "were written again: whether their values changed, and what follows, `pulumi preview` says"


def day(days: int) -> str:
    """The last day of a certificate of so many days that began yesterday."""
    return (datetime.now(UTC) - timedelta(days=1) + timedelta(days=days)).date().isoformat()


def renewed(days: int = 200) -> str:
    """Another certificate of the same CA."""
    return text(signed(NAME, KEY, "federation CA", CA_KEY, (NAME,), days=days))


def secrets(given: Provided) -> dict[str, str]:
    """The entries of party 9999."""
    return {"party-9999-certificate": given.certificate, "party-9999-key": given.key, "party-9999-ca": given.ca}


def changed(before: Mapping[str, str], after: Mapping[str, str], folder: Path, case: Case = MESH) -> list[Effect]:
    """What a preview says of the first unit that has certificates, as the state and the engine keep its facts."""
    loaded = case.load(folder)
    said = []
    for given in (before, after):
        every = dict.fromkeys(loaded.plan.secret_names, "x") | dict(given)
        unit = next(unit for unit in published_plan(loaded, every).units if unit.provided_certificates)
        said.append((unit.key, json.loads(json.dumps(unit.recorded))))
    (key, old), (_, new) = said
    return list(effects(key, old, new))


def told(found: list[Effect]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Kind, words and pairs."""
    return [(effect.kind, effect.what, effect.pairs) for effect in found]


def test_the_same_values_affect_nobody(tmp_path: Path) -> None:
    assert changed(secrets(GOOD), secrets(GOOD), tmp_path) == []


def test_another_certificate_of_the_same_ca_is_taken_without_a_restart(tmp_path: Path) -> None:
    after = replace(GOOD, certificate=renewed())
    what = (
        f"its certificate changes: it is valid until {day(200)}, so far until {day(100)}; Pulsar reads it within 5 minutes; no pod restarts"
    )
    assert told(changed(secrets(GOOD), secrets(after), tmp_path)) == [("reload", what, ())]


def test_another_key_is_another_certificate(tmp_path: Path) -> None:
    after = Provided(text(signed(NAME, OTHER, "federation CA", CA_KEY, (NAME,))), pem(OTHER), GOOD.ca)
    assert after.problems() == ()
    assert [effect.kind for effect in changed(secrets(GOOD), secrets(after), tmp_path)] == ["reload"]


def test_a_ca_that_was_issued_anew_is_trusted_by_whoever_trusted_it(tmp_path: Path) -> None:
    again = text(signed("federation CA", CA_KEY, "federation CA", CA_KEY, authority=True, days=900))
    assert again != GOOD.ca
    assert changed(secrets(GOOD), secrets(replace(GOOD, ca=again)), tmp_path) == []


def test_another_ca_cuts_those_that_do_not_have_it_yet(tmp_path: Path) -> None:
    """All at once; the careful way is the next test."""
    after = Provided(text(signed(NAME, KEY, "next CA", NEXT_KEY, (NAME,))), GOOD.key, NEXT)
    assert after.problems() == ()
    renews, signs, comes, goes = changed(secrets(GOOD), secrets(after), tmp_path)
    assert (renews.kind, renews.pairs) == ("reload", ())
    assert (signs.kind, signs.pairs) == ("cut", PAIR)
    assert signs.what.startswith("another CA signs its certificate, CN=next CA (")
    assert ", so far CN=federation CA (" in signs.what
    assert signs.what.endswith("): peers that do not trust it refuse the certificate")
    assert signs.acts == "this stack; before: every peer has it in its own fate:secrets, beside the old one"
    assert (comes.kind, comes.what.partition(" (")[0]) == ("reload", "certificates of CN=next CA")
    assert (goes.kind, goes.pairs, goes.what.partition(" (")[0]) == ("cut", PAIR, "certificates of CN=federation CA")
    assert goes.what.endswith("are no longer trusted")


def test_a_ca_beside_the_one_so_far_cuts_nobody(tmp_path: Path) -> None:
    both = replace(GOOD, ca=GOOD.ca + NEXT)
    (comes,) = changed(secrets(GOOD), secrets(both), tmp_path / "1")
    assert (comes.kind, comes.pairs) == ("reload", PAIR)
    assert comes.what.endswith("become trusted")
    signed_by_next = replace(both, certificate=text(signed(NAME, KEY, "next CA", NEXT_KEY, (NAME,))))
    assert [effect.kind for effect in changed(secrets(both), secrets(signed_by_next), tmp_path / "2")] == ["reload", "cut"]
    without = replace(signed_by_next, ca=NEXT)
    (goes,) = changed(secrets(signed_by_next), secrets(without), tmp_path / "3")
    assert (goes.kind, goes.pairs) == ("cut", PAIR)


def test_a_certificate_below_an_intermediate_is_its_roots(tmp_path: Path) -> None:
    middle_key = ec.generate_private_key(ec.SECP256R1())
    middle = text(signed("middle", middle_key, "federation CA", CA_KEY, authority=True))
    below = replace(GOOD, certificate=text(signed(NAME, KEY, "middle", middle_key, (NAME,))) + middle)
    assert below.problems() == ()
    assert [effect.kind for effect in changed(secrets(GOOD), secrets(below), tmp_path)] == ["reload"]


def test_a_ca_of_the_party_alone_is_told_to_its_peers(tmp_path: Path) -> None:
    """Such a CA is in the descriptor, which peers accept."""
    first, second = (replace(GOOD, ca=ca("9999", number)) for number in ("1", "2"))
    found = changed(secrets(first), secrets(second), tmp_path)
    assert ("reload", "the CAs in its descriptor change", PAIR) in told(found)
    (acts,) = [effect.acts for effect in found if effect.what == "the CAs in its descriptor change"]
    assert acts == "this stack exports the descriptor again; every peer accepts it and runs `pulumi up`"


def test_a_portals_programs_need_a_restart_for_another_certificate(tmp_path: Path) -> None:
    unit = next(unit for unit in PORTAL.load(tmp_path / "names").plan.units if unit.mutual is not None)
    assert unit.mutual is not None
    files = {"crt": GOOD.certificate, "key": GOOD.key}
    before = {entry: files.get(file.rpartition(".")[2], GOOD.ca) for file, entry in unit.mutual.sources.items()}
    before[unit.mutual.sources["ca.crt"]] = GOOD.ca
    after = {**before, unit.mutual.sources["client.crt"]: renewed()}
    loaded = replace(PORTAL, name="portal").load(tmp_path / "again")
    facts = []
    for given in (before, after):
        plan = published_plan(loaded, dict.fromkeys(loaded.plan.secret_names, "x") | given)
        facts.append(plan.unit(unit.key).recorded)
    (effect,) = effects(unit.key, *facts)
    assert effect.what.startswith(f"its client certificate changes: it is valid until {day(200)}, so far until {day(100)}; no pod restarts")
    assert effect.acts.startswith("this stack restarts them after `pulumi up` (`kubectl rollout restart")


def test_the_certificate_of_consoles_is_taken_by_their_controller(tmp_path: Path) -> None:
    case = MESH.changed(
        lambda config: (
            config.update(boards={"kind": "ingress", "domain": "bank-a.example", "tls": {"secret": "consoles"}}),
            config["parties"]["9999"].update(modules={"fateboard": {}}, tls="partyCa"),
        )
    )
    before, after = ({"consoles-certificate": given, "consoles-key": GOOD.key} for given in (GOOD.certificate, renewed()))
    (effect,) = changed(before, after, tmp_path, case)
    assert effect.what.startswith("the certificate of its consoles changes: it is valid ")
    assert (effect.kind, effect.pairs) == ("reload", ())


def test_every_certificate_that_is_given_has_a_reader(tmp_path: Path) -> None:
    """Of every stack of the tests, and every reader is met."""
    met = set()
    for number, case in enumerate(EVERY_CASE):
        for unit in case.load(tmp_path / str(number)).plan.units:
            asked = {entry for given in unit.provided_certificates.values() for entry in given.all}
            assert asked <= {name for secret in unit.secrets for name in secret.sources.values()}
            met |= unit.provided_certificates.keys()
    assert met | {"consoles"} == READERS.keys()


def test_nothing_of_a_private_key_is_remembered(tmp_path: Path) -> None:
    """Of another key with the same certificate the facts are the same: nothing of it can be in them."""
    loaded = MESH.load(tmp_path)
    every = dict.fromkeys(loaded.plan.secret_names, "x")
    first, second = (published_plan(loaded, {**every, **secrets(replace(GOOD, key=key))}) for key in (GOOD.key, pem(OTHER)))
    assert first.unit("party-9999").shown_certificates["pulsar"]["until"] == day(100)
    assert first == second


def test_what_was_not_remembered_or_cannot_be_known_counts_as_unchanged(tmp_path: Path) -> None:
    """States of before, and `fatefed plan`, which decrypts nothing."""
    loaded = MESH.load(tmp_path)
    given = {**dict.fromkeys(loaded.plan.secret_names, "x"), **secrets(GOOD)}
    known, unknown = (plan.unit("party-9999").recorded for plan in (published_plan(loaded, given), loaded.plan))
    assert known.keys() - unknown.keys() == {"provided"}
    assert list(effects("party-9999", unknown, known)) == []
    assert list(effects("party-9999", known, unknown)) == []


@dataclass(frozen=True)
class Planned:
    """What `fatefed plan` answered."""

    code: int
    text: str
    unseen: list[str]


def plan(capsys: pytest.CaptureFixture[str], folder: Path, *more: str) -> Planned:
    """`fatefed plan` as text and as data."""
    words = ["plan", "-s", "bank-a", "-C", str(folder), *more]
    code = main(words)
    text = capsys.readouterr().out
    main([*words, "--json"])
    return Planned(code, text, json.loads(capsys.readouterr().out)["unseen"])


def encrypted(case: Case, folder: Path, values: Mapping[str, str]) -> Path:
    """A stack file with entries as `pulumi config set --secret` writes them."""
    file = case.write(project(folder) / "stacks")
    document = yaml.safe_load(file.read_text())
    document["config"]["fate:secrets"] = {name: {"secure": f"v1:{value}"} for name, value in values.items()}
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    return file


def test_fatefed_plan_says_what_only_a_preview_sees(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = MESH.load(tmp_path / "facts")
    given = {**dict.fromkeys(loaded.plan.secret_names, "x"), **secrets(GOOD)}
    facts = published_plan(loaded, given).unit("party-9999").recorded
    deployed = {"type": "fate:federation:FateParty", "urn": "urn:pulumi:s::p::t::party-9999", "inputs": facts}
    monkeypatch.setattr("cli.tools.state.pulumi", lambda *_: json.dumps({"deployment": {"resources": [deployed]}}))
    encrypted(MESH, tmp_path, {name: "other" for name in secrets(GOOD)})
    said = plan(capsys, tmp_path)
    entries = "party-9999-ca, party-9999-certificate"
    sentence = f"party-9999: whether {entries} of fate:secrets are the deployed ones, and what follows, `pulumi preview` says"
    assert (said.code, said.unseen) == (0, [sentence])
    assert "No running party is affected.\n\nNot seen here, where no secret is decrypted:\n\n- party-9999: whether" in said.text

    # Of a unit that is new there is nothing to compare.
    monkeypatch.setattr("cli.tools.state.pulumi", lambda *_: "{}")
    assert plan(capsys, tmp_path).unseen == []


def test_entries_that_are_written_as_they_were_are_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = {name: name for name in secrets(GOOD)}
    old = encrypted(MESH, tmp_path / "old", values)
    encrypted(MESH, tmp_path / "same", values)
    assert plan(capsys, tmp_path / "same", "--against", str(old)).unseen == []
    encrypted(MESH, tmp_path / "other", {**values, "party-9999-ca": "anew"})
    (said,) = plan(capsys, tmp_path / "other", "--against", str(old)).unseen
    assert said == f"party-9999: party-9999-ca of fate:secrets {ANEW}"
    # A party with a CA of its own gives no certificate.
    own = MESH.changed(lambda config: (config["parties"]["9999"].update(tls="partyCa"), config.update(identity={"key": key_of("bank-a")})))
    encrypted(own, tmp_path / "own", {**values, "party-9999-ca": "anew"})
    assert plan(capsys, tmp_path / "own", "--against", str(old)).unseen == []
