"""`fatefed doctor --engines` against a real Pulsar: what it finds right, and each thing that is wrong."""

from collections.abc import Callable, Iterator

import pytest

from cli.doctor.engines.checks import engine_rows
from cli.doctor.rows import Row
from federation.config.credentials import Credential
from federation.config.stack import StackSpec
from tests.pulsar.brokers import HOST, OWN_CLUSTER, TENANT, Broker, broker, free_port
from tests.pulsar.deployed import deployed
from tests.support.configs import PULSAR, STAR_PARTY, Case, external
from tests.support.trust import trusting

pytestmark = pytest.mark.pulsar

CHECKS = ["broker is reachable", "admin API knows the cluster", f"tenant {TENANT}", "TLS for peers"]


def rows(party: str = "9999", **settings: object) -> dict[str, Row]:
    """The rows, by check, for a party whose external Pulsar is this. On loopback, where no stack may have it: made without the rules."""
    case: Case = STAR_PARTY.changed(
        lambda config: config.update(
            parties={party: config["parties"]["9999"] | {"engines": external(pulsar={**PULSAR, "cluster": OWN_CLUSTER, **settings})}}
        )
    )

    def password(credential: Credential) -> str:
        raise AssertionError("Pulsar has no password here")

    found = list(engine_rows(StackSpec.model_validate(case.config), password))
    return {row.check.removeprefix(f"party-{party} pulsar: ").partition(":")[0]: row for row in found}


def at(found: Broker) -> dict[str, object]:
    """Where a broker is."""
    return {"host": HOST, "port": found.port, "tlsPort": found.tls_port, "managementPort": found.admin_port}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker with the certificate of party 9999."""
    folder = tmp_path_factory.mktemp("doctor")
    made = deployed(trusting(STAR_PARTY, "9999"), "9999", folder, {})
    with broker(folder / "broker", made.configuration, made.certificates) as found:
        yield found


def test_a_broker_that_is_right_is_ok_before_and_after_fate_s_first_task(own: Broker) -> None:
    for said in ("is not there yet; FATE makes it", "is there"):
        found = rows(**at(own))
        assert list(found) == CHECKS
        assert [row for row in found.values() if row.state != "ok"] == []
        assert found[f"tenant {TENANT}"].check.endswith(f": {said}")
        if "not" in said:
            own.done("PUT", f"tenants/{TENANT}", {"adminRoles": [], "allowedClusters": [OWN_CLUSTER]})
    assert ": certificate for 9999.fraud.example until 20" in found["TLS for peers"].check


Fault = Callable[[Broker], dict[str, Row]]


@pytest.mark.parametrize(
    ("fault", "check", "said"),
    [
        (
            lambda found: rows(**at(found) | {"cluster": "bank-a"}),
            "admin API knows the cluster",
            "there is no cluster bank-a, only standalone",
        ),
        (lambda found: rows(**at(found) | {"port": free_port()}), "broker is reachable", "nothing listens there"),
        (lambda found: rows(**at(found) | {"managementPort": found.port}), "admin API knows the cluster", "closed without an answer"),
        (lambda found: rows(**at(found) | {"tlsPort": found.port}), "TLS for peers", "closed without an answer"),
        (
            lambda found: rows("10000", **at(found)),
            "TLS for peers",
            "the certificate is for 9999.fraud.example, not for 10000.fraud.example",
        ),
    ],
    ids=["another cluster", "nothing listens", "no admin API", "no TLS", "another party's certificate"],
)
def test_each_fault_is_named_at_its_check(own: Broker, fault: Fault, check: str, said: str) -> None:
    found = fault(own)
    assert found[check].state == "failed"
    assert said in found[check].problem
    assert found[check].fix


def test_a_tenant_that_may_not_use_the_cluster_is_named(own: Broker) -> None:
    own.done("PUT", "clusters/elsewhere", {"brokerServiceUrl": "pulsar://192.0.2.1:6650", "serviceUrl": "http://192.0.2.1:8080"})
    if own.ask("GET", f"tenants/{TENANT}")[0] == 404:
        own.done("PUT", f"tenants/{TENANT}", {"adminRoles": [], "allowedClusters": ["elsewhere"]})
    own.done("POST", f"tenants/{TENANT}", {"adminRoles": [], "allowedClusters": ["elsewhere"]})
    row = rows(**at(own))[f"tenant {TENANT}"]
    assert (row.state, row.problem) == ("failed", "may not use cluster standalone")
    assert row.fix == f"pulsar-admin tenants update {TENANT} --allowed-clusters standalone"
