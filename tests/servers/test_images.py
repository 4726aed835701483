"""`fatefed images pin` against real registries: Debian's, with and without TLS, passwords and tokens."""

import base64
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

from cli.main import main
from cli.tools.project import Stack
from tests.servers.servers import HOST, DockerRegistry, docker_registry, free_port
from tests.support import stacks
from tests.support.configs import MESH
from tests.support.peer_servers import network

NAME, USER, PASSWORD = "registry.bank-a.example", "puller", "a pull password"
# bcrypt of the password.
HTPASSWD = f"{USER}:$2b$05$abcdefghijklmnopqrstuuRrLwXVMSSPpGI.ezukr5Ss7i.rBMvuy\n"
BASIC = f"Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"


@dataclass
class Lab:
    """A stack whose images come from a registry, and `fatefed images` run on it."""

    stack: Stack
    capsys: pytest.CaptureFixture[str]
    code: int = 0
    error: str = ""

    def images(self) -> list[dict[str, str]]:
        """What the stack's nodes pull."""
        return list(self("list")["images"])

    def __call__(self, verb: str, *options: str) -> dict:
        self.code = main(["images", verb, "-s", "bank-a", "-C", str(self.stack.project.folder), "--json", *options])
        printed = self.capsys.readouterr()
        self.error = printed.err
        return json.loads(printed.out)


@pytest.fixture(autouse=True)
def nobody_signed_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No Docker configuration of whoever runs the tests."""
    (tmp_path / "docker").mkdir()
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    return tmp_path / "docker" / "config.json"


def lab(folder: Path, capsys: pytest.CaptureFixture[str], registry: str, more: str = "") -> Lab:
    """A party whose images come from this registry; the file has comments to lose."""
    project = stacks.project(folder / "project")
    MESH.write(project / "stacks")
    text = MESH.text() + f"  fate:images:  # ours\n    # the mirror\n    registry: {registry}\n{more}"
    return Lab(stacks.stack(project, "bank-a", text), capsys)


def mirrored(registry: DockerRegistry, found: Lab, platforms: int = 1) -> dict[str, str]:
    """Pushes every image of the stack; {upstream: digest}."""
    images = found.images()
    assert len(images) > 5
    digests = {}
    for image in images:
        repository, _, tag = image["reference"].partition("/")[2].partition(":")
        digests[image["upstream"]] = registry.push(repository, tag, image["upstream"].encode(), platforms=platforms)
    return digests


@pytest.mark.parametrize("platforms", [1, 3])
def test_every_image_is_pinned_with_the_digest_that_its_nodes_pull(
    platforms: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with docker_registry(tmp_path / "registry") as registry:
        found = lab(tmp_path, capsys, f"{HOST}:{registry.port}/fate")
        digests = mirrored(registry, found, platforms)
        answer = found("pin")
        assert found.code == 0, found.error
        assert answer.pop("next")[-1].startswith("fatefed descriptor export ")
        assert answer == {"written": digests, "moved": {}, "beyond": []}
        assert found.stack.source().config()["images"]["digests"] == digests
        text = found.stack.file.read_text()
        assert "# ours" in text
        assert "# the mirror" in text
        assert {image["reference"].partition("@")[2] for image in found.images()} == set(digests.values())
        before = found.stack.file.read_bytes()
        assert found("pin")["written"] == {}
        assert found.stack.file.read_bytes() == before


def test_a_tag_that_moved_is_told_and_taken_only_when_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with docker_registry(tmp_path / "registry") as registry:
        found = lab(tmp_path, capsys, f"{HOST}:{registry.port}/fate")
        digests = mirrored(registry, found)
        found("pin")
        upstream = next(name for name in digests if "nginx" in name)
        other = registry.push(f"fate/{upstream.rsplit('/', 1)[-1].partition(':')[0]}", upstream.partition(":")[2], b"another one")
        assert {**found("pin"), "next": []} == {"written": {}, "moved": {upstream: other}, "beyond": [], "next": []}
        assert found.stack.source().config()["images"]["digests"] == digests
        assert found("pin", "--update")["written"] == {upstream: other}
        assert found.stack.source().config()["images"]["digests"] == digests | {upstream: other}


def test_when_an_image_is_not_there_nothing_is_written_and_all_that_is_missing_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with docker_registry(tmp_path / "registry") as registry:
        found = lab(tmp_path, capsys, f"{HOST}:{registry.port}/fate")
        references = [image["reference"] for image in found.images()]
        repository, _, tag = references[0].partition("/")[2].partition(":")
        registry.push(repository, tag, b"one")
        before = found.stack.file.read_bytes()
        problems = found("pin")["problems"]
        assert found.code == 1
        assert [problem["place"] for problem in problems] == references[1:]
        assert all(problem["problem"].startswith(f"{HOST}:{registry.port} answers HTTP 404: it has no fate/") for problem in problems)
        assert found.stack.file.read_bytes() == before


@contextmanager
def trusted(folder: Path) -> Iterator[tuple[Path, Path, Path]]:
    """Files of a certificate for the registry's name and its key, and of the CA."""
    authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CA of bank-a")])
    root = certificate(subject, subject, authority.public_key(), authority, ca=True)
    leaf = certificate(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)]), subject, key.public_key(), authority, ca=False)
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    files = folder / "leaf.pem", folder / "key.pem", folder / "ca.pem"
    for file, content in zip(files, (leaf.public_bytes(pem), private, root.public_bytes(pem)), strict=True):
        file.write_bytes(content)
    yield files


def certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, signer: ec.EllipticCurvePrivateKey, *, ca: bool
) -> x509.Certificate:
    """A certificate of today."""
    now = datetime.now(UTC)
    built = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key).serial_number(x509.random_serial_number())
    built = built.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=2))
    built = built.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    built = built.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    known = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    built = built.add_extension(known, critical=False)
    if not ca:
        built = built.add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
    return built.sign(signer, hashes.SHA256())


def test_a_registry_with_tls_and_passwords_is_asked_with_its_ca_and_whoever_signed_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, nobody_signed_in: Path
) -> None:
    (tmp_path / "htpasswd").write_text(HTPASSWD)
    signing_in = {"AUTH": "htpasswd", "AUTH_HTPASSWD_REALM": "fate", "AUTH_HTPASSWD_PATH": str(tmp_path / "htpasswd")}
    with (
        trusted(tmp_path) as (leaf, key, ca),
        docker_registry(tmp_path / "registry", (leaf, key), authorization=BASIC, **signing_in) as registry,
        network(monkeypatch, {NAME}),
    ):
        host = f"{NAME}:{registry.port}"
        found = lab(tmp_path, capsys, f"{host}/fate")
        digests = mirrored(registry, found)
        problems = found("pin")["problems"]
        assert {problem["problem"] for problem in problems} == {f"{host}: its certificate is not trusted here"}
        assert problems[0]["remedy"] == "name its CA with --ca; nothing was written"
        problems = found("pin", "--ca", str(ca))["problems"]
        assert problems[0]["problem"].startswith(f"{host} answers HTTP 401: it refuses access to fate/")
        assert "docker login" in problems[0]["remedy"]
        nobody_signed_in.write_text(json.dumps({"auths": {host: {"auth": base64.b64encode(f"{USER}:wrong".encode()).decode()}}}))
        assert "answers HTTP 401" in found("pin", "--ca", str(ca))["problems"][0]["problem"]
        nobody_signed_in.write_text(json.dumps({"auths": {f"https://{host}/v1/": {"auth": BASIC.removeprefix("Basic ")}}}))
        assert found("pin", "--ca", str(ca))["written"] == digests
        assert PASSWORD not in found.stack.file.read_text()


