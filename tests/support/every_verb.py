"""Every verb of the command, with words that work: on a stack whose cluster, pulumi and helm are stand-ins that have what is planned."""

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import typer
import yaml

from cli.main import app
from federation.base import naming
from federation.catalogue.kinds import KINDS
from federation.stack.plan import StackPlan
from tests.support import stacks
from tests.support.configs import STAR_PARTY, Config, identity_of, key_of
from tests.support.kubectl import FakeHelm, FakeKubectl
from tests.support.kubefate import BASES

OK, FAILED, LOSES_DATA = 0, 1, 4
READER_ENDED, UNWRITABLE = 141, 1
# What somebody else wrote, and no encoding but Unicode has.
FOREIGN = "维护窗口 [red]x[/red] é"
_PULUMI = """#!{python}
import sys
words = " ".join(word for word in sys.argv[1:] if not word.startswith("-"))
for asked, answer in {answers!r}.items():
    if words.startswith(asked):
        sys.exit(print(answer))
"""


def closed_pipe() -> TextIO:
    """A pipe whose reader ended."""
    reading, writing = os.pipe()
    os.close(reading)
    return os.fdopen(writing, "w")


def full_disk() -> TextIO:
    """A file of a disk without room."""
    return open("/dev/full", "w")


# With the exit status, and what is said on standard error.
BROKEN: list[tuple[Callable[[], TextIO], int, str]] = [
    (closed_pipe, READER_ENDED, ""),
    (full_disk, UNWRITABLE, "fatefed: standard output cannot be written: No space left on device\n"),
]


@dataclass(frozen=True)
class Words:
    """What follows a verb, its exit status, and whether all that it prints fits a terminal: text does not, which has commands to copy."""

    words: str = "-s bank-a"
    code: int = OK
    fits: bool = False


# `{}` is the folder of what others sent.
VERBS: Mapping[str, Words] = {
    "new": Words("own"),
    "init": Words("mesh -s lab"),
    "check": Words("-s bank-a --live"),
    "convert kubefate": Words("{}/cluster.yaml --out converted"),
    "keys init": Words(code=FAILED),  # half of an identity is there
    "secrets init": Words(),
    "secrets rotate": Words("party-9999-mysql -s bank-a", FAILED),  # it is not made yet
    "identity create": Words("-s bank-a --replace"),
    "identity show": Words(fits=True),
    "trust init": Words(),
    "trust rotate": Words("-s bank-a --yes", FAILED),  # no CA was made yet
    "descriptor export": Words("-s bank-a -o sent.json"),
    "descriptor show": Words("{}/clinic-b.json"),
    "peers list": Words(fits=True),
    "peers add": Words(f"{{}}/clinic-b.json -s bank-a --yes --key {key_of('clinic-b')}"),
    "peers suspend": Words("consortium -s bank-a --reason maintenance"),
    "peers resume": Words("consortium -s bank-a"),
    "peers retire": Words("consortium -s bank-a"),
    "peers move": Words(),
    "plan": Words(code=LOSES_DATA, fits=True),
    "status": Words(fits=True),
    "logs": Words("nginx -s bank-a", FAILED),  # its container has no line
    "open": Words("fateboard -s bank-a --print"),
    "doctor": Words(),
    "support-bundle": Words("-s bank-a -o bundle.tar.gz"),
    "data upload": Words("--sample guest -s bank-a", FAILED),  # FATE 1.x
    "verify": Words(code=FAILED),  # FATE 1.x
    "firewall": Words(fits=True),
    "topology": Words("-s bank-a --format mermaid"),
    "render": Words("-s bank-a --out rendered"),
    "images list": Words(fits=True),
    "images pin": Words(code=FAILED),  # its registry does not answer
    "releases list": Words(fits=True),
    "releases check": Words("{}/own.yaml"),
    "releases show": Words("1.11.2", fits=True),
}


def verbs(command: Any = None, words: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every verb of the command: its words, and what Typer made of it."""
    command = command or typer.main.get_command(app)
    below = getattr(command, "commands", {})
    if not below:
        yield " ".join(words), command
    for name, found in below.items():
        yield from verbs(found, (*words, name))


def arguments(verb: str, folder: Path) -> list[str]:
    """A verb with the words that work in a lab."""
    return [*verb.split(), *VERBS[verb].words.replace("{}", str(folder / "others")).split()]


def _state(plan: StackPlan) -> dict[str, Any]:
    """What `pulumi stack export` says of a stack that was deployed with this plan."""
    component = naming.COMPONENT_PACKAGE + KINDS["party"].component
    resources = [{"type": component, "urn": f"urn::{unit.key}", "inputs": dict(unit.recorded)} for unit in plan.units]
    return {"deployment": {"resources": resources}}


class Lab:
    """A project with the stack bank-a, and programs that answer as if all of it ran."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

        def change(config: Config) -> None:
            config["boards"] = {"kind": "ingress", "domain": "bank-a.example", "className": "nginx"}
            config["identity"] = {"key": key_of("bank-a"), "serial": 1}
            config["images"] = {"registry": "127.0.0.1:1/fate"}
            config["parties"]["9999"].update({"persistence": {}, "tls": "partyCa", "modules": {"fateboard": {}, "client": {}}})
            config["peers"]["hospital"] = {"descriptor": f"peers/{'hospital' * 5}.json", "state": "pending"}
            config["peers"]["consortium"]["reason"] = FOREIGN

        case = STAR_PARTY.changed(change)
        case.write(stacks.project(folder / "project") / "stacks")
        stack = stacks.stack(folder / "project", "bank-a", case.text())
        plan = stack.load().plan
        (folder / "others").mkdir(parents=True)
        stacks.sent(folder / "others", stacks.party("clinic-b"), "clinic-b.json")
        (folder / "others" / "cluster.yaml").write_text(yaml.safe_dump(BASES["pulsar"]))
        (folder / "others" / "own.yaml").write_text("release: 1.11.2+bank.1\nbase: 1.11.2\n")
        descriptor = {"party-9999": stacks.party("bank-a", "9999")}
        before = STAR_PARTY.load(folder / "before").plan
        answers = {"stack export": json.dumps(_state(before)), "stack output descriptors": json.dumps(descriptor), "stack output": "{}"}
        answers["config get"] = identity_of("bank-a")
        pulumi = folder / "bin" / "pulumi"
        pulumi.parent.mkdir()
        pulumi.write_text(_PULUMI.format(python=sys.executable, answers=answers))
        pulumi.chmod(0o755)
        programs = {"KUBECTL": FakeKubectl(folder, plan).program, "HELM": FakeHelm(folder, plan).program, "PATH": pulumi.parent}
        self.environment = {name: str(path) for name, path in programs.items()}

    def fresh(self, folder: Path) -> Path:
        """The project as it was, in another folder."""
        return Path(shutil.copytree(self.folder / "project", folder))
