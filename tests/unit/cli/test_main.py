"""`fatefed`, the command: arguments, output and exit status of every verb."""

import inspect
import io
import json
import os
import re
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, get_args

import pytest

from cli.commands.reports import draw_topology, firewall_sheet
from cli.keys.passwords import new_password, secret_path
from cli.main import main
from cli.reports import firewall, topology
from cli.tools.project import Stack, find_project
from cli.tools.verbs import Verb
from federation.peers.descriptor import Descriptor
from tests.support.configs import key_of
from tests.support.stacks import REPO, exchange, initialized, party, project, sent, stand_in

VERBS: tuple[tuple[str, ...], ...] = (
    ("init",), ("check",), ("secrets", "init"), ("identity", "create"), ("identity", "show"),
    ("descriptor", "export"), ("peers", "add"), ("render",),
)  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project folder of bank-a, entered."""
    file = initialized(tmp_path, "bank-a", kind="party").file
    file.write_text(file.read_text().replace("tls: partyCa", "tls: provided"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PULUMI_STACK", raising=False)
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    return tmp_path


def fake_pulumi(folder: Path, monkeypatch: pytest.MonkeyPatch, stdout: str = "", stderr: str = "", code: int = 0) -> Path:
    """A pulumi that writes down what it is asked; the file of its notes."""
    notes = folder / "asked.jsonl"
    stand_in(
        folder,
        monkeypatch,
        "import json, sys\n"
        f"print(json.dumps([sys.argv[1:], sys.stdin.read()]), file=open({str(notes)!r}, 'a'))\n"
        f"sys.stdout.write({stdout!r}); sys.stderr.write({stderr!r}); sys.exit({code})\n",
    )
    return notes


def asked(notes: Path) -> list[Any]:
    """What the fake pulumi was asked: [arguments, standard input] each."""
    return [json.loads(line) for line in notes.read_text().splitlines()]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit status, output and errors of a command."""
    try:
        code = main(arguments)
    except SystemExit as stopped:
        code = int(stopped.code or 0)
    return (code, *capsys.readouterr())


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_the_help_of_each_verb_says_that_no_cluster_is_changed(capsys: pytest.CaptureFixture[str], verb: tuple[str, ...]) -> None:
    code, out, _ = run(capsys, *verb, "--help")
    assert code == 0
    words = " ".join(out.split())
    assert "No cluster is changed." in words
    assert "rite" in words
    assert all(option in words for option in ("-s", "--stack", "-C", "--dir", "--json"))


@pytest.mark.parametrize(
    "arguments",
    [(), ("nonsense",), ("init",), ("init", "sun", "-s", "x"), ("peers", "add"), ("descriptor", "export", "-s", "x"), ("render",)],
)
def test_wrong_usage_ends_with_2(capsys: pytest.CaptureFixture[str], home: Path, arguments: tuple[str, ...]) -> None:
    code, out, errors = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert errors


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("check", "-s", "a b"), "is not a stack name"),
        (("check", "-s", ".."), "is not a stack name"),
        (("check", "-s", "../bank-a"), "is not a stack name"),
        (("check", "-s", "a/b/c/bank-a"), "is not a stack name"),
        (("check", "-s", "x", "-C", "/nowhere"), "there is no Pulumi.yaml in /nowhere"),
        (("init", "exchange", "-s", "x", "--party-id", "1"), "an exchange has no party id"),
        (("init", "exchange", "-s", "x", "--computing", "Spark"), "an exchange neither computes nor stores"),
        (("render", "--out", "o"), "name either a stack with -s STACK, or a stack file with --config FILE"),
        (("render", "--out", "o", "-s", "x", "--config", "y"), "name either"),
    ],
)  # fmt: skip
def test_wrong_usage_is_explained(capsys: pytest.CaptureFixture[str], home: Path, arguments: tuple[str, ...], expected: str) -> None:
    code, out, errors = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert expected in errors


