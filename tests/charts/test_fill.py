"""fill.sh, run for real by every sh and awk at hand: no character of a value is a pattern, a command or syntax."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Protocol

import pytest
import yaml

from tests.support.helm import CHARTS

FILL = CHARTS / "fate-common/files/fill.sh"
SHELLS = [shell for shell in (("dash",), ("bash",), ("busybox", "sh")) if shutil.which(shell[0])]
AWKS = [awk for awk in ("mawk", "gawk", "busybox") if shutil.which(awk)]
HOSTILE = [
    "it's", "''", "\\", "\\\\", "\\n", "a\\1b", "&", "\\&", "/", "|", '"', "$HOME", "$(touch x)", "`touch x`", "%s%d", "*", "a b",
    " a ", "#", ": ", "=",
    "{}", "!x", "${OTHER}", "é ü 中", "[x]", "^.*$", "-n", "-", "~", "@1", "0x10", "x" * 5000,
]  # fmt: skip


class Fill(Protocol):
    """Runs fill.sh: (the name of the target, the text with placeholders, variables) to (the filled text or None, standard error)."""

    def __call__(self, name: str, text: str, **variables: str) -> tuple[str | None, str]: ...


@pytest.fixture(params=[(shell, awk) for shell in SHELLS for awk in AWKS], ids=lambda pair: f"{pair[0][-1]}+{pair[1]}")
def fill(request: pytest.FixtureRequest, tmp_path: Path) -> Fill:
    """fill.sh with one shell and one awk."""
    shell, awk = request.param
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "awk").symlink_to(str(shutil.which(awk)))

    def run(name: str, text: str, **variables: str) -> tuple[str | None, str]:
        source, target = tmp_path / f"source-{name}", tmp_path / name
        target.unlink(missing_ok=True)
        source.write_text(text)
        path = f"{tools}:{os.environ['PATH']}"
        done = subprocess.run(
            [*shell, str(FILL), str(source), str(target)],
            env={"PATH": path, **variables},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert target.exists() is (done.returncode == 0), "a refused file is not left behind"
        assert done.returncode in (0, 1)
        return (target.read_text() if target.exists() else None), done.stderr

    return run


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[-1])
def test_only_its_owner_reads_a_filled_file_even_where_the_image_had_one(shell: tuple[str, ...], tmp_path: Path) -> None:
    source, target = tmp_path / "source.yaml", tmp_path / "service_conf.yaml"
    source.write_text("passwd: '${MYSQL_PASSWORD}'\n")
    target.write_text("the image's own\n")
    target.chmod(0o644)
    subprocess.run([*shell, str(FILL), str(source), str(target)], env={"PATH": os.environ["PATH"], "MYSQL_PASSWORD": "x"}, check=True)
    assert target.read_text() == "passwd: 'x'\n"
    assert target.stat().st_mode & 0o777 == 0o600


def test_there_is_something_to_run_it_with() -> None:
    assert SHELLS
    assert AWKS


@pytest.mark.parametrize("value", HOSTILE)
def test_yaml_reads_back_any_value(fill: Fill, value: str, tmp_path: Path) -> None:
    text, _ = fill("conf.yaml", "first: '${A}'\nsecond: 'x ${A} ${B}'\nthird: plain\n", A=value, B="b", OTHER="no")
    assert text is not None
    assert yaml.safe_load(text) == {"first": value, "second": f"x {value} b", "third": "plain"}
    assert not (tmp_path / "x").exists(), "a value was run as a command"


@pytest.mark.parametrize("value", HOSTILE)
def test_other_files_get_the_value_as_it_is(fill: Fill, value: str) -> None:
    text, _ = fill("spark-defaults.conf", "host ${A}\n", A=value, OTHER="no")
    assert text == f"host {value}\n"


def unescaped(text: str) -> str:
    """A value of a Java properties file, as java.util.Properties reads it."""
    plain, rest = "", text.lstrip(" ")
    while rest:
        skip = 1 if rest[0] == "\\" else 0
        plain, rest = plain + rest[skip], rest[skip + 1 :]
    return plain


@pytest.mark.parametrize("value", [value for value in HOSTILE if value.isascii() and "${" not in value])
def test_properties_read_back_any_ascii_value(fill: Fill, value: str) -> None:
    text, _ = fill("application.properties", "password=${A}\n", A=value)
    assert text is not None
    assert unescaped(text.removesuffix("\n").removeprefix("password=")) == value


@pytest.mark.parametrize("value", HOSTILE)
def test_redis_reads_back_any_value(fill: Fill, value: str) -> None:
    text, _ = fill("redis.conf", 'requirepass "${A}"\n', A=value, OTHER="no")
    assert text is not None
    # Redis splits a line as a shell does that knows double quotes and backslashes alone.
    assert shlex.split(text) == ["requirepass", value]


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("application.properties", "a${b}", "which Spring would expand"),
        ("application.properties", "a#{b}", "which Spring would expand"),
        ("application.properties", "é", "is not plain ASCII"),
        ("application.properties", "a\nb", "a line break"),
        ("conf.yaml", "a\nb", "a line break"),
        ("conf.yaml", "a\n", "a line break"),
        ("conf.yaml", "a\tb", "control character"),
        ("conf.yaml", "", "nothing is known for A"),
    ],
)
def test_what_a_file_cannot_hold_is_refused_without_showing_it(fill: Fill, name: str, value: str, why: str) -> None:
    text, error = fill(name, "key: x\nkey: '${A}'\n", A=value)
    assert text is None
    assert why in error
    assert "line 2" in error
    assert not value or value not in error


def test_a_placeholder_nobody_gave_a_value_is_refused(fill: Fill) -> None:
    text, error = fill("conf.yaml", "key: '${NOBODY_KNOWS}'\n")
    assert text is None
    assert "nothing is known for NOBODY_KNOWS" in error


def test_what_is_no_placeholder_stays(fill: Fill) -> None:
    body = "a: $A ${lower} ${} $ {A} ${A\nb: \\1 & '\n"
    assert fill("conf.yaml", body, A="no") == (body, "")


def test_the_filled_file_is_for_its_owner_only(fill: Fill, tmp_path: Path) -> None:
    fill("conf.yaml", "key: '${A}'\n", A="a")
    assert (tmp_path / "conf.yaml").stat().st_mode & 0o077 == 0
