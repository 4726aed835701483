"""Pulumi.yaml: which project it is, and where its stack files are."""

from pathlib import Path

import pytest

from federation.config.project import ProjectFile, short_name


@pytest.mark.parametrize(
    ("text", "name", "file"),
    [
        ("name: fate\nstackConfigDir: stacks\n", "fate", "stacks/Pulumi.bank-a.yaml"),
        ("name: fate\n", "fate", "Pulumi.bank-a.yaml"),
        ("name: fate\nstackConfigDir:\n", "fate", "Pulumi.bank-a.yaml"),
        ("- a\n", None, "Pulumi.bank-a.yaml"),
        ("", None, "Pulumi.bank-a.yaml"),
    ],
)
def test_a_stack_file_is_in_the_folder_that_pulumi_yaml_names_else_beside_it(tmp_path: Path, text: str, name: str, file: str) -> None:
    (tmp_path / "Pulumi.yaml").write_text(text)
    project = ProjectFile.read(tmp_path)
    assert (project.name, project.stack_file("bank-a")) == (name, tmp_path / file)


@pytest.mark.parametrize("stack", ["bank-a", "fate/bank-a", "organization/fate/bank-a"])
def test_a_qualified_stack_name_means_the_same_file(tmp_path: Path, stack: str) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: fate\n")
    assert short_name(stack) == "bank-a"
    assert ProjectFile.read(tmp_path).stack_file(stack) == tmp_path / "Pulumi.bank-a.yaml"


@pytest.mark.parametrize("content", [b"name: [\n", b"name: caf\xe9\n", b"name: !!bool x\n", b"name: !!timestamp x\n"])
def test_what_is_no_yaml_is_a_value_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "Pulumi.yaml").write_bytes(content)
    with pytest.raises(ValueError, match=r"\S"):
        ProjectFile.read(tmp_path)


def test_a_folder_without_pulumi_yaml_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ProjectFile.read(tmp_path)