def test_the_pull_secret_of_the_stack_signs_in_where_nobody_did(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "htpasswd").write_text(HTPASSWD)
    signing_in = {"AUTH": "htpasswd", "AUTH_HTPASSWD_REALM": "fate", "AUTH_HTPASSWD_PATH": str(tmp_path / "htpasswd")}
    with docker_registry(tmp_path / "registry", authorization=BASIC, **signing_in) as registry:
        host = f"{HOST}:{registry.port}"
        found = lab(tmp_path, capsys, f"{host}/fate", "    pullSecret: {secret: registry}\n")
        digests = mirrored(registry, found)
        config = json.dumps({"auths": {host: {"username": USER, "password": PASSWORD}}})
        wanted = ["config", "get", "--path", "fate:secrets.registry"]
        stacks.stand_in(tmp_path, monkeypatch, f"import sys\nassert sys.argv[1:5] == {wanted!r}, sys.argv\nprint({config!r})\n")
        assert found("pin")["written"] == digests, found.error


class Tokens(BaseHTTPRequestHandler):
    """Whom a registry sends its callers to: gives tokens to whoever knows the password."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    asked: list[dict[str, list[str]]]

    def do_GET(self) -> None:
        """Of `?service=&scope=`."""
        asked = parse_qs(urlsplit(self.path).query)
        self.asked.append(asked)
        if self.headers["Authorization"] != BASIC:
            self.send_error(401)
            return
        kind, name, actions = asked["scope"][0].split(":")
        now = int(time.time())
        head = {"typ": "JWT", "alg": "ES256", "x5c": [base64.b64encode(self.certificate.public_bytes(serialization.Encoding.DER)).decode()]}
        access = [{"type": kind, "name": name, "actions": actions.split(",")}]
        body = {"iss": "tokens", "aud": asked["service"][0], "sub": USER, "nbf": now - 5, "exp": now + 300, "iat": now, "access": access}
        told = json.dumps({"token": signed(self.key, head, body)}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, *given: object) -> None:
        """Nothing."""


def signed(key: ec.EllipticCurvePrivateKey, *parts: dict) -> str:
    """A JSON Web Token."""

    def encoded(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    text = ".".join(encoded(json.dumps(part).encode()) for part in parts)
    r, s = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{text}.{encoded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def test_a_registry_that_asks_for_tokens_gets_one_for_each_image(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], nobody_signed_in: Path
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tokens")])
    Tokens.key, Tokens.certificate, Tokens.asked = key, certificate(subject, subject, key.public_key(), key, ca=True), []
    (tmp_path / "tokens.pem").write_bytes(Tokens.certificate.public_bytes(serialization.Encoding.PEM))
    server = ThreadingHTTPServer((HOST, 0), Tokens)
    Thread(target=server.serve_forever, daemon=True).start()
    port, data = free_port(), tmp_path / "registry"
    found = lab(tmp_path, capsys, f"{HOST}:{port}/fate")
    with docker_registry(data, port=port) as registry:
        digests = mirrored(registry, found)
    realm = f"http://{HOST}:{server.server_port}/token"
    names = {"REALM": realm, "SERVICE": "fate", "ISSUER": "tokens", "ROOTCERTBUNDLE": str(tmp_path / "tokens.pem")}
    asking = {"AUTH": "token"} | {f"AUTH_TOKEN_{name}": value for name, value in names.items()}
    try:
        with docker_registry(data, port=port, **asking):
            assert "answers HTTP 401" in found("pin")["problems"][0]["problem"]
            nobody_signed_in.write_text(json.dumps({"auths": {f"{HOST}:{port}": {"auth": BASIC.removeprefix("Basic ")}}}))
            Tokens.asked.clear()
            assert found("pin")["written"] == digests, found.error
    finally:
        server.shutdown()
    scopes = {asked["scope"][0] for asked in Tokens.asked}
    assert len(scopes) == len(digests)
    assert all(scope.startswith("repository:fate/") and scope.endswith(":pull") for scope in scopes)


def rows(found: Lab, *options: str) -> dict[str, dict[str, str]]:
    """The rows of `doctor --images`, by check without the digest."""
    code = main(["doctor", "--images", "-s", "bank-a", "-C", str(found.stack.project.folder), "--json", *options])
    assert code == 0, "nothing that this machine sees of a registry fails"
    return {row["check"].partition(" from this machine")[0]: row for row in json.loads(found.capsys.readouterr().out)["rows"]}


def test_doctor_reads_the_manifest_of_every_image_by_tag_or_digest_and_says_which_is_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with docker_registry(tmp_path / "registry") as registry:
        found = lab(tmp_path, capsys, f"{HOST}:{registry.port}/fate")
        digests = mirrored(registry, found)
        references = [image["reference"] for image in found.images()]
        said = rows(found)
        assert set(said) == {f"registry {HOST}:{registry.port}", *(f"image {reference}" for reference in references)}
        assert {row["state"] for row in said.values()} == {"ok"}
        assert {row["check"].rpartition(": ")[2] for row in said.values()} == {"it answers", *digests.values()}
        found("pin")
        pinned = {f"image {image['reference']}" for image in found.images()}
        assert all("@sha256:" in reference for reference in pinned)
        assert pinned < {name for name, row in rows(found).items() if row["state"] == "ok"}


def test_an_image_that_a_registry_does_not_have_is_not_readable_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with docker_registry(tmp_path / "registry") as registry:
        found = lab(tmp_path, capsys, f"{HOST}:{registry.port}/fate")
        references = [image["reference"] for image in found.images()]
        for reference in references[1:]:
            repository, _, tag = reference.partition("/")[2].partition(":")
            registry.push(repository, tag, reference.encode())
        [(check, row)] = [(check, row) for check, row in rows(found).items() if row["state"] != "ok"]
        assert (check, row["state"]) == (f"image {references[0]}", "not readable")
        assert "answers HTTP 404: it has no fate/" in row["problem"]
        assert row["fix"].endswith("; nodes may reach registries that this machine cannot")


def test_a_registry_that_does_not_answer_is_one_row_and_its_images_wait(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = lab(tmp_path, capsys, f"{HOST}:{free_port()}/fate")
    said = rows(found)
    [registry] = [check for check, row in said.items() if row["state"] == "not readable"]
    assert registry.startswith(f"registry {HOST}:")
    waiting = [row["problem"] for row in said.values() if row["state"] == "skipped"]
    assert waiting == [f"waits for: {registry} from this machine"] * (len(said) - 1)
    assert len(said) > 5


def test_doctor_signs_in_by_the_pull_secret_and_says_when_that_cannot_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "htpasswd").write_text(HTPASSWD)
    signing_in = {"AUTH": "htpasswd", "AUTH_HTPASSWD_REALM": "fate", "AUTH_HTPASSWD_PATH": str(tmp_path / "htpasswd")}
    with docker_registry(tmp_path / "registry", authorization=BASIC, **signing_in) as registry:
        host = f"{HOST}:{registry.port}"
        found = lab(tmp_path, capsys, f"{host}/fate", "    pullSecret: {secret: registry}\n")
        mirrored(registry, found)
        stacks.stand_in(tmp_path, monkeypatch, "import sys\nsys.exit('error: no passphrase')\n")
        said = rows(found)
        logins = said.pop("logins for registries")
        assert (logins["state"], logins["problem"].startswith("fate:secrets.registry: ")) == ("not readable", True)
        assert said.pop(f"registry {host}")["state"] == "ok"
        assert {(row["state"], "answers HTTP 401" in row["problem"]) for row in said.values()} == {("not readable", True)}
        config = json.dumps({"auths": {host: {"username": USER, "password": PASSWORD}}})
        stacks.stand_in(tmp_path, monkeypatch, f"print({config!r})\n")
        assert {row["state"] for row in rows(found).values()} == {"ok"}
