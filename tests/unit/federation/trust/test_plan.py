"""Certificates in the plan: who signs, whom a party trusts, what a preview shows of it, and what the program makes."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

from federation.base.errors import FederationError
from federation.base.live import live_values, substitute
from federation.config.stack import FederationSpec
from federation.peers.accepted import membership_problems
from federation.peers.descriptor import finish
from federation.pki.authority import authority_certificate
from federation.stack.load import LoadedStack, check_secrets, load_stack, made_certificates, published_plan
from sandbox import pki as sandbox_pki
from tests.support.configs import (
    CLINIC,
    DOMAIN,
    EXCHANGE,
    EXTERNAL,
    LOCAL,
    MESH,
    MESH_OF_TWO,
    RABBITMQ_MESH,
    STAR_PARTY,
    Case,
    Config,
    party_descriptor,
)
from tests.support.trust import TODAY, annotations, ca, ca_key, load, managed, secrets_of, server_key, trusting, with_ca

FRAUD = FederationSpec(name="fraud", domain=DOMAIN, topology="star", link="native")


def certificate_of(loaded: LoadedStack, party: str = "9999") -> x509.Certificate:
    """The certificate that the program makes."""
    return x509.load_pem_x509_certificate(made_certificates(loaded, secrets_of(loaded))[f"party-{party}-certificate"].encode())


def test_a_party_with_a_ca_needs_its_keys_and_no_certificate(tmp_path: Path) -> None:
    names = set(load(trusting(STAR_PARTY, "9999"), tmp_path).plan.secret_names)
    assert {"party-9999-key", "party-9999-ca-1"} <= names
    assert not {"party-9999-certificate", "party-9999-ca"} & names


def test_the_certificate_carries_the_very_name_that_peers_dial(tmp_path: Path) -> None:
    loaded = load(trusting(STAR_PARTY, "9999"), tmp_path)
    made = certificate_of(loaded)
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
    assert names == ["9999.fraud.example"] == [loaded.plan.unit("party-9999").descriptor["endpoints"]["pulsar"]["serverName"]]
    assert made.subject.rfc4514_string() == "CN=9999.fraud.example,O=9999"
    assert isinstance(made.public_key(), rsa.RSAPublicKey), "Pulsar 2 reads no other key"


def test_the_descriptor_publishes_the_ca_and_no_key(tmp_path: Path) -> None:
    body = load(trusting(STAR_PARTY, "9999"), tmp_path).plan.unit("party-9999").descriptor
    assert body["trust"] == {"authorities": [ca("9999")]}
    assert "PRIVATE" not in str(body)
    assert "trust" not in load(STAR_PARTY, tmp_path / "provided").plan.unit("party-9999").descriptor


def test_the_bundle_holds_ones_own_ca_and_those_of_active_peers(tmp_path: Path) -> None:
    case = trusting(MESH.with_peer("clinic-b", with_ca(CLINIC)), "9999")
    hospital = with_ca(party_descriptor("10001", "hospital-c"))
    for state, expected in (("active", [ca("9999"), ca("10000"), ca("10001")]), ("suspended", [ca("9999"), ca("10000")])):
        loaded = load(case.with_peer("hospital-c", hospital, state=state), tmp_path / state)
        assert made_certificates(loaded, secrets_of(loaded))["party-9999-ca"] == "".join(expected)


def test_a_party_of_a_star_trusts_the_members_it_accepted(tmp_path: Path) -> None:
    before = load(trusting(STAR_PARTY, "9999"), tmp_path / "before")
    after = load(trusting(STAR_PARTY, "9999").with_peer("clinic-b", with_ca(CLINIC)), tmp_path / "after")
    assert made_certificates(after, secrets_of(after))["party-9999-ca"] == ca("9999") + ca("10000")
    assert "trusts no other party's CA," in " ".join(before.plan.warnings)
    assert "trusts no other party's CA," not in " ".join(after.plan.warnings)
    old, new = before.plan.unit("party-9999"), after.plan.unit("party-9999")
    assert (old.chart, old.services, old.policies) == (new.chart, new.services, new.policies), "trust, and an entry of nginx"


def test_parties_of_one_stack_trust_each_other(tmp_path: Path) -> None:
    loaded = load(trusting(MESH_OF_TWO.with_peer("clinic-b", with_ca(CLINIC)), "9998", "9999"), tmp_path)
    bundles = made_certificates(loaded, secrets_of(loaded))
    assert bundles["party-9998-ca"] == ca("9998") + ca("9999") + ca("10000")
    assert bundles["party-9999-ca"] == ca("9999") + ca("9998") + ca("10000")


def test_each_party_has_a_file_with_its_own_ca_and_nobody_else_s(tmp_path: Path) -> None:
    """Java asks no CA that it trusts for its name constraints: in one file, each could sign the others' names."""
    case = trusting(MESH_OF_TWO.with_peer("clinic-b", with_ca(CLINIC, ca("10000"), ca("10000", "2"))), "9998", "9999")
    loaded = load(case, tmp_path)
    made = made_certificates(loaded, secrets_of(loaded))
    for own in ("9998", "9999"):
        (secret,) = [one for one in loaded.plan.unit(f"party-{own}").secrets if one.name == "pulsar-cert"]
        files = {file: made[name] for file, name in secret.sources.items() if file.startswith("ca-")}
        assert files == {
            "ca-9998.cert.pem": ca("9998"),
            "ca-9999.cert.pem": ca("9999"),
            "ca-10000.cert.pem": ca("10000") + ca("10000", "2"),
        }, "while a CA is replaced both"


