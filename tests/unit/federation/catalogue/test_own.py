"""Releases that a stack brings itself: read from files, checked, and deployed like the program's own."""

from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from federation.base.errors import FederationError, Problem
from federation.catalogue.own import OwnRelease, read_release
from federation.catalogue.releases import catalogue
from federation.stack.release_trial import trial_plans
from tests.support.configs import OSX_STAR, STAR_PARTY, Case
from tests.unit.federation.units.party.test_combinations import planned, refused

OWN = "release: 2.2.0+bank.1\nbase: 2.2.0\nupgradeFrom: [2.2.0]\nmodules:\n  fateflow: {tag: 2.2.0-bank}\n"


def stack(text: str = OWN, release: str = "2.2.0+bank.1") -> Case:
    """A party with a release of its own."""
    case = OSX_STAR.changed(
        lambda config: (config.update(releases=["releases/own.yaml"]), config["parties"]["9999"].update(release=release))
    )
    return case.with_file("releases/own.yaml", text.encode())


def test_a_party_is_deployed_with_a_release_of_its_own(tmp_path: Path) -> None:
    unit, values = planned(stack(), tmp_path)
    assert (unit.release, values.release) == ("2.2.0+bank.1", "2.2.0+bank.1")
    assert unit.modules["fateflow"]["image"] == "federatedai/fateflow:2.2.0-bank"
    assert unit.modules["osx"]["image"] == "federatedai/osx:2.2.0-release", "what it does not say is its base's"
    assert "2.2.0+bank.1" not in catalogue(), "of this stack only"


def test_a_release_may_be_based_on_an_earlier_file(tmp_path: Path) -> None:
    second = "release: 2.2.0+bank.2\nbase: 2.2.0+bank.1\nupgradeFrom: [2.2.0+bank.1]\nmodules:\n  osx: {tag: own}\n"
    case = stack(release="2.2.0+bank.2").changed(lambda config: config["releases"].append("releases/second.yaml"))
    unit, _ = planned(case.with_file("releases/second.yaml", second.encode()), tmp_path)
    assert {name: unit.modules[name]["image"].split(":")[1] for name in ("fateflow", "osx")} == {"fateflow": "2.2.0-bank", "osx": "own"}


