"""What a kubeconfig offers is read as kubectl reads it, and what is missing is named with what is there."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from federation.changes.cluster import unreachable_cluster
from federation.config.kubeconfig import Kubeconfig, read_kubeconfig
from federation.config.stack import ClusterSpec


def config(*contexts: str, current: str | None = None) -> dict[str, Any]:
    found = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": f"of-{name}", "cluster": {"server": f"https://{name}.example:6443"}} for name in contexts],
        "contexts": [{"name": name, "context": {"cluster": f"of-{name}", "user": "me"}} for name in contexts],
        "users": [{"name": "me", "user": {"token": "canary"}}],
    }
    return found | ({"current-context": current} if current else {})


def write(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return path


def read(paths: list[Path], **cluster: Any) -> tuple[Kubeconfig, ClusterSpec]:
    spec = ClusterSpec.model_validate(cluster)
    return read_kubeconfig(spec, ":".join(map(str, paths))), spec


def test_several_files_are_one_and_the_first_entry_of_a_name_counts(tmp_path: Path) -> None:
    first = write(tmp_path / "a", config("one", "two"))
    other = config("two", "three", current="three")
    other["clusters"][0]["cluster"]["server"] = "https://not-this.example"
    found, spec = read([tmp_path / "absent", first, write(tmp_path / "b", other)], context="two")
    assert (found.problem(spec), found.current, found.server(spec)) == (None, "three", "https://two.example:6443")
    assert set(found.servers) == {"one", "two", "three"}


@pytest.mark.parametrize(
    ("content", "cluster", "problem"),
    [
        (config("one", "two", current="one"), {"context": "my-bank"}, "does not have context my-bank; it has: one, two"),
        (config("one"), {}, "has no current context; it has: one"),
        (config("one", current="gone"), {}, "does not have its own current context gone; it has: one"),
        (config(), {"context": "x"}, "does not have context x"),
        ("{", {}, "cannot be read as a kubeconfig"),
        ("- a list", {"context": "x"}, "does not have context x"),
    ],
)
def test_what_is_missing_is_named_with_what_is_there(content: Any, cluster: dict[str, Any], problem: str, tmp_path: Path) -> None:
    found, spec = read([write(tmp_path / "config", content)], **cluster)
    said = found.problem(spec)
    assert said is not None
    assert problem in said[0]
    assert said[1]
    assert "canary" not in repr(found)


def test_files_that_are_named_and_not_there_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, spec = read([tmp_path / "none"])
    assert found.problem(spec) == (f"there is no file {tmp_path / 'none'}", "name your kubeconfig in KUBECONFIG")
    spec = ClusterSpec(kubeconfig="keys/config")
    named = read_kubeconfig(spec, "", tmp_path).problem(spec)
    assert named == (f"there is no file {tmp_path / 'keys/config'}", "name your kubeconfig in cluster.kubeconfig")
    monkeypatch.setenv("HOME", str(tmp_path))
    nowhere = read_kubeconfig(ClusterSpec(), "").problem(ClusterSpec())
    assert nowhere == ("there is no kubeconfig, neither in KUBECONFIG nor at ~/.kube/config", "name your kubeconfig in KUBECONFIG")


def test_what_is_said_of_a_cluster_that_does_not_answer_names_the_server_and_how_to_find_out_more(tmp_path: Path) -> None:
    found, spec = read([write(tmp_path / "config", config("one"))], context="one")
    said = unreachable_cluster(spec, found)
    assert said.startswith("fate:cluster: context one cannot be used; nothing was changed: the API server at https://one.example:6443 ")
    assert "`kubectl --context=one get --raw /version`" in said
    found, spec = read([tmp_path / "config"], context="two")
    assert "does not have context two; it has: one" in unreachable_cluster(spec, found)
    pod = unreachable_cluster(ClusterSpec.model_validate({"inCluster": True}), Kubeconfig(()))
    assert pod.startswith("fate:cluster: inCluster cannot be used; nothing was changed: the API server does not answer")
