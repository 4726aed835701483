"""Certificates that cert-manager makes: its own controllers, built from their Go module, beside a real API server."""

import base64
import json
import re
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from sandbox import tools
from sandbox.catalogue import CERT_MANAGER_KINDS
from sandbox.workspace import REPO, Workspace
from tests.engine.handshakes import handshake, server_context
from tests.engine.operators import DOMAIN, FEDERATION, PUBLISHED, give_passwords, objects, operator

pytestmark = pytest.mark.engine

NAME, OWN, OTHER = f"9999.{DOMAIN}", "managed-9999", "managed-9998"
CERTIFICATE = "kubernetes:cert-manager.io/v1:Certificate"


@pytest.fixture(scope="module")
def signing(clusters: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of a cluster with cert-manager's definitions, and its controllers beside it."""
    folder = tmp_path_factory.mktemp("cert-manager")
    tools.ensure(("cert-manager",), print)
    program = tools.tool_path("cert-manager")
    admin = Workspace("admin", folder, clusters["bank-a"])
    # The largest is larger than an annotation may be, which a client's own apply would write.
    for kind in CERT_MANAGER_KINDS:
        admin.run("kubectl", "apply", "--server-side", "-f", str(program.parent / f"cert-manager.io_{kind}.yaml"))
    names = [f"crd/{kind}.cert-manager.io" for kind in CERT_MANAGER_KINDS]
    admin.run("kubectl", "wait", "--for=condition=Established", "--timeout=60s", *names)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, f"-kubeconfig={clusters['bank-a']}"], stdout=log, stderr=log)
    yield clusters["bank-a"]
    process.terminate()
    assert process.wait(30) == 0, (folder / "log").read_text()[-2000:]


@dataclass(frozen=True)
class Lab:
    """Who deploys, with the published Role; who looks, with the published viewer Role; and who may do everything."""

    deployer: Workspace
    viewer: Workspace
    admin: Workspace

    @property
    def folder(self) -> Path:
        """Where the deployer makes files for cert-manager."""
        return self.deployer.folder / "issuer"

    def trust(self, *arguments: str) -> list[str]:
        """`fatefed trust`: what it did, then what it says comes next."""
        found = self.deployer.json("fatefed", "trust", *arguments, "-s", "managed")
        step = found["parties"]["9999"] if "parties" in found else found
        return [step["did"], *step["next"]]

    def hand_over(self, said: Sequence[str]) -> None:
        """Let the administrator run what fatefed printed for cert-manager, as it stands there."""
        commands = [found[1] for line in said if (found := re.match(r"`(kubectl [^`]*)`", line))]
        assert len(commands) == 3, said
        # The namespace is there, as the line says itself.
        for command in commands[1:]:
            Workspace("admin", self.deployer.folder, self.admin.kubeconfig).run(*shlex.split(command))

    def doctor(self) -> dict[str, dict[str, str]]:
        """The rows of `fatefed doctor` about certificates."""
        done = self.viewer.attempt("fatefed", "doctor", "-s", "managed", "--json")
        rows = {row["check"]: row for row in json.loads(done.stdout)["rows"] if "ertificate" in row["check"]}
        assert rows
        return rows

    def mounted(self, folder: Path) -> Path:
        """The files that Pulsar of party 9999 finds where it looks for certificates."""
        folder.mkdir()
        pod = self.admin.kubectl("get", "statefulset", "pulsar", "-n", OWN)["spec"]["template"]["spec"]
        (volume,) = [volume for volume in pod["volumes"] if volume["name"] == "certs"]
        for source in volume["projected"]["sources"]:
            data = self.secret(OWN, source["secret"]["name"])
            items = source["secret"].get("items") or [{"key": key, "path": key} for key in data]
            for entry in items:
                (folder / entry["path"]).write_bytes(data[entry["key"]])
        return folder

    def secret(self, namespace: str, name: str) -> dict[str, bytes]:
        """What a Secret holds."""
        data = self.admin.kubectl("get", "secret", name, "-n", namespace)["data"]
        return {key: base64.b64decode(value) for key, value in data.items()}

    def signed(self, name: str = "pulsar-cert-issued") -> None:
        """Wait until cert-manager signed what is asked for now."""
        self.admin.run("kubectl", "wait", f"certificate/{name}", "-n", OWN, "--for=condition=Ready", "--timeout=60s")


@pytest.fixture
def lab(signing: Path, tmp_path: Path) -> Lab:
    """Namespaces and Roles, as an administrator makes them; a stack of two parties, of which one asks cert-manager."""
    admin = Workspace("admin", tmp_path / "admin", signing)
    admin.folder.mkdir()
    for namespace in (OWN, OTHER):
        admin.run("kubectl", "create", "namespace", namespace)
        for role in ("namespaced", "viewer"):
            admin.run("kubectl", "apply", "-n", namespace, "-f", str(REPO / "docs" / "rbac" / f"{role}.yaml"))
    for role in ("fate-operator", "fate-viewer"):
        binding = ("kubectl", "create", "rolebinding", f"{role}-of-9999", "-n", OTHER)
        admin.run(*binding, f"--role={role}", f"--serviceaccount={OWN}:{role}")
    deployer = operator("managed", tmp_path, _token(admin, "fate-operator", tmp_path), _config("managed", scope="namespaced"))
    give_passwords(deployer, "party-9999", "party-9998")
    return Lab(deployer, Workspace("managed", deployer.folder, _token(admin, "fate-viewer", tmp_path)), admin)


