"""`descriptor export` remembers what it exported; `check` and `doctor` say when that is out of date. pulumi and kubectl are stand-ins."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.main import main
from cli.tools.kept import copy_of
from cli.tools.project import Stack
from federation.base.live import live_values, substitute
from federation.peers.descriptor import field_texts, finish
from federation.peers.signed import Received, receive
from tests.support import stacks
from tests.support.configs import MESH_OF_TWO, NODE_PORTS, STAR_PARTY, Case, identity_of, key_of
from tests.support.kubectl import FORBIDDEN, Answers, FakeHelm, FakeKubectl
from tests.support.trust import ca, trusting

PARTY, BALANCED = "party-9999", "203.0.113.50"  # the address that the stand-in of kubectl gives
CHECK = f"{PARTY}: the exported descriptor is up to date"
PULUMI = """
import pathlib, sys
home = pathlib.Path({home!r})
with (home / "asked").open("a") as asked:
    print(*sys.argv[1:], file=asked)
if sys.argv[1:3] == ["config", "get"]:
    print((home / "identity.pem").read_text())
elif (home / "outputs.json").exists():
    print((home / "outputs.json").read_text())
else:
    sys.exit("error: no stack named 'bank-a' found")
"""


class Lab:
    """A stack with a key, its state backend and its cluster."""

    def __init__(self, folder: Path, case: Case, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        case = case.changed(lambda config: config.update(identity={"key": key_of("bank-a")}))
        self.folder, self.capsys = folder, capsys
        project = stacks.project(folder)
        case.write(project / "stacks")
        self.stack: Stack = stacks.stack(project, "bank-a", case.text())
        (folder / "identity.pem").write_text(identity_of("bank-a"))
        stacks.stand_in(folder, monkeypatch, PULUMI.format(home=str(folder)))
        self.plan = self.stack.load().plan
        self.kubectl = FakeKubectl(folder, self.plan)
        monkeypatch.setenv("KUBECTL", str(self.kubectl.program))
        monkeypatch.setenv("HELM", str(FakeHelm(folder, self.plan).program))
        monkeypatch.chdir(folder)
        self.up()

    def up(self, address: str = BALANCED, **changes: Any) -> None:
        """What an up puts out when every Service has this address."""
        bodies = {}
        for unit in self.plan.units:
            body = substitute(unit.descriptor, dict.fromkeys(live_values(unit.descriptor), address)) | changes
            bodies[unit.key] = finish(body).plain()
        (self.folder / "outputs.json").write_text(json.dumps(bodies))

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Exit status, output and errors of a command."""
        return (main([*arguments, "-s", "bank-a"]), *self.capsys.readouterr())

    def export(self, *more: str) -> None:
        """An export that must succeed."""
        code, _, errors = self.run("descriptor", "export", "-o", "d.json", *more)
        assert (code, errors) == (0, "")

    @property
    def written(self) -> Any:
        """`fate:exported` of the stack file."""
        return yaml.safe_load(self.stack.file.read_text())["config"].get("fate:exported")

    def edit(self, old: str, new: str) -> None:
        """A change of the stack file."""
        text = self.stack.file.read_text()
        assert old in text
        self.stack.file.write_text(text.replace(old, new))

    def warned(self) -> list[str]:
        """What `check` says of exports."""
        code, out, errors = self.run("check", "--json")
        assert (code, errors) == (0, "")
        return [text for text in json.loads(out)["warnings"] if "export" in text]

    def row(self, fault: Callable[[Answers], None] = lambda _answers: None) -> dict[str, str] | None:
        """doctor's row about the exported descriptor, after a fault in the cluster."""
        fault(self.kubectl.answers)
        self.kubectl.write()
        rows = json.loads(self.run("doctor", "--json")[1])["rows"]
        assert len(rows) > 10
        return next((row for row in rows if row["check"] == CHECK), None)

    @property
    def asked(self) -> list[str]:
        """What pulumi was asked since the last look."""
        file = self.folder / "asked"
        found = file.read_text().splitlines() if file.exists() else []
        file.write_text("")
        return found


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[Case], Lab]:
    return lambda case: Lab(tmp_path, case, monkeypatch, capsys)


@pytest.fixture
def lab(make: Callable[[Case], Lab]) -> Lab:
    """A party behind load balancers."""
    return make(STAR_PARTY)


