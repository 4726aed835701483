"""An image's archive: the same files give the same bytes, and what containers see is what was asked for."""

import hashlib
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest

from sandbox.images.archive import Image, digest_of, write_archive, write_layer

IMAGE = Image(name="sandbox.invalid/one:7", entrypoint=("/bin/one",), environment={"A": "b"}, user="1001", folder="/data")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "program").write_text("#!/bin/sh\n")
    (folder / "sub" / "program").chmod(0o755)
    (folder / "link").symlink_to("sub/program")
    os.link(folder / "sub" / "program", folder / "again")
    return folder


def layer_of(target: Path, tree: Path) -> Path:
    write_layer(target, {"opt/tree": tree, "etc/name": b"one\n", "bin/one": "/opt/tree/sub/program"}, {"etc": 0o700})
    return target


def read(archive: Path, name: str) -> Any:
    with tarfile.open(archive) as opened:
        file = opened.extractfile(name)
        assert file is not None
        return json.loads(file.read())


def blob(archive: Path, descriptor: dict[str, Any]) -> Any:
    return read(archive, "blobs/sha256/" + descriptor["digest"].removeprefix("sha256:"))


def test_a_layer_holds_folders_files_and_links_that_belong_to_root(tmp_path: Path, tree: Path) -> None:
    with tarfile.open(layer_of(tmp_path / "layer", tree)) as layer:
        members = {member.name: member for member in layer}
    folders, tree_files = ["bin", "etc", "opt"], ["", "/again", "/link", "/sub", "/sub/program"]
    assert list(members) == [*folders, "bin/one", "etc/name", *(f"opt/tree{file}" for file in tree_files)]
    assert members["bin/one"].linkname == "/opt/tree/sub/program"
    assert members["opt/tree/link"].linkname == "sub/program"
    assert all(members[f"opt/tree/{name}"].isreg() for name in ("again", "sub/program")), "a hard link would depend on the order of reading"


def test_the_same_files_give_the_same_bytes(tmp_path: Path, tree: Path) -> None:
    for name in ("first", "second"):
        write_archive(tmp_path / f"{name}.tar", IMAGE, [layer_of(tmp_path / name, tree)])
        (tree / "sub" / "program").touch()
    assert (tmp_path / "first.tar").read_bytes() == (tmp_path / "second.tar").read_bytes()
    (tree / "sub" / "program").write_text("other")
    write_archive(tmp_path / "third.tar", IMAGE, [layer_of(tmp_path / "third", tree)])
    assert digest_of(tmp_path / "third.tar") != digest_of(tmp_path / "first.tar")


def test_an_archive_names_its_image_and_every_blob_is_what_its_digest_says(tmp_path: Path, tree: Path) -> None:
    layer = layer_of(tmp_path / "layer", tree)
    archive = tmp_path / "one.tar"
    write_archive(archive, IMAGE, [layer, layer])
    (entry,) = read(archive, "index.json")["manifests"]
    assert entry["annotations"]["io.containerd.image.name"] == "sandbox.invalid/one:7"
    manifest = blob(archive, entry)
    assert [one["digest"] for one in manifest["layers"]] == [f"sha256:{digest_of(layer)}"] * 2
    config = blob(archive, manifest["config"])
    assert config["rootfs"]["diff_ids"] == [one["digest"] for one in manifest["layers"]], "layers are not compressed"
    assert config["config"]["Entrypoint"] == ["/bin/one"]
    assert config["config"]["User"] == "1001"
    assert config["config"]["WorkingDir"] == "/data"
    assert "A=b" in config["config"]["Env"]
    assert "Cmd" not in config["config"]
    with tarfile.open(archive) as opened:
        blobs = [member for member in opened if member.name.startswith("blobs/")]
        assert len(blobs) == 3
        for member in blobs:
            file = opened.extractfile(member)
            assert file is not None
            assert hashlib.sha256(file.read()).hexdigest() == member.name.rpartition("/")[2]


def test_an_archive_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_archive(tmp_path / "one.tar", IMAGE, [tmp_path / "no-such-layer"])
    assert list(tmp_path.iterdir()) == []
