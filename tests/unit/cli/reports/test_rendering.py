"""`fatefed render`: the shape of files and folders, with a helm that answers what a test wants; the real one: tests/charts."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.reports.rendering import MARKER, render, write_rendering
from cli.tools.errors import CommandError
from cli.tools.project import Stack
from cli.tools.yaml_objects import object_text
from tests.support.stacks import initialized

WORKLOAD = {"spec": {"b": 1, "a": "2024-01-01"}, "metadata": {"name": "w"}, "kind": "Deployment", "apiVersion": "apps/v1"}
SECRET = {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "s"}, "data": {"k": "aGk="}, "stringData": {"l": "canary"}}


@pytest.fixture
def helm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A helm that writes its arguments and values down, and answers with `answer.yaml` or fails with `failure`."""
    script = tmp_path / "helm"
    script.write_text(
        f"#!{sys.executable}\nimport json, pathlib, sys\nhere = pathlib.Path({str(tmp_path)!r})\n"
        "(here / 'asked.json').write_text(json.dumps([sys.argv[1:], json.loads(sys.stdin.read())]))\n"
        "failure = here / 'failure'\nsys.exit(failure.read_text()) if failure.exists() else print((here / 'answer.yaml').read_text())\n"
    )
    script.chmod(0o755)
    monkeypatch.setenv("HELM", str(script))
    answer(tmp_path, WORKLOAD)
    return tmp_path


def answer(folder: Path, *documents: Any) -> None:
    (folder / "answer.yaml").write_text("---\n# Source: x\n" + "---\n".join(yaml.safe_dump(document) for document in documents) + "---\n")


@pytest.fixture
def bank(helm: Path) -> Stack:
    return initialized(helm / "bank", "bank-a", kind="party")


def test_every_object_is_a_file_in_its_namespace(bank: Stack) -> None:
    files = render(bank.load().plan)
    assert list(files) == sorted(files)
    assert {path.split("/")[0] for path in files} == {"fate-9999", "_cluster"}
    assert [path for path in files if path.startswith("_cluster")] == ["_cluster/namespace-fate-9999.yaml"]
    for path, text in files.items():
        found = yaml.safe_load(text)
        assert path.endswith(f"/{found['kind'].lower()}-{found['metadata']['name']}.yaml")
        assert list(found)[:3] == ["apiVersion", "kind", "metadata"]
        assert found["metadata"].get("namespace", "_cluster") == path.split("/")[0]
    assert {path.split("/")[1].split("-")[0] for path in files} == {
        "namespace", "service", "secret", "configmap", "networkpolicy", "deployment",
    }  # fmt: skip


def test_a_namespaced_stack_has_nothing_outside_its_namespace(helm: Path) -> None:
    files = render(initialized(helm / "x", "bank-a", kind="namespaced").load().plan)
    assert {path.split("/")[0] for path in files} == {"fate-9999"}


def test_helm_gets_the_plan_and_nothing_secret(helm: Path, bank: Stack) -> None:
    plan = bank.load().plan
    render(plan)
    arguments, values = json.loads((helm / "asked.json").read_text())
    assert arguments[:2] == ["template", "party-9999"]
    assert Path(arguments[2]).name == "fate-party"
    assert arguments[arguments.index("--namespace") + 1] == "fate-9999"
    assert values == plan.units[0].chart.values.plain()


def test_secrets_are_redacted_and_later_addresses_marked(helm: Path, bank: Stack) -> None:
    answer(helm, WORKLOAD, SECRET)
    files = render(bank.load().plan)
    secrets = {path: yaml.safe_load(text) for path, text in files.items() if "/secret-" in path}
    assert len(secrets) == 5
    values = [value for secret in secrets.values() for part in ("data", "stringData") for value in secret.get(part, {}).values()]
    assert len(values) == 10
    assert set(values) == {"<redacted>"}
    assert "canary" not in "".join(files.values())
    assert "<known-after-up:fate-9999/nginx.clusterIP>" in files["fate-9999/configmap-nginx-route-table.yaml"]


def test_only_objects_without_a_namespace_of_their_own_get_the_charts(helm: Path, bank: Stack) -> None:
    elsewhere = {**WORKLOAD, "metadata": {"name": "e", "namespace": "other"}}
    answer(helm, WORKLOAD, elsewhere, {"apiVersion": "v1", "kind": "ClusterRole", "metadata": {"name": "c"}})
    files = render(bank.load().plan)
    assert {"fate-9999/deployment-w.yaml", "other/deployment-e.yaml", "_cluster/clusterrole-c.yaml"} <= files.keys()