def _token(admin: Workspace, account: str, folder: Path) -> Path:
    token = admin.run("kubectl", "create", "token", account, "-n", OWN).strip()
    found = yaml.safe_load(admin.kubeconfig.read_text())
    users = [{"name": user["name"], "user": {"token": token}} for user in found["users"]]
    path = folder / f"{account}.kubeconfig"
    path.write_text(yaml.safe_dump(found | {"users": users}))
    return path


def _config(organization: str, scope: str = "cluster") -> dict[str, Any]:
    slim = {"release": "1.11.2", "computing": "Spark_local", "federation": "Pulsar", "storage": "LocalFS", "persistence": "none"}
    common = {**slim, "publish": {"pulsar": PUBLISHED, "nginx": PUBLISHED}}
    issuer = {"tls": "certManager", "issuer": {"name": "party-9999-ca"}}
    return {
        "organization": organization,
        "federation": {**FEDERATION, "topology": "mesh"},
        "cluster": {"scope": scope},
        "parties": {"9999": {**common, **issuer, "namespace": OWN}, "9998": {**common, "tls": "partyCa", "namespace": OTHER}},
    }


def test_without_cert_manager_a_preview_shows_all_and_an_up_says_what_is_missing(clusters: dict[str, Path], tmp_path: Path) -> None:
    space = operator("unmanaged", tmp_path, clusters["consortium"], _config("unmanaged"))
    give_passwords(space, "party-9999", "party-9998")
    space.fatefed("trust", "init", "--issuer-files", str(tmp_path / "issuer"))
    assert [name for _, kind, name in space.preview() if kind == CERTIFICATE] == ["party-9999-pulsar-certificate"]
    said = _failing(space)
    assert "Certificate (party-9999-pulsar-certificate)" in said
    assert "Verify that any required CRDs have been created" in said
    rows = json.loads(space.attempt("fatefed", "doctor", "-s", "unmanaged", "--json").stdout)["rows"]
    (row,) = [row for row in rows if row["check"] == "the cluster knows Certificate"]
    assert (row["state"], "ask for cert-manager to be installed" in row["fix"]) == ("failed", True)


def test_cert_manager_signs_for_pulsar_and_its_ca_is_replaced(lab: Lab, tmp_path: Path) -> None:
    deployer = lab.deployer
    said = lab.trust("init", "--issuer-files", str(lab.folder))
    assert (CERTIFICATE, "party-9999-pulsar-certificate") in [change[1:] for change in deployer.preview()]

    # Without its Issuer nothing is signed: an `up` ends with that, and doctor says why.
    waiting = _failing(deployer)
    assert "Certificate (party-9999-pulsar-certificate)" in waiting
    assert "timed out waiting for the condition" in waiting
    (row,) = [row for check, row in lab.doctor().items() if "of Issuer party-9999-ca" in check]
    assert (row["state"], "it is not signed" in row["problem"]) == ("failed", True), row
    missing = lab.admin.attempt("kubectl", "get", "statefulset", "pulsar", "-n", OWN)
    assert b"NotFound" in missing.stderr, "no pod waits for a Secret that may never be there"

    lab.hand_over(said)
    deployer.up()
    files = lab.mounted(tmp_path / "first")
    authority = (lab.folder / "party-9999-ca-1.crt").read_bytes()
    _check_files(lab, files, authority)
    assert {row["state"] for row in lab.doctor().values()} == {"ok"}
    assert "signed  Issuer party-9999-ca" in re.sub(" +", "  ", lab.viewer.fatefed("status")).replace("Issuer  ", "Issuer ")
    assert set(deployer.up()) == {"unchanged"}
    _check_constraints(lab, files, tmp_path)

    # The next CA, by an Issuer of its own.
    said = lab.trust("rotate", "--party", "9999", "--issuer-files", str(lab.folder))
    bundles = [("update", "kubernetes:core/v1:Secret", f"party-{party}-pulsar-cert") for party in ("9998", "9999")]
    assert sorted(objects(deployer.preview())) == bundles
    deployer.up()
    lab.hand_over(said)
    assert (lab.mounted(tmp_path / "trusted") / "broker.cert.pem").read_bytes() == (files / "broker.cert.pem").read_bytes()
    lab.trust("rotate", "--party", "9999", "--yes")
    first = ("update", "kubernetes:core/v1:Secret", "party-9999-pulsar-cert")
    assert sorted(objects(deployer.preview())) == sorted([("update", CERTIFICATE, "party-9999-pulsar-certificate"), first])
    deployer.up()
    lab.signed()
    assert any("of Issuer party-9999-ca-2, until" in check for check in lab.doctor())
    assert {row["state"] for row in lab.doctor().values()} == {"ok"}
    lab.trust("rotate", "--party", "9999", "--yes")
    deployer.up()
    _check_files(lab, lab.mounted(tmp_path / "second"), (lab.folder / "party-9999-ca-2.crt").read_bytes())
    assert set(deployer.up()) == {"unchanged"}
    _check_that_the_stack_never_had_the_keys(lab)


