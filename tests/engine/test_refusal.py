"""A wrong configuration stops a real `pulumi preview` and `pulumi up` before any object is touched."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.engine.operators import FEDERATION, HUB, operator, spark_party

pytestmark = pytest.mark.engine


def test_all_problems_are_said_and_nothing_is_touched(clusters: dict[str, Path], tmp_path: Path) -> None:
    space = operator("wrong", tmp_path, clusters["consortium"], _wrong())
    (space.folder / "stacks" / "peers" / "cut.json").write_text('{"schemaVersion": 1, "kind": "par')
    before = _objects(space)
    for verb in (("preview",), ("up", "--yes", "--skip-preview")):
        done = space.attempt("pulumi", *verb, "--non-interactive", "--color", "never", "-s", "wrong")
        printed = (done.stdout + done.stderr).decode()
        assert done.returncode != 0
        for place, problem in (
            ("fate:parties.9999.relase", "did you mean 'release'?"),
            ("fate:parties.nine", "party id"),
            ("fate:parties.10000.release", "unknown release 3.0.0"),
            ("fate:parties.10000.namespace", "already used"),
            ("fate:peers.cut.descriptor", "not a whole JSON document"),
        ):
            assert place in printed, printed
            assert problem in printed, printed
        assert "stacks/Pulumi.wrong.yaml:" in printed, "no line of the user's file"
        assert "Traceback" not in printed
        assert "unhandled" not in printed, "pulumi adds nothing to what was said"
    assert _objects(space) == before
    state = json.loads(space.run("pulumi", "stack", "export", "-s", "wrong"))
    kinds = {resource["type"] for resource in state["deployment"].get("resources", [])}
    assert not {kind for kind in kinds if kind.startswith(("kubernetes:", "fate:", "pulumi:providers"))}


def test_missing_secrets_and_foreign_certificates_are_said_before_anything_is_touched(clusters: dict[str, Path], tmp_path: Path) -> None:
    config = _wrong()
    party = config["parties"]["10000"] | {"release": "1.11.2"}
    space = operator("wrong", tmp_path, clusters["consortium"], config | {"parties": {"10000": party}, "peers": {"hub": HUB}})
    for name in ("key", "certificate", "ca"):
        space.set_secret(f"party-10000-{name}", b"not a PEM")
    done = space.attempt("pulumi", "preview", "--non-interactive", "--color", "never", "-s", "wrong")
    printed = (done.stdout + done.stderr).decode()
    assert done.returncode != 0
    assert "secret party-10000-mysql is missing" in printed
    assert "fatefed keys init" in printed
    assert "cannot be read" in printed
    assert "not a PEM" not in printed


@pytest.mark.parametrize("line", ["fate:peers:", "fate:peers: hub", "fate:secrets: hunter2", "fate:releases: own.yaml"])
def test_a_key_without_a_value_or_with_one_of_another_type_is_refused_with_its_line(
    line: str, clusters: dict[str, Path], tmp_path: Path
) -> None:
    """Not by Pulumi, whose message has no line; `fatefed check` says the same."""
    config = {key: value for key, value in _wrong().items() if key != "peers"} | {"parties": {"9999": spark_party("wrong")}}
    space = operator("wrong", tmp_path, clusters["consortium"], config)
    document = yaml.safe_load(space.stack_file.read_text())
    written = document.pop("config")
    written.pop("fate:secrets", None)
    space.stack_file.write_text(f"{yaml.safe_dump({**document, 'config': written}, sort_keys=False)}  {line}\n")
    place = f"Pulumi.wrong.yaml:{len(space.stack_file.read_text().splitlines())} fate:{line.split(':')[1]}: "
    for command in (["fatefed", "check"], ["pulumi", "preview", "--non-interactive", "--color", "never"]):
        done = space.attempt(*command, "-s", "wrong")
        printed = (done.stdout + done.stderr).decode()
        assert done.returncode != 0
        assert place in printed, printed
        assert "remedy: " in printed.partition(place)[2]
        assert "hunter2" not in printed


def _wrong() -> dict[str, Any]:
    party = spark_party("wrong")
    return {
        "organization": "wrong",
        "federation": FEDERATION,
        "parties": {"9999": party | {"relase": "1.11.2"}, "nine": party, "10000": party | {"release": "3.0.0"}},
        "peers": {"hub": HUB, "cut": {"descriptor": "peers/cut.json"}},
    }


def _objects(space) -> str:  # type: ignore[no-untyped-def]
    found = space.kubectl("get", "namespaces,services,configmaps", "-A")["items"]
    return yaml.safe_dump(sorted((item["kind"], item["metadata"]["name"], item["metadata"]["uid"]) for item in found))
