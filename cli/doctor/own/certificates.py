"""What cert-manager says of a unit's certificate. Pure: the cluster was asked before (`cli.doctor.snapshot`)."""

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cli.doctor.rows import Row, not_read
from cli.doctor.snapshot import CERT_MANAGER_API, CERTIFICATE_REQUESTS, CERTIFICATES, Snapshot, UnitView, name_of
from cli.tools.kubectl import Object
from federation.manifests.objects import Manifest
from federation.pki.authority import is_signed_by

_NAME, _REVISION = "cert-manager.io/certificate-name", "cert-manager.io/certificate-revision"


def certificate_rows(view: UnitView, snapshot: Snapshot, up: str, role: str) -> Iterator[Row]:
    """Whether cert-manager made what workloads mount, with the CA that peers know.

    Without its definitions there is no row: one says so for all units. `up`, `role`: what to do when it is not as planned, or not readable.
    """
    if not view.unit.certificates or snapshot.readings[CERT_MANAGER_API].state == "absent":
        return
    reading = view.reading(CERTIFICATES)
    live = {name_of(item): item for item in reading.items}
    for planned in view.unit.certificates:
        check = f"{view.unit.key}: certificate {planned.name} of {issuer_of(planned.fields['spec'])}"
        item = live.get(planned.name)
        if (row := not_read(check, reading, role)) is not None:
            yield row
        elif item is None:
            yield Row(check, "failed", "there is none", up)
        elif _differs(item, planned):
            yield Row(check, "failed", f"it asks {issuer_of(item['spec'])} for something else than planned", up)
        elif (why := why_not_ready(item)) is not None:
            fix = (
                f"`kubectl -n {view.unit.namespace} describe certificate,certificaterequest,issuer` says why; often no Issuer of this name"
            )
            yield Row(check, "failed", f"it is not signed: {why}", fix)
        else:
            yield Row(f"{check}, until {ends(item)}", "ok")
            yield _signed_by_the_published_ca(view, item, role)


def issuer_of(spec: Mapping[str, Any]) -> str:
    """Who signs, by the fields of a Certificate."""
    issuer = spec.get("issuerRef") or {}
    return f"{issuer.get('kind', 'Issuer')} {issuer.get('name', '?')}"


def ends(item: Object) -> str:
    """The last moment of what was signed; empty before that."""
    return str((item.get("status") or {}).get("notAfter") or "")


def why_not_ready(item: Object) -> str | None:
    """Why a Certificate is not signed as it is asked for now; None when it is."""
    conditions = {condition["type"]: condition for condition in (item.get("status") or {}).get("conditions") or []}
    ready = conditions.get("Ready", {})
    if not ready:
        return "cert-manager has not processed it: is its controller running?"
    if ready.get("status") == "True" and ready.get("observedGeneration", 0) >= item["metadata"].get("generation", 0):
        return None
    asked = conditions.get("Issuing", {})
    if asked.get("status") == "False" and asked.get("message"):
        return str(asked["message"])
    return "the request changed since" if ready.get("status") == "True" else str(ready.get("message", "no reason is given"))


def _differs(item: Object, planned: Manifest) -> bool:
    """Whether another Certificate is in the cluster than the one that was planned."""
    return bool(item["spec"] != {**item["spec"], **planned.fields["spec"]})


def _signed_by_the_published_ca(view: UnitView, item: Object, role: str) -> Row:
    """What was signed is public, and stands in the CertificateRequest; the Secret is not read."""
    check = f"{view.unit.key}: certificate {name_of(item)} is signed by the CA in fate:trust"
    reading = view.reading(CERTIFICATE_REQUESTS)
    if (row := not_read(check, reading, role)) is not None:
        return row
    signed, tls = _signed(reading.items, item), view.unit.tls
    if signed is None or tls is None or tls.issuer is None:
        return Row(check, "not readable", "its CertificateRequest is gone", "ask a peer: `fatefed doctor` with this party's name")
    if is_signed_by(signed, tls.issuer.certificate):
        return Row(check, "ok")
    why = f"{issuer_of(item['spec'])} signs with another CA: peers refuse the certificate"
    replace = "let fate:trust have the Issuer's CA (docs/guides/trust.md): `fatefed trust rotate` replaces it"
    return Row(check, "failed", why, f"let the Issuer have this CA's key, or {replace}")


def _signed(requests: Iterable[Object], item: Object) -> str | None:
    """The PEM text that an Issuer gave for a Certificate as it is now."""
    wanted = {_NAME: name_of(item), _REVISION: str((item.get("status") or {}).get("revision"))}
    for request in requests:
        encoded = (request.get("status") or {}).get("certificate")
        if encoded and (request["metadata"].get("annotations") or {}).items() >= wanted.items():
            try:
                return base64.b64decode(encoded, validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                return ""
    return None