@pytest.mark.parametrize(("signing", "expected"), [("1", ["1", "2"]), ("2", ["2", "1"])])
def test_a_party_s_own_file_begins_with_the_ca_that_signs(tmp_path: Path, signing: str, expected: list[str]) -> None:
    """Pulsar's own clients read the first certificate of the file only."""
    for number, mode in enumerate((partial(trusting, STAR_PARTY, "9999"), partial(managed, STAR_PARTY))):
        loaded = load(mode(signing=signing, authorities=("1", "2")), tmp_path / str(number))
        made = made_certificates(loaded, secrets_of(loaded))
        assert made["party-9999-ca-of-9999"] == "".join(ca("9999", each) for each in expected)


def test_a_provided_bundle_begins_with_the_ca_that_signed(tmp_path: Path) -> None:
    other, authority = sandbox_pki.new_authority("other"), sandbox_pki.new_authority("federation")
    leaf = sandbox_pki.pem(sandbox_pki.issue(authority, sandbox_pki.new_key().public_key(), "9999.fraud.example")).decode()
    first, second = (sandbox_pki.pem(each.certificate).decode() for each in (other, authority))
    loaded = load(MESH, tmp_path)
    given = dict.fromkeys(loaded.plan.secret_names, "x") | {"party-9999-certificate": leaf, "party-9999-ca": first + second}
    assert made_certificates(loaded, given)["party-9999-ca-of-9999"] == second + first
    assert made_certificates(loaded, given | {"party-9999-ca": second + first})["party-9999-ca-of-9999"] == second + first


def test_the_container_beside_pulsar_is_told_whose_ca_there_is_a_file_of(tmp_path: Path) -> None:
    for number, (case, expected) in enumerate(
        [
            (trusting(STAR_PARTY, "9999"), []),
            (trusting(STAR_PARTY, "9999").with_peer("clinic-b", with_ca(CLINIC)), ["10000"]),
            (trusting(STAR_PARTY, "9999").with_peer("clinic-b", with_ca(CLINIC), state="suspended"), []),
            (trusting(MESH_OF_TWO.with_peer("clinic-b", with_ca(CLINIC)), "9998", "9999"), ["9998", "10000"]),
            (MESH.with_peer("clinic-b", with_ca(CLINIC)), ["10000"]),
            (MESH, []),
        ]
    ):
        unit = load(case, tmp_path / str(number)).plan.unit("party-9999")
        (files,) = [manifest.fields["data"] for manifest in unit.routes if manifest.name == "pulsar-route-table"]
        assert json.loads(files["pulsar_trust.json"])["trusted"] == expected, case
        (secret,) = [one for one in unit.secrets if one.name == "pulsar-cert"]
        assert {f"ca-{party}.cert.pem" for party in ["9999", *expected]} | {"ca.cert.pem"} == {
            file for file in secret.sources if file.startswith("ca")
        }


