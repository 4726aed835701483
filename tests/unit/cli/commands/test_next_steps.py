"""What every verb says comes next: one answer, which leads from `fatefed new` to a party that is deployed and exported."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from cli.commands.next_steps import next_steps
from cli.main import main
from cli.tools.project import find_project
from tests.support.backend import backend, deploy
from tests.support.configs import key_of
from tests.support.stacks import REPO, exchange, initialized, project, sent

BLOCK = re.compile(r"^next:\n((?:  .+\n?)+)", re.M)
EDIT = re.compile(r"edit (\S+)")


def steps(out: str) -> list[str]:
    """The commands of the one `next:` that an output ends with."""
    blocks = BLOCK.findall(out)
    assert len(blocks) <= 1, out
    assert not blocks or out.endswith(f"next:\n{blocks[0]}"), "it stands last, where the eye is"
    return [line.strip().partition("  #")[0].rstrip() for block in blocks for line in block.splitlines()]


class Operator:
    """Types what `next:` says, and fills in what only an operator knows."""

    def __init__(self, capsys: pytest.CaptureFixture[str], folder: Path, **known: str) -> None:
        self._capsys, self._folder, self._known = capsys, folder, known
        self.typed: list[str] = []

    def type(self, command: str) -> str:
        """Run it; its output."""
        self.typed.append(command)
        for word, meant in self._known.items():
            command = command.replace(word, meant)
        program, *arguments = shlex.split(command)
        if program == "pulumi":
            assert arguments[0] == "up"
            deploy(find_project(self._folder).stack(arguments[-1]))
            return ""
        assert program == "fatefed", command
        code = main(arguments)
        out, errors = self._capsys.readouterr()
        assert (code, errors) == (0, ""), command
        return out

    def follow(self, first: str) -> None:
        """Type a command and then always the first of what comes next, until nothing does."""
        following = steps(self.type(first))
        while following and len(self.typed) < 20:
            # A command of pulumi says nothing of ours: then the next line of the same list.
            out = self.type(following[0])
            following = steps(out) if out else following[1:]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with nothing of a stack in it yet, and a federation's exchange that has sent its descriptor."""
    folder = tmp_path / "bank"
    folder.mkdir()
    backend(folder, monkeypatch)
    monkeypatch.setenv("KUBECONFIG", str(_kubeconfig(tmp_path)))
    sent(tmp_path, exchange())
    monkeypatch.chdir(folder)
    return folder


def _kubeconfig(folder: Path) -> Path:
    cluster = {"name": "c", "cluster": {"server": "https://192.0.2.1:6443"}}
    context = {"name": "prod", "context": {"cluster": "c", "user": "u"}}
    (folder / "config").write_text(json.dumps({"clusters": [cluster], "contexts": [context], "current-context": "prod"}))
    return folder / "config"


def test_following_what_comes_next_leads_from_a_new_folder_to_an_exported_party(
    capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["new", "."]) == 0
    enter, source, first = steps(capsys.readouterr().out)
    assert (enter, source) == ("cd .", ". ./env")
    ranges = "--source-ranges 203.0.113.0/24 --cluster-ranges 10.244.0.0/16"
    accept = f"../sent.json --yes --key {key_of('consortium')}"
    operator = Operator(capsys, home, **{"init KIND": f"init party {ranges}", "add FILE": f"add {accept}"})
    operator.follow(first)
    assert operator.typed == [
        "fatefed init KIND -s bank",
        "fatefed keys init -s bank",
        "fatefed peers add FILE -s bank",
        "pulumi up -s bank",
        "fatefed descriptor export -s bank -o bank.json",
    ]
    assert (home / "bank.json").exists()
    assert json.loads((home / "backend.json").read_text())["deployed"] == ["bank"]
    assert main(["check", "-s", "bank"]) == 0
    assert "stacks/Pulumi.bank.yaml is right: party-9999\n" in capsys.readouterr().out


@pytest.fixture
def bank(home: Path) -> Path:
    """The folder with a stack as `init` begins it."""
    initialized(home, "bank", kind="party", context="prod", source_ranges=("anyone",))
    return home


# Each verb that says what comes next, in an order in which all of them work on one stack.
VERBS = [
    "check",
    "identity create",
    "trust init",
    "secrets init",
    "keys init",
    "secrets rotate party-9999-notebook",
    f"peers add ../sent.json --yes --key {key_of('consortium')}",
    "peers suspend consortium",
    "peers resume consortium",
    "peers move",
    "descriptor export -o bank.json",
    "identity create --replace",
    "check",
]


