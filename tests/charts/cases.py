"""The values that the charts are rendered with: the generated examples and what an operator may change in them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support.helm import CHARTS, helm_template
from tests.support.walk import Object

Values = dict[str, Any]
# An uid as OpenShift gives them: printed carelessly, a number of this size becomes 1.00065e+09.
LARGE_UID = 1000650000


@dataclass(frozen=True)
class Case:
    """A chart with values."""

    name: str
    chart: Path
    values: Values

    def render(self) -> list[Object]:
        """What helm makes of it."""
        return helm_template(self.chart, self.values)

    def changed(self, change: Callable[[Values], None], name: str = "changed") -> "Case":
        """The same with a change of its values."""
        values = yaml.safe_load(yaml.safe_dump(self.values))
        change(values)
        return Case(name, self.chart, values)

    def __str__(self) -> str:
        return self.name


def _example(chart: str) -> Case:
    path = CHARTS / chart
    return Case(chart, path, yaml.safe_load((path / "example-values.yaml").read_text()))


def _without_optional_modules(values: Values) -> None:
    for module in ("fateboard", "client"):
        del values["modules"][module]
    del values["board"], values["notebookPassword"]


def _without_persistence(values: Values) -> None:
    for module in values["modules"].values():
        module.pop("claim", None)


def _without_tls(values: Values) -> None:
    del values["pulsar"]["certificateSecret"]


def _placed(values: Values) -> None:
    values["imagePullSecrets"] = ["registry", "second"]
    values["imagePullPolicy"] = "Always"
    for name, module in values["modules"].items():
        module["nodeSelector"] = {"pool": name.lower()}
        module["tolerations"] = [{"key": "dedicated", "operator": "Equal", "value": "fate", "effect": "NoSchedule"}]
        module["env"] = {"TZ": "Europe/Berlin", "NUMBER": "1000000"}
        module["security"] = {"runAsUser": LARGE_UID, "capabilities": ["SYS_NICE"]}
        module["replicas"] = 2


def _large_identifier(values: Values) -> None:
    values["partyId"] = "1000000000"
    values["labels"]["federation.fate/party-id"] = "1000000000"


PARTY = _example("fate-party")
EXCHANGE = _example("fate-exchange")
SMALL = PARTY.changed(_without_optional_modules, "party without fateboard and client")
EPHEMERAL = PARTY.changed(_without_persistence, "party without persistence")
PLAINTEXT = PARTY.changed(_without_tls, "party without TLS")
PLACED = PARTY.changed(_placed, "party with placement")
LARGE = PARTY.changed(_large_identifier, "party with a large id")
EXCHANGE_PLACED = EXCHANGE.changed(_placed, "exchange with placement")

PARTIES = [PARTY, SMALL, EPHEMERAL, PLAINTEXT, PLACED, LARGE]
ALL = [*PARTIES, EXCHANGE, EXCHANGE_PLACED]
