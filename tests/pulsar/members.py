"""Three organizations of a federation, whose brokers are real; and what a member that cheats can make with its own CA.

bank-a (9999), clinic-b (10000) and shop-c (10001) have accepted each other's CAs.
"""

import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sandbox.pki import issue, new_authority, pem
from tests.pulsar.brokers import HOST
from tests.support.configs import DOMAIN, MESH, STAR_PARTY, Case, Config, exchange_descriptor, party, party_descriptor
from tests.support.trust import ca, ca_key, server_key, trusting, with_ca

ORGANIZATIONS = {"9999": "bank-a", "10000": "clinic-b", "10001": "shop-c"}
EXCHANGE = "198.51.100.4:443"
ADDRESSES = {"9999": "203.0.113.10", "10000": "203.0.113.20", "10001": "203.0.113.30"}


def member(
    own: str,
    *,
    star: bool = False,
    required: bool = False,
    provided: bool = False,
    signing: str = "1",
    authorities: tuple[str, ...] = ("1",),
    **others: Any,
) -> Case:
    """The stack of one party. `required`: it requires certificates; `provided`: one CA signs for all; `others`: of peers, such as
    of_10000={"state": "suspended", "port": 6651}."""

    def change(config: Config) -> None:
        config["organization"] = ORGANIZATIONS[own]
        config["parties"] = {own: party(f"fate-{own}") if star else party(f"fate-{own}", exchange=None)}
        if required:
            config["parties"][own]["publish"]["pulsar"] |= {"clientCertificates": "required"}
        config["peers"] = {}

    case = (STAR_PARTY if star else MESH).changed(change)
    case = case if provided else trusting(case, own, signing=signing, authorities=authorities)
    case = case.with_peer("consortium", exchange_descriptor()) if star else case
    for other in ORGANIZATIONS.keys() - {own}:
        said = others.get(f"of_{other}", {})
        descriptor = party_descriptor(other, ORGANIZATIONS[other], host=ADDRESSES[other], port=said.get("port", 6651))
        descriptor = descriptor if provided else with_ca(descriptor, *said.get("authorities", ()))
        case = case.with_peer(ORGANIZATIONS[other], descriptor, state=said.get("state", "active"))
    return case


FEDERATION_CA = new_authority("federation")


@cache
def provided_certificate(party_id: str, name: str = "") -> str:
    """What the federation's CA signed for a party's server key; for its own name, or for another one."""
    public = serialization.load_pem_private_key(server_key(party_id).encode(), None).public_key()
    found = name or f"{party_id}.{DOMAIN}"
    return pem(issue(FEDERATION_CA, public, found, names=[found])).decode()  # type: ignore[arg-type]


def provided_secrets(party_id: str) -> dict[str, str]:
    """What fate:secrets of a party with `tls: provided` holds."""
    authority = pem(FEDERATION_CA.certificate).decode()
    found = {"certificate": provided_certificate(party_id), "key": server_key(party_id), "ca": authority}
    return {f"party-{party_id}-{name}": text for name, text in found.items()}


def signed_by(party_id: str, name: str) -> str:
    """A certificate for a name, with the CA and for the server key of a party, whatever its name constraints permit."""
    authority = x509.load_pem_x509_certificate(ca(party_id).encode())
    key = serialization.load_pem_private_key(ca_key(party_id, "1").encode(), None)
    own = serialization.load_pem_private_key(server_key(party_id).encode(), None)
    now = datetime.now(UTC)
    usage = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, party_id)]))
        .issuer_name(authority.subject)
        .public_key(own.public_key())  # type: ignore[arg-type]
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=9))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.ExtendedKeyUsage(usage), critical=False)
        .sign(key, hashes.SHA256())  # type: ignore[arg-type]
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


class Between:
    """Who stands between brokers: passes a connection on as it is, or ends TLS with a certificate of party 10001 and reads."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._listening = folder, socket.create_server((HOST, 0))
        self.port: int = self._listening.getsockname()[1]
        self.to, self._certificate = 0, ""
        self.names: list[str] = []
        self.read = b""

    def shows(self, certificate: str, to: int) -> None:
        """From now on; without certificate it passes on. `to`: the port of the broker behind it."""
        self._certificate, self.to, self.names, self.read = certificate, to, [], b""

    def serve(self) -> None:
        """Until it is closed."""
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                threading.Thread(target=self._pass_on, args=(connection,), daemon=True).start()

    def close(self) -> None:
        """No new connection."""
        self._listening.close()

    def _pass_on(self, front: socket.socket) -> None:
        with suppress(OSError):
            asked = re.search(rb"([0-9]+\.[a-z.]+)", front.recv(65536, socket.MSG_PEEK))
            self.names.append(asked[1].decode() if asked else "")
            back: socket.socket = socket.create_connection((HOST, self.to))
            if self._certificate:
                front, back = self._terminated(front), self._dialled(back)
            threading.Thread(target=self._pump, args=(front, back), daemon=True).start()
            self._pump(back, front)

    def _identity(self, context: ssl.SSLContext) -> ssl.SSLContext:
        certificate, key = self._folder / "between.pem", self._folder / "between.key"
        certificate.write_text(self._certificate)
        key.write_text(server_key("10001"))
        context.load_cert_chain(certificate, key)
        return context

    def _terminated(self, front: socket.socket) -> ssl.SSLSocket:
        return self._identity(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)).wrap_socket(front, server_side=True)

    def _dialled(self, back: socket.socket) -> ssl.SSLSocket:
        """With the same certificate, should the broker ask for one."""
        context = self._identity(ssl.create_default_context())
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context.wrap_socket(back, server_hostname=f"10000.{DOMAIN}")

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self.read += data if self._certificate else b""
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def between(folder: Path) -> Iterator[Between]:
    """On a port of its own."""
    found = Between(folder)
    threading.Thread(target=found.serve, daemon=True).start()
    try:
        yield found
    finally:
        found.close()