def test_every_verb_says_the_same_of_what_comes_next(capsys: pytest.CaptureFixture[str], bank: Path) -> None:
    subprocess.run(["pulumi", "stack", "init", "-s", "bank"], check=True)
    told = []
    for verb in VERBS:
        if verb.startswith("descriptor"):
            deploy(find_project(bank).stack("bank"))
        assert main([*verb.split(), "-s", "bank"]) == 0, verb
        said = steps(capsys.readouterr().out)
        main(["check", "-s", "bank"])
        checked = steps(capsys.readouterr().out)
        # An export is of what is deployed: no `pulumi up` before the next edit.
        assert said == [step for step in checked if verb.split()[0] != "descriptor" or "pulumi up" not in step], verb
        told.append(said)
    assert told[0] == [
        "fatefed keys init -s bank",
        "fatefed peers add FILE -s bank",
        "pulumi up -s bank",
        "fatefed descriptor export -s bank -o bank.json",
    ]
    assert told[6] == ["pulumi up -s bank", "fatefed descriptor export -s bank -o bank.json"]
    assert told[-3] == [], "exported as deployed: nothing comes next"
    assert told[-2] == told[6], "an exported descriptor with another key is out of date"


def test_no_verb_words_what_comes_next_by_itself() -> None:
    """But the three steps of a CA, which wait for peers."""
    files = sorted((REPO / "cli").rglob("*.py"))
    assert len(files) > 50
    writing = [file.name for file in files if re.search(r"[\"'; ]next: ?[\"`{]", file.read_text("utf-8"))]
    assert writing == ["next_steps.py", "show.py"]


def test_a_stack_without_a_file_begins_with_init(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    [step] = next_steps(find_project(project(home)).stack("bank"))
    assert step.command == "fatefed init KIND -C " + str(home) + " -s bank"


def test_what_is_to_be_edited_comes_first(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    initialized(home, "bank", kind="external", context="prod")
    main(["secrets", "init", "-s", "bank"])
    capsys.readouterr()
    main(["check", "-s", "bank"])
    out = capsys.readouterr().out
    assert "is valid; 7 to do before `pulumi up`: party-9999\nedit the stack file:\n  " in out
    assert [title for title in out.splitlines() if title.endswith(":")] == [
        "edit the stack file:",
        "make keys and passwords:",
        "give what only you have:",
        "next:",
    ]
    first, *_, last = steps(out)
    assert (first, last) == ("edit stacks/Pulumi.bank.yaml", "pulumi stack output endpoints -s bank")


def test_a_wrong_stack_file_is_checked_first(capsys: pytest.CaptureFixture[str], bank: Path) -> None:
    file = bank / "stacks" / "Pulumi.bank.yaml"
    subprocess.run(["pulumi", "stack", "init", "-s", "bank"], check=True)
    main(["peers", "add", "../sent.json", "-s", "bank", "--yes", "--key", key_of("consortium")])
    capsys.readouterr()
    file.write_text(f"{file.read_text()}  fate:partys: {{}}\n")
    assert main(["peers", "suspend", "consortium", "-s", "bank"]) == 1
    assert steps(capsys.readouterr().out) == ["fatefed check -s bank"]


def test_a_descriptor_that_lies_where_it_was_announced_is_named(capsys: pytest.CaptureFixture[str], bank: Path) -> None:
    sent(bank / "stacks" / "peers", exchange(), "consortium.json")
    main(["check", "-s", "bank"])
    assert "fatefed peers add peers/consortium.json --name consortium -s bank" in steps(capsys.readouterr().out)


def test_peers_of_a_mesh_come_after_the_first_up(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    initialized(home, "bank", kind="mesh", context="prod", source_ranges=("anyone",))
    main(["check", "-s", "bank"])
    out = capsys.readouterr().out
    assert [step.split()[:3] for step in steps(out)] == [
        ["fatefed", "keys", "init"],
        ["pulumi", "up", "-s"],
        ["fatefed", "descriptor", "export"],
        ["fatefed", "peers", "add"],
    ]
    assert "when the descriptor of clinic-b arrives" in out


def test_each_unit_of_a_stack_is_exported(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    initialized(home, "bank", kind="serving", context="prod", source_ranges=("anyone",))
    main(["check", "-s", "bank"])
    assert [step for step in steps(capsys.readouterr().out) if "export" in step] == [
        "fatefed descriptor export -s bank --unit party-9999 -o bank-party-9999.json",
        "fatefed descriptor export -s bank --unit serving-9999 -o bank-serving-9999.json",
    ]


def test_check_tells_programs_what_is_to_do(capsys: pytest.CaptureFixture[str], bank: Path) -> None:
    main(["check", "-s", "bank", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert [(one["group"], one["command"]) for one in told["todo"]] == [
        ("make", "fatefed keys init -s bank"),
        ("accept", "fatefed peers add FILE -s bank"),
    ]
    assert all(any(one["what"] in warning for warning in told["warnings"]) for one in told["todo"])
