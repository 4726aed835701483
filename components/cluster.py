"""The one explicit provider of a stack."""

import pulumi_kubernetes as k8s

from federation.spec import ClusterSpec


def cluster_provider(spec: ClusterSpec) -> k8s.Provider:
    """The provider of a stack's cluster.

    ConfigMaps and Secrets change in place: otherwise each change of a route table would delete and create it.
    """
    return k8s.Provider(
        "cluster",
        kubeconfig=spec.kubeconfig,
        context=spec.context,
        enable_config_map_mutable=True,
        enable_secret_mutable=True,
    )
