"""`fatefed open`: a published console by its URL, any other through kubectl on loopback, and a browser only where somebody sits."""

import json
import socket
import sys
import webbrowser
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.main import main
from tests.support import stacks
from tests.support.configs import STAR_PARTY, Case, Config
from tests.support.kubectl import FakeKubectl


class Lab:
    """A stack, and the pages that a browser was sent to."""

    def __init__(self, folder: Path, case: Case, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.stack = stacks.of_case(folder / "project", case)
        self.kubectl = FakeKubectl(folder, self.stack.load().plan)
        self.monkeypatch, self.capsys, self.pages = monkeypatch, capsys, list[str]()
        monkeypatch.setenv("KUBECTL", str(self.kubectl.program))
        for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(webbrowser, "open", self.pages.append)

    def sit_down(self) -> None:
        """A terminal, on a machine with windows."""
        self.monkeypatch.setenv("DISPLAY", ":0")
        self.monkeypatch.setattr(sys.stdout, "isatty", lambda: True)

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Exit status, output and errors of `fatefed open`."""
        code = main(["open", "-s", "bank-a", "-C", str(self.stack.project.folder), *arguments])
        return (code, *self.capsys.readouterr())


def with_consoles(config: Config) -> None:
    config["cluster"] = {"context": "kind-1"}
    config["parties"]["9999"]["modules"] = {"fateboard": {}, "client": {}}


def published(config: Config) -> None:
    with_consoles(config)
    config["boards"] = {"kind": "ingress", "domain": "bank-a.example", "className": "nginx"}


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[Case], Lab]:
    return lambda case: Lab(tmp_path, case, monkeypatch, capsys)


def test_a_published_console_is_opened_at_its_url(make: Callable[[Case], Lab]) -> None:
    lab, url = make(STAR_PARTY.changed(published)), "http://9999.fateboard.bank-a.example/"
    assert lab.run("fateboard") == (0, f"{url}\n", "")
    assert lab.pages == [], "nobody sits here"
    lab.sit_down()
    assert lab.run("fateboard", "--print") == (0, f"{url}\n", "")
    assert json.loads(lab.run("fateboard", "--json")[1]) == {
        "console": "fateboard", "unit": "party-9999", "url": url, "published": True, "portForward": None
    }  # fmt: skip
    assert lab.pages == []
    assert lab.run("fateboard")[0] == 0
    assert lab.pages == [url]
    assert not (lab.kubectl.folder / "asked").exists()


def test_a_console_that_is_not_published_is_forwarded_to_loopback(make: Callable[[Case], Lab]) -> None:
    lab = make(STAR_PARTY.changed(with_consoles))
    lab.kubectl.answers["port-forward"] = "Forwarding from 127.0.0.1:41234 -> 8080\nHandling connection for 41234"
    lab.kubectl.write()
    lab.sit_down()
    code, out, errors = lab.run("fateboard")
    assert (code, out, lab.pages) == (0, "http://127.0.0.1:41234\n", ["http://127.0.0.1:41234"])
    assert errors.splitlines()[1] == "Handling connection for 41234"
    [asked] = lab.kubectl.asked
    assert "--address=127.0.0.1" in asked, "the console of a bank is not for its whole network"
    assert {"port-forward", "fate-9999", "service/fateboard"} <= {*asked}


def test_nothing_that_kubectl_says_but_its_port_reaches_a_browser(make: Callable[[Case], Lab]) -> None:
    lab = make(STAR_PARTY.changed(with_consoles))
    lab.kubectl.answers["port-forward"] = "http://evil.example\nForwarding from 127.0.0.1:41234 -> 8080"
    lab.kubectl.write()
    lab.sit_down()
    assert lab.run("fateboard")[:2] == (0, "http://127.0.0.1:41234\n")
    assert lab.pages == ["http://127.0.0.1:41234"]


def test_a_port_that_is_taken_on_this_machine_is_left_alone(make: Callable[[Case], Lab]) -> None:
    lab = make(STAR_PARTY.changed(with_consoles))
    lab.kubectl.answers["port-forward"] = "Forwarding from 127.0.0.1:41234 -> 20000"
    lab.kubectl.write()
    assert lab.run("notebook")[0] == 0
    assert lab.kubectl.asked[-1][-1] == "20000:20000"
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", 20000))
        other.listen()
        assert lab.run("notebook")[0] == 0
    assert lab.kubectl.asked[-1][-1] == ":20000"


def test_print_says_the_command_and_runs_nothing(make: Callable[[Case], Lab]) -> None:
    lab = make(STAR_PARTY.changed(with_consoles))
    code, out, errors = lab.run("fateboard", "--print")
    command, url = out.splitlines()
    assert (code, errors, url) == (0, "", "http://127.0.0.1:8080")
    assert command.endswith("port-forward --namespace fate-9999 --address=127.0.0.1 service/fateboard 8080:8080")
    assert "--context=kind-1" in command, "of the stack's cluster, whichever context is current"
    assert not (lab.kubectl.folder / "asked").exists()


def test_consoles_that_are_not_offered_can_be_opened_and_a_misspelled_one_is_guessed(make: Callable[[Case], Lab]) -> None:
    lab = make(STAR_PARTY.changed(with_consoles))
    for name, service in {"spark": "spark-client", "pulsar": "pulsar", "namenode": "namenode"}.items():
        assert f" service/{service} " in lab.run(name, "--print")[1]
    code, out, errors = lab.run("xyz")
    assert (code, out) == (1, "")
    assert "console xyz: this stack has no such console\n    remedy: name one of: fateboard, namenode, notebook, pulsar, spark\n" in errors
    assert "did you mean 'fateboard'?" in lab.run("fatebord")[2]


def test_kubectls_refusal_to_forward_is_an_error(make: Callable[[Case], Lab]) -> None:
    lab = make(STAR_PARTY.changed(with_consoles))
    lab.kubectl.answers["port-forward"] = "error: unable to forward port because pod is not running. Current status=Pending"
    lab.kubectl.write()
    code, out, errors = lab.run("fateboard")
    assert (code, out) == (1, "")
    assert "kubectl port-forward: error: unable to forward port because pod is not running" in errors
    lab.kubectl.program.unlink()
    lab.kubectl.program.mkdir()
    assert lab.run("fateboard")[0] == 1
