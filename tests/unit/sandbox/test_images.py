"""Rows of the test images: what they stand for, when they are built again, and who may build them."""

import os
import queue
import re
import stat
import subprocess
import threading
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from cli.reports.images import images_data
from sandbox.cli import main
from sandbox.errors import SandboxError
from sandbox.files import locked
from sandbox.images import build, recipes
from sandbox.images.recipes import IMAGES, LAYERS, REGISTRY, Layer, line_of
from sandbox.real import images
from tests.support.stacks import initialized


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own, and files of ours that a test may change."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    here = tmp_path / "images"
    (here / "files" / "mysql").mkdir(parents=True)
    (here / "files" / "mysql" / "start.sh").write_text("true\n")
    (here / "stage.py").write_text("")
    monkeypatch.setattr(build, "_HERE", here)
    return here


def test_every_layer_rests_on_debian() -> None:
    assert LAYERS
    assert {line_of(name)[0] for name in LAYERS} == {"base"}
    assert {image.layer for image in IMAGES} <= set(LAYERS)


def test_with_the_printed_block_nodes_of_a_mesh_with_rabbitmq_pull_images_that_are_built(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["images", "--stack-config"]) == 0
    block = capsys.readouterr().out
    stack = initialized(
        tmp_path, "bank-a", kind="mesh", release="2.2.0", computing="Spark_local", engine="RabbitMQ", federation_id=str(UUID(int=1))
    )
    board = "        fateboard: {} # shows jobs and their results\n"  # in no registry
    text = stack.file.read_text()
    assert board in text
    stack.file.write_text(text.replace(board, "        {}\n") + block)
    pulled = images_data(stack.load().plan)["images"]
    assert pulled
    built = {image.stands_for: image.described().name for image in IMAGES}
    assert {image["upstream"]: image["reference"] for image in pulled}.items() <= built.items()


def test_no_image_can_be_taken_for_upstreams_or_pulled() -> None:
    assert REGISTRY.split("/")[0].endswith(".invalid"), "RFC 2606: never a host"
    assert all(image.described().name.startswith(f"{REGISTRY}/") for image in IMAGES)


def test_every_package_of_python_is_pinned_with_its_hash() -> None:
    text = (Path(build.__file__).parent / "requirements.txt").read_text()
    rows = text.replace("\\\n", "").strip().splitlines()
    assert len(rows) > 70
    assert [row for row in rows if not re.fullmatch(r"[\w.-]+==[\w.]+ +--hash=sha256:[0-9a-f]{64}", row)] == []


def test_every_entry_point_is_a_file_of_its_layer_or_a_program_of_its_packages() -> None:
    ours = {path for path in (Path(build.__file__).parent / "files").rglob("*") if path.parent.name == "bin"}
    assert ours
    assert [path for path in ours if not path.stat().st_mode & stat.S_IXUSR] == []
    assert {image.entrypoint[0] for image in IMAGES if image.entrypoint} <= {path.name for path in ours} | {"tini"}


def test_an_archive_is_built_again_when_a_file_of_ours_changes(copied: Path) -> None:
    mysql = next(image for image in IMAGES if image.layer == "mysql")
    before = build.archive_of(mysql)
    assert build.archive_of(mysql) == before
    (copied / "files" / "mysql" / "start.sh").write_text("false\n")
    assert build.archive_of(mysql) != before


