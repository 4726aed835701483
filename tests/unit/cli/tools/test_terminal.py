"""What a terminal shows: tables that fit, words that stay whole, colours that can be turned off; into a pipe goes the plain form."""

import io
import re
import subprocess
import sys
from itertools import pairwise
from typing import get_args

import pytest

from cli.tools.page import Page, Table
from cli.tools.terminal import STYLES, shown
from federation.changes.effects import SEVERITY
from federation.config.peers import PeerState

HOST = "fateboard.party-9999.a-rather-long-name.bank-a.example.org"
WIDE = Table(
    ("direction", "from", "host", "purpose", "opened by"),
    [("in", "nodes of party-9999, or their NAT address", HOST, "control: FATE-Flow's HTTP, without TLS", "bank-a (out), clinic-b (in)")],
)
STRANGE = Table(("name", "state"), [("[red]x[/red] [link=http://evil.example]", "failed"), ("银行甲 :smile:\x1b[2J\nb", "ok")])


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 80 columns with colours."""
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")


def plain(text: str) -> str:
    """A text without its colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


@pytest.mark.parametrize("columns", [20, 40, 80, 120, 200])
@pytest.mark.parametrize("table", [WIDE, STRANGE])
def test_a_table_is_never_wider_than_the_terminal_and_loses_no_word(table: Table, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.cells import cell_len

    monkeypatch.setenv("COLUMNS", str(columns))
    text = plain(shown(Page((table,)), Terminal()))
    assert max(map(cell_len, text.splitlines())) <= columns
    letters = "".join(text.split())
    words = {word for row in table.cells for cell in row for word in cell.split()}
    assert len(words) > 5
    # A word that is longer than the terminal is broken over its lines, between what stands beside them.
    assert not [word for word in words if word not in text and columns > len(word) + 14]
    assert "…" not in letters


def test_columns_share_the_width_as_long_as_no_word_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    lines = plain(shown(Page((WIDE,)), Terminal())).splitlines()
    assert lines[0].split() == ["DIRECTION", "FROM", "HOST", "PURPOSE", "OPENED", "BY"]
    assert HOST in lines[1]
    monkeypatch.setenv("COLUMNS", "80")
    lines = plain(shown(Page((WIDE, "end")), Terminal())).splitlines()
    assert lines[0] == "DIRECTION  in"
    assert f"HOST       {HOST}" in lines
    assert lines[-1] == "end"


def test_lists_of_rows_are_parted_by_an_empty_line() -> None:
    lines = shown(Page((Table(WIDE.head, [*WIDE.rows, *WIDE.rows]),)), Terminal()).splitlines()
    assert lines.count("") == 1
    assert all(first or second for first, second in pairwise(lines))


@pytest.mark.parametrize("columns", ["20", "200"])
def test_without_a_terminal_the_plain_form_does_not_depend_on_it(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    head, row = shown(Page((WIDE,)), io.StringIO()).splitlines()
    assert [head.index(name) for name in ("FROM", "HOST", "PURPOSE")] == [row.index(cell) for cell in ("nodes of", HOST, "control:")]


def test_foreign_text_is_no_markup_no_emoji_and_no_escape() -> None:
    for stream in (Terminal(), io.StringIO()):
        text = shown(Page((STRANGE, "[bold]failed[/bold]: [red]\x1b[2J :smile:")), stream)
        assert "[red]x[/red] [link=http://evil.example]" in text
        assert "[bold]failed[/bold]: [red]\\u001b[2J :smile:" in text
        assert "银行甲 :smile:\\u001b[2J b" in text
        assert "\x1b[2J" not in text


@pytest.mark.parametrize(
    ("stream", "variables", "coloured"),
    [
        (Terminal, {}, True),
        (Terminal, {"NO_COLOR": "1"}, False),
        (Terminal, {"NO_COLOR": ""}, True),
        (Terminal, {"TERM": "dumb"}, False),
        (Terminal, {"TERM": "dumb", "FORCE_COLOR": "1"}, True),
        (Terminal, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        (io.StringIO, {}, False),
        (io.StringIO, {"FORCE_COLOR": "1"}, True),
        (io.StringIO, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colours_follow_the_terminal_and_the_environment(
    stream: type[io.StringIO], variables: dict[str, str], coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    page = Page(("failed  a check\n    fix: do it", Table(("state",), [("ok",)])))
    text = shown(page, stream())
    assert ("\x1b[" in text) == coloured
    assert plain(text).split("\n") == ["failed  a check", "    fix: do it", "STATE", "ok"], "the words stay"


def test_only_words_at_their_place_have_a_colour() -> None:
    coloured = shown("failed  x\n    fix: y\nwarning: z\nfailed to do it\na failed thing\nok", Terminal()).splitlines()
    assert ["\x1b[" in line for line in coloured] == [True, True, True, False, False, True]


def test_the_first_line_of_an_error_is_coloured() -> None:
    lines = shown("pulumi: not found on PATH\n    remedy: install it", Terminal(), "bold red").splitlines()
    assert lines[0] == "\x1b[1;31mpulumi: not found on PATH\x1b[0m"
    assert plain(lines[1]) == "    remedy: install it"


def test_the_words_of_rows_effects_and_peers_have_a_colour() -> None:
    from cli.doctor.rows import STATES as rows

    words = {*rows, *SEVERITY, *get_args(PeerState)}
    assert len(words) > 10
    assert words <= STYLES.keys()


def test_help_and_pipes_do_not_load_rich() -> None:
    for words in (["--help"], ["releases", "list"]):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "cli", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
        )
        loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
        assert "cli.tools.terminal" in loaded
        assert not [module for module in loaded if module.partition(".")[0] == "rich"], words
