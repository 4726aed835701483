"""Jobs of real FATE across two clusters that only `pulumi up` deployed, judged by what FATE-Flow's API says."""

import pytest

from sandbox import train
from tests.real.consortium import Consortium, failed, verified

pytestmark = pytest.mark.nodes

SHARED, AUC_FLOOR = 400, 0.95


def test_both_organizations_train_a_model(consortium: Consortium) -> None:
    """PSI, Hetero SecureBoost and its evaluation, over both planes in both directions."""
    answer = verified(consortium.bank, "--peer", train.PARTIES[train.HOST], "--job", "train")
    assert failed(answer) == [], answer
    assert answer["result"]["shared"] == SHARED
    assert answer["result"]["auc"] > AUC_FLOOR


def test_nothing_but_the_published_ports_crosses_between_the_clusters(consortium: Consortium) -> None:
    """Control plane and data plane, each in both directions; no other port of anyone."""
    flows = consortium.flows()
    assert {flow.port for flow in flows} == {9300, 5672}
    assert {(flow.client, flow.port) for flow in flows} == {
        (client, port) for client in train.node_addresses(consortium.root) for port in (9300, 5672)
    }
    assert all(flow.sent and flow.received for flow in flows)


def test_a_suspended_peer_is_refused_and_after_that_killed_pods_come_back_with_their_data(consortium: Consortium) -> None:
    """The peer's database and FATE-Flow are killed while it is suspended; a job with it shows that routes, tables and accounts are back."""
    bank, clinic, peer = consortium.bank, consortium.clinic, ("--peer", train.PARTIES[train.HOST])
    namespace = f"fate-{train.PARTIES[train.HOST]}"
    bank.fatefed("peers", "suspend", train.HOST)
    bank.up()
    assert failed(verified(bank, *peer, "--timeout", "120")), "a suspended peer took a job"
    clinic.run("kubectl", "delete", "pod", "mysql-0", "python-0", "-n", namespace, "--grace-period=0", "--force")
    for workload in ("statefulset/mysql", "statefulset/python"):
        clinic.run("kubectl", "rollout", "status", workload, "-n", namespace, "--timeout=180s")
    bank.fatefed("peers", "resume", train.HOST)
    bank.up()
    assert failed(verified(bank, *peer)) == []
    again = clinic.attempt("fatefed", "data", "upload", "--sample", "host", "-s", train.HOST)
    assert b"exists, with 500 rows" in again.stderr, "the table of the sample went with the pod"
