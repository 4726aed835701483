"""`fatefed` and stack files with the real pulumi: no cluster, a state backend for each test."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.keys.identity import private_key
from cli.main import main
from cli.tools.project import Stack, find_project
from federation.base.errors import FederationError, Problem
from federation.config.file import StackSource
from federation.stack.load import load_stack
from sandbox import tools
from tests.support.stacks import EXAMPLES, REPO

pytestmark = pytest.mark.engine
# Another value of the same type and, where there are rules, of the same kind.
OTHER = {
    "topology": "mesh", "scope": "namespaced", "type": "ClusterIP", "release": "1.11.3", "link": "gateway", "domain": "other.example",
    "repository": "other.example/x", "persistence": "none", "fateboard": "{}", "client": "{}",
}  # fmt: skip


@pytest.fixture(scope="session")
def pulumi_path() -> str:
    tools.ensure(("pulumi",), print)
    return f"{tools.tool_path('pulumi').parent}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture
def home(tmp_path: Path, pulumi_path: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the example stacks with a backend of its own, entered."""
    for name in [name for name in os.environ if name.startswith("PULUMI_")]:
        monkeypatch.delenv(name)
    (tmp_path / "state").mkdir(mode=0o700)
    settings = {
        "PATH": pulumi_path,
        "PULUMI_HOME": str(tmp_path / "pulumi"),
        "PULUMI_BACKEND_URL": (tmp_path / "state").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "engine tests",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    shutil.copy(REPO / "Pulumi.yaml", tmp_path)
    shutil.copytree(REPO / "stacks", tmp_path / "stacks")
    file = tmp_path / "stacks" / "Pulumi.bank-a.yaml"
    file.write_text(file.read_text().replace("tls: partyCa", "tls: provided"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pulumi(*arguments: str, given: str = "") -> str:
    return subprocess.run(["pulumi", *arguments, "--non-interactive"], input=given, capture_output=True, text=True, check=True).stdout


def the_stack(name: str) -> Stack:
    return find_project().stack(name)


def problems(file: Path) -> tuple[Problem, ...]:
    """What is wrong with a stack file."""
    try:
        load_stack(file)
    except FederationError as error:
        return error.problems
    return ()


def leaves(data: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value that is no mapping, and every empty mapping, with its path."""
    if isinstance(data, Mapping) and data:
        for key, value in data.items():
            yield from leaves(value, (*path, str(key)))
    else:
        yield path, data


def test_without_a_name_the_stack_is_the_one_that_pulumi_has_selected(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    def checked(*more: str) -> str:
        main(["check", *more])
        return capsys.readouterr().err

    assert "pulumi stack select" in checked()
    pulumi("stack", "init", "bank-a")
    pulumi("stack", "init", "clinic-b")
    assert pulumi("stack", "--show-name").strip() == "clinic-b"
    assert checked() == "stack clinic-b: selected in Pulumi\n"
    pulumi("stack", "select", "bank-a")
    assert checked() == checked("-C", str(home)) == "stack bank-a: selected in Pulumi\n"
    # Pulumi remembers a selection by the path of the folder as it was entered.
    link = tmp_path_factory.mktemp("links") / "project"
    link.symlink_to(home)
    monkeypatch.chdir(link)
    monkeypatch.setenv("PWD", str(link))
    assert "pulumi stack select" in checked()
    pulumi("stack", "select", "clinic-b")
    assert checked() == "stack clinic-b: selected in Pulumi\n"
    monkeypatch.setenv("PULUMI_STACK", "consortium")
    assert checked() == "stack consortium: named by PULUMI_STACK\n"


def test_passwords_are_written_encrypted_once(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pulumi("stack", "init", "bank-a")
    assert main(["secrets", "init", "-s", "bank-a"]) == 0
    names = {f"party-9999-{slot}" for slot in ("mysql", "mysql-root", "fateboard", "notebook")}
    stack = the_stack("bank-a")
    assert stack.load().source.secret_names() == names
    values = {name: pulumi("config", "get", "--path", f"fate:secrets.{name}", "-s", "bank-a").strip() for name in names}
    assert len(set(values.values())) == 4
    assert all(len(value) == 32 for value in values.values())
    printed = "".join(capsys.readouterr())
    assert not any(value in printed or value in stack.file.read_text() for value in values.values())
    before = stack.file.read_text()
    assert main(["secrets", "init", "-s", "bank-a"]) == 0
    assert stack.file.read_text() == before


def test_a_pem_file_given_with_the_printed_command_is_not_missing_any_more(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pulumi("stack", "init", "bank-a")
    main(["secrets", "init", "-s", "bank-a"])
    listed, _, following = capsys.readouterr().out.partition("next:")
    commands = [line.strip() for line in listed.splitlines() if line.strip().startswith("pulumi config set")]
    assert len(commands) == 3
    assert all(command in following for command in commands), "what comes next says the same"
    (home / "FILE").write_text("-----BEGIN X-----\nabc\n-----END X-----\n")
    for command in commands:
        subprocess.run(command, shell=True, check=True, capture_output=True)
    assert main(["secrets", "init", "-s", "bank-a"]) == 0
    assert "all secrets are there" in capsys.readouterr().out
    assert pulumi("config", "get", "--path", "fate:secrets.party-9999-key", "-s", "bank-a").startswith("-----BEGIN X-----\nabc\n-----END")


def test_the_identity_is_kept_encrypted_and_can_sign(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pulumi("stack", "init", "bank-a")
    assert main(["identity", "create", "-s", "bank-a"]) == 0
    stack = the_stack("bank-a")
    identity = stack.load().spec.identity
    assert identity is not None
    assert stack.load().source.secret_names() == {"identity"}
    assert stack.load().source.plain_secrets() == ()
    private = pulumi("config", "get", "--path", "fate:secrets.identity", "-s", "bank-a")
    assert private_key(stack, identity.key).strip() == private.strip()
    printed = "".join(capsys.readouterr())
    assert identity.key in printed
    assert not any(private.splitlines()[1] in text for text in (printed, stack.file.read_text()))
    before = stack.file.read_text()
    assert main(["identity", "create", "-s", "bank-a"]) == 0
    assert stack.file.read_text() == before


@pytest.mark.parametrize("arguments", [("secrets", "init"), ("identity", "create"), ("descriptor", "export", "--unsigned", "-o", "-")])
def test_a_stack_that_does_not_exist_has_a_remedy(home: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    assert main([*arguments, "-s", "bank-a"]) == 1
    assert "pulumi stack init bank-a" in capsys.readouterr().err


def test_a_stack_that_is_not_deployed_has_nothing_to_export(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pulumi("stack", "init", "bank-a")
    assert main(["identity", "create", "-s", "bank-a"]) == 0
    assert main(["descriptor", "export", "-o", "-", "-s", "bank-a"]) == 1
    assert "publishes no descriptor: it is not deployed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("variable", "remedy"), [(None, "remedy: set PULUMI_CONFIG_PASS"), ("wrong", "remedy: correct PULUMI_CONFIG_PASS")]
)
def test_a_passphrase_that_does_not_fit_has_a_remedy(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, variable: str | None, remedy: str
) -> None:
    pulumi("stack", "init", "bank-a")
    if variable is None:
        monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE")
    else:
        monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", variable)
    assert main(["secrets", "init", "-s", "bank-a"]) == 1
    assert remedy in capsys.readouterr().err


@pytest.mark.parametrize("name", [path.stem.removeprefix("Pulumi.") for path in EXAMPLES])
def test_pulumi_changes_only_the_line_it_is_told(home: Path, name: str) -> None:
    """`fatefed init` spells a file as Pulumi does: the diff of an edit is the edit."""
    file = the_stack(name).file
    before = file.read_text()
    pulumi("stack", "init", name)
    pulumi("config", "set", "--path", "fate:federation.domain", "changed.example", "-s", name)
    assert "fraud.example # ends" in before
    assert file.read_text().startswith(before.replace("domain: fraud.example # ends", "domain: changed.example # ends"))
    assert len(file.read_text().splitlines()) == len(before.splitlines()) + 1


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_pulumi_config_set_understands_every_path_of_a_stack_file(home: Path, path: Path) -> None:
    name = path.stem.removeprefix("Pulumi.")
    file = the_stack(name).file
    pulumi("stack", "init", name)
    begun = file.read_text()
    config = StackSource(begun, "").config()
    walked = list(leaves(config))
    assert len(walked) > 10
    for keys, value in walked:
        file.write_text(begun)
        other = OTHER.get(keys[-1], f"{value}x")
        pulumi("config", "set", "--path", f"fate:{'.'.join(keys)}", other, "-s", name)
        changed = dict(leaves(StackSource(file.read_text(), "").config()))
        assert changed.keys() == dict(walked).keys(), f"{keys}: the path leads elsewhere"
        assert {key for key in changed if changed[key] != dict(walked)[key]} == {keys}
        assert not [problem for problem in problems(file) if "unknown key" in problem.problem]


def test_a_party_id_in_a_path_stays_a_key(home: Path) -> None:
    pulumi("stack", "init", "bank-a")
    pulumi("config", "set", "--path", "fate:parties.9999.publish.pulsar.port", "6652", "-s", "bank-a")
    file = the_stack("bank-a").file
    assert yaml.safe_load(file.read_text())["config"]["fate:parties"].keys() == {"9999"}
    port = load_stack(file).spec.parties["9999"].publish.pulsar.port
    assert port == 6652


def test_a_state_can_be_set_and_is_kept(home: Path) -> None:
    pulumi("stack", "init", "consortium")
    pulumi("config", "set", "--path", "fate:peers.clinic-b.state", "suspended", "-s", "consortium")
    assert load_stack(the_stack("consortium").file).spec.peers["clinic-b"].state == "suspended"
