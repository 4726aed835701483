"""What leaves the organization in a support bundle holds no secret, however it was written."""

import pytest

from cli.redact import redacted_object, redacted_text

CANARY = "c4n4ry-Zx9"
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
]
KEPT = [
    'secret "mysql-credentials" not found',
    "nginx-0 is ready at 10.0.0.7:9300",
    "server.board.login.username=admin",
    "http://9999.fateboard.bank-a.example:8080/path",
    "pulsar+ssl://203.0.113.9:6651",
    "Back-off pulling image federatedai/fateflow:1.11.2-release",
    "2026-01-01T10:00:00Z INFO partition 3 of 8",
]


@pytest.mark.parametrize("text", WRITTEN)
def test_a_secret_goes_however_it_is_written(text: str) -> None:
    found = redacted_text(f"before\n{text}\nafter")
    assert CANARY not in found
    assert CANARY.replace("-", "_") not in found
    assert "<redacted>" in found
    assert found.startswith("before\n")
    assert found.endswith("\nafter")


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