def test_who_shares_no_collaboration_is_not_trusted(tmp_path: Path) -> None:
    case = trusting(MESH.with_peer("clinic-b", with_ca(CLINIC)), "9999").with_peer("c", with_ca(party_descriptor("10001", "c")))
    loaded = load(case.changed(lambda config: config.update(collaborations={"fraud": ["9999", "10000"]})), tmp_path)
    assert made_certificates(loaded, secrets_of(loaded))["party-9999-ca"] == ca("9999") + ca("10000")


def test_cas_of_peers_join_a_provided_one(tmp_path: Path) -> None:
    loaded = load(MESH.with_peer("clinic-b", with_ca(CLINIC)), tmp_path)
    given = dict.fromkeys(loaded.plan.secret_names, "x") | {"party-9999-ca": "the federation's"}
    own, clinic = "the federation's\n", ca("10000")
    assert made_certificates(loaded, given) == {
        "party-9999-ca": own + clinic, "party-9999-ca-of-9999": own, "party-9999-ca-of-10000": clinic
    }  # fmt: skip
    without = load(MESH, tmp_path / "without")
    assert made_certificates(without, given) == {"party-9999-ca": own, "party-9999-ca-of-9999": own}
    assert annotations(without) == {}


BROAD = sandbox_pki.pem(sandbox_pki.new_authority("federation").certificate).decode()
PROVIDED: dict[str, tuple[str, list[str]]] = {
    "the party's own": (ca("9999"), [ca("9999")]),
    "the party's old and new one": (ca("9999") + ca("9999", "2"), [ca("9999"), ca("9999", "2")]),
    "the federation's": (BROAD, []),
    "the party's and the federation's": (ca("9999") + BROAD, []),
    "another party's": (ca("10000"), []),
    "one twice": (ca("9999") * 2, []),
    "more than a reader takes": (ca("9999") + ca("9999", "2") + ca("9999", "3"), []),
    "no certificate": ("x", []),
}


@pytest.mark.parametrize(("given", "published"), PROVIDED.values(), ids=list(PROVIDED))
def test_a_provided_ca_is_published_if_peers_would_accept_it(given: str, published: list[str], tmp_path: Path) -> None:
    loaded = load(MESH.with_peer("clinic-b", with_ca(CLINIC)), tmp_path)
    secrets = dict.fromkeys(loaded.plan.secret_names, "x") | {"party-9999-ca": given}
    body = published_plan(loaded, secrets).unit("party-9999").descriptor
    assert body.get("trust", {"authorities": []}) == {"authorities": published}
    assert {key: value for key, value in body.items() if key != "trust"} == loaded.plan.unit("party-9999").descriptor
    if published:
        address = dict.fromkeys(live_values(body), "203.0.113.5")
        assert membership_problems(finish(substitute(body, address)), FRAUD, "here") == ()


def test_a_ca_of_ones_own_is_published_once(tmp_path: Path) -> None:
    loaded = load(trusting(MESH, "9999"), tmp_path)
    assert published_plan(loaded, secrets_of(loaded)) == loaded.plan


def test_a_peer_without_a_ca_is_named(tmp_path: Path) -> None:
    warnings = " ".join(load(trusting(MESH, "9999"), tmp_path).plan.warnings)
    assert "peer clinic-b publishes no CA, so party 9999 refuses its certificate" in warnings


def test_a_preview_shows_whom_a_party_trusts_and_until_when_its_certificate_is_valid(tmp_path: Path) -> None:
    case = trusting(MESH, "9999")
    before, after = load(case, tmp_path / "before"), load(case.with_peer("clinic-b", with_ca(CLINIC)), tmp_path / "after")
    assert annotations(before)["federation.fate/certificate-until"] == "2027-11-21"
    own, both = (annotations(loaded)["federation.fate/trusts"] for loaded in (before, after))
    assert own.startswith("9999=")
    assert both.startswith(f"{own}, 10000=")
    certificate = x509.load_pem_x509_certificate(ca("10000").encode())
    assert both.endswith(certificate.fingerprint(hashes.SHA256()).hex()[:16])


