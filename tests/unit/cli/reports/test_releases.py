"""`fatefed releases`: the catalogue as an operator reads it, and as data."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from cli.reports.releases import TESTED
from federation.catalogue.releases import catalogue
from tests.support.combinations import COMBINATIONS
from tests.support.stacks import initialized


@pytest.fixture(autouse=True)
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without a project: these verbs are about no stack."""
    monkeypatch.chdir(tmp_path)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit status, output and errors of a command."""
    try:
        code = main(("releases", *arguments))
    except SystemExit as stopped:
        code = int(stopped.code or 0)
    return (code, *capsys.readouterr())


def data(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """What a verb prints for programs."""
    code, out, errors = run(capsys, *arguments, "--json")
    assert (code, errors) == (0, "")
    return json.loads(out)


@pytest.mark.parametrize("verb", [("list",), ("show", "1.11.2")])
def test_the_help_says_what_is_read(capsys: pytest.CaptureFixture[str], verb: tuple[str, ...]) -> None:
    code, out, _ = run(capsys, verb[0], "--help")
    words = " ".join(out.split())
    assert code == 0
    assert "Reads the catalogue; writes nothing. No cluster is changed." in words
    assert "--json" in words


def test_releases_of_a_stack_of_its_own_are_known_with_s(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = initialized(tmp_path, "bank-a", kind="mesh", peers=("clinic-b",))
    stack.file.write_text(stack.file.read_text() + "  fate:releases: [own.yaml]\n")
    monkeypatch.chdir(tmp_path)
    (stack.file.parent / "own.yaml").write_text("release: 1.11.2+bank.1\nbase: 1.11.2\nmodules:\n  fateflow: {tag: 1.11.2-bank}\n")
    name = ("-s", stack.name)
    assert "1.11.2+bank.1 (own)" in run(capsys, "list", *name)[1]
    assert [row["release"] for row in data(capsys, "list", *name)["releases"] if row["own"]] == ["1.11.2+bank.1"]
    assert ":1.11.2-bank" in run(capsys, "show", "1.11.2+bank.1", *name)[1]
    code, _, errors = run(capsys, "show", "1.11.2+bank.1")
    assert code == 1
    assert "-s STACK for those of a stack" in errors
    assert "1.11.2+bank.1" not in run(capsys, "list")[1]


def test_releases_of_fate_serving_are_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "list")[1].splitlines()[-3:] == [
        "FATE-SERVING  WITH FATE",
        "2.1.5         none of these",
        "2.1.6         1.9.0, 1.9.1, 1.9.2, 1.10.0, 1.11.1, 1.11.2",
    ]
    assert data(capsys, "list")["servings"][0] == {"release": "2.1.5", "fate": []}
    shown = data(capsys, "show", "2.1.6")
    assert shown["modules"]["servingServer"]["tag"] == "2.1.6-release"
    text = run(capsys, "show", "2.1.6")[1]
    assert ["servingProxyInter", "8869"] in [line.split() for line in text.splitlines()]
    assert "federatedai/serving-server:2.1.6-release" in text


def test_the_list_has_every_release_and_every_combination_once(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, errors = run(capsys, "list")
    assert (code, errors) == (0, "")
    known, _, combinations, _ = [part.splitlines() for part in out.split("\n\n")]
    assert known[0].split() == ["RELEASE", "STATE", "DEVICE:", "ALGORITHMS"]
    assert [line.split()[0] for line in known[1:]] == list(catalogue())
    assert "1.11.2   default, tested  CPU: Basic, NN, ALL; IPCL: Basic; GPU: NN, ALL" in known
    assert "1.9.0    planned only     CPU: Basic, NN; IPCL: Basic" in known
    assert {line.split("  ")[0] for line in combinations[1:]} == {str(row) for each in catalogue().values() for row in each.combinations}
    assert "Eggroll + OSX + Eggroll           2.0.0, 2.1.0, 2.2.0" in combinations


def test_a_release_is_called_tested_when_tests_of_the_engine_apply_it() -> None:
    applied = {release for release, *_ in COMBINATIONS}
    assert len(applied) > 1
    assert applied == TESTED


def test_the_list_is_data_too(capsys: pytest.CaptureFixture[str]) -> None:
    rows = data(capsys, "list")["releases"]
    assert [row["release"] for row in rows] == list(catalogue())
    assert rows[0]["variants"] == {"CPU": ["Basic", "NN"], "IPCL": ["Basic"]}
    assert rows[0]["combinations"][0] == {
        "computing": "Eggroll", "federation": "Eggroll", "storage": "Eggroll",
        "modules": ["fateflow", "mysql", "clustermanager", "nodemanager", "rollsite"],
    }  # fmt: skip
    assert [len(row["combinations"]) for row in rows] == [5] * 6 + [7] * 3


@pytest.mark.parametrize("release", catalogue())
def test_a_release_is_shown_with_every_module_image_and_port(capsys: pytest.CaptureFixture[str], release: str) -> None:
    code, out, errors = run(capsys, "show", release)
    assert (code, errors) == (0, "")
    row, lines = catalogue()[release], [line.split() for line in out.splitlines()]
    for name, port in row.ports.items():
        assert [name, str(port)] in lines
    for rows in (row.modules, row.exchange):
        for name, module in rows.items():
            version = "(no version: the stack names one)" if module.tag is None else f":{module.tag}"
            assert [line for line in out.splitlines() if line.split()[:1] == [name] and module.image in line and version in line], name
    for combination in row.combinations:
        assert any(line.startswith(f"{combination} ") and line.endswith(", ".join(combination.modules)) for line in out.splitlines())


@pytest.mark.parametrize(
    ("release", "image"),
    [
        ("1.10.0", "federatedai/fateflow[-spark][-nn][-ipcl]:1.10.0-release"),
        ("1.11.1", "federatedai/fateflow[-spark][-nn][-ipcl|-gpu]:1.11.1-release"),
        ("1.11.2", "federatedai/fateflow[-spark][-nn|-all][-ipcl|-gpu]:1.11.2-release"),
    ],
)
def test_suffixes_of_image_names_are_those_of_the_release(capsys: pytest.CaptureFixture[str], release: str, image: str) -> None:
    (line,) = [line for line in run(capsys, "show", release)[1].splitlines() if line.startswith("fateflow ")]
    assert line.split() == ["fateflow", image, "1"]


def test_a_release_is_data_too(capsys: pytest.CaptureFixture[str]) -> None:
    shown = data(capsys, "show", "1.11.2")
    assert set(shown) == {"release", "combinations", "variants", "upgradeFrom", "exchanges", "modules", "exchangeModules", "ports"}
    assert shown["upgradeFrom"] == ["1.9.0", "1.9.1", "1.9.2", "1.10.0", "1.11.1"]
    assert shown["modules"]["sparkWorker"] == {
        "image": "federatedai/spark-worker", "tag": "1.11.2-release", "suffixes": ["algorithm", "device"], "optional": False, "replicas": 2,
    }  # fmt: skip
    assert shown["exchangeModules"]["trafficServer"]["tag"] is None
    assert shown["exchanges"] == {"Pulsar": ["trafficServer", "nginx"], "Eggroll": ["rollsite"]}
    assert shown["ports"]["rollsite"] == 9370
    assert {name for name, module in shown["modules"].items() if module["optional"]} == {"fateboard", "client", "lbrollsite"}


def test_an_unknown_release_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, errors = run(capsys, "show", "1.8.0")
    assert (code, out) == (1, "")
    assert "release 1.8.0: is not in the catalogue" in errors
    assert "choose one of 1.9.0, 1.9.1, 1.9.2, 1.10.0, 1.11.1, 1.11.2, 2.0.0, 2.1.0, 2.2.0" in errors


@pytest.mark.parametrize("arguments", [(), ("show",), ("list", "1.11.2"), ("delete",)])
def test_wrong_usage_ends_with_2(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    assert run(capsys, *arguments)[0] == 2
