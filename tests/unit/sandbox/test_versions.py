"""The versions that users get, that the sandbox builds, and that the documentation names."""

import re
from pathlib import Path

import pytest

from sandbox import versions

REPO = Path(__file__).resolve().parents[3]
# Older ones create an object by updating the one that is there: a renamed resource then deletes it (pulumi-kubernetes' CHANGELOG, 4.29.0).
REFUSES_TO_CREATE_OVER_AN_OBJECT = (4, 29, 0)
BUILT = {"pulumi": versions.of_module("pulumi", "github.com/pulumi/pulumi/pkg/v3"), "pulumi-kubernetes": versions.PROVIDER}


def parsed(text: str) -> versions.Version:
    """A version as three numbers."""
    found = versions.parse(text)
    assert found is not None, text
    return found


def pinned(package: str) -> str:
    """The version that `make setup` installs."""
    (found,) = re.findall(rf"^{package}==(\S+)", (REPO / "requirements.txt").read_text(), re.MULTILINE)
    return str(found)


def documented(row: str) -> tuple[str, str]:
    """The range of a tool's versions in docs/dependencies.md."""
    (found,) = re.findall(rf"^\| {row} \| (\d\S+) to (\d\S+?)[ ;]", (REPO / "docs" / "dependencies.md").read_text(), re.MULTILINE)
    return found[0], found[1]


def test_users_get_a_provider_that_never_creates_an_object_over_one_that_is_there() -> None:
    assert parsed(pinned("pulumi-kubernetes")) >= REFUSES_TO_CREATE_OVER_AN_OBJECT


@pytest.mark.parametrize("package", BUILT)
def test_a_package_is_installed_in_one_version_whoever_asks(package: str) -> None:
    assert f'"{package}=={pinned(package)}"' in (REPO / "pyproject.toml").read_text()
    assert f"| {package} | {pinned(package)} |" in (REPO / "docs" / "dependencies.md").read_text()


@pytest.mark.parametrize(("package", "row"), [("pulumi", r"pulumi \(command\)"), ("pulumi-kubernetes", "Kubernetes provider")])
def test_what_the_sandbox_builds_is_in_the_documented_range_and_the_pin_ends_it(package: str, row: str) -> None:
    oldest, newest = documented(row)
    assert parsed(oldest) <= parsed(BUILT[package]) <= parsed(newest)
    assert newest == pinned(package)


def test_pulumi_itself_refuses_a_command_that_is_older_than_the_range() -> None:
    oldest, _ = documented(r"pulumi \(command\)")
    assert f'requiredPulumiVersion: ">={oldest}"' in (REPO / "Pulumi.yaml").read_text()
    assert parsed(oldest) == versions.MINIMUM_PULUMI