def test_nothing_changes_until_the_day_of_renewal(tmp_path: Path) -> None:
    file = trusting(STAR_PARTY, "9999").write(tmp_path)
    first, last_day, renewed = (load_stack(file, today=day) for day in (TODAY, date(2027, 10, 21), date(2027, 10, 22)))
    assert replace(first.plan, findings=()) == replace(last_day.plan, findings=())
    assert certificate_of(first) == certificate_of(last_day) != certificate_of(renewed)
    assert first.plan.outputs["renewalDue"] == {"party-9999": {"certificate": "2027-10-22", "authority": "2031-11-21"}}
    assert renewed.plan.outputs["renewalDue"]["party-9999"]["certificate"] == "2028-09-21"
    assert annotations(renewed)["federation.fate/certificate-until"] == "2028-10-21"
    old, new = first.plan.unit("party-9999"), renewed.plan.unit("party-9999")
    assert [(a.name, a != b) for a, b in zip(old.secrets, new.secrets, strict=True) if a != b] == [("pulsar-cert", True)]
    assert (old.routes, old.chart, old.descriptor) == (new.routes, new.chart, new.descriptor)


def test_lifetimes_are_configuration(tmp_path: Path) -> None:
    loaded = load(trusting(STAR_PARTY, "9999", leafDays=90, renewDays=15), tmp_path)
    assert annotations(loaded)["federation.fate/certificate-until"] == "2027-02-19"
    with pytest.raises(FederationError, match="renewDays 90 is not less than leafDays 90"):
        load(trusting(STAR_PARTY, "9999", leafDays=90, renewDays=90), tmp_path / "wrong")


@pytest.mark.parametrize(
    ("day", "said"), [("2031-08-23", None), ("2031-08-24", "ends on 2031-11-21"), ("2031-12-01", "ended on 2031-11-21")]
)
def test_a_ca_that_ends_is_said_in_time(tmp_path: Path, day: str, said: str | None) -> None:
    warnings = load(trusting(STAR_PARTY, "9999"), tmp_path, date.fromisoformat(day)).plan.warnings
    found = [warning for warning in warnings if "the CA of party 9999" in warning]
    assert found == ([f"the CA of party 9999 {said}: replace it with `fatefed trust rotate --party 9999`"] if said else [])


def test_the_end_of_a_peers_ca_is_told_in_time(tmp_path: Path) -> None:
    case = trusting(MESH.with_peer("clinic-b", with_ca(CLINIC)), "9999")
    for day, words in ((TODAY, []), (date(2031, 9, 1), ["ends on 2031-11-21"])):
        warnings = [warning for warning in load(case, tmp_path, day).plan.warnings if "the CA of party 10000" in warning]
        assert warnings == [
            f"the CA of party 10000 (peer clinic-b) {said}: ask its owner for a descriptor with the next CA" for said in words
        ]


def test_a_rotation_overlaps(tmp_path: Path) -> None:
    """Step 1: both published and trusted, the old one signs. Step 2: the new one signs. Step 3: only the new one is left."""
    steps = [("1", ("1",)), ("1", ("1", "2")), ("2", ("1", "2")), ("2", ("2",))]
    seen = []
    for number, (signing, authorities) in enumerate(steps):
        loaded = load(trusting(STAR_PARTY, "9999", signing=signing, authorities=authorities), tmp_path / str(number))
        check_secrets(loaded, secrets_of(loaded))
        issuer = certificate_of(loaded).issuer
        (signer,) = [n for n in ("1", "2") if x509.load_pem_x509_certificate(ca("9999", n).encode()).subject == issuer]
        seen.append((signer, loaded.plan.unit("party-9999").descriptor["trust"]["authorities"]))
    one, two = ca("9999", "1"), ca("9999", "2")
    assert seen == [("1", [one]), ("1", [one, two]), ("2", [one, two]), ("2", [two])]


