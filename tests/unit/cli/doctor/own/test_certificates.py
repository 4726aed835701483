"""`fatefed doctor` and `status` of a party whose certificate cert-manager makes: unsigned, or signed by a CA that no peer knows."""

from collections.abc import Callable
from typing import Any

import pytest

from cli.doctor.snapshot import CERTIFICATE_REQUESTS, CERTIFICATES
from tests.support.configs import Case
from tests.support.kubectl import FORBIDDEN, NOT_FOUND, Answers, encoded
from tests.support.trust import ca, managed
from tests.unit.cli.doctor.own.test_doctor import WHOLE, Lab, item, lab, make

__all__ = ["lab", "make"]  # fixtures
MANAGED = managed(WHOLE)
SIGNED = "party-9999: certificate pulsar-cert-issued is signed by the CA in fate:trust"


def _signed_elsewhere(answers: Answers) -> None:
    item(answers, CERTIFICATES, "pulsar-cert-issued")["spec"]["issuerRef"]["name"] = "other"


def _conditions(*conditions: dict[str, Any]) -> Callable[[Answers], None]:
    return lambda answers: item(answers, CERTIFICATES, "pulsar-cert-issued")["status"].update(conditions=list(conditions))


_DOWN = {"type": "Ready", "status": "False", "observedGeneration": 1, "message": "Issuing certificate as Secret does not exist"}
_OLD = {"type": "Ready", "status": "True", "observedGeneration": 0, "message": "Certificate is up to date"}
_REFUSED = {"type": "Issuing", "status": "False", "message": "The certificate request has failed to complete"}


@pytest.mark.parametrize(
    ("fault", "problem", "fix"),
    [
        (lambda answers: answers[f"{CERTIFICATES}/fate-9999"].clear(), "there is none", "pulumi up"),
        (_signed_elsewhere, "it asks Issuer other for something else than planned", "pulumi up"),
        (_conditions(_DOWN), "it is not signed: Issuing certificate as Secret does not exist", "describe certificate"),
        (_conditions(_DOWN, _REFUSED), "it is not signed: The certificate request has failed to complete", "describe certificate"),
        (_conditions(_OLD), "it is not signed: the request changed since", "describe certificate"),
        (_conditions(), "is its controller running?", "describe certificate"),
    ],
)
def test_a_certificate_that_cert_manager_did_not_sign_is_said(
    fault: Callable[[Answers], None], problem: str, fix: str, make: Callable[[Case], Lab]
) -> None:
    lab = make(MANAGED)
    code, rows = lab.after(fault)
    [row] = rows
    assert (code, row["check"]) == (1, "party-9999: certificate pulsar-cert-issued of Issuer party-9999-ca")
    assert problem in row["problem"]
    assert fix in row["fix"]


def test_a_first_up_that_waited_for_a_signature_in_vain_is_no_preflight_and_all_else_waits_for_the_certificate(
    make: Callable[[Case], Lab],
) -> None:
    lab = make(MANAGED)

    def fault(answers: Answers) -> None:
        for kind in ("deployments", "statefulsets", "pods", "persistentvolumeclaims"):
            assert answers[f"{kind}/fate-9999"]
            answers[f"{kind}/fate-9999"] = []
        del answers["configmaps/fate-9999/nginx-config"]
        _conditions(_DOWN)(answers)

    code, [row] = lab.after(fault)
    assert (code, row["check"]) == (1, "party-9999: certificate pulsar-cert-issued of Issuer party-9999-ca")
    assert row["problem"] == "it is not signed: Issuing certificate as Secret does not exist"
    assert lab.skipped() == [("party-9999: modules and the other objects", f"waits for: {row['check']}")]


def test_certificates_are_read_only_where_cert_manager_makes_them(make: Callable[[Case], Lab]) -> None:
    lab = make(MANAGED)
    code, data = lab.run("doctor")
    checks = [row["check"] for row in data["rows"] if "ertificate" in row["check"]]
    assert (code, data["summary"]["failed"]) == (0, 0)
    signed = "party-9999: certificate pulsar-cert-issued of Issuer party-9999-ca, until 2027-11-22T09:00:00Z"
    assert checks == ["the cluster knows Certificate", signed, SIGNED]
    assert "pulsar-cert-issued  signed  Issuer party-9999-ca  2027-11-22T09:00:00Z" in lab.text("status")
    assert not any("secret" in word for call in lab.kubectl.asked for word in call), "what is signed is public elsewhere"


def test_no_certificate_is_asked_for_in_other_modes(lab: Lab) -> None:
    lab.run("doctor")
    asked = str(lab.kubectl.asked)
    assert "deployments" in asked
    assert "cert-manager" not in asked


def test_a_cluster_without_cert_manager_is_said_once(make: Callable[[Case], Lab]) -> None:
    lab = make(MANAGED)

    def fault(answers: Answers) -> None:
        answers["/apis/cert-manager.io/v1"] = NOT_FOUND.format("the server could not find the requested resource")
        for kind in (CERTIFICATES, CERTIFICATE_REQUESTS):
            answers[f"{kind}/fate-9999"] = f'error: the server doesn\'t have a resource type "{kind}"'

    code, [row] = lab.after(fault)
    assert (code, row["check"], row["problem"]) == (1, "the cluster knows Certificate", "its definition is not installed")
    assert "ask for cert-manager to be installed" in row["fix"]


def test_certificates_that_may_not_be_read_are_no_failure(make: Callable[[Case], Lab]) -> None:
    lab = make(MANAGED)
    code, [row] = lab.after(lambda answers: answers.update({f"{CERTIFICATES}/fate-9999": FORBIDDEN.format(CERTIFICATES)}))
    assert (code, row["state"], "docs/rbac/viewer.yaml" in row["fix"]) == (0, "not readable", True)


@pytest.mark.parametrize(
    ("certificate", "state"),
    [(lambda: ca("9999"), "ok"), (lambda: ca("10000"), "failed"), (lambda: ca("9999", "2"), "failed"), (lambda: "x", "failed")],
)
def test_an_issuer_with_another_ca_than_peers_know_is_said(certificate: Callable[[], str], state: str, make: Callable[[Case], Lab]) -> None:
    lab = make(MANAGED)
    code, rows = lab.after(
        lambda answers: item(answers, CERTIFICATE_REQUESTS, "pulsar-cert-issued-1")["status"].update(certificate=encoded(certificate()))
    )
    assert [(row["check"], row["state"]) for row in rows] == ([] if state == "ok" else [(SIGNED, "failed")])
    assert code == (0 if state == "ok" else 1)
    assert all("Issuer party-9999-ca signs with another CA: peers refuse the certificate" in row["problem"] for row in rows)


def _another_revision(answers: Answers) -> None:
    item(answers, CERTIFICATE_REQUESTS, "pulsar-cert-issued-1")["metadata"]["annotations"]["cert-manager.io/certificate-revision"] = "2"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (lambda answers: answers.update({f"{CERTIFICATE_REQUESTS}/fate-9999": FORBIDDEN.format(CERTIFICATE_REQUESTS)}), "is forbidden"),
        (_another_revision, "its CertificateRequest is gone"),
    ],
)
def test_a_ca_that_cannot_be_seen_is_no_failure(fault: Callable[[Answers], None], said: str, make: Callable[[Case], Lab]) -> None:
    lab = make(MANAGED)
    code, [row] = lab.after(fault)
    assert (code, row["check"], row["state"], said in row["problem"]) == (0, SIGNED, "not readable", True)
