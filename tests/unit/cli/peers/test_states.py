"""`fatefed peers suspend`, `resume` and `retire`: an edit of the stack file, the routes it changes, and the command that applies it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.main import main
from cli.peers.accept import accept, review
from cli.tools.project import Stack, find_project
from tests.support.configs import EXCHANGE, key_of, party_descriptor
from tests.support.stacks import exchange, initialized, party, project, sent


@pytest.fixture
def consortium(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """An exchange with two members, entered."""
    stack = initialized(tmp_path, "consortium", kind="exchange")
    for body in (party(), party("bank-a", "9999", "198.51.100.9")):
        accept(review(stack, sent(tmp_path, body)))
    stack.file.write_text(stack.file.read_text().replace("    clinic-b:\n", "    clinic-b: # the hospital\n"))
    monkeypatch.chdir(tmp_path)
    return stack


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit status, output and errors of a command on the consortium's stack."""
    return (main(["peers", *arguments, "-s", "consortium"]), *capsys.readouterr())


def routes(stack: Stack) -> str:
    """The route files."""
    return str([manifest.fields for manifest in stack.load().plan.unit("exchange").routes])


def test_a_suspended_peer_loses_its_routes_and_gets_them_back(capsys: pytest.CaptureFixture[str], consortium: Stack) -> None:
    before, routed = consortium.file.read_text(), routes(consortium)
    code, out, errors = run(capsys, "suspend", "clinic-b", "--reason", "audit: until March")
    assert (code, errors) == (0, "")
    assert "clinic-b: active -> suspended" in out
    assert "-  - fqdn: 10000.fraud.example" in out
    assert "\n  pulumi up -s consortium " in out
    assert "# the hospital" in consortium.file.read_text()
    assert consortium.load().plan.states["clinic-b"] == {"state": "suspended", "reason": "audit: until March"}
    assert "10000.fraud.example" not in routes(consortium)
    code, out, _ = run(capsys, "resume", "clinic-b")
    assert (code, "+  - fqdn: 10000.fraud.example" in out) == (0, True)
    assert (consortium.file.read_text(), routes(consortium)) == (before, routed), "the reason goes with the state"


def test_saying_it_twice_changes_nothing(capsys: pytest.CaptureFixture[str], consortium: Stack) -> None:
    run(capsys, "suspend", "clinic-b", "--reason", "audit")
    before = consortium.file.read_text()
    code, out, _ = run(capsys, "suspend", "clinic-b")
    assert (code, "is suspended already" in out, consortium.file.read_text() == before) == (0, True, True)
    run(capsys, "suspend", "clinic-b", "--reason", "court order")
    assert consortium.load().plan.states["clinic-b"]["reason"] == "court order"