def test_a_missing_ca_is_asked_of_keys_init(tmp_path: Path) -> None:
    case = STAR_PARTY.changed(lambda config: config["parties"]["9999"].update(tls="partyCa"))
    loaded = load(case, tmp_path)
    assert loaded.plan.trust_names == {"party-9999-key", "party-9999-ca-1"}
    with pytest.raises(FederationError) as raised:
        check_secrets(loaded, {})
    asked = {problem.problem: problem.remedy for problem in raised.value.problems}
    assert asked["secret party-9999-ca-1 is missing"] == asked["secret party-9999-key is missing"] == "run `fatefed keys init`"
    with pytest.raises(FederationError, match=r"fate:trust\.parties\.9999: is missing"):
        check_secrets(loaded, dict.fromkeys(loaded.plan.secret_names, "x"))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("party-9999-ca-1", lambda: ca_key("10000"), "is not the key of the authority that signs"),
        ("party-9999-ca-1", lambda: server_key("9999"), "is not an EC key"),
        ("party-9999-ca-1", lambda: "x", "is not an unencrypted PEM private key"),
        ("party-9999-key", lambda: "x", "is not an unencrypted PEM private key"),
        ("party-9999-key", lambda: ca_key("9999"), "is not an RSA key"),
    ],
)
def test_a_key_that_cannot_be_used_is_a_problem_before_anything_is_touched(tmp_path: Path, name: str, value: Any, expected: str) -> None:
    loaded = load(trusting(STAR_PARTY, "9999"), tmp_path)
    with pytest.raises(FederationError) as raised:
        check_secrets(loaded, secrets_of(loaded) | {name: value()})
    (problem,) = raised.value.problems
    assert expected in problem.problem
    assert problem.place.endswith(f"fate:secrets.{name}")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda c: c["parties"]["9999"].update(tls="none"), "Pulsar finds its peers by TLS server name, so it needs TLS"),
        (
            lambda c: c["trust"]["parties"].update({"10000": {"signing": "1", "authorities": {"1": ca("10000")}}}),
            "party 10000 is not a party",
        ),
        (lambda c: c["trust"]["parties"]["9999"]["authorities"].update({"1": ca("10000")}), "name constraints"),
        (lambda c: c["trust"]["parties"]["9999"]["authorities"].update({"1": ca("9999", "1", "other.example")}), "name constraints"),
        (lambda c: c["trust"]["parties"]["9999"]["authorities"].update({"2": ca("9999")}), "have the same subject"),
        (lambda c: c["trust"]["parties"]["9999"].update(signing="2"), "there is no authority 2"),
        (lambda c: c["trust"]["parties"]["9999"]["authorities"].update({"1": "x"}), "is not one PEM certificate"),
        (lambda c: c["trust"]["parties"]["9999"]["authorities"].update({"1": ca("9999") * 2}), "is not one PEM certificate"),
    ],
)
def test_wrong_trust_is_refused(tmp_path: Path, change: Any, expected: str) -> None:
    with pytest.raises(FederationError, match=expected):
        load(trusting(STAR_PARTY, "9999").changed(change), tmp_path)


def test_an_engine_without_tls_needs_no_certificate_in_any_mode(tmp_path: Path) -> None:
    for mode in ("none", "partyCa", "provided"):
        case = RABBITMQ_MESH.changed(lambda config, mode=mode: config["parties"]["9999"].update(tls=mode))
        plan = load(case, tmp_path / mode).plan
        assert plan.unit("party-9999").tls is None
        assert "trust" not in plan.unit("party-9999").descriptor


def test_an_exchange_has_no_certificate(tmp_path: Path) -> None:
    assert load(EXCHANGE, tmp_path).plan.outputs["renewalDue"] == {}
    loaded = load(trusting(LOCAL, "9999"), tmp_path / "local")
    assert set(loaded.plan.outputs["renewalDue"]) == {"party-9999"}


