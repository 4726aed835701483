"""Running the program itself, `__main__.py`, on a stack of the test's choice."""

import json
import runpy
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pulumi
import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.components.recorder import PROJECT, Cluster, Run, run
from tests.support.configs import Case

ROOT = Path(__file__).resolve().parents[2]


@cache
def traditional_key() -> str:
    """A private key in the form that Pulsar does not read."""
    form = serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    return ec.derive_private_key(20200202, ec.SECP256R1()).private_bytes(*form).decode()


def secrets_for(case: Case, folder: Path) -> dict[str, str]:
    """A value for each secret that a stack reads: a key is a PEM text, anything else names itself."""
    names = case.load(folder).plan.secret_names
    return {name: traditional_key() if name.endswith("-key") else f"value-of-{name}" for name in names}


def project(case: Case, folder: Path) -> Path:
    """A project folder with the stack's file and its peers."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump({"name": PROJECT, "runtime": "python", "stackConfigDir": "stacks"}))
    case.write(folder / "stacks")
    return folder


def run_program(
    case: Case, folder: Path, monkeypatch: pytest.MonkeyPatch, cluster: Cluster | None = None, secrets: Mapping[str, str] | None = None
) -> Run:
    """What `__main__.py` registers for a stack, started in the stack's project."""
    monkeypatch.setenv("PWD", str(project(case, folder)))
    monkeypatch.delenv("FATE_PROJECT_DIR", raising=False)
    # What stands in a certificate is checked in tests/unit; here only where it goes.
    monkeypatch.setattr("federation.stack.load.certificate_problems", lambda *_texts, **_names: ())
    monkeypatch.setattr("federation.trust.mutual_tls.MutualTls.problems", lambda *_mutual: ())
    # What is in a namespace is asked of real clusters, in tests/engine: here it is empty.
    monkeypatch.setattr("components.namespaces.Namespaces._get", lambda *asked: {} if "kube-root-ca.crt" in asked else None)
    errors: list[str] = []
    monkeypatch.setattr("pulumi.log.error", errors.append)
    given = secrets_for(case, folder / "planned") if secrets is None else secrets
    values = {f"fate:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in case.config.items()}
    values["fate:secrets"] = json.dumps(dict(given))

    def program() -> None:
        pulumi.runtime.set_all_config(values, ["fate:secrets"])
        try:
            runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")
        except SystemExit as ended:
            # With another status pulumi adds that an error was not handled.
            raise pulumi.RunError(errors[-1] if ended.code == 32 else f"ended with {ended.code}") from None

    return run(program, cluster, stack=str(case.config["organization"]))