def test_peers_may_accept_an_export_for_90_days_unless_it_says_otherwise(lab: Lab) -> None:
    lab.export()
    for days in (90, 7):
        received = receive((lab.folder / "d.json").read_bytes(), "d.json")
        assert isinstance(received, Received)
        assert received.signature is not None
        first, last = (date.fromisoformat(day) for day in (received.signature.not_before, received.signature.not_after))
        assert (last - first).days == days
        lab.export("--days", "7")


def moved(answers: Answers) -> None:
    """The load balancers get another address."""
    found = [item for item in answers["services/fate-9999"] if item["spec"]["type"] == "LoadBalancer"]
    assert found
    for item in found:
        item["status"]["loadBalancer"]["ingress"] = [{"ip": "203.0.113.51"}]


def test_an_export_writes_what_it_said_and_the_next_one_replaces_it(lab: Lab) -> None:
    assert lab.written is None
    lab.export()
    body = json.loads((lab.folder / "outputs.json").read_text())[PARTY]
    assert lab.written == {PARTY: {"fields": field_texts(body), "key": key_of("bank-a"), "serial": 1}}
    assert lab.written[PARTY]["fields"]["endpoints.pulsar.host"] == BALANCED
    assert copy_of(lab.stack).read_bytes() == lab.stack.file.read_bytes()
    lab.up("203.0.113.51", trust={"authorities": [ca("9999")]})
    lab.export()
    assert (lab.written[PARTY]["serial"], lab.written[PARTY]["fields"]["endpoints.pulsar.host"]) == (2, "203.0.113.51")
    assert lab.written[PARTY]["fields"]["trust.authorities"].startswith("CA ")
    lab.up()
    lab.export("--unsigned")
    assert lab.written == {PARTY: {"fields": field_texts(body)}}, "what is absent now is not left behind"


def test_what_could_not_be_written_is_not_remembered(lab: Lab) -> None:
    code, _, errors = lab.run("descriptor", "export", "-o", "stacks")
    assert (code, "stacks" in errors, lab.written) == (1, True, None), "a folder is no file"


def test_what_goes_to_standard_output_is_remembered_too(lab: Lab) -> None:
    code, out, _ = lab.run("descriptor", "export", "-o", "-", "--unsigned")
    assert (code, json.loads(out)["partyId"], set(lab.written)) == (0, "9999", {PARTY})


def test_each_unit_is_remembered_by_itself(make: Callable[[Case], Lab]) -> None:
    lab = make(MESH_OF_TWO)
    lab.export("--unit", "party-9998")
    lab.export("--unit", PARTY)
    assert {key: entry["serial"] for key, entry in lab.written.items()} == {"party-9998": 1, PARTY: 2}


def test_check_is_silent_without_an_export_and_after_one_and_asks_no_backend_for_nothing(lab: Lab) -> None:
    assert lab.warned() == []
    assert lab.asked == []
    lab.export()
    assert lab.warned() == []


def test_check_names_an_address_that_the_last_up_got(lab: Lab) -> None:
    lab.export()
    lab.up("203.0.113.51")
    (warning,) = lab.warned()
    assert "party-9999: your exported descriptor is out of date" in warning
    assert f"endpoints.pulsar.host: {BALANCED} -> 203.0.113.51" in warning
    assert "`fatefed descriptor export -s bank-a --unit party-9999 -o FILE`" in warning
    lab.export()
    assert lab.warned() == []


def test_check_goes_by_the_stack_file_where_no_backend_answers(lab: Lab) -> None:
    lab.export()
    (lab.folder / "outputs.json").unlink()
    assert lab.warned() == []
    lab.edit("release: 1.11.2\n", "release: 1.11.1\n")
    (warning,) = lab.warned()
    assert "(release: 1.11.2 -> 1.11.1)" in warning


def test_check_asks_no_backend_where_the_stack_file_says_all(make: Callable[[Case], Lab]) -> None:
    lab = make(trusting(NODE_PORTS, "9999"))
    lab.export()
    assert lab.asked != []
    lab.edit("port: 30651", "port: 30652")
    (warning,) = lab.warned()
    assert "(endpoints.pulsar.ports.tls: 30651 -> 30652)" in warning
    assert lab.asked == []