@pytest.mark.parametrize(
    ("authorities", "expected"),
    [
        ([lambda: ca("9999")], "its subject is not O=10000"),
        ([lambda: ca("10000", "1", "other.example")], "lacks the critical name constraints"),
        ([lambda: ca("10000"), lambda: ca("10000")], "have the same subject"),
    ],
)
def test_a_peers_ca_that_could_sign_other_names_is_refused(tmp_path: Path, authorities: Any, expected: str) -> None:
    descriptor = with_ca(CLINIC, *(authority() for authority in authorities))
    assert any(expected in problem.problem for problem in membership_problems(descriptor, FRAUD, "d.json"))
    with pytest.raises(FederationError, match=expected):
        load(EXCHANGE.with_peer("clinic-b", descriptor), tmp_path)


def test_two_authorities_of_a_peer_are_welcome_while_one_replaces_the_other() -> None:
    assert membership_problems(with_ca(CLINIC, ca("10000", "1"), ca("10000", "2")), FRAUD, "d.json") == ()


def test_the_last_day_of_a_certificate_is_in_the_future_today() -> None:
    """What a real `pulumi up` makes now can be used now."""
    today = datetime.now(UTC).date()
    fresh = authority_certificate(ca_key("9999"), party="9999", domain=DOMAIN, today=today, years=1)
    found = x509.load_pem_x509_certificate(fresh.encode())
    assert found.not_valid_before_utc <= datetime.now(UTC) <= found.not_valid_after_utc
    assert timedelta(days=364) < found.not_valid_after_utc - datetime.now(UTC)


def required(case: Case, *parties: str) -> Case:
    """The case, whose parties require certificates of who dials their Pulsar."""

    def change(config: Config) -> None:
        for party in parties or ("9999",):
            config["parties"][party]["publish"]["pulsar"]["clientCertificates"] = "required"

    return case.changed(change)


def broker_of(loaded: LoadedStack) -> dict[str, Any]:
    """The chart's values of party 9999's broker, and what the container beside it is told."""
    unit = loaded.plan.unit("party-9999")
    (files,) = [manifest.fields["data"] for manifest in unit.routes if manifest.name == "pulsar-route-table"]
    return {**unit.chart.values.plain()["pulsar"]["broker"], **json.loads(files["pulsar_trust.json"])}


@pytest.mark.parametrize(
    ("case", "expected", "shown"),
    [
        (STAR_PARTY, "none", False),
        (trusting(STAR_PARTY, "9999"), "shown", True),
        (managed(STAR_PARTY), "shown", True),
        (required(trusting(STAR_PARTY, "9999")), "required", True),
        (required(STAR_PARTY), "required", True),
    ],
)
def test_a_certificate_of_a_ca_of_ones_own_is_shown_and_only_who_says_so_requires_one(
    tmp_path: Path, case: Case, expected: str, shown: bool
) -> None:
    """A provided one might be for servers only, and a peer of KubeFATE, which asks for none, would refuse a wrong one."""
    found = broker_of(load(case, tmp_path))
    assert (found["clientCertificates"], found["shown"]) == (expected, shown)


@pytest.mark.parametrize(
    ("case", "name"), [(STAR_PARTY, "9999.fraud.example"), (trusting(STAR_PARTY, "9999"), None), (managed(STAR_PARTY), None)]
)
def test_names_are_compared_where_one_ca_may_sign_for_several_parties(tmp_path: Path, case: Case, name: str | None) -> None:
    assert broker_of(load(case, tmp_path)).get("serverName") == name


CLINIC_WITH_CA = MESH.with_peer("clinic-b", with_ca(CLINIC))


@pytest.mark.parametrize(
    ("case", "who"),
    [
        (required(trusting(MESH, "9999")), "peer clinic-b"),
        (required(MESH), "peer clinic-b"),
        (required(trusting(MESH_OF_TWO, "9999")), "party 9998, peer clinic-b"),
    ],
    ids=["a peer", "a peer of one whose certificate is provided", "a party of the stack"],
)
def test_who_has_no_ca_cannot_send_to_a_party_that_requires_certificates(tmp_path: Path, case: Case, who: str) -> None:
    with pytest.raises(FederationError) as raised:
        load(case, tmp_path)
    (problem,) = raised.value.problems
    assert problem.problem == f"would refuse {who}: this stack has no CA to check their certificates"
    assert problem.place.endswith("parties.9999.publish.pulsar.clientCertificates")
    assert "choose optional" in problem.remedy


