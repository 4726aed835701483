"""A stack's own objects: read with their lines, refused where they may not be, listed and rendered."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.main import main
from federation.base.errors import FederationError
from federation.units.own_objects import ExtraManifests
from tests.support.configs import LOCAL, STAR_PARTY, Case

PLACE = "manifests.own"


def document(kind: str = "ConfigMap", name: str = "company-ca", api: str = "v1", namespace: str | None = "fate-9999", **more: Any) -> str:
    """One object as text."""
    place = {} if namespace is None else {"namespace": namespace}
    return yaml.safe_dump({"apiVersion": api, "kind": kind, "metadata": {"name": name, **place}, **more}, sort_keys=False)


def listed(*documents: str, kind: str = "List") -> str:
    """A list of such objects as text."""
    return yaml.safe_dump({"apiVersion": "v1", "kind": kind, "items": [yaml.safe_load(text) for text in documents]})


# As kubectl shows a Secret that it applied, without its data.
EXPORTED = """apiVersion: v1
kind: Secret
metadata:
  name: s
  namespace: fate-9999
  annotations: {kubectl.kubernetes.io/last-applied-configuration: '{"stringData": {"a": "b"}}'}
"""


def case(*documents: str, base: Case = STAR_PARTY, **cluster: Any) -> Case:
    """A stack with one file of its own objects."""
    with_file = base.with_file("extra/own.yaml", "---\n".join(documents).encode())
    return with_file.changed(lambda config: config.update(manifests={"own": "extra/own.yaml"}, cluster=cluster))


def read(one: Case, folder: Path) -> tuple[ExtraManifests, ...]:
    """The objects of the plan."""
    return one.load(folder).plan.manifests


def refused(one: Case, folder: Path) -> list[tuple[str, str]]:
    """Place, as keys only, and problem of all that is wrong."""
    with pytest.raises(FederationError) as caught:
        one.load(folder)
    return [(found.place.rsplit("fate:", 1)[-1], found.problem) for found in caught.value.problems]


def test_objects_are_applied_as_they_are_written(tmp_path: Path) -> None:
    (file,) = read(case(document(data={"since": "2024-01-01"}), document("ServiceAccount", "runner")), tmp_path)
    assert file.name == "own"
    assert file.documents() == (
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "company-ca", "namespace": "fate-9999"},
            "data": {"since": "2024-01-01"},
        },
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "runner", "namespace": "fate-9999"}},
    )


def test_a_date_without_quotes_stays_text_as_in_kubernetes(tmp_path: Path) -> None:
    (file,) = read(case(document() + "data:\n  since: 2024-01-01\n"), tmp_path)
    assert file.documents()[0]["data"] == {"since": "2024-01-01"}


def _bomb() -> str:
    """Nine levels of nine: half a billion values in 600 bytes."""
    levels = [f"{name}: &{name} [{', '.join([f'*{below}'] * 9)}]" for below, name in itertools.pairwise("abcdefghij")]
    return "\n".join(["a: &a [x]", *levels]) + "\n"


@pytest.mark.parametrize(("kind", "waited"), [("PersistentVolumeClaim", False), ("Service", False), ("ConfigMap", True)])
def test_what_waits_for_others_is_not_waited_for(kind: str, waited: bool, tmp_path: Path) -> None:
    (file,) = read(case(document(kind, "one")), tmp_path / "a")
    assert ("annotations" not in file.documents()[0]["metadata"]) is waited
    said = yaml.safe_load(document(kind, "one"))
    said["metadata"]["annotations"] = {"pulumi.com/skipAwait": "false"}
    (file,) = read(case(yaml.safe_dump(said)), tmp_path / "b")
    assert file.documents() == (said,)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (document(namespace=None), "extra/own.yaml:1 ConfigMap/company-ca has no namespace"),
        (document("Role", "r", "rbac.authorization.k8s.io/v1", None), "extra/own.yaml:1 Role/r has no namespace"),
        (document() + "---\n" + document("Job", "j", "batch/v1", None), "extra/own.yaml:7 Job/j has no namespace"),
        (document("Secret", "s", stringData={"a": "b"}), "extra/own.yaml:1 Secret/s holds secrets in plain text"),
        (document("Secret", "s", data={"a": "Yg=="}), "extra/own.yaml:1 Secret/s holds secrets in plain text"),
        (document() + "---\n" + document(), "extra/own.yaml:7 ConfigMap/company-ca is also in extra/own.yaml:1 ConfigMap/company-ca"),
        ("kind: ConfigMap\n", "extra/own.yaml:1 is not a Kubernetes object"),
        ("- 1\n", "extra/own.yaml:1 is not a Kubernetes object"),
        (document().replace("name:", "generateName:"), "extra/own.yaml:1 is not a Kubernetes object"),
        (listed(), "extra/own.yaml:1 is a list without items"),
        (listed(document(namespace=None)), "extra/own.yaml:1 items[0] ConfigMap/company-ca has no namespace"),
        (
            listed(document(), document("Secret", "s", stringData={"a": "b"})),
            "extra/own.yaml:1 items[1] Secret/s holds secrets in plain text",
        ),
        (listed(document("Secret", "s", data={"a": "Yg=="}), kind="SecretList"), "extra/own.yaml:1 items[0] Secret/s holds secrets"),
        (listed(listed(document("Secret", "s", data={"a": "Yg=="}))), "extra/own.yaml:1 items[0] items[0] Secret/s holds secrets"),
        (listed("null\n"), "extra/own.yaml:1 items[0] is not a Kubernetes object"),
        (listed("data: {a: Yg==}\n", kind="SecretList"), "extra/own.yaml:1 items[0] is not a Kubernetes object"),
        (document(items=[yaml.safe_load(document("Secret", "s", data={"a": "Yg=="}))]), "extra/own.yaml:1 has both a kind and items"),
        (document("Widget", "w", "example.org/v1", items=[]), "extra/own.yaml:1 has both a kind and items"),
        (f"x: &x {{items: [{{apiVersion: v1, kind: Secret}}]}}\n<<: *x\n{document()}", "extra/own.yaml:1 has both a kind and items"),
        (EXPORTED, "extra/own.yaml:1 Secret/s holds secrets in plain text"),
        (document(api="core/v1", namespace=None), "extra/own.yaml:1 ConfigMap/company-ca has no namespace"),
        (
            document() + "---\n" + document(api="core/v1"),
            "extra/own.yaml:7 ConfigMap/company-ca is also in extra/own.yaml:1 ConfigMap/company-ca",
        ),
        ("a: [\n", "extra/own.yaml is not valid YAML: while parsing"),
        ("", "extra/own.yaml holds no object"),
        ("---\n---\n", "extra/own.yaml holds no object"),
        (f"{document()}more: !!timestamp x\n", "extra/own.yaml: a value does not match its tag (!!)"),
        (f"{document()}more: !!binary eA==\n", "extra/own.yaml: a value does not match its tag (!!)"),
        (f"{document()}more: &a {{b: *a}}\n", "extra/own.yaml cannot be read: Circular reference detected"),
        (document() + _bomb(), "extra/own.yaml: its aliases (*) expand to far more than the file holds"),
    ],
)
def test_what_may_not_be_is_refused_with_its_line(text: str, problem: str, tmp_path: Path) -> None:
    [(place, said)] = refused(case(text), tmp_path)
    assert place == PLACE
    assert said.startswith(problem), said


@pytest.mark.parametrize("path", ["/etc/passwd", "../own.yaml", "extra/../../own.yaml"])
def test_a_file_outside_the_folder_of_the_stack_is_not_read(path: str, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(document())
    one = case(document()).changed(lambda config: config.update(manifests={"own": path}))
    assert refused(one, tmp_path / "stacks") == [(PLACE, f"{path} is outside the folder of the stack file")]


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    one = STAR_PARTY.changed(lambda config: config.update(manifests={"own": "extra/own.yaml"}))
    assert refused(one, tmp_path) == [(PLACE, "extra/own.yaml cannot be read: No such file or directory")]


CUSTOM = ("ServiceMonitor", "fate", "monitoring.coreos.com/v1")


def test_the_items_of_a_list_are_objects_like_others(tmp_path: Path) -> None:
    text = listed(document(), listed(document("ServiceAccount", "runner"), kind="ServiceAccountList"))
    (file,) = read(case(text), tmp_path / "a")
    (plain,) = read(case(document(), document("ServiceAccount", "runner")), tmp_path / "b")
    assert file.documents() == plain.documents()
    assert [found.kind for found in file.objects] == ["ConfigMap", "ServiceAccount"]


def test_a_kind_that_only_ends_like_a_list_is_none(tmp_path: Path) -> None:
    (file,) = read(case(document("AllowList", "partners", "example.org/v1", spec={"items": []})), tmp_path)
    assert [found.kind for found in file.objects] == ["AllowList"]


def test_what_concerns_more_than_the_stacks_own_namespaces_is_named_by_each_preview(tmp_path: Path) -> None:
    role = document("ClusterRoleBinding", "admins", "rbac.authorization.k8s.io/v1", None)
    token = document("Secret", "token", type="kubernetes.io/service-account-token")
    loaded = case(listed(role), document(namespace="kube-system"), document(), token).load(tmp_path)
    found = [warning for warning in loaded.plan.warnings if warning.startswith("manifests.own")]
    assert found == [
        "manifests.own: extra/own.yaml:1 items[0] ClusterRoleBinding/admins is a cluster-scoped object",
        "manifests.own: extra/own.yaml:9 ConfigMap/company-ca is in namespace kube-system, which is not one of this stack's",
        "manifests.own: extra/own.yaml:21 Secret/token makes Kubernetes keep a service account token that never expires: "
        "prefer `kubectl create token`",
    ]


def test_with_rights_in_the_whole_cluster_objects_may_be_anywhere(tmp_path: Path) -> None:
    whole = [
        document("Namespace", "monitoring", namespace=None),
        document("PriorityClass", "training", "scheduling.k8s.io/v1", None),
        document(namespace="monitoring"),
        document(*CUSTOM, namespace=None),
    ]
    (file,) = read(case(*whole), tmp_path)
    assert len(file.objects) == 4


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (document("Namespace", "x", namespace=None), "extra/own.yaml:1 Namespace/x is a cluster-scoped object"),
        (
            document("ClusterRole", "x", "rbac.authorization.k8s.io/v1", "fate-9999"),
            "extra/own.yaml:1 ClusterRole/x is a cluster-scoped object",
        ),
        (
            listed(document("ClusterRoleBinding", "x", "rbac.authorization.k8s.io/v1", None)),
            "extra/own.yaml:1 items[0] ClusterRoleBinding/x is a cluster-scoped object",
        ),
        (listed(document(namespace="kube-system")), "extra/own.yaml:1 items[0] ConfigMap/company-ca is in namespace kube-system"),
        (
            document("VolumeSnapshotContent", "x", "snapshot.storage.k8s.io/v1"),
            "extra/own.yaml:1 VolumeSnapshotContent/x is a cluster-scoped object",
        ),
        (document(*CUSTOM, namespace=None), "extra/own.yaml:1 ServiceMonitor/fate is a cluster-scoped object"),
        (document(namespace="kube-system"), "extra/own.yaml:1 ConfigMap/company-ca is in namespace kube-system"),
    ],
)
def test_with_rights_in_namespaces_objects_stay_inside_them(text: str, problem: str, tmp_path: Path) -> None:
    assert refused(case(text, scope="namespaced"), tmp_path / "a") == [(PLACE, problem)]
    assert len(read(case(document(), document(*CUSTOM), scope="namespaced"), tmp_path / "b")[0].objects) == 2


@pytest.mark.parametrize(
    "text",
    [
        document("StatefulSet", "mysql", "apps/v1"),
        listed(document("StatefulSet", "mysql", "apps/v1"), kind="StatefulSetList"),
        document("ConfigMap", "python-config"),
        document("Service", "nginx-public"),
        document("ConfigMap", "pulsar-route-table"),
        document("Secret", "mysql-credentials"),
        document("NetworkPolicy", "fate-inside", "networking.k8s.io/v1"),
        document("Namespace", "fate-9999", namespace=None),
        document("Service", "traffic-server", namespace="fate-exchange"),
    ],
)
def test_an_object_that_the_program_makes_is_not_made_twice(text: str, tmp_path: Path) -> None:
    [(place, problem)] = refused(case(text, base=LOCAL), tmp_path)
    assert place == PLACE
    assert problem.endswith("has the name of an object that this program creates")


def test_names_of_ours_are_free_in_other_namespaces(tmp_path: Path) -> None:
    assert read(case(document("Service", "mysql", namespace="databases")), tmp_path)


def test_own_objects_are_rendered_and_their_images_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pod = {
        "spec": {"template": {"spec": {"initContainers": [{"name": "a", "image": "a:1"}], "containers": [{"name": "b", "image": "b:2"}]}}}
    }
    one = case(document("Deployment", "exporter", "apps/v1", **pod), document("PriorityClass", "training", "scheduling.k8s.io/v1", None))
    (tmp_path / "Pulumi.yaml").write_text("name: fate\nruntime: python\nstackConfigDir: stacks\n")
    file = one.write(tmp_path / "stacks")
    monkeypatch.setattr("cli.reports.rendering.helm_template", lambda *_: [])
    assert main(["render", "--config", str(file), "--out", str(tmp_path / "out")]) == 0
    deployment = yaml.safe_load((tmp_path / "out" / "fate-9999" / "deployment-exporter.yaml").read_text())
    assert deployment["spec"] == pod["spec"]
    assert (tmp_path / "out" / "_cluster" / "priorityclass-training.yaml").is_file()
    capsys.readouterr()
    assert main(["images", "list", "-s", "bank-a", "-C", str(tmp_path), "--json"]) == 0
    images = json.loads(capsys.readouterr().out)["images"]
    own = [image["reference"] for image in images if image["usedBy"] == ["manifests/own"]]
    assert own == ["a:1", "b:2"]
