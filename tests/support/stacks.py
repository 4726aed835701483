"""Stack files and descriptors for tests: as `fatefed init` and `fatefed descriptor export` write them."""

import itertools
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.stackfile.initialize import Answers, stack_text
from cli.tools.project import Stack, find_project
from federation.peers.descriptor import Descriptor
from tests.support.configs import Case, signed_file

REPO = Path(__file__).resolve().parents[2]
_serials = itertools.count(1)
EXAMPLES = sorted((REPO / "stacks").glob("Pulumi.*.yaml"))


def project(folder: Path) -> Path:
    """A project folder without a program."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Pulumi.yaml").write_text("name: fate\nruntime: python\nstackConfigDir: stacks\n")
    (folder / "stacks").mkdir(exist_ok=True)
    return folder


def stack(folder: Path, name: str, text: str) -> Stack:
    """A stack with this file."""
    (project(folder) / "stacks" / f"Pulumi.{name}.yaml").write_text(text)
    return find_project(folder).stack(name)


def of_case(folder: Path, case: Case) -> Stack:
    """The stack of a case, called bank-a, with its peers' files."""
    case.write(project(folder) / "stacks")
    return stack(folder, "bank-a", case.text())


def initialized(folder: Path, name: str, **answers: Any) -> Stack:
    """A stack as `fatefed init` begins it."""
    return stack(folder, name, stack_text(Answers(organization=name, **answers)))


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """A `pulumi` that is this Python program; no other command is found any more."""
    script = folder / "bin" / "pulumi"
    script.parent.mkdir(exist_ok=True)
    script.write_text(f"#!{sys.executable}\n{program}")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(script.parent))


def party(organization: str = "clinic-b", party_id: str = "10000", host: str = "198.51.100.20", **changes: Any) -> dict[str, Any]:
    """The descriptor body of a party."""
    return {
        "schemaVersion": 1,
        "kind": "party",
        "federation": {"name": "fraud", "domain": "fraud.example"},
        "organization": organization,
        "partyId": party_id,
        "release": "1.11.2",
        "backends": {"computing": "Spark", "federation": "Pulsar", "storage": "HDFS"},
        "endpoints": {
            "pulsar": {"host": host, "addresses": [host], "ports": {"tls": 6651}, "tls": True, "serverName": f"{party_id}.fraud.example"},
            "nginx": {"host": host, "addresses": [host], "ports": {"http": 9300}, "tls": False},
        },
    } | changes


def exchange(organization: str = "consortium", host: str = "198.51.100.4", **changes: Any) -> dict[str, Any]:
    """The descriptor body of an exchange."""
    endpoints = {
        "trafficServer": {"host": host, "addresses": [host], "ports": {"tls": 443}, "tls": True, "serverName": "proxy.fraud.example"},
        "nginx": {"host": host, "addresses": [host], "ports": {"http": 9300}, "tls": False},
    }
    body = {key: value for key, value in party(organization).items() if key not in ("partyId", "backends")}
    return body | {"kind": "exchange", "endpoints": endpoints} | changes


def sent(folder: Path, body: dict[str, Any], name: str = "sent.json", **signed: Any) -> Path:
    """A descriptor file as a peer sends it, each with a serial of its own; a body that is no descriptor is written as it is."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        file.write_bytes(signed_file(Descriptor.model_validate(body), **{"serial": next(_serials), **signed}))
    except ValueError:
        file.write_text(json.dumps(body))
    return file
