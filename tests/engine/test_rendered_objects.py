"""What is rendered is what Pulumi creates, and what the API server accepts."""

import json
from pathlib import Path

import pytest
import yaml

from sandbox.workspace import Workspace
from tests.engine.operators import Federation

pytestmark = pytest.mark.engine

GOLDEN = Path(__file__).parent / "golden"


def test_a_rendering_holds_exactly_the_objects_that_pulumi_manages(federation: Federation, tmp_path: Path) -> None:
    for space in federation.all:
        rendered = {_identity(document) for document in _render(space, tmp_path / space.organization)}
        steps = space.json("pulumi", "preview", "--show-sames", "-s", space.organization)["steps"]
        managed = {
            _identity(step["newState"]["inputs"] | {"kind": step["newState"]["type"].rsplit(":", 1)[-1]})
            for step in steps
            if step["newState"]["type"].startswith("kubernetes:") and "metadata" in step["newState"].get("inputs", {})
        }
        assert len(managed) >= 8
        assert rendered == managed, space.organization


def test_the_api_server_accepts_every_rendered_object_strictly(federation: Federation, tmp_path: Path) -> None:
    for space in federation.all:
        documents = _render(space, tmp_path / space.organization)
        assert len(documents) >= 8
        for document in documents:
            if document["kind"] == "Secret":
                document["stringData"] = {key: "{}" for key in document.get("stringData", {})}
        # Existing objects would be compared with: a dry run in namespaces of another name sees each one as new.
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": [d for d in documents if d["kind"] != "Namespace"]})
        arguments = ("kubectl", "apply", "--server-side", "--dry-run=server", "--validate=strict", "--force-conflicts")
        answer = space.run(*arguments, "-f", "-", "--field-manager=schema-test", stdin=text.encode())
        assert answer.count("serverside-applied (server dry run)") == len(documents) - sum(d["kind"] == "Namespace" for d in documents)


@pytest.mark.parametrize("organization", ["consortium", "bank-a", "clinic-b"])
def test_logical_names_are_those_of_the_golden_list(federation: Federation, organization: str) -> None:
    """A changed URN makes Pulumi delete the live object of the same name: a rename needs an alias, and this list an edit."""
    (space,) = (one for one in federation.all if one.organization == organization)
    state = json.loads(space.run("pulumi", "stack", "export", "-s", organization))["deployment"]["resources"]
    urns = sorted(resource["urn"].split("::", 2)[2] for resource in state)
    golden = GOLDEN / f"{organization}.urns"
    assert urns == golden.read_text().splitlines(), f"see {golden.name}: {sorted(set(urns) ^ set(golden.read_text().splitlines()))}"


def _render(space: Workspace, out: Path) -> list[dict]:  # type: ignore[type-arg]
    space.fatefed("render", "--out", str(out))
    return [yaml.safe_load(path.read_text()) for path in sorted(out.rglob("*.yaml"))]


def _identity(document: dict) -> tuple[str, str, str]:  # type: ignore[type-arg]
    return document["kind"], document["metadata"].get("namespace", ""), document["metadata"]["name"]
