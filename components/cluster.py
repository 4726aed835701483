"""The one explicit provider of a stack."""

import json

import pulumi
import pulumi_kubernetes as k8s

from federation.spec import ClusterSpec

# Where Kubernetes puts a pod's own credentials, and the name under which pods reach the API server.
_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
_API_SERVER = "https://kubernetes.default.svc"


def cluster_provider(spec: ClusterSpec, first: pulumi.Resource) -> k8s.Provider:
    """The provider of a stack's cluster, which every object waits for; `first`: what may refuse before.

    ConfigMaps and Secrets change in place: otherwise each change of a route table would delete and create it.
    """
    # By an input: `depends_on` would wait for the children of a component, not for the component.
    in_place = first.urn.apply(lambda _: True)
    return k8s.Provider(
        "cluster",
        kubeconfig=_service_account() if spec.in_cluster else spec.kubeconfig,
        context=spec.context,
        enable_config_map_mutable=in_place,
        enable_secret_mutable=in_place,
    )


def _service_account() -> str:
    """A kubeconfig for the pod's service account; without it, a kubeconfig found in the pod would win."""
    cluster = {"server": _API_SERVER, "certificate-authority": f"{_ACCOUNT}/ca.crt"}
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "pod", "cluster": cluster}],
            "users": [{"name": "pod", "user": {"tokenFile": f"{_ACCOUNT}/token"}}],
            "contexts": [{"name": "pod", "context": {"cluster": "pod", "user": "pod"}}],
            "current-context": "pod",
        }
    )
