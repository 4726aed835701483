"""What the program says of exported descriptors: by the addresses that the engine knows, and nothing of it is registered."""

from collections.abc import Mapping
from pathlib import Path

import pulumi
import pytest

from federation.peers.descriptor import Descriptor, field_texts
from tests.components.programs import run_program
from tests.components.recorder import Cluster, Run
from tests.components.test_components_other_stacks import registered
from tests.components.test_components_program import BALANCED
from tests.support.configs import LOCAL, Case

UNITS = ("exchange", "party-9999")
MOVED = {**BALANCED, "fate-9999/pulsar-public-tls": "203.0.113.250"}


class Program:
    """The program on the stack of an exchange and a party, and the warnings of its last run."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.monkeypatch, self.runs = folder, monkeypatch, 0
        self.said: list[str] = []
        monkeypatch.setattr(pulumi.log, "warn", lambda text, *_rest: self.said.append(text))

    def __call__(self, case: Case, cluster: Cluster) -> Run:
        self.runs += 1
        self.said.clear()
        return run_program(case, self.folder / str(self.runs), self.monkeypatch, cluster)

    @property
    def outdated(self) -> list[str]:
        """What was said of exports."""
        return [text for text in self.said if "exported descriptor" in text]

    def exported(self, balanced: Mapping[str, str] = BALANCED) -> Case:
        """The stack after both units were exported."""
        found = self(LOCAL, Cluster(balanced=balanced)).exports["descriptors"]
        fields = {unit: {"fields": field_texts(Descriptor.model_validate(found[unit]).plain())} for unit in UNITS}
        return LOCAL.changed(lambda config: config.update(exported=fields))


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    return Program(tmp_path, monkeypatch)


def test_an_up_that_gets_another_address_says_so_until_the_next_export(program: Program) -> None:
    case = program.exported()
    assert program.outdated == [], "never exported"
    program(case, Cluster(balanced=BALANCED))
    assert program.outdated == []
    program(case, Cluster(balanced=MOVED))
    (warning,) = program.outdated
    assert warning.startswith("party-9999: your exported descriptor is out of date (endpoints.pulsar.addresses: ")
    assert f"endpoints.pulsar.host: {BALANCED['fate-9999/pulsar-public-tls']} -> 203.0.113.250)" in warning
    assert "`fatefed descriptor export -s bank-a --unit party-9999 -o FILE`" in warning
    program(program.exported(MOVED), Cluster(balanced=MOVED))
    assert program.outdated == []


def test_a_preview_that_knows_no_address_names_what_it_knows(program: Program) -> None:
    case = program.exported()
    program(case, Cluster(preview=True))
    assert program.outdated == []
    changed = case.changed(lambda config: config["parties"]["9999"]["publish"]["pulsar"].update(port=16651))
    program(changed, Cluster(preview=True))
    (warning,) = program.outdated
    assert "(endpoints.pulsar.ports.tls: 6651 -> 16651)" in warning


def test_what_was_exported_is_registered_nowhere(program: Program) -> None:
    case = program.exported(MOVED)
    plain, exported = program(LOCAL, Cluster(balanced=BALANCED)), program(case, Cluster(balanced=BALANCED))
    assert program.outdated
    assert len(plain.resources) > 10
    assert registered(exported) == registered(plain)
    assert exported.exports == plain.exports
