"""What asks cert-manager for a party's certificate: one typed Certificate, and what it does not say about its CA.

The CA's key is with the Issuer, its public certificate in fate:trust, as with a CA of the stack: so peers, previews and limits
know it without reading a cluster.
"""

from federation.base import naming
from federation.config.units import PartyUnit
from federation.manifests.objects import Manifest
from federation.trust.plan import TlsPlan

API = "cert-manager.io/v1"
# Key usages in cert-manager's words; certificates that this program makes have the same.
_USAGES = ("digital signature", "key encipherment", "server auth", "client auth")
# An Issuer signs within seconds. One that does not fails after this time, not after Pulumi's ten minutes.
_WAIT_SECONDS = 120


def certificate_objects(
    unit: PartyUnit,
    tls: TlsPlan | None,
) -> tuple[Manifest, ...]:
    """The Certificate of a party that uses cert-manager, which Pulumi awaits; empty for other parties."""
    if tls is None or not tls.managed or unit.spec.issuer is None:
        return ()
    fields = {
        "secretName": naming.PULSAR_ISSUED,
        "dnsNames": [tls.server_name],
        # The CA permits this organization alone.
        "subject": {"organizations": [tls.party]},
        "usages": list(_USAGES),
        # Pulsar before 3.2 reads RSA keys only (apache/pulsar#21599), and any Pulsar reads PKCS#8.
        "privateKey": {"algorithm": "RSA", "size": 3072, "encoding": "PKCS8", "rotationPolicy": "Always"},
        "duration": f"{unit.stack.trust.leaf_days * 24}h",
        "renewBefore": f"{unit.stack.trust.renew_days * 24}h",
        "issuerRef": {"name": unit.spec.issuer.name, "kind": unit.spec.issuer.kind, "group": unit.spec.issuer.group},
    }
    wait = {"pulumi.com/waitFor": "condition=Ready", "pulumi.com/timeoutSeconds": str(_WAIT_SECONDS)}
    name = naming.PULSAR_ISSUED
    return (Manifest("pulsar-certificate", API, "Certificate", name, unit.namespace, unit.labels, wait, {"spec": fields}),)
