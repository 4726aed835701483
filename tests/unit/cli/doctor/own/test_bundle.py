"""`fatefed support-bundle`: what is in the archive, and that no secret is, wherever one stood."""

import json
import stat
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.main import main
from cli.tools.project import Stack
from tests.support import stacks
from tests.support.configs import STAR_PARTY, Config
from tests.support.kubectl import FORBIDDEN, FakeKubectl

CANARY = "c4n4ry-Zx9"
EVENT = {
    "metadata": {"creationTimestamp": "2026-01-01T00:00:00Z"},
    "lastTimestamp": "2026-01-01T00:00:01Z",
    "type": "Warning",
    "reason": "Failed",
    "involvedObject": {"kind": "Pod", "name": "nginx-0"},
    "message": f"cannot pull from https://robot:{CANARY}@registry.example/fate: denied",
}
RENDERED = [
    {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "s"}, "stringData": {"key": CANARY}},
    {
        "kind": "Deployment",
        "apiVersion": "apps/v1",
        "metadata": {"name": "nginx"},
        "spec": {"template": {"spec": {"containers": [{"name": "c", "env": [{"name": "PROXY_PASSWORD", "value": CANARY}]}]}}},
    },
]


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Stack, FakeKubectl]:
    """A stack with a secret wherever one could stand by mistake, a cluster that shows them, and a helm that renders them."""

    def change(config: Config) -> None:
        config["parties"]["9999"]["modules"] = {"nginx": {"env": {"PROXY_PASSWORD": CANARY}}}
        config["parties"]["9999"]["credentials"] = {"mysqlRoot": {"secret": "database-root"}}

    project = stacks.project(tmp_path / "project")
    case = STAR_PARTY.changed(change)
    case.write(project / "stacks")
    text = case.text() + f"  fate:secrets:\n    party-9999-mysql:\n      secure: v1:{CANARY}:abc\nencryptionsalt: v1:{CANARY}\n"
    stack = stacks.stack(project, "bank-a", text)
    kubectl = FakeKubectl(tmp_path, stack.load().plan)
    kubectl.answers["events/fate-9999"] = [EVENT]
    kubectl.answers["logs/fate-9999/nginx-0"] = f"[pod/nginx-0/nginx] password={CANARY}\n[pod/nginx-0/nginx] still here\n"
    kubectl.write()
    helm = tmp_path / "helm"
    documents = "---\n".join(yaml.safe_dump(item) for item in RENDERED)
    helm.write_text(f"#!{sys.executable}\nimport sys\nprint('v3' if sys.argv[1] == 'version' else {documents!r})\n")
    helm.chmod(0o755)
    monkeypatch.setenv("KUBECTL", str(kubectl.program))
    monkeypatch.setenv("HELM", str(helm))
    return stack, kubectl


def bundle(stack: Stack, out: Path, *more: str) -> tuple[int, dict[str, str]]:
    """The exit status, and the files of the archive."""
    code = main(["support-bundle", "-s", stack.name, "-C", str(stack.project.folder), "-o", str(out), *more])
    with tarfile.open(out) as archive:
        members = [member for member in archive.getmembers() if member.isfile()]
        assert {member.name.split("/")[0] for member in members} == {"support-bank-a"}
        return code, {member.name.split("/", 1)[1]: _content(archive, member) for member in members}


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    file = archive.extractfile(member)
    assert file is not None
    return file.read().decode()


def test_a_bundle_holds_what_helps_and_no_secret(lab: tuple[Stack, FakeKubectl], tmp_path: Path) -> None:
    stack, _ = lab
    out = tmp_path / "bundle.tar.gz"
    code, files = bundle(stack, out, "--logs", "50")
    assert code == 0
    assert set(files) >= {
        "README.txt", "versions.txt", "stack.yaml", "plan.json", "status.txt", "status.json", "doctor.txt", "doctor.json",
        "events/fate-9999.txt", "logs/fate-9999/nginx-0.txt", "rendered/fate-9999/deployment-nginx.yaml",
    }  # fmt: skip
    assert CANARY in stack.file.read_text()
    assert not [path for path, text in files.items() if CANARY in text]
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert "still here" in files["logs/fate-9999/nginx-0.txt"]
    assert "cannot pull from https://robot:<redacted>@registry.example/fate" in files["events/fate-9999.txt"]
    failed = [(row["check"], row["problem"]) for row in json.loads(files["doctor.json"])["rows"] if row["state"] == "failed"]
    assert failed == [("party-9999: Deployment nginx", "not as planned: spec.template.spec.containers.c is absent")]
    config = yaml.safe_load(files["stack.yaml"])
    assert "fate:secrets" not in config
    assert config["fate:parties"]["9999"]["modules"]["nginx"]["env"] == {"PROXY_PASSWORD": "<redacted>"}
    assert config["fate:parties"]["9999"]["release"] == "1.11.2"
    assert config["fate:parties"]["9999"]["credentials"] == {"mysqlRoot": {"secret": "database-root"}}, "a name is no secret"
    secret = yaml.safe_load(files["rendered/fate-9999/secret-mysql-credentials.yaml"])
    assert secret["stringData"] == {"password": "<redacted>", "root-password": "<redacted>"}
    for program in ("fate-federation", "Kubernetes", "v1.34.1", "kubectl", "v1.34.0", "Python"):
        assert program in files["versions.txt"]


def test_logs_come_only_when_asked_and_no_secret_is_ever_asked_for(lab: tuple[Stack, FakeKubectl], tmp_path: Path) -> None:
    stack, kubectl = lab
    _, files = bundle(stack, tmp_path / "bundle.tar.gz")
    assert not [path for path in files if path.startswith("logs/")]
    assert {call[0] for call in kubectl.asked} == {"get", "version"}
    bundle(stack, tmp_path / "bundle.tar.gz", "--logs", "7")
    asked = kubectl.asked
    assert any(call[0] == "logs" and "--tail=7" in call for call in asked)
    assert {call[0] for call in asked} == {"get", "logs", "version"}
    assert not [call for call in asked if any("secret" in argument for argument in call)]


def _refused(answers: dict[str, Any]) -> None:
    for question in ("events/fate-9999", "pods/fate-9999"):
        answers[question] = FORBIDDEN.format(question)


def test_what_may_not_be_read_is_said_in_its_place(lab: tuple[Stack, FakeKubectl], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack, kubectl = lab
    _refused(kubectl.answers)
    kubectl.write()
    monkeypatch.setenv("HELM", "/nonexistent/helm")
    code, files = bundle(stack, tmp_path / "bundle.tar.gz", "--logs", "5")
    assert code == 0
    assert files["events/fate-9999.txt"].startswith("not readable: Error from server (Forbidden)")
    assert "helm" in files["rendered/NOT-RENDERED.txt"]


def test_a_cluster_that_does_not_answer_still_gives_a_bundle(lab: tuple[Stack, FakeKubectl], tmp_path: Path) -> None:
    stack, kubectl = lab
    kubectl.answers["/version"] = "The connection was refused"
    kubectl.write()
    code, files = bundle(stack, tmp_path / "bundle.tar.gz")
    assert code == 0
    assert "The connection was refused" in files["doctor.txt"]
    assert "stack.yaml" in files
