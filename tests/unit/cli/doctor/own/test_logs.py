"""`fatefed logs`: the lines of a module's pods, by whatever name the operator knows it, and nothing in them moves the terminal."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.main import main
from tests.support import stacks
from tests.support.configs import MESH_OF_TWO, STAR_PARTY, Case
from tests.support.kubectl import FORBIDDEN, FakeKubectl


class Lab:
    """A stack, and a cluster whose pods have written something."""

    def __init__(self, folder: Path, case: Case, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.stack = stacks.of_case(folder / "project", case)
        self.kubectl = FakeKubectl(folder, self.stack.load().plan)
        self.capsys = capsys
        monkeypatch.setenv("KUBECTL", str(self.kubectl.program))

    def wrote(self, unit: str, components: str, text: str) -> None:
        """Let the pods of these components have written a text."""
        self.kubectl.answers[f"logs/fate-{unit.removeprefix('party-')}/{selector(unit, components)}"] = text
        self.kubectl.write()

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Exit status, output and errors of `fatefed logs`."""
        code = main(["logs", "-s", "bank-a", "-C", str(self.stack.project.folder), *arguments])
        return (code, *self.capsys.readouterr())


def selector(unit: str, components: str) -> str:
    return f"app.kubernetes.io/instance={unit},app.kubernetes.io/name in ({components})"


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[Case], Lab]:
    return lambda case: Lab(tmp_path, case, monkeypatch, capsys)


@pytest.fixture
def lab(make: Callable[[Case], Lab]) -> Lab:
    return make(STAR_PARTY)


@pytest.mark.parametrize(
    ("word", "components"),
    [
        ("fateflow", "fateflow"), ("spark-worker", "spark-worker"), ("sparkWorker", "spark-worker"),
        ("spark", "spark-master,spark-worker"), ("hdfs", "namenode,datanode"),
    ],
)  # fmt: skip
def test_a_module_is_found_by_the_names_of_status_and_of_the_stack_file(lab: Lab, word: str, components: str) -> None:
    lab.wrote("party-9999", components, "[pod/x-0/x] ready")
    assert lab.run(word) == (0, "[pod/x-0/x] ready\n", "")
    asked = lab.kubectl.asked[-1]
    assert asked[0] == "logs"
    assert {"--all-containers", "--prefix", "--ignore-errors", "--tail=100"} <= {*asked}


def test_what_is_asked_for_reaches_kubectl(lab: Lab) -> None:
    lab.wrote("party-9999", "fateflow", "[pod/python-0/python] ready")
    assert lab.run("fateflow", "--tail", "-1", "--since", "10m", "--previous", "--follow")[0] == 0
    assert {"--tail=-1", "--since=10m", "--previous", "--follow"} <= {*lab.kubectl.asked[-1]}


def test_a_misspelled_module_is_guessed_and_all_are_listed(lab: Lab) -> None:
    code, out, errors = lab.run("fatflow")
    assert (code, out) == (1, "")
    assert errors.startswith("module fatflow: this stack has no such module\n    remedy: did you mean 'fateflow'? name one of: datanode, ")
    assert not (lab.kubectl.folder / "asked").exists(), "before anything is asked"
    assert "--unit party-7: this stack has no such unit" in lab.run("fateflow", "--unit", "party-7")[2]


def test_of_a_module_that_two_units_have_the_unit_is_asked(make: Callable[[Case], Lab]) -> None:
    lab = make(MESH_OF_TWO)
    code, out, errors = lab.run("fateflow")
    assert (code, out) == (1, "")
    first, second = (unit.key for unit in lab.stack.load().plan.units)
    assert f"add --unit: {first}, {second}" in errors
    lab.wrote(second, "fateflow", "[pod/python-0/python] second")
    assert lab.run("fateflow", "--unit", second) == (0, "[pod/python-0/python] second\n", "")


def test_no_line_of_a_log_moves_the_terminal(lab: Lab) -> None:
    lab.wrote("party-9999", "fateflow", "[pod/python-0/python] \x1b[31mred\x1b[0m\tx\x1b[2J\u202e\r\n[pod/python-0/python] next")
    code, out, errors = lab.run("fateflow")
    first, second = out.splitlines()
    assert (code, errors, second) == (0, "", "[pod/python-0/python] next")
    assert first.split("] ")[1].split() == ["red", "x\\u001b[2J\\u202e"]
    assert lab.run("fateflow", "--json")[1].isascii()


def test_a_container_without_a_log_is_told_apart_and_alone_it_is_a_failure(lab: Lab) -> None:
    waits = 'error: container "python" in pod "python-0" is waiting to start: PodInitializing'
    lab.wrote("party-9999", "fateflow", f"[pod/python-0/init] done\n{waits}")
    assert lab.run("fateflow") == (0, "[pod/python-0/init] done\n", f"{waits}\n")
    lab.wrote("party-9999", "fateflow", f"x\n{waits}")
    code, out, errors = lab.run("fateflow")
    assert (code, out) == (1, "")
    assert errors.endswith(f"{waits}\nfatefed: no container of fateflow of party-9999 has a line\n")


def test_json_holds_the_lines_and_never_waits(lab: Lab) -> None:
    lab.wrote("party-9999", "fateflow", "[pod/python-0/python] one\n[pod/python-0/python] two")
    code, out, errors = lab.run("fateflow", "--json")
    assert (code, errors) == (0, "")
    assert json.loads(out) == {
        "unit": "party-9999", "modules": ["fateflow"], "lines": ["[pod/python-0/python] one", "[pod/python-0/python] two"]
    }  # fmt: skip
    assert lab.run("fateflow", "--json", "--follow")[0] == 2


def test_pods_that_are_not_there_or_may_not_be_read_are_said(lab: Lab) -> None:
    lab.kubectl.answers["pods/fate-9999"] = []
    lab.kubectl.write()
    code, out, errors = lab.run("fateflow")
    assert (code, out) == (1, "")
    assert "pods of fateflow of party-9999: there are none in namespace fate-9999\n    remedy: `fatefed doctor` says why" in errors
    lab.kubectl.answers["pods/fate-9999"] = FORBIDDEN.format("pods")
    lab.kubectl.write()
    assert "docs/rbac/viewer.yaml" in lab.run("fateflow")[2]


def test_kubectls_refusal_is_an_error(lab: Lab) -> None:
    lab.wrote("party-9999", "fateflow", 'error: invalid argument "x" for "--since" flag')
    code, out, errors = lab.run("fateflow", "--since", "x")
    assert (code, out) == (1, "")
    assert errors.startswith("kubectl logs: error: invalid argument")