def test_a_new_key_makes_every_exported_descriptor_out_of_date(lab: Lab) -> None:
    lab.export()
    text = lab.stack.file.read_text()
    head, _, rest = text.partition("fate:identity:")
    lab.stack.file.write_text(head + "fate:identity:" + rest.replace(key_of("bank-a"), key_of("bank-b"), 1))
    (warning,) = lab.warned()
    assert f"key: {key_of('bank-a')} -> {key_of('bank-b')}" in warning


def test_an_exported_address_is_not_taken_for_one_that_init_left_open(make: Callable[[Case], Lab]) -> None:
    lab = make(NODE_PORTS)
    lab.edit("203.0.113.9", "192.0.2.9")
    lab.plan = lab.stack.load().plan
    lab.up()
    lab.export()
    lab.edit("host: 192.0.2.9", "host: 203.0.113.9")
    assert 'endpoints.pulsar.host: "192.0.2.9"' in lab.stack.file.read_text()
    assert not [text for text in json.loads(lab.run("check", "--json")[1])["warnings"] if "leads nowhere" in text]


def test_doctor_compares_with_the_addresses_that_services_have_now(lab: Lab) -> None:
    assert lab.row() is None, "never exported is no fault"
    lab.export()
    assert (lab.row() or {})["state"] == "ok"
    row = lab.row(moved) or {}
    assert row["state"] == "failed"
    assert f"it is out of date: endpoints.nginx.addresses: {BALANCED} -> 203.0.113.51; endpoints.nginx.host: " in row["problem"]
    assert row["fix"].startswith("run `pulumi up --refresh`"), "else an export writes the address of before"
    assert "`fatefed descriptor export -s bank-a --unit party-9999 -o FILE` and send the file to your peers" in row["fix"]
    assert lab.run("doctor")[0] == 1
    assert len([call for call in lab.asked if call.startswith("stack output")]) == 1, "doctor needs no backend"


def test_doctor_does_not_guess_addresses_that_it_cannot_see(lab: Lab) -> None:
    lab.export()

    def pending(answers: Answers) -> None:
        for item in answers["services/fate-9999"]:
            item["status"] = {}

    row = lab.row(pending) or {}
    assert row["state"] == "skipped"
    rows = json.loads(lab.run("doctor", "--json")[1])["rows"]
    assert row["problem"].removeprefix("waits for: ") in [other["check"] for other in rows if other["state"] == "failed"], row
    lab.kubectl.answers["services/fate-9999"] = FORBIDDEN.format("services")
    row = lab.row() or {}
    assert (row["state"], "rbac/viewer.yaml" in row["fix"]) == ("not readable", True)


def test_doctor_says_which_address_no_descriptor_can_hold_and_goes_on(lab: Lab) -> None:
    lab.export()
    before = len(json.loads(lab.run("doctor", "--json")[1])["rows"])

    def odd(answers: Answers) -> None:
        moved(answers)
        for item in answers["services/fate-9999"]:
            if item["spec"]["type"] == "LoadBalancer":
                item["status"]["loadBalancer"]["ingress"] = [{"hostname": "lb_1.Example.com"}]

    row = lab.row(odd) or {}
    assert (row["state"], "'lb_1.Example.com'" in row["problem"]) == ("failed", True)
    assert len(json.loads(lab.run("doctor", "--json")[1])["rows"]) == before


def test_check_asks_the_backend_once_and_names_the_project_in_its_remedy(make: Callable[[Case], Lab], tmp_path: Path) -> None:
    lab = make(MESH_OF_TWO)
    lab.export("--unit", "party-9998")
    lab.export("--unit", PARTY)
    lab.up("203.0.113.51")
    assert lab.asked
    project = str(lab.stack.project.folder)
    code, out, _ = lab.run("check", "--json", "-C", project)
    warnings = [text for text in json.loads(out)["warnings"] if "export" in text]
    assert (code, len(warnings)) == (0, 2)
    assert all(f"`fatefed descriptor export -C {project} -s bank-a --unit party-" in text for text in warnings)
    assert len(lab.asked) == 1


def test_doctor_says_that_an_earlier_version_remembered_nothing(lab: Lab) -> None:
    lab.edit("fate:identity:\n", "fate:identity:\n    serial: 7\n")
    row = lab.row() or {}
    assert (row["state"], "has no record of an export" in row["problem"]) == ("not readable", True)
    lab.export()
    assert (lab.row() or {})["state"] == "ok"
