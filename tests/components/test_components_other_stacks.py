"""Peers whose descriptor comes from another stack: what the program asks the engine, and what it says; nothing of it is registered."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]
import pulumi
import pytest
from pulumi.runtime import mocks

from federation.peers.descriptor import Descriptor
from tests.components.programs import run_program
from tests.components.recorder import Cluster, Registered, Run
from tests.components.test_components_program import BALANCED
from tests.support.configs import CLINIC, EXCHANGE, Case

OTHER = "organization/fate/clinic-b"
CASE = Case("an exchange with a member of another stack", EXCHANGE.config).changed(lambda config: config.update(peers={}))
CASE = CASE.with_peer_file("clinic-b", CLINIC.text().encode(), stack=OTHER, unit="party-10000")
CANARY = "canary-of-another-stack"


class RefusedError(grpc.RpcError):
    """An answer of the engine that is none."""

    def code(self) -> grpc.StatusCode:
        """As gRPC says it."""
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        """The engine's words."""
        return str(self)


@dataclass
class Backend(Cluster):
    """A cluster, and a state backend with one other stack: `found` is what the engine answers about it."""

    found: Any = None
    asked: list[tuple[str, Any]] = field(default_factory=list)

    def call(self, args: mocks.MockCallArgs) -> Any:
        """Outputs of another stack, or the engine's refusal."""
        if args.token == "kubernetes:yaml:decode":
            return super().call(args)
        self.asked.append((args.token, args.args))
        if isinstance(self.found, RefusedError):
            raise self.found
        return self.found


def answer(secret: tuple[str, ...] = (), **outputs: Any) -> dict[str, Any]:
    """What the engine answers about another stack."""
    return {"name": OTHER, "outputs": outputs, "secretOutputNames": list(secret)}


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The warnings of a run."""
    found: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda text, *_rest: found.append(text))
    return found


def ran(found: Any, folder: Path, monkeypatch: pytest.MonkeyPatch, case: Case = CASE) -> tuple[Run, Backend]:
    """The program on the exchange's stack."""
    backend = Backend(balanced=BALANCED, found=found)
    return run_program(case, folder, monkeypatch, backend), backend


def registered(run: Run) -> list[Registered]:
    """What a run registered; the order of registrations is not its own."""
    return sorted(run.resources, key=lambda resource: resource.urn)


def moved() -> dict[str, Any]:
    """What the clinic publishes after its address changed."""
    body = CLINIC.plain()
    body["endpoints"]["pulsar"]["host"] = "203.0.113.77"
    return Descriptor.model_validate(body).plain()


def test_the_engine_is_asked_once_and_says_nothing_of_what_was_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    _, backend = ran(answer(descriptors={"party-10000": CLINIC.plain()}), tmp_path, monkeypatch)
    assert backend.asked == [("pulumi:pulumi:readStackOutputs", {"name": OTHER})]
    assert not [warning for warning in said if "clinic-b" in warning]


def test_another_descriptor_is_a_warning_and_changes_nothing_that_is_registered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    same, _ = ran(answer(descriptors={"party-10000": CLINIC.plain()}), tmp_path / "same", monkeypatch)
    before = len(said)
    changed, _ = ran(answer(descriptors={"party-10000": moved()}, other=CANARY), tmp_path / "changed", monkeypatch)
    (warning,) = [text for text in said[before:] if "clinic-b" in text]
    assert "endpoints.pulsar.host: 203.0.113.20 -> 203.0.113.77" in warning
    assert "`fatefed peers add --name clinic-b -s consortium`" in warning
    assert len(same.resources) > 10
    assert registered(changed) == registered(same)
    assert changed.exports == same.exports
    assert CANARY not in f"{changed}{said}"


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (
            RefusedError(f'invocation of pulumi:pulumi:readStackOutputs returned an error: unknown stack "{OTHER}"'),
            f'cannot be read: unknown stack "{OTHER}"',
        ),
        (RefusedError("no backend client is available"), "cannot be read: no backend client is available"),
        (answer(), "publishes no descriptor: it is not deployed"),
        (answer(("descriptors",), descriptors={}), "its output `descriptors` is a secret"),
        (answer(("descriptors",), descriptors={"party-10000": CANARY}), "its output `descriptors` is a secret"),
    ],
    ids=["gone", "no backend", "not deployed", "elided", "secret"],
)
def test_a_stack_that_cannot_be_read_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[str], found: Any, expected: str
) -> None:
    run, _ = ran(found, tmp_path, monkeypatch)
    (warning,) = [text for text in said if "clinic-b" in text]
    assert warning.startswith(f"peer clinic-b: stack {OTHER} ")
    assert expected in warning
    assert "its accepted descriptor stays in force" in warning
    (routes,) = [found for found in run.of("ConfigMap") if found.name.endswith("exchange-routes")]
    assert "203.0.113.20" in str(routes.inputs)
    assert CANARY not in f"{run}{said}"