def test_an_archive_is_built_again_when_a_layer_below_it_changes(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mysql, nginx = (next(image for image in IMAGES if image.layer == layer) for layer in ("mysql", "nginx"))
    before = build.archive_of(mysql), build.archive_of(nginx)
    changed = {**LAYERS, "base": Layer(packages=("passwd", "less"))}
    monkeypatch.setattr(build, "LAYERS", changed)
    assert build.archive_of(mysql) != before[0]
    assert build.archive_of(nginx) != before[1]


def test_an_archive_is_made_again_when_only_its_environment_changes(copied: Path) -> None:
    image = IMAGES[0]
    assert build.archive_of(replace(image, environment={"A": "b"})) != build.archive_of(image)


def test_what_a_layer_removed_is_marked_as_images_do(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    os.mknod(tmp_path / "etc" / "gone", stat.S_IFCHR, os.makedev(0, 0))
    (tmp_path / "etc" / "kept").touch()
    build._mark_removed(tmp_path)
    assert sorted(path.name for path in (tmp_path / "etc").iterdir()) == [".wh.gone", "kept"]
    assert (tmp_path / "etc" / ".wh.gone").is_file()


def test_only_the_newest_archive_of_an_image_is_kept(tmp_path: Path) -> None:
    names = [f"mysql-8.0.28-{digit * 12}.tar" for digit in "ab"] + [f"mysql-router-8.0.28-{'c' * 12}.tar"]
    for name in names:
        (tmp_path / name).touch()
    build.forget(tmp_path / names[0])
    assert sorted(path.name for path in tmp_path.iterdir()) == [names[0], names[2]]


def test_who_is_not_root_is_told_so_before_anything_is_made(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SandboxError, match="root"):
        build.ensure(print)
    assert not build.folder().exists()


def test_missing_programs_are_named_with_their_packages(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(build.shutil, "which", lambda program: None if program in ("mmdebstrap", "g++") else f"/bin/{program}")
    monkeypatch.setattr(build.sysconfig, "get_path", lambda name: {"include": "/nonexistent"}[name])
    with pytest.raises(SandboxError, match=r"apt-get install mmdebstrap g\+\+ python3\.11-dev"):
        build.ensure(print)
    assert not build.folder().exists()


def test_make_images_installs_what_the_builder_refuses_to_run_without() -> None:
    rule = (Path(build.__file__).parents[2] / "Makefile").read_text().partition("\nimages:")[2].partition("\n\n")[0]
    of_every_debian = {"apt", "tar", "util-linux"}
    packages = {*build._PROGRAMS.values(), "python3.11-dev"} - of_every_debian
    assert len(packages) > 2
    assert packages <= set(re.findall(r"[\w.+-]+", rule))
    assert "Python.h" in rule


@pytest.fixture
def renewed(copied: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What `ensure` did, in order, with a machine that has all and layers that are empty files."""
    done: list[str] = []

    def layer(name: str, say: build.Say) -> Path:
        done.append("layer")
        return build._layer_path(name)

    monkeypatch.setattr(build, "_refuse_unfit", lambda: None)
    monkeypatch.setattr(build, "_layer", layer)
    monkeypatch.setattr(build, "write_archive", lambda path, *rest: path.touch())
    monkeypatch.setattr(build, "_update_lists", lambda say: done.append("lists"))
    return done


def test_package_lists_are_renewed_before_a_layer_is_built_and_not_otherwise(renewed: list[str]) -> None:
    build.ensure(print, IMAGES[:1])
    assert (renewed[:2], renewed.count("lists")) == (["lists", "layer"], 1)
    renewed.clear()
    build.ensure(print, IMAGES[:1])
    assert renewed == [], "the archive is there"
    build.archive_of(IMAGES[0]).unlink()
    for name in line_of(IMAGES[0].layer):
        build._layer_path(name).parent.mkdir(exist_ok=True)
        build._layer_path(name).touch()
    build.ensure(print, IMAGES[:1])
    assert "layer" in renewed
    assert "lists" not in renewed, "its layers are there"


def test_lists_that_cannot_be_renewed_are_said_and_do_not_end_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = subprocess.CompletedProcess(["apt-get"], 100, "", "E: a source of others\n")
    monkeypatch.setattr(build.subprocess, "run", lambda command, **rest: refused)
    said: list[str] = []
    build._update_lists(said.append)
    assert said == ["apt-get update ended with 100; going on with the lists that are there: E: a source of others"]


def test_a_node_is_given_what_the_recipes_of_today_made_and_no_older_archive(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "IMAGES", IMAGES[:3])  # the third was not built
    today = [build.archive_of(image) for image in IMAGES[:2]]
    build.folder().mkdir(parents=True)
    for name in (*(path.name for path in today), f"coredns-{'a' * 12}.tar", f"pause-{'b' * 12}.tar", f"mysql-8.0.28-{'c' * 12}.tar"):
        (build.folder() / name).touch()
    assert images.built() == today


def test_a_new_base_archive_replaces_those_of_its_kind_only(copied: Path, tmp_path: Path) -> None:
    build.folder().mkdir(parents=True)
    program = tmp_path / "coredns"
    program.write_text("one")
    old = images._make("coredns", "sandbox.invalid/coredns:1", ("/coredns",), program, "coredns")
    other = build.folder() / f"coredns-extra-{'a' * 12}.tar"
    other.touch()
    program.write_text("two")
    new = images._make("coredns", "sandbox.invalid/coredns:1", ("/coredns",), program, "coredns")
    assert sorted(build.folder().glob("*.tar")) == sorted([new, other])
    assert old != new


def test_who_waits_for_a_build_is_told_so(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "_make_base", lambda program: [])
    said = queue.Queue[str]()
    with locked(build.folder() / ".lock", lambda: None):
        waiting = threading.Thread(target=images.make_base, args=(Path("coredns"), said.put))
        waiting.start()
        assert said.get(timeout=5) == "waiting for a build of images to finish"
    waiting.join()


def test_the_python_of_the_images_is_debians() -> None:
    assert recipes.PYTHON == (3, 11)
    assert recipes.SUITE == "bookworm"
