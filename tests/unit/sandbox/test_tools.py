"""Which tool is chosen, and that a build is whole or not at all. The compiler here is a script."""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import pytest

from sandbox import build, tools, versions
from sandbox.catalogue import recipes
from sandbox.cli import main
from sandbox.errors import SandboxError
from sandbox.files import locked

GO = """#!/bin/sh
test "$GOTOOLCHAIN $GOFLAGS $GOWORK" = "local -mod=readonly off" || exit 9
while [ "$1" != -o ]; do shift; done
echo "#!/bin/sh" > "$2"
"""


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and a folder that comes first on PATH."""
    commands = tmp_path / "bin"
    commands.mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{commands}:/usr/bin:/bin")
    return commands


def command(folder: Path, name: str, script: str) -> Path:
    path = folder / name
    path.write_text(script if script.startswith("#!") else f"#!/bin/sh\necho '{script}'\n")
    path.chmod(0o755)
    return path


def kubectl_says(version: str) -> str:
    return json.dumps({"clientVersion": {"gitVersion": version}})


def built(name: str) -> Path:
    """Pretend that a tool was built."""
    recipe = recipes()[name]
    folder = build.cache_folder() / recipe.key
    folder.mkdir(parents=True)
    for file in recipe.files:
        command(folder, file, "")
    return folder / name


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v3.259.0", (3, 259, 0)),
        ("v1.32.4-dispatcher", (1, 32, 4)),
        ("v3.20.2+g8fb76d6", (3, 20, 2)),
        ("3.260.1\n", (3, 260, 1)),
        ("none", None),
        ("", None),
    ],
)
def test_versions_are_read_as_tools_print_them(text: str, version: versions.Version | None) -> None:
    assert versions.parse(text) == version


@pytest.mark.parametrize(
    ("version", "fits"),
    [((3, 258, 9), False), ((3, 259, 0), True), ((3, 300, 0), True), ((4, 0, 0), False), ((2, 999, 0), False)],
)
def test_pulumi_is_3_259_or_later(version: versions.Version, fits: bool) -> None:
    assert versions.pulumi_will_do(version) is fits


@pytest.mark.parametrize(("minor", "fits"), [(34, False), (35, True), (36, True), (37, True), (38, False)])
def test_kubectl_is_within_one_minor_of_the_server(minor: int, fits: bool) -> None:
    assert versions.kubectl_will_do((1, minor, 9), (1, 36, 3)) is fits
    assert not versions.kubectl_will_do((2, minor, 9), (1, 36, 3))


@pytest.mark.parametrize(("version", "fits"), [((2, 17, 0), False), ((3, 0, 0), True), ((4, 0, 0), False)])
def test_helm_is_of_major_version_3(version: versions.Version, fits: bool) -> None:
    assert versions.helm_will_do(version) is fits


@pytest.mark.parametrize("output", ["", "{}", "[]", '{"clientVersion": null}', "Client Version: v1.36.0"])
def test_a_kubectl_that_tells_no_version_has_none(output: str) -> None:
    assert versions.kubectl_version(output) is None


def test_every_tool_has_the_version_its_module_requires() -> None:
    found = {name: recipe.version for name, recipe in recipes().items()}
    assert found["pulumi"] == "3.259.0"
    assert found["kubectl"] == found["kube-apiserver"] == versions.of_module("kubernetes", "k8s.io/kubernetes")
    with pytest.raises(SandboxError, match=r"does not require no\.such/module"):
        versions.of_module("helm", "no.such/module")


def test_what_only_a_test_needs_is_built_for_whoever_names_it_and_not_with_every_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(tools, "ensure", lambda names, say: asked.extend(names) or [])
    assert main(["tools"]) == 0
    assert set(recipes()) - set(asked) == {"cert-manager", "kubelet", "kube-proxy", "coredns"}
    assert recipes()["cert-manager"].version == versions.of_module("cert-manager", "github.com/cert-manager/cert-manager")


def test_a_kubectl_on_path_that_fits_is_used(machine: Path) -> None:
    path = command(machine, "kubectl", kubectl_says("v1.35.1"))
    assert tools.tool_path("kubectl") == path


def test_a_kubectl_on_path_that_is_too_old_is_not_used_and_the_reason_is_said(machine: Path) -> None:
    command(machine, "kubectl", kubectl_says("v1.32.4"))
    assert tools.find("kubectl") is None
    ours = built("kubectl")
    choice = tools.find("kubectl")
    assert choice
    assert choice.path == ours
    assert "is 1.32.4, more than one minor from 1.36" in choice.why


def test_a_tool_that_is_neither_found_nor_built_names_the_remedy() -> None:
    with pytest.raises(SandboxError, match="run `sandbox tools`"):
        tools.tool_path("etcd")
    with pytest.raises(SandboxError, match="no tool is called etcdd"):
        tools.find("etcdd")


def test_a_pulumi_without_its_language_host_is_not_used(machine: Path) -> None:
    command(machine, "pulumi", "v3.260.0")
    assert not tools.official_pulumi()
    command(machine, "pulumi-language-python", "")
    assert tools.official_pulumi()


def test_under_an_official_pulumi_the_provider_is_left_to_it(machine: Path, tmp_path: Path) -> None:
    for name, says in {
        "pulumi": "v3.260.0",
        "pulumi-language-python": "",
        "kubectl": kubectl_says("v1.36.0"),
        "helm": "v3.20.2+g1",
    }.items():
        command(machine, name, says)
    assert tools.install_provider(tmp_path / "home") is None
    assert "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION" not in tools.tools_env(tmp_path / "home")


def test_our_own_tools_get_the_provider_installed_and_come_before_those_of_path(tmp_path: Path) -> None:
    ours = [built(name) for name in ("kubectl", "helm", "pulumi")]
    provider = built("pulumi-resource-kubernetes")
    home = tmp_path / "home"
    for _ in range(2):
        variables = tools.tools_env(home)
    assert variables["PATH"].split(":")[:4] == [f"{sys.prefix}/bin", *(str(path.parent) for path in ours)]
    assert variables["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] == "true"
    installed = home / "plugins" / f"resource-kubernetes-v{version('pulumi-kubernetes')}"  # what the SDK asks Pulumi for
    assert [path.resolve() for path in installed.iterdir()] == [provider]


def test_our_own_pulumi_on_path_is_not_taken_for_an_official_one(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = built("pulumi").parent
    command(folder, "pulumi", "v3.259.0")
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    assert not tools.official_pulumi()


def test_a_missing_tool_is_built_once_and_leaves_nothing_else_behind(machine: Path) -> None:
    command(machine, "go", GO)
    said: list[str] = []
    first, second = (tools.ensure(["etcd"], said.append)[0] for _ in range(2))
    assert first.path == second.path == build.cached(recipes()["etcd"])
    assert [line.split(" in ")[0] for line in said] == ["building etcd 3.6.8", "built etcd 3.6.8"]
    assert sorted(path.name for path in build.cache_folder().iterdir()) == [".lock", "etcd-3.6.8"]


def test_a_failed_build_shows_the_compilers_words_and_leaves_no_half_tool(machine: Path) -> None:
    command(machine, "go", "#!/bin/sh\necho 'main.go:7: syntax error' >&2; exit 1\n")
    with pytest.raises(SandboxError, match=r"building etcd failed:\n *main\.go:7: syntax error"):
        tools.ensure(["etcd"], print)
    assert [path.name for path in build.cache_folder().iterdir()] == [".lock"]


def test_what_a_killed_build_left_is_cleaned_up_by_the_next(machine: Path) -> None:
    command(machine, "go", GO)
    leftover = build.cache_folder() / ".building-x"
    leftover.mkdir(parents=True)
    tools.ensure(["etcd"], lambda _: None)
    assert not leftover.exists()


def test_a_tool_that_another_process_just_built_is_not_built_again() -> None:
    said: list[str] = []
    with ThreadPoolExecutor() as pool:
        with locked(build.cache_folder() / ".lock", lambda: None):
            waiting = pool.submit(build.build, recipes()["etcd"], said.append)
            while not said:
                time.sleep(0.01)
            path = built("etcd")
        assert waiting.result()[0] == path
    assert said == ["waiting for another build to finish before etcd"]


def test_an_incomplete_tool_is_built_anew(machine: Path) -> None:
    path = built("pulumi")
    assert build.cached(recipes()["pulumi"]) == path
    (path.parent / "pulumi-language-python").unlink()
    assert build.cached(recipes()["pulumi"]) is None


def test_without_go_the_remedy_is_said(monkeypatch: pytest.MonkeyPatch, machine: Path) -> None:
    monkeypatch.setenv("PATH", str(machine))
    with pytest.raises(SandboxError, match="install Go"):
        tools.ensure(["etcd"], lambda _: None)


def test_a_long_build_gives_signs_of_life(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command(machine, "go", GO + "sleep 0.5\n")
    monkeypatch.setattr(build, "HEARTBEAT", 0.2)
    said: list[str] = []
    tools.ensure(["etcd"], said.append)
    assert [line for line in said if line.startswith("building etcd ... ")]


def test_the_command_prints_lines_that_a_shell_can_source(tmp_path: Path) -> None:
    for name in ("kubectl", "helm", "pulumi", "pulumi-resource-kubernetes"):
        built(name)
    home = tmp_path / "a home"
    run = [sys.executable, "-m", "sandbox", "env", "--pulumi-home", str(home)]
    lines = subprocess.run(run, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3], env=os.environ).stdout
    sourced = subprocess.run(["/bin/sh", "-c", f'{lines}\necho "$PULUMI_HOME"'], capture_output=True, text=True, check=True).stdout
    assert sourced == f"{home}\n"
