"""The program of docs/reference/api.md, with the real `pulumi`: Automation API, backend and cluster."""

import ast
import sys
from pathlib import Path

import pytest

from sandbox import pki
from sandbox.workspace import Workspace
from tests.engine.operators import DOMAIN, FEDERATION, PUBLISHED, give_secrets, operator, spark_party
from tests.support.api_page import BLOCKS

pytestmark = pytest.mark.engine


@pytest.fixture
def bank(clusters: dict[str, Path], authority: pki.Authority, tmp_path: Path) -> Workspace:
    """A party that is not deployed yet, and its own exchange."""
    hub = {
        "namespace": "exchange-api",
        "release": "1.11.2",
        "modules": {"trafficServer": {"image": {"tag": "checked-1"}}},
        "publish": {"trafficServer": PUBLISHED, "nginx": PUBLISHED},
    }
    config = {
        "organization": "api",
        "federation": FEDERATION,
        "exchange": hub,
        "parties": {"9999": spark_party("party-api", exchange="local")},
    }
    space = operator("api", tmp_path, clusters["consortium"], config)
    give_secrets(space, authority, {"party-9999": f"9999.{DOMAIN}"})
    return space


def test_a_program_previews_a_stack_by_the_automation_api(bank: Workspace) -> None:
    printed = bank.run(sys.executable, "-c", "\n".join(BLOCKS[:2]), "api").splitlines()
    assert [line.split(":")[0] for line in printed[:-1]] == ["exchange", "party-9999"]
    summary = ast.literal_eval(printed[-1])
    assert summary["create"] > 50
    assert summary.keys() <= {"create", "read"}
    assert len(bank.preview()) == summary["create"]