WRONG: dict[str, tuple[str, str, str]] = {
    "an unknown key": (OWN.replace("tag:", "tagg:"), "5 modules.fateflow.tagg", "unknown key 'tagg'"),
    "no release": (OWN.replace("release: 2.2.0+bank.1\n", ""), " release", "release 2.2.0 exists already"),
    "an unknown base": (OWN.replace("base: 2.2.0", "base: 2.9.0"), "2 base", "there is no release 2.9.0"),
    "a release of the program": (OWN.replace("release: 2.2.0+bank.1", "release: 2.2.0"), "1 release", "release 2.2.0 exists already"),
    "no version": (OWN.replace("release: 2.2.0+bank.1", "release: newest"), "1 release", "'newest' is not a version"),
    "an unknown source": (OWN.replace("[2.2.0]", "[2.1.9]"), "3 upgradeFrom", "2.1.9 is not in the catalogue"),
    "no YAML": (OWN + "  - [", "", "not valid YAML"),
    "a key twice": (OWN + "base: 2.0.0\n", "6 base", "base is written twice"),
    "no mapping": ("- 1\n", "", "not a YAML mapping"),
    "the tag latest": (OWN.replace("2.2.0-bank", "latest"), "5 modules.fateflow.tag", "the tag 'latest' changes"),
    "a module without a tag": (OWN.replace("tag: 2.2.0-bank", "tag: null"), "5 modules.fateflow", "a module has either a tag"),
    "a patch of another module": (
        OWN + "patches:\n  - {module: osx, file: /x, find: a, replace: b, reason: c}\n", "7 patches.0.module", "should be 'fateflow'",
    ),
    "a combination of nothing": (
        OWN + "combinations:\n  - {computing: A, federation: OSX, storage: B, proxy: osx, osxMode: queue, modules: [osx, x],"
        " engines: {computing: a, federation: osx, storage: b}}\n", "7 combinations.0", "x is not in modules",
    ),
    "an exchange of nothing": (OWN + "exchanges:\n  RabbitMQ: [nginx]\n", "7 exchanges.RabbitMQ", "there is no exchange for RabbitMQ"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_a_file_is_said_with_its_place(name: str, tmp_path: Path) -> None:
    text, place, problem = WRONG[name]
    file = tmp_path / "own.yaml"
    file.write_text(text)
    found = read_release(file, "own.yaml")
    assert isinstance(found, tuple)
    matching = [item for item in found if problem in item.problem]
    assert matching, [item.problem for item in found]
    assert all(item.remedy for item in found)
    assert place.split(" ")[-1] in matching[0].place
    assert matching[0].place.startswith(f"own.yaml{':' if place[:1].isdigit() else ''}{place if place[:1].isdigit() else ''}")


def test_a_broken_file_is_told_with_the_other_problems_of_the_stack(tmp_path: Path) -> None:
    case = stack(WRONG["an unknown key"][0], release="2.2.0").changed(lambda config: config["parties"]["9999"].update(storage="HDFS"))
    found = refused(case, tmp_path)
    assert [problem.place for problem in found] == ["releases.0 (releases/own.yaml:5 modules.fateflow.tagg)", "parties.9999.computing"]


@pytest.mark.parametrize("path", ["../own.yaml", "/etc/passwd", "own\0.yaml"])
def test_a_file_outside_the_folder_is_not_read(path: str, tmp_path: Path) -> None:
    (problem,) = refused(OSX_STAR.changed(lambda config: config.update(releases=[path])), tmp_path)
    assert problem == Problem(
        "releases.0", f"{path} is outside the folder of the stack file", "keep releases in the folder of the stack file, or below"
    )


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    (problem,) = refused(OSX_STAR.changed(lambda config: config.update(releases=["gone.yaml"])), tmp_path)
    assert problem.place == "releases.0 (gone.yaml)"
    assert "cannot be read" in problem.problem


def test_an_unknown_release_is_refused_with_the_stacks_own_too(tmp_path: Path) -> None:
    (problem,) = refused(stack(release="2.2.0+bank.9"), tmp_path)
    assert problem.remedy.endswith("2.2.0, 2.2.0+bank.1")


def test_a_release_of_its_own_without_patches_is_refused_where_it_needs_them(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(OWN + "patches: []\n")
    read = read_release(file, "own.yaml")
    assert isinstance(read, OwnRelease)
    assert not read.release.works("pulsarPeers")


@pytest.mark.parametrize("release", catalogue().values(), ids=lambda release: release.release)
def test_everything_that_the_catalogue_says_can_be_planned(release: Any) -> None:
    assert trial_plans(release, release.release) >= 12


def run(capsys: pytest.CaptureFixture[str], file: Path) -> tuple[int, str, str]:
    code = main(("releases", "check", str(file)))
    return (code, *capsys.readouterr())


def test_a_file_is_checked_without_a_stack(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "own.yaml"
    file.write_text(OWN)
    code, out, errors = run(capsys, file)
    assert (code, errors) == (0, "")
    assert "own.yaml is right: release 2.2.0+bank.1, 12 combinations with their images planned" in out
    file.write_text(WRONG["an unknown key"][0])
    code, out, errors = run(capsys, file)
    assert (code, out) == (1, "")
    assert "own.yaml:5 modules.fateflow.tagg: unknown key 'tagg'" in errors


def test_what_cannot_be_planned_is_told(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(OWN + "combinations: []\n")
    read = read_release(file, "own.yaml")
    assert isinstance(read, OwnRelease)
    with pytest.raises(FederationError, match="there is no combination"):
        trial_plans(read.release, "own.yaml")


def test_the_stacks_of_a_program_without_own_releases_are_as_before(tmp_path: Path) -> None:
    assert STAR_PARTY.load(tmp_path).spec.catalogue == catalogue()
