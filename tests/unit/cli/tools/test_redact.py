"""What leaves the organization in a support bundle holds no secret, however it was written."""

import base64
import re
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from cli.tools.redact import redacted_object, redacted_text

CANARY = "c4n4ry-Zx9"
_KEY = ec.generate_private_key(ec.SECP256R1())
_ED = ed25519.Ed25519PrivateKey.generate()
_PEM, _DER = serialization.Encoding.PEM, serialization.Encoding.DER
_PKCS8, _OLD, _PLAIN = serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
KEYS = [key.private_bytes(*form, _PLAIN) for key in (_KEY,) for form in ((_PEM, _PKCS8), (_PEM, _OLD), (_DER, _PKCS8), (_DER, _OLD))]
KEYS.append(_ED.private_bytes(_DER, _PKCS8, _PLAIN))
PUBLIC = _KEY.public_key().public_bytes(_PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
WRITTEN = [
    f"password={CANARY}",
    f"password = {CANARY}",
    f"db.passwd: {CANARY}",
    f'{{"password": "{CANARY} with blanks", "user": "fate"}}',
    f'{{\\"password\\": \\"{CANARY} and more\\"}}',
    f"{{'mysql_pwd': '{CANARY}', 'port': 3306}}",
    f"MYSQL_ROOT_PASSWORD={CANARY} exec mysqld",
    f"fateflow.http_secret_key={CANARY}",
    f"--password {CANARY} --user fate",
    f"--auth-token={CANARY}",
    f"mysql -ufate -p{CANARY} eggroll_meta",
    f"mysql+pymysql://fate:{CANARY}@mysql:3306/fate",
    f"amqp://fate:{CANARY}@rabbitmq:5672/%2f",
    f"Authorization: Bearer {CANARY}",
    f"authorization: Basic {CANARY}",
    f"got Bearer {CANARY} from somewhere",
    f"Cookie: JSESSIONID={CANARY}",
    f"CREATE USER 'fate'@'%' IDENTIFIED BY '{CANARY}'",
    f"ALTER USER fate IDENTIFIED WITH mysql_native_password BY '{CANARY}'",
    f"jwt eyJhbGciOiJFZERTQSJ9.eyJ{CANARY.replace('-', '_')}abcdefgh.{CANARY}",
    f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----",
    f"[pod/a/b] -----BEGIN RSA PRIVATE KEY-----\n[pod/a/b] {CANARY}\n[pod/a/b] -----END RSA PRIVATE KEY-----",
    f"key: -----BEGIN EC PRIVATE KEY-----\\n{CANARY}\\n-----END EC PRIVATE KEY-----\\n",
    f"api_key => {CANARY}",
    f"aws_secret_access_key={CANARY}",
    # Below their name.
    f"password: |\n  {CANARY}\n  and {CANARY}\nuser: fate",
    f"password: |-\n  {CANARY}\nuser: fate",
    f"password: >2-  # folded\n    {CANARY}\n\n    {CANARY}\nuser: fate",
    f"db:\n  password: |\n    a: {CANARY}\n  user: fate",
    f"  [not yaml\npassword: |\n  a: {CANARY}\nuser: fate",
    f"  [not yaml\n- password: >\n    {CANARY}\n- user: fate",
    f"näme: 😀 ≥\npassword: |\n  {CANARY}\nport: 1",
    f"user: fate\r\npassword: >\r\n  {CANARY}\r\nport: 1",
    f"password:\n  {CANARY}",
    f"password:\n  '{CANARY}\n  {CANARY}'",
    f"password:\n- {CANARY}\n- {CANARY}\nuser: fate",
    f"passwords:\n  - {CANARY}\n  - '{CANARY}'",
    f"passwords: [{CANARY}, '{CANARY}']",
    f"passwords:\n  fate: {CANARY}\n  root: {CANARY}",
    f"tokens: {{one: {CANARY}, two: [{CANARY}]}}",
    f"  [not yaml\npasswords:\n  - {CANARY}\n  - {CANARY}\nuser: fate",
    f"  [not yaml\npasswords:\n  fate: {CANARY}\nuser: fate",
    f'{{"passwords": ["{CANARY}", "{CANARY}"], "user": "fate"}}',
    f'{{\n\t"passwords": [\n\t\t"{CANARY}"\n\t],\n\t"user": "fate"\n}}',
    f"[pod/a/b] password: |\n[pod/a/b]   {CANARY}\n[pod/a/b] user: fate",
    f"? password\n: {CANARY}",
    f"password: &one {CANARY}\nother: *one",
    f"password: !!str {CANARY}",
    f"password = \\\n    {CANARY}",
    f'password = """\n{CANARY}\n"""',
    # Beside their name.
    f"password: correct horse {CANARY}",
    f"db.password = correct horse {CANARY}",
    f"password=a,{CANARY};b",
    f"user=fate, password=a,{CANARY}, port=1",
    f'password: "cut {CANARY}',
    f"password\t{CANARY}",
    f"password\t=\t{CANARY}",
    f'password:\t"{CANARY}"',
    f"password := {CANARY}",
    f"setPassword('{CANARY}')",
    f"token%3D{CANARY}",
    f"&quot;password&quot;: &quot;{CANARY}&quot;",
    f"\\u0022password\\u0022:\\u0022{CANARY}\\u0022",
    f"- name: MYSQL_PASSWORD\n  value: {CANARY}",
    f"  [not yaml\n- name: MYSQL_PASSWORD\n  value: '{CANARY}'",
    f'[{{"name": "API_TOKEN", "value": "{CANARY}"}}, {{"value": "{CANARY}", "name": "APP_SECRET"}}]',
    f"args: [--password, {CANARY}]",
    f'args: ["--auth-token", "{CANARY}"]',
    f"args:\n- --password\n- {CANARY}\n- --user",
    f"command ['--password', '{CANARY}'] ended",
    f"keytool -storepass {CANARY} -alias a",
    f"openssl pkcs12 -passin pass:{CANARY}",
    # Programs and servers.
    f"<password>{CANARY}</password>",
    f'<db-password type="x">\n  {CANARY}\n</db-password>',
    f"<password><![CDATA[{CANARY}]]></password>",
    f"<property><name>javax.jdo.option.ConnectionPassword</name>\n<value>{CANARY}</value></property>",
    f'<user password="{CANARY}"/>',
    f"machine a.example login fate password {CANARY}",
    f"curl -u fate:{CANARY} https://a.example",
    f"sshpass -p {CANARY} ssh a",
    f"docker login -u fate -p {CANARY} registry.example",
    f"redis-cli -h a -a {CANARY} ping",
    f"rabbitmqctl change_password fate {CANARY}",
    f"CREATE ROLE fate LOGIN PASSWORD '{CANARY}'",
    f"SET PASSWORD FOR 'fate'@'%' = '{CANARY}'",
    f"https://fate:p@{CANARY}@a.example/x",
    f"https://fate:p/{CANARY}@a.example/x",
    f"redis://:{CANARY}@a.example:6379",
    f"fate:{CANARY}@tcp(mysql:3306)/fate",
    f"Authorization: Digest username=x, response={CANARY}",
    f"curl -H 'Authorization: token {CANARY}' https://a.example",
    f"Set-Cookie: a=b; session={CANARY}",
    f"X-Api-Key: {CANARY}",
    # Kubernetes, kubeconfigs, registries.
    f"client-key-data: {CANARY}",
    f"users:\n- name: a\n  user:\n    client-key-data: {CANARY}\n    token: {CANARY}",
    f'{{"auths": {{"registry.example": {{"auth": "{CANARY}"}}}}}}',
    f'{{"kind": "Secret", "metadata": {{"name": "a"}}, "data": {{"a": "{CANARY}"}}}}',
    f"kind: Secret\nstringData:\n  a: {CANARY}\n  b: |\n    {CANARY}\n---\nkind: Secret\ndata: {{c: {CANARY}}}",
    f".dockerconfigjson: {CANARY}",
    f"connectionString: Server=a;Uid=fate;Pwd={CANARY}",
    f"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n{CANARY}\n---- END SSH2 ENCRYPTED PRIVATE KEY ----",
]
# Known by their form alone.
FORMS = [
    "ghp_" + "a1B2" * 9,
    "github_pat_" + "a1B2" * 9,
    "glpat-" + "a1B2" * 5,
    "AKIA" + "A1B2" * 4,
    "xoxb-" + "12345-" * 4 + "abc",
    "AIza" + "a1-B" * 9,
    "hvs." + "a1B2" * 6,
    "npm_" + "a1B2" * 9,
    "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJmYXRlIn0.c2lnbmF0dXJl",
    "$2b$12$abcdefghijklmnopqrstuuO4iJ5pYb0",
    "$apr1$abcdefgh$0123456789abcdefghijk.",
    *(base64.b64encode(form).decode() for form in KEYS),
    # In lines of 64, as `base64` and YAML write it.
    base64.encodebytes(KEYS[0]).decode().strip().replace("\n", "\n    "),
    base64.b64encode(PUBLIC + KEYS[0]).decode(),
]


def yaml_of(text: str) -> Any:
    """What a text holds when it is YAML of keys and values, or of such in a list."""
    try:
        found = list(yaml.safe_load_all(text))
    except yaml.YAMLError:
        return None
    return found if all(isinstance(one, dict) for one in found) else None


KEPT = [
    'secret "mysql-credentials" not found',
    "nginx-0 is ready at 10.0.0.7:9300",
    "server.board.login.username=admin",
    "http://9999.fateboard.bank-a.example:8080/path",
    "pulsar+ssl://203.0.113.9:6651",
    "Back-off pulling image federatedai/fateflow:1.11.2-release",
    "2026-01-01T10:00:00Z INFO partition 3 of 8",
    "http://9999.example:8080/a@b",
    f"certificate-authority-data: {base64.b64encode(PUBLIC).decode()}",
    f"sha256:{'0123456789abcdef' * 4}",
    "SHA256:" + "abcdefghij0123456789" * 2 + "abc",
    "- name: MYSQL_HOST\n  value: mysql\n- name: TZ\n  value: UTC",
    "args: [--user, fate, --port, '3306']",
    "a: |\n  line\n# a comment\nb: [1, 2]  # stays",
]


@pytest.mark.parametrize("text", WRITTEN)
def test_a_secret_goes_however_it_is_written(text: str) -> None:
    # Among lines that are no YAML, and as they are.
    for before, after in (("before [\n", "\nafter"), ("", "\n# after")):
        found = redacted_text(f"{before}{text}{after}")
        assert CANARY not in found
        assert CANARY.replace("-", "_") not in found
        assert "<redacted>" in found
        assert found.startswith(before)
        assert found.endswith(after)


# By number: keys are made anew each time, and every process of the tests must name them alike.
@pytest.mark.parametrize("number", range(len(FORMS)))
@pytest.mark.parametrize("written", ["{}", "log of x: {} and more", '{{"a": "{}"}}', "a:\n  b: |\n    {}\n  c: 1"])
def test_a_token_or_a_key_goes_by_its_form_alone(number: int, written: str) -> None:
    secret = FORMS[number]
    found = redacted_text(written.format(secret))
    assert "<redacted>" in found
    assert [piece for piece in re.findall(r"[\w+/]{20,}", secret) if piece in found] == []


@pytest.mark.parametrize("text", [text for text in WRITTEN if yaml_of(text) is not None and "&one" not in text])
def test_the_same_secrets_go_from_data(text: str) -> None:
    assert CANARY not in str(redacted_object(yaml_of(text)))


@pytest.mark.parametrize("text", KEPT)
def test_what_helps_stays(text: str) -> None:
    assert redacted_text(text) == text


def test_a_key_that_does_not_end_takes_the_rest_with_it() -> None:
    assert redacted_text(f"a\n-----BEGIN PRIVATE KEY-----\n{CANARY}\nmore") == "a\n<redacted>"


def test_a_long_line_is_cut_and_read_fast() -> None:
    found = redacted_text("password" * 200_000 + f"={CANARY}")
    assert len(found) < 5000
    assert CANARY not in found


def test_objects_lose_secrets_and_keep_their_names() -> None:
    data = {
        "kind": "Secret",
        "metadata": {"name": "mysql-credentials"},
        "data": {"password": CANARY},
        "stringData": {"other": CANARY},
        "type": "Opaque",
    }
    assert redacted_object(data) == {
        **data,
        "data": {"password": "<redacted>"},
        "stringData": {"other": "<redacted>"},
    }
    pod = {
        "env": [{"name": "AWS_SECRET_ACCESS_KEY", "value": CANARY}, {"name": "TZ", "value": "UTC"}],
        "envFrom": [{"name": "MYSQL_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "mysql-credentials", "key": "password"}}}],
        "volumes": [{"secret": {"secretName": "pulsar-cert"}}],
        "automountServiceAccountToken": False,
        "tls": [{"secretName": "boards-tls", "hosts": ["a.example"]}],
        "password": CANARY,
        "config": f"user=fate\npassword={CANARY}",
    }
    found = redacted_object(pod)
    assert CANARY not in str(found)
    assert found["env"] == [{"name": "AWS_SECRET_ACCESS_KEY", "value": "<redacted>"}, {"name": "TZ", "value": "UTC"}]
    assert (found["envFrom"], found["volumes"], found["tls"]) == (pod["envFrom"], pod["volumes"], pod["tls"])
    assert found["automountServiceAccountToken"] is False
    assert found["config"] == "user=fate\npassword=<redacted>"