def test_a_peer_that_does_not_fit_any_more_is_not_resumed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it was away the federation moved on; what it was does not load."""
    moved = party_descriptor(engine="Eggroll")
    project(tmp_path)
    monkeypatch.chdir(tmp_path)
    file = EXCHANGE.with_peer("clinic-b", moved, state="suspended").write(tmp_path / "stacks")
    before = file.read_text()
    code, _, errors = run(capsys, "resume", "clinic-b")
    assert (code, "uses Eggroll, while exchange.federation of this stack uses Pulsar" in errors) == (1, True)
    assert file.read_text() == before
    assert run(capsys, "retire", "clinic-b")[0] == 0, "to sever asks nobody's leave"


def test_a_retired_peer_keeps_its_party_id_and_stays_away(capsys: pytest.CaptureFixture[str], consortium: Stack) -> None:
    assert run(capsys, "retire", "clinic-b", "--reason", "left")[0] == 0
    assert "10000.fraud.example" not in routes(consortium)
    before = consortium.file.read_text()
    for verb in ("resume", "suspend"):
        code, _, errors = run(capsys, verb, "clinic-b")
        assert (code, "clinic-b is retired" in errors) == (1, True)
    newcomer = sent(consortium.file.parent, party("shop-d", host="198.51.100.66"))
    code, _, errors = run(capsys, "add", str(newcomer), "--name", "shop-d", "--key", key_of("shop-d"), "--yes")
    assert (code, "party id 10000 of peer shop-d already belongs to peer clinic-b" in errors) == (1, True)
    assert consortium.file.read_text() == before


def test_a_party_severs_its_exchange_alone(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = initialized(tmp_path / "bank", "consortium", kind="party", party_id="9999")
    accept(review(stack, sent(tmp_path, exchange("hub")), "consortium"))
    monkeypatch.chdir(tmp_path / "bank")
    code, out, _ = run(capsys, "suspend", "consortium")
    assert (code, "-default:" in out) == (0, True)
    texts = [text for manifest in stack.load().plan.unit("party-9999").routes for text in manifest.fields["data"].values()]
    assert len(texts) == 3
    assert not any("198.51.100.4" in text for text in texts)


def test_a_peer_that_is_not_known_is_named(capsys: pytest.CaptureFixture[str], consortium: Stack) -> None:
    code, _, errors = run(capsys, "suspend", "clinic")
    assert (code, "there is no peer clinic" in errors, "choose one of: bank-a, clinic-b" in errors) == (1, True, True)


@pytest.mark.parametrize("reason", ["two\nlines", "x" * 201, ""])
def test_a_reason_is_a_line(capsys: pytest.CaptureFixture[str], consortium: Stack, reason: str) -> None:
    before = consortium.file.read_text()
    code, _, errors = run(capsys, "suspend", "clinic-b", "--reason", reason)
    assert (code, "--reason" in errors, consortium.file.read_text() == before) == (1, True, True)


def _without_its_file(stack: Stack, name: str) -> None:
    (stack.file.parent / f"peers/{name}.json").unlink()


WRONG_ELSEWHERE: dict[str, Callable[[Stack], object]] = {
    "another peer's file is gone": lambda stack: _without_its_file(stack, "bank-a"),
    "another peer is misspelt": lambda stack: stack.file.write_text(
        stack.file.read_text().replace("    bank-a:\n", "    bank-a:\n      stat: x\n")
    ),
    "a section is unknown": lambda stack: stack.file.write_text(stack.file.read_text() + "  fate:partys: {}\n"),
    "its own file is damaged": lambda stack: (stack.file.parent / "peers/clinic-b.json").write_text("{}"),
}


@pytest.mark.parametrize("verb", ["suspend", "retire"])
@pytest.mark.parametrize("wrong", WRONG_ELSEWHERE.values(), ids=WRONG_ELSEWHERE.keys())
def test_what_is_wrong_elsewhere_keeps_nobody_from_severing(
    capsys: pytest.CaptureFixture[str], consortium: Stack, wrong: Callable[[Stack], object], verb: str
) -> None:
    """It is written, and told what keeps `pulumi up` from applying it; coming back is refused until that is right."""
    wrong(consortium)
    code, out, errors = run(capsys, verb, "clinic-b")
    assert (code, errors) == (1, "")
    assert f"clinic-b: active -> {verb.removesuffix('e')}ed" in out
    assert "pulumi refuses the stack file until you correct this:\n  1. " in out
    assert f"state: {verb.removesuffix('e')}ed" in consortium.file.read_text()
    before = consortium.file.read_text()
    if verb == "suspend":
        assert run(capsys, "resume", "clinic-b")[0] == 1
        assert consortium.file.read_text() == before


def test_a_peer_whose_own_file_is_gone_is_retired_by_its_id(capsys: pytest.CaptureFixture[str], consortium: Stack) -> None:
    _without_its_file(consortium, "clinic-b")
    code, out, _ = run(capsys, "retire", "clinic-b")
    assert (code, "write peers.clinic-b.partyId" in out) == (1, True)
    consortium.file.write_text(consortium.file.read_text().replace("state: retired", "state: retired\n      partyId: 10000"))
    code, out, _ = run(capsys, "retire", "clinic-b")
    assert (code, "clinic-b is retired already; nothing to write" in out) == (0, True)
    assert "10000.fraud.example" not in routes(consortium)


def test_the_printed_commands_work_where_they_are_read(
    capsys: pytest.CaptureFixture[str], consortium: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With -C when the command was given it; for programs, too."""
    monkeypatch.chdir(tmp_path.parent)
    folder = tmp_path.name
    assert main(["peers", "suspend", "clinic-b", "-C", folder, "-s", "consortium"]) == 0
    out = capsys.readouterr().out
    following = [f"fatefed keys init -C {folder} -s consortium", f"pulumi up -C {folder} -s consortium"]
    assert all(f"\n  {command} " in out.partition("\nnext:\n")[2] for command in following[1:])
    assert main(["peers", "retire", "clinic-b", "-C", folder, "-s", "consortium", "--json"]) == 0
    assert set(following) < set(json.loads(capsys.readouterr().out)["next"])
    body = party("hospital-c", "10001", "198.51.100.30")
    words = ["peers", "add", str(sent(tmp_path, body)), "--key", key_of("hospital-c"), "--yes", "-C", folder, "-s", "consortium"]
    assert main([*words, "--json"]) == 0
    assert set(following) < set(json.loads(capsys.readouterr().out)["next"])
    assert main(["peers", "move", "-C", folder, "-s", "consortium", "--json"]) == 0
    assert set(following) < set(json.loads(capsys.readouterr().out)["next"])


def test_the_command_of_a_folder_with_a_blank_is_quoted(tmp_path: Path) -> None:
    assert find_project(project(tmp_path / "my bank")).stack("x").options == f"-C '{tmp_path}/my bank' -s x"
