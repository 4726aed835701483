"""Data sets: folders that FATE-Flow reads, from the stack file to the values of its pod."""

from pathlib import Path
from typing import Any

import pytest

from federation.base.errors import FederationError
from tests.support.configs import SLIM_PULSAR, Case, Config, party, stack


def case(datasets: Config, **fateflow: Any) -> Case:
    """A party with data sets."""
    own = party(**SLIM_PULSAR, exchange=None) | {"datasets": datasets, "modules": {"fateflow": fateflow}}
    return Case("a party", stack("bank-a", topology="mesh", parties={"9999": own}))


def volumes(folder: Path, datasets: Config, **fateflow: Any) -> dict[str, Any]:
    """The volumes of each module in the chart's values."""
    (unit,) = case(datasets, **fateflow).load(folder).plan.units
    return {name: module.get("volumes") for name, module in unit.chart.values.plain()["modules"].items()}


def test_a_claim_is_mounted_read_only_under_the_name_of_the_data_set_in_fateflow_alone(tmp_path: Path) -> None:
    found = volumes(tmp_path, {"patients": {"existingClaim": "patients-2026"}})
    expected = {"mountPath": "/datasets/patients", "readOnly": True, "persistentVolumeClaim": {"claimName": "patients-2026"}}
    assert found.pop("fateflow") == {"dataset-patients": expected}
    assert found
    assert not any(found.values())


def test_nfs_and_csi_have_their_own_words_and_a_path_of_their_own(tmp_path: Path) -> None:
    nfs = {"nfs": {"server": "nas.bank-a.example", "path": "/export/scans"}, "path": "/scans", "readOnly": False}
    csi = {"driver": "s3.csi.example", "volumeAttributes": {"bucket": "lake"}, "nodePublishSecretRef": {"name": "lake"}}
    found = volumes(tmp_path, {"scans": nfs, "lake": {"csi": csi, "subPath": "2026"}})["fateflow"]
    assert found == {
        "dataset-scans": {"mountPath": "/scans", "readOnly": False, "nfs": nfs["nfs"]},
        "dataset-lake": {"mountPath": "/datasets/lake", "subPath": "2026", "readOnly": True, "csi": csi},
    }


def test_data_sets_stand_beside_the_volumes_of_fateflows_settings(tmp_path: Path) -> None:
    own = {"ca": {"mountPath": "/ca", "configMap": {"name": "ca"}}}
    assert [*volumes(tmp_path, {"a": {"existingClaim": "a"}}, volumes=own)["fateflow"]] == ["ca", "dataset-a"]


CLAIM = {"existingClaim": "x"}
WRONG: list[tuple[Config, Config, str, str]] = [
    ({"a": {}}, {}, "datasets.a", "name one of existingClaim, nfs, csi"),
    ({"a": {**CLAIM, "nfs": {"server": "nas", "path": "/x"}}}, {}, "datasets.a", "name one of existingClaim, nfs, csi"),
    ({"a": {"s3": {"bucket": "b"}}}, {}, "datasets.a", "Kubernetes mounts no bucket by itself: install a CSI driver"),
    ({"a": {"hostFolder": "/srv"}}, {}, "datasets.a", "hostFolder opens the node's files to the pod, which Pod Security refuses"),
    ({"a": {**CLAIM, "path": "x"}}, {}, "datasets.a.path", "is not an absolute path"),
    ({"A": CLAIM}, {}, "datasets.A", "is not a name of lower-case letters"),
    ({"a" * 50: CLAIM}, {}, f"datasets.{'a' * 50}", "at most 49 characters"),
    *(
        ({"a": {**CLAIM, "path": path}}, {}, "datasets.a.path", "would hide files of FATE-Flow's image")
        for path in ("/data", "/data/projects", "/data/projects/fate", "/etc", "/usr/local/x", "/lib64", "//proc", "/dev/shm", "/./sys")
    ),
    ({"a": {**CLAIM, "path": "/"}}, {}, "datasets.a.path", "is not an absolute path"),
    ({"a": {"nfs": {"server": "nas", "path": "export"}}}, {}, "datasets.a.nfs.path", "is not an absolute path without control characters"),
    ({"a": {"nfs": {"server": "nas", "path": "/x\n"}}}, {}, "datasets.a.nfs.path", "is not an absolute path without control characters"),
    ({"a": {**CLAIM, "path": "/x"}, "b": {**CLAIM, "path": "/x"}}, {}, "datasets.b", "/x is taken by the volume dataset a"),
    ({"a": {**CLAIM, "path": "/x"}}, {"z": {"mountPath": "/x", "emptyDir": {}}}, "datasets.a", "/x is taken by the volume z"),
    ({"a": CLAIM}, {"dataset-a": {"mountPath": "/y", "emptyDir": {}}}, "datasets.a", "has a volume dataset-a"),
]


@pytest.mark.parametrize(("datasets", "own", "where", "problem"), WRONG)
def test_what_cannot_be_mounted_is_refused_at_its_place(tmp_path: Path, datasets: Config, own: Config, where: str, problem: str) -> None:
    with pytest.raises(FederationError) as caught:
        case(datasets, volumes=own).load(tmp_path)
    (only,) = caught.value.problems
    assert only.place.endswith(f"fate:parties.9999.{where}")
    assert problem in f"{only.problem}; {only.remedy}"


def test_the_longest_name_of_a_data_set_makes_a_name_of_a_volume(tmp_path: Path) -> None:
    (volume,) = volumes(tmp_path, {"a" * 49: CLAIM})["fateflow"]
    assert len(f"extra-{volume}") == 63


@pytest.mark.parametrize("path", ["/", "/export/", "/export/scans", "/vol:1/scans"])
def test_an_nfs_server_may_export_all_of_it_and_write_its_paths_as_it_likes(tmp_path: Path, path: str) -> None:
    (volume,) = volumes(tmp_path, {"a": {"nfs": {"server": "nas", "path": path}}})["fateflow"].values()
    assert volume["nfs"]["path"] == path


@pytest.mark.parametrize("path", ["/scans", "/data/scans", "/etcetera", "/srv/usr"])
def test_a_path_beside_the_folders_of_the_image_is_free(tmp_path: Path, path: str) -> None:
    (volume,) = volumes(tmp_path, {"a": {**CLAIM, "path": path}})["fateflow"].values()
    assert volume["mountPath"] == path
