"""Both operators, with what a test asks them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox import train
from sandbox.flows import Flow
from sandbox.workspace import Workspace


@dataclass(frozen=True)
class Consortium:
    """Both operators, and the folder of their clusters."""

    root: Path
    bank: Workspace
    clinic: Workspace

    def flows(self) -> list[Flow]:
        """What crossed the network between the clusters so far."""
        return train.flows_between(self.root)


def verified(space: Workspace, *options: str) -> dict[str, Any]:
    """What `fatefed verify` says, whatever it ends with."""
    done = space.attempt("fatefed", "verify", "--timeout", "500", *options, "--json", "-s", space.organization)
    assert done.stdout, done.stderr.decode()
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def failed(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Its rows that failed."""
    assert answer["rows"], answer
    return [row for row in answer["rows"] if row["state"] != "ok"]
