"""Parts of the components by themselves: filling addresses, the recorder's own honesty, and finding the stack file."""

from collections.abc import Callable
from pathlib import Path

import pulumi
import pytest

from components.base import fill
from components.last_messages import LastMessages
from components.project import shown, stack_file
from components.site import Site
from federation.base.errors import FederationError
from federation.base.live import LiveValue
from tests.components.programs import project
from tests.components.recorder import PROJECT, STACK, Cluster, run
from tests.support.configs import STAR_PARTY

NGINX = LiveValue("fate-9999", "nginx", "clusterIP")


def test_data_without_live_values_stays_plain() -> None:
    data = {"a": ["b", 1, None]}
    assert fill(data, {}) is data


def test_data_with_live_values_is_filled_when_they_are_known() -> None:
    found: list[object] = []

    def program() -> None:
        filled = fill({"a": f"http://{NGINX}:9300", "n": 1}, {NGINX: pulumi.Output.from_input("10.0.0.1")})
        assert isinstance(filled, pulumi.Output)
        pulumi.export("filled", filled.apply(found.append))

    run(program)
    assert found == [{"a": "http://10.0.0.1:9300", "n": 1}]


def test_a_live_value_that_nobody_publishes_is_an_error() -> None:
    with pytest.raises(KeyError):
        fill(str(NGINX), {})


def test_the_recorder_raises_what_fails_inside_an_apply() -> None:
    def fail(value: str) -> None:
        assert value == "something else"

    with pytest.raises(AssertionError):
        run(lambda: pulumi.export("x", pulumi.Output.from_input("a").apply(fail)))


def test_a_component_registers_under_its_own_name_without_any_provider(tmp_path: Path) -> None:
    unit = STAR_PARTY.load(tmp_path).plan.unit("party-9999")
    recorded = run(lambda: Site(unit, LastMessages()), Cluster(preview=True))
    site = recorded.one("Site", "party-9999")
    assert len(recorded.children(site)) == 6
    assert {item.parent for item in recorded.resources if item is not site} == {site.urn}


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Looks a stack's file up as the program does."""
    monkeypatch.delenv("FATE_PROJECT_DIR", raising=False)

    def find(stack: str = STACK) -> Path:
        files: list[Path] = []
        run(lambda: files.append(stack_file(stack)), stack=stack)
        return files[0]

    return find


def test_the_stack_file_is_found_from_the_folder_pulumi_was_started_in(
    found: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project(STAR_PARTY, tmp_path / "project")
    monkeypatch.setenv("PWD", str(folder))
    assert found() == folder / "stacks" / "Pulumi.bank-a.yaml"


def test_the_stack_file_is_found_from_a_folder_below(found: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = project(STAR_PARTY, tmp_path / "project")
    monkeypatch.setenv("PWD", str(folder / "stacks" / "peers"))
    assert found() == folder / "stacks" / "Pulumi.bank-a.yaml"


def test_a_qualified_stack_name_means_the_same_file(found: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = project(STAR_PARTY, tmp_path / "project")
    monkeypatch.setenv("PWD", str(folder))
    assert found("organization/fate/bank-a") == folder / "stacks" / "Pulumi.bank-a.yaml"


def test_fate_project_dir_wins_over_the_folder_pulumi_was_started_in(
    found: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, named = project(STAR_PARTY, tmp_path / "started"), project(STAR_PARTY, tmp_path / "named")
    monkeypatch.setenv("PWD", str(started))
    monkeypatch.setenv("FATE_PROJECT_DIR", str(named))
    assert found() == named / "stacks" / "Pulumi.bank-a.yaml"


def test_a_project_without_a_stack_folder_keeps_its_stack_files_at_the_top(
    found: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "project"
    STAR_PARTY.write(folder)
    (folder / "Pulumi.yaml").write_text(f"name: {PROJECT}\n")
    monkeypatch.setenv("PWD", str(folder))
    assert found() == folder / "Pulumi.bank-a.yaml"


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (b"name: other\nstackConfigDir: stacks\n", "another project"),
        (b"", "an empty file"),
        (b"- a\n", "a list"),
        (b"name: [\n", "no YAML"),
        (b"name: caf\xe9\n", "no UTF-8"),
        (b"name: fate\nstackConfigDir: elsewhere\n", "another folder"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_stack_file_that_is_not_there_is_refused_with_the_remedy(
    settings: bytes, reason: str, found: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project(STAR_PARTY, tmp_path / "project")
    (folder / "Pulumi.yaml").write_bytes(settings)
    monkeypatch.setenv("PWD", str(folder))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FederationError) as caught:
        found()
    (problem,) = caught.value.problems
    assert problem.place == "Pulumi.bank-a.yaml", reason
    assert problem.problem == "the stack's file was not found"
    assert "set FATE_PROJECT_DIR" in problem.remedy


def test_a_stack_file_is_shown_as_a_user_would_type_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PWD", str(tmp_path / "project"))
    assert shown(tmp_path / "project" / "stacks" / "Pulumi.bank-a.yaml") == "stacks/Pulumi.bank-a.yaml"
    assert shown(tmp_path / "other" / "Pulumi.bank-a.yaml") == str(tmp_path / "other" / "Pulumi.bank-a.yaml")
