"""Certificates that cert-manager makes: what is asked of it, what the stack knows without reading a cluster, and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from federation.base.errors import FederationError
from federation.changes.effects import effects
from federation.manifests.objects import Manifest
from federation.stack.load import LoadedStack, check_secrets, made_certificates
from tests.support.configs import CLINIC, MESH, MESH_OF_TWO, RABBITMQ_MESH, STAR_PARTY, Case, Config
from tests.support.trust import ISSUER, TODAY, annotations, ca, load, managed, secrets_of, trusting, with_ca


def certificate(loaded: LoadedStack, unit: str = "party-9999") -> Manifest:
    """What asks cert-manager."""
    (found,) = loaded.plan.unit(unit).certificates
    return found


def test_the_certificate_asks_for_the_very_name_that_peers_dial_and_for_what_pulsar_reads(tmp_path: Path) -> None:
    loaded = load(managed(STAR_PARTY), tmp_path)
    asked = certificate(loaded)
    assert asked.document()["apiVersion"] == "cert-manager.io/v1"
    assert (asked.kind, asked.namespace, asked.name) == ("Certificate", "fate-9999", "pulsar-cert-issued")
    published = loaded.plan.unit("party-9999").descriptor["endpoints"]["pulsar"]["serverName"]
    assert asked.fields["spec"] == {
        "secretName": "pulsar-cert-issued",
        "dnsNames": [published],
        "subject": {"organizations": ["9999"]},
        "usages": ["digital signature", "key encipherment", "server auth", "client auth"],
        "privateKey": {"algorithm": "RSA", "size": 3072, "encoding": "PKCS8", "rotationPolicy": "Always"},
        "duration": "8760h",
        "renewBefore": "720h",
        "issuerRef": {"name": "party-9999-ca", "kind": "Issuer", "group": "cert-manager.io"},
    }
    assert asked.metadata["annotations"]["pulumi.com/waitFor"] == "condition=Ready"


def test_lifetimes_and_other_issuers_are_asked_for(tmp_path: Path) -> None:
    case = managed(STAR_PARTY, {"name": "fed", "kind": "AWSPCAClusterIssuer", "group": "awspca.cert-manager.io"}, leafDays=90, renewDays=15)
    fields = certificate(load(case, tmp_path)).fields["spec"]
    assert (fields["duration"], fields["renewBefore"]) == ("2160h", "360h")
    assert fields["issuerRef"] == {"name": "fed", "kind": "AWSPCAClusterIssuer", "group": "awspca.cert-manager.io"}


def test_other_modes_ask_for_nothing_and_their_values_stay_as_they_were(tmp_path: Path) -> None:
    case = trusting(MESH_OF_TWO, "9998", "9999").changed(lambda c: c["parties"]["9999"].update(tls="certManager", issuer=ISSUER))
    units = {unit.key: unit for unit in load(case, tmp_path).plan.units}
    assert [key for key, unit in units.items() if unit.certificates] == ["party-9999"]
    brokers = {key: unit.chart.values.plain()["pulsar"]["broker"] for key, unit in units.items()}
    assert brokers["party-9999"]["issuedSecret"] == "pulsar-cert-issued"
    assert brokers["party-9998"].keys() == brokers["party-9999"].keys() - {"issuedSecret"}
    assert "issuers" not in units["party-9998"].recorded


def test_the_stack_holds_the_trusted_cas_and_no_key(tmp_path: Path) -> None:
    loaded = load(managed(MESH.with_peer("clinic-b", with_ca(CLINIC))), tmp_path)
    names = [name for name in loaded.plan.secret_names if name.startswith(("party-9999-key", "party-9999-c"))]
    assert names == [], "cert-manager has the keys"
    (secret,) = [one for one in loaded.plan.unit("party-9999").secrets if one.name == "pulsar-cert"]
    assert (dict(secret.sources), secret.pkcs8) == (
        {"ca.cert.pem": "party-9999-ca", "ca-9999.cert.pem": "party-9999-ca-of-9999", "ca-10000.cert.pem": "party-9999-ca-of-10000"},
        frozenset(),
    )
    check_secrets(loaded, secrets_of(loaded))
    assert made_certificates(loaded, secrets_of(loaded)) == {
        "party-9999-ca": ca("9999") + ca("10000"),
        "party-9999-ca-of-9999": ca("9999"),
        "party-9999-ca-of-10000": ca("10000"),
    }
    said = annotations(loaded)
    assert list(said) == ["federation.fate/trusts"], "no last day is known before cert-manager signed"
    assert said["federation.fate/trusts"].startswith("9999=")


def test_peers_learn_the_ca_from_the_descriptor_and_see_no_difference(tmp_path: Path) -> None:
    own, other = load(trusting(STAR_PARTY, "9999"), tmp_path / "own"), load(managed(STAR_PARTY), tmp_path / "managed")
    assert other.plan.unit("party-9999").descriptor == own.plan.unit("party-9999").descriptor
    assert other.plan.unit("party-9999").descriptor["trust"] == {"authorities": [ca("9999")]}


def test_only_the_end_of_the_ca_is_due(tmp_path: Path) -> None:
    assert load(managed(STAR_PARTY), tmp_path).plan.outputs["renewalDue"] == {"party-9999": {"authority": "2031-11-21"}}
    warnings = load(managed(STAR_PARTY), tmp_path, TODAY.replace(year=2031, month=9)).plan.warnings
    assert "the CA of party 9999 ends on 2031-11-21: replace it with `fatefed trust rotate --party 9999`" in warnings


def test_a_missing_ca_is_asked_of_trust_init(tmp_path: Path) -> None:
    loaded = load(managed(STAR_PARTY).changed(lambda config: config.pop("trust")), tmp_path)
    assert loaded.plan.unit("party-9999").lacks_authority
    with pytest.raises(FederationError) as raised:
        check_secrets(loaded, dict.fromkeys(loaded.plan.secret_names, "x"))
    (problem,) = raised.value.problems
    assert problem.place.endswith("fate:trust.parties.9999")
    assert "fatefed trust init" in problem.remedy


@pytest.mark.parametrize(
    ("case", "change", "place", "expected"),
    [
        (STAR_PARTY, lambda own: own.pop("issuer"), "parties.9999.issuer", "is missing: tls: certManager needs an issuer"),
        (STAR_PARTY, lambda own: own.update(tls="provided"), "parties.9999.issuer", "tls: provided uses no issuer"),
        (STAR_PARTY, lambda own: own.update(tls="partyCa"), "parties.9999.issuer", "tls: partyCa uses no issuer"),
        (STAR_PARTY, lambda own: own.update(issuer={"name": "Upper"}), "parties.9999.issuer.name", ""),
        (STAR_PARTY, lambda own: own.update(issuer={"name": "a", "kind": "Vault"}), "parties.9999.issuer", "cert-manager.io has no Vault"),
        (STAR_PARTY, lambda own: own.update(issuer={"name": "a", "namespace": "b"}), "parties.9999.issuer.namespace", "unknown key"),
        (RABBITMQ_MESH, lambda own: None, "parties.9999.tls", "RabbitMQ has no TLS: there is no certificate for cert-manager to sign"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(tmp_path: Path, case: Case, change: Any, place: str, expected: str) -> None:
    wrong = case.changed(
        lambda config: (config["parties"]["9999"].update(tls="certManager", issuer=ISSUER), change(config["parties"]["9999"]))
    )
    with pytest.raises(FederationError) as raised:
        load(wrong, tmp_path)
    found = {problem.place.rpartition("fate:")[2]: problem.problem for problem in raised.value.problems}
    assert expected in found[place], found


def test_an_external_pulsar_has_a_certificate_of_its_own(tmp_path: Path) -> None:
    pulsar = {"external": {"host": "pulsar.bank-a.example", "port": 6650, "tlsPort": 6651, "managementPort": 8080}}
    published = {"type": "External", "advertise": {"host": "203.0.113.40"}}

    def change(config: Config) -> None:
        own = config["parties"]["9999"]
        own.update(tls="certManager", issuer=ISSUER, engines={"pulsar": pulsar}, publish={**own["publish"], "pulsar": published})

    with pytest.raises(FederationError, match="Pulsar is external and has its own certificate"):
        load(STAR_PARTY.changed(change), tmp_path)


def test_another_issuer_is_said_before_it_signs(tmp_path: Path) -> None:
    old, new = (load(managed(STAR_PARTY, {"name": name}), tmp_path / name).plan.unit("party-9999").recorded for name in ("one", "two"))
    (effect,) = effects("party-9999", old, new)
    assert (effect.kind, effect.pairs) == ("reload", ())
    assert "certificate pulsar-cert-issued is issued again, now by Issuer two, so far by Issuer one" in effect.what
    assert list(effects("party-9999", new, new)) == []


@pytest.mark.parametrize(("kind", "api"), [("Secret", "v1"), ("Certificate", "cert-manager.io/v1")])
def test_what_cert_manager_makes_is_not_made_by_own_objects(tmp_path: Path, kind: str, api: str) -> None:
    case = managed(STAR_PARTY).changed(lambda config: config.update(manifests={"own": "own.yaml"}))
    (tmp_path / "own.yaml").write_text(
        f"apiVersion: {api}\nkind: {kind}\nmetadata: {{name: pulsar-cert-issued, namespace: fate-9999}}\nspec: {{}}\n"
    )
    with pytest.raises(FederationError, match="has the name of an object that this program creates"):
        load(case, tmp_path)