@pytest.mark.parametrize(
    "case",
    [
        required(trusting(CLINIC_WITH_CA, "9999")),
        required(trusting(STAR_PARTY, "9999")),
        required(trusting(MESH.with_peer("clinic-b", CLINIC, state="suspended"), "9999")),
        required(trusting(MESH.changed(lambda config: config.update(collaborations={"a": ["9999", "10001"]})), "9999")),
        required(trusting(MESH_OF_TWO.with_peer("clinic-b", with_ca(CLINIC)), "9998", "9999"), "9998", "9999"),
    ],
    ids=["a peer with a CA", "an exchange", "suspended", "in no collaboration", "parties of the stack with CAs"],
)
def test_certificates_are_required_where_all_that_send_have_cas(tmp_path: Path, case: Case) -> None:
    assert broker_of(load(case, tmp_path))["clientCertificates"] == "required"


def test_a_peer_that_comes_or_goes_changes_nothing_that_pulsar_starts_with(tmp_path: Path) -> None:
    """Its pod would start again, and running jobs with it."""
    case = required(trusting(STAR_PARTY, "9999"))
    plans = [
        load(changed, tmp_path / str(number)).plan.unit("party-9999")
        for number, changed in enumerate(
            (case, case.with_peer("c", with_ca(CLINIC)), case.with_peer("c", with_ca(CLINIC), state="suspended"))
        )
    ]
    assert plans[0].chart == plans[1].chart == plans[2].chart
    assert plans[0].routes != plans[1].routes


def test_a_preview_says_that_certificates_could_be_required(tmp_path: Path) -> None:
    said = "set parties.9999.publish.pulsar.clientCertificates to required"
    for number, (case, expected) in enumerate(
        [
            (trusting(CLINIC_WITH_CA, "9999"), True),
            (required(trusting(CLINIC_WITH_CA, "9999")), False),
            (trusting(MESH, "9999"), False),
            (STAR_PARTY, False),
        ]
    ):
        assert (said in " ".join(load(case, tmp_path / str(number)).plan.warnings)) == expected, case


def test_an_external_pulsar_is_not_told_to_require_certificates(tmp_path: Path) -> None:
    with pytest.raises(FederationError, match="an external Pulsar asks for certificates if its own configuration says so"):
        load(required(EXTERNAL), tmp_path)


@pytest.mark.parametrize(("usages", "problems"), [(("server",), 1), (("server", "client"), 0)])
def test_a_provided_certificate_for_servers_only_cannot_be_shown(tmp_path: Path, usages: tuple[Any, ...], problems: int) -> None:
    authority, key = sandbox_pki.new_authority("federation"), sandbox_pki.new_key()
    leaf = sandbox_pki.issue(authority, key.public_key(), "9999.fraud.example", names=["9999.fraud.example"], usages=usages)
    given = {
        "party-9999-certificate": sandbox_pki.pem(leaf).decode(),
        "party-9999-key": sandbox_pki.key_pem(key).decode(),
        "party-9999-ca": sandbox_pki.pem(authority.certificate).decode(),
    }
    for number, (case, expected) in enumerate(((STAR_PARTY, 0), (required(STAR_PARTY), problems))):
        loaded = load(case, tmp_path / str(number))
        secrets = dict.fromkeys(loaded.plan.secret_names, "x") | given
        found = []
        try:
            check_secrets(loaded, secrets)
        except FederationError as error:
            found = [problem.problem for problem in error.problems]
        assert found == ["the certificate is for servers only, but Pulsar also presents it as a client"] * expected


def test_an_unknown_engine_is_a_problem_though_certificates_of_callers_are_required(tmp_path: Path) -> None:
    """Rules on trust run beside the one that refuses the engine."""

    def change(config: Config) -> None:
        config["parties"]["9999"] |= {"federation": "Pulsarx", "tls": "partyCa"}
        config["parties"]["9999"]["publish"]["pulsar"]["clientCertificates"] = "required"

    with pytest.raises(FederationError) as caught:
        STAR_PARTY.changed(change).load(tmp_path)
    assert any("Pulsarx" in problem.problem for problem in caught.value.problems)