def test_the_only_stack_of_a_project_needs_no_name(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    code, out, errors = run(capsys, "check")
    assert (code, out) == run(capsys, "check", "-s", "bank-a")[:2]
    assert errors == "stack bank-a: the only one of this project\n", "a verb may write to it"


def test_of_several_stacks_the_one_that_is_selected_in_pulumi_is_taken(
    capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(capsys, "init", "party", "-s", "lab")[0] == 0
    fake_pulumi(home, monkeypatch, stderr="error: no stack selected", code=255)
    assert run(capsys, "check") == (
        2, "", "fatefed: name the stack with -s STACK, or select one with `pulumi stack select`: bank-a, lab\n"
    )  # fmt: skip
    notes = fake_pulumi(home, monkeypatch, stdout="organization/fate/lab\n")
    code, out, errors = run(capsys, "check")
    assert (code, out, errors) == (*run(capsys, "check", "-s", "lab")[:2], "stack lab: selected in Pulumi\n")
    assert [arguments[:2] for arguments, _ in asked(notes)[-1:]] == [["stack", "--show-name"]]
    fake_pulumi(home, monkeypatch, stdout="acme/fate/lab\n")
    assert run(capsys, "check")[2] == "stack acme/fate/lab: selected in Pulumi\n", "another organization's may be called the same"


def test_pulumis_variable_goes_before_what_is_selected_and_an_option_before_both(
    capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(capsys, "init", "party", "-s", "lab")[0] == 0
    fake_pulumi(home, monkeypatch, stdout="organization/fate/lab\n")
    monkeypatch.setenv("PULUMI_STACK", "bank-a")
    code, out, errors = run(capsys, "check")
    assert (code, out, errors) == (*run(capsys, "check", "-s", "bank-a")[:2], "stack bank-a: named by PULUMI_STACK\n")
    assert run(capsys, "check", "-s", "lab")[2] == ""


def test_a_project_without_stack_files_says_how_to_begin(
    capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "stacks" / "Pulumi.bank-a.yaml").unlink()
    fake_pulumi(home, monkeypatch, stderr="error: no stack selected", code=255)
    code, out, errors = run(capsys, "check")
    assert (code, out) == (2, "")
    assert "stacks has no stack file yet: name a stack with -s STACK; `fatefed init` writes its file" in errors


def test_a_verb_that_is_misspelled_is_guessed(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, errors = run(capsys, "peers", "ad")
    assert (code, out) == (2, "")
    assert "Did you mean 'add'?" in errors


def test_peers_are_listed_with_what_they_are_and_their_state(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    sent(home, exchange())
    key = key_of("consortium")
    assert run(capsys, "peers", "list", "-s", "bank-a")[1].splitlines()[1].split()[:4] == ["consortium", "-", "-", "pending"]
    assert run(capsys, "peers", "add", "sent.json", "-s", "bank-a", "--yes", "--key", key)[0] == 0
    code, out, errors = run(capsys, "peers", "list", "-s", "bank-a")
    assert (code, errors) == (0, "")
    listed = json.loads(run(capsys, "peers", "list", "-s", "bank-a", "--json")[1])["peers"]
    until, serial = listed["consortium"]["notAfter"], listed["consortium"]["serial"]
    assert [line.split() for line in out.splitlines()] == [
        ["PEER", "WHAT", "ORGANIZATION", "STATE", "SERIAL", "VALID", "UNTIL", "KEY", "WHY"],
        ["consortium", "exchange", "consortium", "active", str(serial), until, key],
    ]
    signed = {"key": key, "serial": serial, "notAfter": until}
    assert listed == {"consortium": {"kind": "exchange", "organization": "consortium", "partyId": None, "state": "active", **signed}}


def test_a_descriptor_can_be_read_before_it_is_accepted(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    sent(home, exchange())
    code, out, errors = run(capsys, "descriptor", "show", "sent.json")
    assert (code, errors) == (0, "")
    assert out.startswith("exchange of consortium, federation fraud (fraud.example)\n")
    assert f"key: {key_of('consortium')}" in out
    file = home / "sent.json"
    file.write_text(file.read_text().replace('"signature": "', '"signature": "AAAA'))
    code, out, errors = run(capsys, "descriptor", "show", "sent.json")
    assert (code, out) == (1, "")
    assert "sent.json" in errors


@pytest.mark.parametrize(("verb", "formats"), [(firewall_sheet, firewall.FORMATS), (draw_topology, topology.FORMATS)])
def test_the_formats_that_are_offered_are_those_that_there_are(verb: Verb, formats: Mapping[str, object]) -> None:
    (offered, _) = get_args(inspect.signature(verb, eval_str=True).parameters["format"].annotation)
    assert set(get_args(offered)) == formats.keys()


@pytest.mark.parametrize("ended", [KeyboardInterrupt, EOFError])
def test_an_interrupted_verb_ends_with_1(
    capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch, ended: type[BaseException]
) -> None:
    def interrupted(_: Stack) -> None:
        raise ended

    monkeypatch.setattr(Stack, "load", interrupted)
    assert run(capsys, "check", "-s", "bank-a") == (1, "", "\nfatefed: interrupted\n")


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--version") == (0, f"fatefed {version('fate-federation')}\n", "")


def test_the_project_is_found_upwards(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(home / "a" / "b")
    assert find_project().stacks == home / "stacks"
    assert find_project(home).stack("org/fate/bank-a").file == home / "stacks" / "Pulumi.bank-a.yaml"


def test_check_says_what_a_stack_waits_for(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    code, out, errors = run(capsys, "check", "-s", "bank-a")
    assert (code, errors) == (0, "")
    head = f"{os.path.join('stacks', 'Pulumi.bank-a.yaml')} is valid; 6 to do before `pulumi up`: party-9999\nedit the stack file:\n"
    assert out.startswith(head)
    assert "\naccept a descriptor:\n  consortium is pending, and without it nobody is reached" in out
    assert "reaches no one" not in out, "what is to do is not a warning, too"
    assert "fatefed keys init -s bank-a" in out
    assert "pulumi config set --secret --path 'fate:secrets.party-9999-key' -s bank-a < FILE" in out
    code, out, _ = run(capsys, "check", "-s", "bank-a", "--json")
    assert json.loads(out)["pending"].keys() == {"consortium"}
    assert any("party-9999 reaches no one" in text for text in json.loads(out)["warnings"])


@pytest.mark.parametrize("arguments", [("check",), ("secrets", "init"), ("render", "--out", "out"), ("peers", "add", "sent.json")])
def test_every_problem_is_printed_with_its_place(capsys: pytest.CaptureFixture[str], home: Path, arguments: tuple[str, ...]) -> None:
    sent(home, exchange())
    file = home / "stacks" / "Pulumi.bank-a.yaml"
    file.write_text(file.read_text().replace("release: 1.11.2", "release: 0.9").replace("topology: star", "topology: ring"))
    before = sorted(home.rglob("*"))
    code, out, errors = run(capsys, *arguments, "-s", "bank-a")
    assert (code, out) == (1, "")
    assert "stacks/Pulumi.bank-a.yaml:14 fate:federation.topology" in errors
    code, out, _ = run(capsys, *arguments, "-s", "bank-a", "--json")
    assert code == 1
    problems = json.loads(out)["problems"]
    assert problems
    assert all(set(found) == {"place", "problem", "remedy"} for found in problems)
    assert sorted(home.rglob("*")) == before


def test_keys_that_another_verb_makes_are_not_asked_for(
    capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(capsys, "init", "party", "-s", "lab", "--party-id", "7")[0] == 0
    fake_pulumi(home, monkeypatch, stdout="{}")
    code, out, _ = run(capsys, "secrets", "init", "-s", "lab")
    assert (code, "only you have" in out) == (0, False)
    assert "party-7-ca-1 and party-7-key to be made\nnext:\n" in out
    assert "  fatefed keys init -s lab " in out.partition("\nnext:\n")[2]


def test_a_missing_stack_file_is_named(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    code, _, errors = run(capsys, "check", "-s", "nobody")
    assert code == 1
    assert "stacks/Pulumi.nobody.yaml: cannot be read: there is no such file" in errors
    assert "stacks here: bank-a" in errors


def test_init_says_what_comes_next(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    code, out, _ = run(capsys, "init", "mesh", "-s", "clinic-b", "--party-id", "10000", "--peer", "bank-a", "--peer", "lab")
    assert code == 0
    assert "cluster.context" in out
    assert out.index("fatefed keys init -s clinic-b") < out.index("pulumi up -s clinic-b")
    assert sorted(find_project(home).stack("clinic-b").load().plan.pending) == ["bank-a", "lab"]
    assert run(capsys, "init", "mesh", "-s", "clinic-b")[0] == 1
    assert run(capsys, "init", "party", "-s", "clinic-b", "--force", "--organization", "other", "--json")[0] == 0
    assert find_project(home).stack("clinic-b").load().spec.organization == "other"


def test_check_names_what_init_could_not_know(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    replaced = {"external": ["192.0.2.10", "192.0.2.10"], "exchange": ["registry.lab.example"], "party": []}
    for kind, expected in replaced.items():
        assert run(capsys, "init", kind, "-s", "lab", "--force")[0] == 0
        code, out, _ = run(capsys, "check", "-s", "lab")
        file = (home / "stacks" / "Pulumi.lab.yaml").read_text().splitlines()
        told = re.findall(r"^  stacks/Pulumi.lab.yaml:(\d+): (\S+) leads nowhere: replace it$", out, re.M)
        assert (code, [place for _, place in told]) == (0, expected), kind
        assert all(place in file[int(line) - 1] for line, place in told)


def test_half_a_fingerprint_is_not_the_senders_fault(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    sent(home, exchange())
    code, _, errors = run(capsys, "peers", "add", "sent.json", "-s", "bank-a", "--yes", "--key", key_of("consortium")[:-4])
    assert (code, "is not a fingerprint" in errors, "write it in full" in errors) == (1, True, True)


def test_passwords_go_to_pulumi_by_standard_input_only(
    capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = fake_pulumi(home, monkeypatch, "{}")
    file = home / "stacks" / "Pulumi.bank-a.yaml"
    given = "".join(f"    party-9999-{slot}:\n      secure: v1:x:y\n" for slot in ("mysql", "ca"))
    file.write_text(f"{file.read_text()}  fate:secrets:\n{given}")
    code, out, errors = run(capsys, "secrets", "init", "-s", "bank-a")
    assert (code, errors) == (0, "")
    (first, nothing), *calls = asked(notes)
    assert first[:3] == ["stack", "output", "modules"], "a deployed server's password must not be replaced"
    assert nothing == ""
    paths = [arguments[4].removeprefix("fate:secrets.party-9999-") for arguments, _ in calls]
    assert paths == ["fateboard", "mysql-root", "notebook"]
    assert all(arguments[:4] == ["config", "set", "--secret", "--path"] for arguments, _ in calls)
    values = [given for _, given in calls]
    assert len(set(values)) == 3
    assert all(len(value) == 32 for value in values)
    assert not any(value in out or value in str(arguments) for value in values for arguments, _ in calls)
    assert "kept     party-9999-mysql\n" in out
    assert "'fate:secrets.party-9999-key' -s bank-a < FILE" in out
    assert "party-9999-ca'" not in out


def test_a_registrys_credentials_are_not_made_up(capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notes = fake_pulumi(home, monkeypatch, "{}")
    file = home / "stacks" / "Pulumi.bank-a.yaml"
    file.write_text(file.read_text() + "  fate:images:\n    pullSecret:\n      secret: registry\n")
    code, out, _ = run(capsys, "secrets", "init", "-s", "bank-a", "--json")
    assert code == 0
    assert [arguments[4] for arguments, _ in asked(notes) if "registry" in arguments[4]] == []
    assert len([arguments for arguments, _ in asked(notes) if arguments[:2] == ["config", "set"]]) == 4
    assert {"party-9999-ca", "party-9999-certificate", "party-9999-key", "registry"} == {one["name"] for one in json.loads(out)["missing"]}


def test_what_pulumi_repeats_of_a_password_is_not_shown(
    capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_pulumi(home, monkeypatch)
    script = home / "bin" / "pulumi"
    script.write_text(f"#!{sys.executable}\nimport sys\nsys.exit('bad value ' + sys.stdin.read())\n")
    code, _, errors = run(capsys, "secrets", "init", "-s", "bank-a")
    assert code == 1
    assert "bad value <redacted>\n" in errors


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("error: no stack named 'bank-a' found", "pulumi stack init bank-a"),
        ("error: passphrase must be set with PULUMI_CONFIG_PASSPHRASE", "set PULUMI_CONFIG_PASSPHRASE_FILE or PULUMI_CONFIG_PASSPHRASE"),
        ("error: incorrect passphrase", "correct PULUMI_CONFIG_PASSPHRASE_FILE or PULUMI_CONFIG_PASSPHRASE"),
        ("error: PULUMI_ACCESS_TOKEN must be set for login", "PULUMI_BACKEND_URL"),
        ("error: unable to read PULUMI_CONFIG_PASSPHRASE_FILE: open /x: no such file", "correct PULUMI_CONFIG_PASSPHRASE_FILE"),
        ("error: something else", "something else"),
    ],
)  # fmt: skip
def test_what_pulumi_refuses_has_a_remedy(
    capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch, said: str, remedy: str
) -> None:
    fake_pulumi(home, monkeypatch, stderr=said, code=255)
    code, _, errors = run(capsys, "secrets", "init", "-s", "bank-a")
    assert code == 1
    assert remedy in errors


def test_a_missing_pulumi_has_a_remedy(capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(home / "nowhere"))
    code, _, errors = run(capsys, "secrets", "init", "-s", "bank-a")
    assert code == 1
    assert "pulumi: not found on PATH" in errors


def test_a_password_is_no_option_and_has_32_characters() -> None:
    made = {new_password() for _ in range(300)}
    assert len(made) == 300
    assert all(len(password) == 32 and password[0].isalnum() for password in made)


def test_a_secret_of_any_name_has_a_path() -> None:
    assert [secret_path(name) for name in ("party-9-mysql", "a.b", 'a"b', "9")] == [
        "fate:secrets.party-9-mysql", 'fate:secrets["a.b"]', 'fate:secrets["a\\"b"]', 'fate:secrets["9"]',
    ]  # fmt: skip


def test_an_unsigned_descriptor_is_exported_in_its_canonical_form(
    capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_pulumi(home, monkeypatch, stdout=json.dumps({"party-9999": party("bank-a", "9999")}))
    code, out, errors = run(capsys, "descriptor", "export", "--unsigned", "-s", "bank-a", "-o", "-")
    assert (code, errors) == (0, "")
    assert out == Descriptor.model_validate(party("bank-a", "9999")).text()
    code, shown, _ = run(capsys, "descriptor", "export", "--unsigned", "-s", "bank-a", "-o", "d.json", "--json")
    assert code == 0
    assert (home / "d.json").read_text() == out
    assert json.loads(shown)["descriptor"] == json.loads(out)


def test_a_unit_is_chosen_when_there_is_more_than_one(
    capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_pulumi(home, monkeypatch, stdout=json.dumps({"exchange": exchange("bank-a"), "party-9999": party("bank-a", "9999")}))
    code, _, errors = run(capsys, "descriptor", "export", "--unsigned", "-s", "bank-a", "-o", "-")
    assert (code, "exchange, party-9999" in errors, "--unit" in errors) == (1, True, True)
    assert (
        json.loads(run(capsys, "descriptor", "export", "--unsigned", "-s", "bank-a", "-o", "-", "--unit", "exchange")[1])["kind"]
        == "exchange"
    )
    code, _, errors = run(capsys, "descriptor", "export", "--unsigned", "-s", "bank-a", "-o", "-", "--unit", "party-1")
    assert (code, "has no deployed unit party-1" in errors) == (1, True)


@pytest.mark.parametrize(
    ("stdout", "stderr", "code", "expected"),
    [
        ("", "error: current stack does not have output property 'descriptors'", 255, "it is not deployed"),
        ("{}", "", 0, "it is not deployed"),
        ("", "error: no stack named 'bank-a' found", 255, "pulumi stack init bank-a"),
        (json.dumps({"party-9999": party("bank-a", "9999", partyId="x")}), "", 0, "a party id is a positive whole number"),
    ],
)  # fmt: skip
def test_what_cannot_be_exported_is_explained(
    capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch, stdout: str, stderr: str, code: int, expected: str
) -> None:
    fake_pulumi(home, monkeypatch, stdout, stderr, code)
    ended, out, errors = run(capsys, "descriptor", "export", "--unsigned", "-s", "bank-a", "-o", "d.json")
    assert (ended, out, (home / "d.json").exists()) == (1, "", False)
    assert expected in errors


@pytest.mark.parametrize("path", ["stacks", "Pulumi.yaml/d.json"])
def test_a_path_that_cannot_be_written_is_named(
    capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    fake_pulumi(home, monkeypatch, stdout=json.dumps({"party-9999": party("bank-a", "9999")}))
    before = sorted(home.rglob("*"))
    code, _, errors = run(capsys, "descriptor", "export", "--unsigned", "-s", "bank-a", "-o", path)
    assert (code, f"{path}: cannot be written: " in errors) == (1, True)
    assert [found for found in sorted(home.rglob("*")) if found not in before and found.name != "asked.jsonl"] == []


def test_nobody_to_ask_means_no(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    sent(home, exchange())
    before = (home / "stacks" / "Pulumi.bank-a.yaml").read_bytes()
    code, out, errors = run(capsys, "peers", "add", "sent.json", "-s", "bank-a")
    assert code == 2
    assert "peer consortium: exchange of consortium, federation fraud (fraud.example)" in out
    assert "confirm with --yes and --key, with the fingerprint" in errors
    code, out, errors = run(capsys, "peers", "add", "sent.json", "-s", "bank-a", "--json")
    assert (code, json.loads(out)["written"], "confirm with --yes" in errors) == (2, False, True)
    assert (home / "stacks" / "Pulumi.bank-a.yaml").read_bytes() == before


def test_a_descriptor_cannot_draw_on_the_terminal(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    for body in (exchange(**{"\x1b[2J\u202e": 1}), exchange(release="\x1b[2J"), exchange(federation={"name": "\x1b[2J", "domain": "a.b"})):
        code, out, errors = run(capsys, "peers", "add", str(sent(home, body)), "-s", "bank-a")
        assert (code, out) == (1, "")
        assert "\x1b" not in errors
        assert "\u202e" not in errors


class Terminal(io.StringIO):
    """An operator who types."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("YES\n", 0), ("\n", 1), ("n\n", 1), ("", 1)])
def test_an_operator_is_asked(
    capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch, typed: str, code: int
) -> None:
    sent(home, exchange())
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    # What a real terminal has in its queue is in tests/unit/cli/tools/test_prompt.
    monkeypatch.setattr("cli.tools.prompt._dropped_lines", lambda: False)
    ended, out, _ = run(capsys, "peers", "add", "sent.json", "-s", "bank-a")
    assert ended == code
    assert "routes of party-9999 would change" in out
    assert out.index("[y/N]") > out.index("+default:")
    assert (home / "stacks" / "peers" / "consortium.json").exists() == (code == 0)
    assert ("pulumi up -s bank-a" in out) == (code == 0)


def test_yes_alone_accepts_nobody_whose_key_is_not_known(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    sent(home, exchange())
    before = (home / "stacks" / "Pulumi.bank-a.yaml").read_bytes()
    code, out, errors = run(capsys, "peers", "add", "sent.json", "-s", "bank-a", "--yes")
    assert (code, out) == (1, "")
    assert f"is signed with {key_of('consortium')}, a key that was not accepted before" in errors
    code, _, errors = run(capsys, "peers", "add", "sent.json", "-s", "bank-a", "--yes", "--key", key_of("mallory"))
    assert (code, "do not use it" in errors) == (1, True)
    assert (home / "stacks" / "Pulumi.bank-a.yaml").read_bytes() == before


def test_yes_accepts(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    sent(home, exchange())
    heard = ("--key", key_of("consortium"))
    code, out, _ = run(capsys, "peers", "add", "sent.json", "-s", "bank-a", "--yes", *heard, "--json")
    assert (code, json.loads(out)["written"]) == (0, True)
    code, out, _ = run(capsys, "peers", "add", "sent.json", "-s", "bank-a")
    assert (code, "nothing to write" in out) == (0, True)
    sent(home, exchange(host="198.51.100.77"))
    code, out, _ = run(capsys, "peers", "add", "sent.json", "-s", "bank-a", "--yes")
    assert code == 0
    assert "endpoints.nginx.host: 198.51.100.4 -> 198.51.100.77" in out


def test_render_takes_a_stack_file_without_a_project(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = initialized(project(tmp_path / "p"), "bank-a", kind="party").file
    helm = tmp_path / "helm"
    helm.write_text("#!/bin/sh\ncat >/dev/null\n")
    helm.chmod(0o755)
    monkeypatch.setenv("HELM", str(helm))
    monkeypatch.chdir(tmp_path)
    code, out, errors = run(capsys, "render", "--config", str(file), "--out", "out", "--json")
    assert code == 0
    assert "peer consortium is pending" in errors
    assert "fate-9999/service-nginx.yaml" in json.loads(out)["files"]
    assert (tmp_path / "out" / "fate-9999" / "service-nginx.yaml").is_file()


def test_init_takes_engines(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    engines = ("--computing", "Spark_local", "--federation-engine", "RabbitMQ", "--storage", "LocalFS")
    assert run(capsys, "init", "mesh", "-s", "lab", *engines, "--federation", "credit")[0] == 0
    loaded = find_project(home).stack("lab").load()
    party = loaded.spec.parties["9999"]
    assert (party.computing, party.federation, party.storage) == ("Spark_local", "RabbitMQ", "LocalFS")
    assert loaded.spec.federation.name == "credit"
    assert run(capsys, "init", "party", "-s", "slim", "--storage", "LocalFS")[0] == 0
    assert find_project(home).stack("slim").load().spec.parties["9999"].computing == "Spark_local", "what was not said goes with it"
    assert run(capsys, "init", "exchange", "-s", "hub", "--federation-engine", "Eggroll")[0] == 0
    exchange = find_project(home).stack("hub").load().spec.exchange
    assert exchange is not None
    assert exchange.federation == "Eggroll"
    code, out, errors = run(capsys, "init", "party", "-s", "new", "--federation-engine", "RabbitMQ")
    assert (code, out) == (1, "")
    assert "release 1.11.2 is not deployed as RabbitMQ in a star" in errors
    assert not find_project(home).stack("new").file.exists()


def kubeconfig(folder: Path, monkeypatch: pytest.MonkeyPatch, current: str) -> None:
    """A kubeconfig with the contexts `kind-1` and `kind-2`."""
    clusters = [{"name": "c", "cluster": {"server": "https://192.0.2.1:6443"}}]
    contexts = [{"name": name, "context": {"cluster": "c", "user": "u"}} for name in ("kind-1", "kind-2")]
    file = folder / "kubeconfig"
    file.write_text(json.dumps({"clusters": clusters, "contexts": contexts, "current-context": current}))
    monkeypatch.setenv("KUBECONFIG", str(file))


@pytest.mark.parametrize(("options", "context"), [((), "kind-2"), (("--context", "kind-1"), "kind-1")])
def test_init_writes_the_current_context_or_the_one_that_is_named(
    options: tuple[str, ...], context: str, capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubeconfig(home, monkeypatch, "kind-2")
    code, out, _ = run(capsys, "init", "party", "-s", "new", *options)
    assert code == 0
    assert f"; cluster.context: {context}\n" in out
    assert f"    context: {context} # of the kubeconfig" in (home / "stacks" / "Pulumi.new.yaml").read_text()


def test_init_without_a_kubeconfig_asks_for_the_context_first(
    capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(home / "none"))
    _, out, _ = run(capsys, "init", "party", "-s", "new")
    assert "cluster.context: new, a guess: there is no kubeconfig with a current context\n" in out
    assert out.index("edit stacks/Pulumi.new.yaml") < out.index("fatefed keys init")


def test_what_comes_after_init_namespaced_begins_with_the_administrator(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    _, out, _ = run(capsys, "init", "namespaced", "-s", "new", "--party-id", "10003")
    role = REPO / "docs" / "rbac" / "namespaced.yaml"
    granted = f"  kubectl create namespace fate-10003\n  kubectl apply -n fate-10003 -f {role}\n"
    assert f"let the cluster's administrator run:\n{granted}next:\n" in out
    assert role.exists()


def test_check_warns_of_a_context_or_a_kubeconfig_that_is_not_there(
    capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubeconfig(home, monkeypatch, "kind-2")
    code, out, _ = run(capsys, "check", "-s", "bank-a")
    [warning] = [line for line in out.splitlines() if "cluster.context" in line]
    assert (code, warning.startswith("  stacks/Pulumi.bank-a.yaml:")) == (0, True)
    assert "does not have context bank-a; it has: kind-1, kind-2" in warning
    monkeypatch.setenv("KUBECONFIG", str(home / "none"))
    assert f"there is no file {home / 'none'}" in run(capsys, "check", "-s", "bank-a")[1]
    monkeypatch.delenv("KUBECONFIG")
    monkeypatch.setenv("HOME", str(home))
    assert "kubeconfig" not in run(capsys, "check", "-s", "bank-a")[1], "this machine may deploy nothing"