def _check_files(lab: Lab, files: Path, authority: bytes) -> None:
    """Pulsar's files are what it reads, and a peer that trusts the published CA alone completes a handshake."""
    own = {"broker.cert.pem", "broker.key-pk8.pem", "ca.cert.pem", "ca-9999.cert.pem"}
    assert {path.name for path in files.iterdir()} == {*own, "ca-9998.cert.pem"}
    configuration = lab.admin.kubectl("get", "configmap", "pulsar-config", "-n", OWN)["data"]["standalone.conf"]
    assert {f"/opt/pulsar/certs/{name}" for name in own} == set(re.findall(r"/opt/pulsar/certs/[^\s,]+", configuration))
    assert (files / "broker.key-pk8.pem").read_text().startswith("-----BEGIN PRIVATE KEY-----"), "Pulsar reads PKCS#8 only"
    key = serialization.load_pem_private_key((files / "broker.key-pk8.pem").read_bytes(), None)
    leaf = x509.load_pem_x509_certificate((files / "broker.cert.pem").read_bytes())
    assert isinstance(key, rsa.RSAPrivateKey)
    assert (key.key_size, key.public_key()) == (3072, leaf.public_key())
    assert leaf.issuer == x509.load_pem_x509_certificate(authority).subject
    assert leaf.subject.rfc4514_string() == "O=9999"
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
    assert names == [NAME]
    usage = set(leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    assert usage == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    assert (leaf.not_valid_after_utc - leaf.not_valid_before_utc).days == 365
    # What the other party trusts: it has the CA from the stack file, as peers have it from the descriptor.
    bundle = lab.secret(OTHER, "pulsar-cert")["ca.cert.pem"]
    assert authority in bundle
    assert set(x509.load_pem_x509_certificates(bundle)) == set(x509.load_pem_x509_certificates((files / "ca.cert.pem").read_bytes()))
    for trust in (bundle, authority):
        (files.parent / "trust.pem").write_bytes(trust)
        server = server_context(files / "broker.cert.pem", files / "broker.key-pk8.pem")
        assert handshake(server, files.parent / "trust.pem", NAME) == "ok"
        assert "certificate" in handshake(server, files.parent / "trust.pem", f"4711.{DOMAIN}")


def _check_constraints(lab: Lab, files: Path, folder: Path) -> None:
    """cert-manager signs whatever it is asked for, another party's name and subject, too: the CA's limits make it worthless."""
    reference = {"name": "party-9999-ca"}
    foreign = f"4711.{DOMAIN}"
    wanted = {
        "name": {"dnsNames": [foreign], "subject": {"organizations": ["9999"]}},
        "subject": {"dnsNames": [NAME], "subject": {"organizations": ["4711"]}},
    }
    for what, fields in wanted.items():
        item = {
            "apiVersion": "cert-manager.io/v1",
            "kind": "Certificate",
            "metadata": {"name": f"foreign-{what}", "namespace": OWN},
            "spec": {"secretName": f"foreign-{what}", "issuerRef": reference, **fields},
        }
        lab.admin.run("kubectl", "apply", "-f", "-", stdin=json.dumps(item).encode())
        lab.signed(f"foreign-{what}")
        data = lab.secret(OWN, f"foreign-{what}")
        for key, text in data.items():
            (folder / key).write_bytes(text)
        said = handshake(server_context(folder / "tls.crt", folder / "tls.key"), files / "ca.cert.pem", fields["dnsNames"][0])
        assert "permitted subtree violation" in said, (what, said)


def _check_that_the_stack_never_had_the_keys(lab: Lab) -> None:
    """Neither the CAs' keys nor the server's are in the stack file or in its state, decrypted."""
    texts = lab.deployer.stack_file.read_text() + lab.deployer.run("pulumi", "stack", "export", "--show-secrets", "-s", "managed")
    keys = {path.name: path.read_text() for path in sorted(lab.folder.glob("*.key"))}
    assert len(keys) == 2
    keys["server"] = lab.secret(OWN, "pulsar-cert-issued")["tls.key"].decode()
    for name, key in keys.items():
        lines = [line for line in key.splitlines() if len(line) > 20 and "-----" not in line]
        # The first lines of all keys of one kind are alike: the last ones are this key's.
        assert lines
        assert lines[-1] not in texts, name


def _failing(space: Workspace) -> str:
    """What an `up` prints that fails."""
    done = space.attempt("pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--color", "never", "-s", space.organization)
    assert done.returncode != 0
    return done.stdout.decode() + done.stderr.decode()