def test_two_objects_of_one_name_are_an_error(helm: Path, bank: Stack) -> None:
    answer(helm, WORKLOAD, {**WORKLOAD, "spec": {}})
    with pytest.raises(CommandError, match=r"deployment-w\.yaml: two objects"):
        render(bank.load().plan)


def test_what_helm_says_is_shown(helm: Path, bank: Stack) -> None:
    (helm / "failure").write_text("values don't meet the schema")
    with pytest.raises(CommandError, match=r"chart fate-party of party-9999: helm refuses it: values don't meet the schema"):
        render(bank.load().plan)


def test_what_helm_says_of_the_charts_link_to_their_library_is_not(helm: Path, bank: Stack) -> None:
    note = "walk.go:75: found symbolic link in path: a resolves to b. Contents of linked file included and used"
    (helm / "failure").write_text(f"{note}\nvalues don't meet the schema\n{note}")
    with pytest.raises(CommandError, match=r"helm refuses it: values don't meet the schema\n    remedy"):
        render(bank.load().plan)


def test_a_missing_helm_has_a_remedy(bank: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HELM")
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    with pytest.raises(CommandError, match=r"helm: not found on PATH\n    remedy: install it"):
        render(bank.load().plan)
    monkeypatch.setenv("HELM", str(tmp_path / "nowhere"))
    with pytest.raises(CommandError, match="cannot be run"):
        render(bank.load().plan)


def test_an_object_is_written_as_kubernetes_reads_it() -> None:
    tricky = {
        "date": "2024-01-01",
        "float": "1e06",
        "octal": "0o17",
        "on": "on",
        "id": "9999",
        "null": "null",
        "empty": "",
        "text": "a\nb\n",
        "trailing": "a \nb",
    }
    text = object_text(
        {"spec": tricky, "kind": "X", "data": {"b": 1, "a": [{"z": 1, "y": True}]}, "apiVersion": "v1", "metadata": {"name": "x"}}
    )
    assert text.index("apiVersion") < text.index("kind") < text.index("metadata") < text.index("data") < text.index("spec")
    assert "  a:\n  - y: true\n    z: 1\n  b: 1\n" in text
    assert yaml.safe_load(text)["spec"] == tricky
    assert 'float: "1e06"\n' in text
    assert 'octal: "0o17"\n' in text
    assert "text: |\n    a\n    b\n" in text
    assert object_text(yaml.safe_load(text)) == text


def test_a_date_of_a_chart_stays_a_text(helm: Path, bank: Stack) -> None:
    (helm / "answer.yaml").write_text("{apiVersion: v1, kind: X, metadata: {name: x}, spec: {since: 2024-01-01}}")
    assert "since: '2024-01-01'\n" in render(bank.load().plan)["fate-9999/x-x.yaml"]


def test_a_shared_value_is_written_out() -> None:
    shared = {"a": "b"}
    assert "&" not in object_text({"metadata": shared, "spec": shared})


def test_a_rendering_replaces_an_earlier_one_and_leaves_the_rest(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_rendering({"a/x.yaml": "1", "a/y.yaml": "2", "b/z.yaml": "3"}, out)
    (out / "a" / "mine.txt").write_text("kept")
    write_rendering({"a/x.yaml": "1b"}, out)
    found = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert found == {"a/x.yaml", "a/mine.txt", MARKER}
    assert (out / "a/x.yaml").read_text() == "1b"
    assert not (out / "b").exists()


def test_an_interrupted_rendering_is_still_one(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(AttributeError):
        write_rendering({"a/x.yaml": "1", "a/y.yaml": None}, out)  # type: ignore[dict-item]
    assert (out / "a/x.yaml").exists()
    write_rendering({"a/z.yaml": "1"}, out)
    assert sorted(path.name for path in (out / "a").iterdir()) == ["z.yaml"]


@pytest.mark.parametrize("name", ["other.txt", ".hidden", "a/b.yaml"])
def test_a_folder_with_other_files_is_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    with pytest.raises(CommandError, match="holds other files"):
        write_rendering({"a/b.yaml": "1"}, tmp_path)
    assert (tmp_path / name).read_text() == "mine"
    with pytest.raises(CommandError, match="is not a folder"):
        write_rendering({"a/b.yaml": "1"}, tmp_path / name)


def test_a_marker_leads_nowhere_else(tmp_path: Path) -> None:
    out, mine = tmp_path / "out", tmp_path / "mine" / "x.yaml"
    (out / "a").mkdir(parents=True)
    mine.parent.mkdir()
    mine.write_text("kept")
    (out / "link").symlink_to(mine.parent)
    (out / MARKER).write_text(f"../mine/x.yaml\n{mine}\nlink/x.yaml\n")
    write_rendering({"a/b.yaml": "1"}, out)
    assert mine.read_text() == "kept"
