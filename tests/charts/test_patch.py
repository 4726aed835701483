"""patch.sh, run for real by every sh and awk at hand, and where its result lies in FATE-Flow's pod."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.charts.cases import FILE_PULSAR, FILE_RABBITMQ, OSX, PARTY, SPARK_PULSAR_2, Case, Values, container, mount
from tests.charts.test_fill import AWKS, HOSTILE, SHELLS
from tests.support.helm import CHARTS
from tests.support.walk import config_texts, containers

PATCH = CHARTS / "fate-party/files/patch.sh"
FATEFLOW = "StatefulSet/python/fateflow"
FILE = "/data/projects/fate/fate/python/fate/arch/federation/backends/pulsar/_federation.py"
Patch = Callable[..., tuple[str | None, str]]


@pytest.fixture(params=[(shell, awk) for shell in SHELLS for awk in AWKS], ids=lambda pair: f"{pair[0][-1]}+{pair[1]}")
def patch(request: pytest.FixtureRequest, tmp_path: Path) -> Patch:
    """patch.sh with one shell and one awk: (the text or None, finds and replacements) to (the patched text or None, standard error)."""
    shell, awk = request.param
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "awk").symlink_to(str(shutil.which(awk)))

    def run(text: str | None, *edits: str) -> tuple[str | None, str]:
        source, target = tmp_path / "source.py", tmp_path / "0"
        source.unlink(missing_ok=True)
        if text is not None:
            source.write_text(text)
        environ = {"PATH": f"{tools}:{os.environ['PATH']}"}
        command = [*shell, str(PATCH), str(source), str(target), *edits]
        done = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, check=False)
        left = {path.name for path in tmp_path.iterdir()} - {"source.py", "tools"}
        assert left == ({"0"} if done.returncode == 0 else set()), "a refused patch leaves nothing behind"
        return (target.read_text() if target.exists() else None), done.stderr

    return run


def test_every_occurrence_is_replaced_and_nothing_else(patch: Patch) -> None:
    text = "a = int(x) + int(x)\n\n\tint(y)  \nint(x)\n"
    assert patch(text, "int(x)", "str(x)") == ("a = str(x) + str(x)\n\n\tint(y)  \nstr(x)\n", "")


def test_edits_are_made_one_after_the_other(patch: Patch) -> None:
    assert patch("one\n", "one", "two", "two", "three") == ("three\n", "")


@pytest.mark.parametrize("text", [text for text in HOSTILE if text.strip()])
def test_no_character_is_a_pattern_or_a_command(patch: Patch, text: str) -> None:
    assert patch(f"before {text} after\n", text, "x") == ("before x after\n", "")
    assert patch("before x after\n", "x", text) == (f"before {text} after\n", "")


@pytest.mark.parametrize("text", ["", "something else\n", "in\nt(x)\n", None])
def test_a_file_without_the_text_is_refused(patch: Patch, text: str | None) -> None:
    patched, errors = patch(text, "int(x)", "str(x)")
    assert patched is None
    assert ("does not have the text: int(x)" in errors) == (text is not None)


def test_a_second_edit_that_finds_nothing_undoes_the_first(patch: Patch) -> None:
    assert patch("one\n", "one", "two", "one", "three")[0] is None


@pytest.mark.parametrize("case", [FILE_PULSAR, SPARK_PULSAR_2], ids=str)
def test_fateflow_of_a_party_with_pulsar_gets_the_corrected_file_over_the_images_own(case: Case) -> None:
    [patching] = [found for found in containers(case.render()) if found.where == "StatefulSet/python/patch-0"]
    assert patching.init
    assert patching.spec["image"] == container(case, FATEFLOW).spec["image"]
    assert patching.spec["command"] == ["sh", "/config/patch.sh", FILE, "/patched/0", "int(party.party_id)", "str(party.party_id)"]
    assert mount(patching, "/config")[1]["configMap"]["name"] == "python-config"
    assert config_texts(case.render())["python-config/patch.sh"] == PATCH.read_text()
    mounted, volume = mount(container(case, FATEFLOW), FILE)
    assert (mounted["subPath"], volume) == ("0", {"name": "patched", "emptyDir": {}})
    assert mount(patching, "/patched")[1] == volume


@pytest.mark.parametrize("case", [PARTY, OSX, FILE_RABBITMQ], ids=str)
def test_without_a_patch_there_is_no_trace_of_one(case: Case) -> None:
    objects = case.render()
    assert not [found.where for found in containers(objects) if "patch" in found.where]
    assert "python-config/patch.sh" not in config_texts(objects)
    assert "patched" not in {volume["name"] for volume in container(case, FATEFLOW).pod["volumes"]}


def test_what_kubelet_would_expand_is_written_twice() -> None:
    def dollars(values: Values) -> None:
        values["imagePatches"][0]["edits"] = [{"find": "$(HOME)", "replace": "$1"}]

    [patching] = [found for found in containers(FILE_PULSAR.changed(dollars).render()) if found.where == "StatefulSet/python/patch-0"]
    assert patching.spec["command"][-2:] == ["$$(HOME)", "$$1"]
