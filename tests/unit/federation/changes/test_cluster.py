"""Which cluster a stack is deployed in: by UIDs, not by what a kubeconfig calls it."""

import pytest

from federation.changes.cluster import moved_cluster, other_cluster, unpinned_cluster
from federation.config.stack import ClusterSpec

HERE, THERE, PINNED = "kube-system", "5f3c1e0a-7b1d-4c55-9a3e-2f6d8c4b7a10", "00000000-0000-4000-8000-000000000000"
OLD, NEW = {HERE: PINNED}, {HERE: THERE}


def spec(**given: object) -> ClusterSpec:
    return ClusterSpec.model_validate(given)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({}, "the kubeconfig's current context"),
        ({"context": "prod"}, "context prod"),
        ({"kubeconfig": "/keys/a", "context": "prod"}, "kubeconfig /keys/a, context prod"),
        ({"inCluster": True}, "inCluster"),
    ],
    ids=str,
)
def test_another_cluster_is_refused_by_its_uid_with_what_leads_there(given: dict[str, object], shown: str) -> None:
    said = other_cluster(spec(**given), OLD, NEW)
    assert said is not None
    assert f"fate:cluster: {shown} leads to another cluster: kube-system has the UID {THERE} there, and {PINNED} where" in said
    assert f"set fate:cluster.uid: {THERE}" in said
    assert unpinned_cluster(spec(**given), NEW) is None


@pytest.mark.parametrize(
    ("remembered", "found"),
    [
        (OLD, OLD),
        ({}, NEW),
        (OLD, {"a/kube-root-ca.crt": THERE}),
        ({"a/kube-root-ca.crt": PINNED}, {"a/kube-root-ca.crt": PINNED, "b/kube-root-ca.crt": THERE}),
    ],
    ids=["the same", "nothing remembered", "another scope", "one namespace more"],
)
def test_what_both_do_not_know_is_no_other_cluster(remembered: dict[str, str], found: dict[str, str]) -> None:
    assert other_cluster(spec(), remembered, found) is None
    assert moved_cluster(remembered, found) is None


def test_a_named_cluster_allows_the_move_there_and_nothing_else() -> None:
    assert other_cluster(spec(uid=THERE), OLD, NEW) is None
    assert unpinned_cluster(spec(uid=THERE), NEW) is None
    assert (
        moved_cluster(OLD, NEW)
        == f"kube-system had the UID {PINNED}, and now {THERE}: its objects and data in the other cluster stay there"
    )
    said = unpinned_cluster(spec(uid=PINNED), NEW)
    assert said is not None
    assert f"kube-system has the UID {THERE} there, and fate:cluster.uid is {PINNED}" in said
    assert "or correct fate:cluster.uid" in said
