"""The providers of a stack: those of its objects, and the one by which the cluster is recognised before anything else."""

import json
import os
from collections.abc import Iterable

import pulumi
import pulumi_kubernetes as k8s
from pulumi import Output, ResourceOptions

from components.objects import KubernetesObject
from federation.base import naming
from federation.changes.cluster import unpinned_cluster, unreachable_cluster
from federation.config.kubeconfig import read_kubeconfig
from federation.config.stack import ClusterSpec

# Where Kubernetes puts a pod's own credentials, and the name under which pods reach the API server.
_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
_API_SERVER = "https://kubernetes.default.svc"
# The provider replaces every object when it believes that the cluster is another one, unless this stays the same. It compares what
# kubeconfigs say, and deletes with whatever kubeconfig is there then. Which cluster it is, `StackRecord` knows by its UID.
_IDENTIFIER = "known by its UID"
# A kind of every API server, in no namespace, that is no resource of Pulumi's.
_PROBE = json.dumps({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "metadata": {"name": "probe"}})
_UNANSWERED = "unanswered"


def cluster_uids(spec: ClusterSpec, namespaces: Iterable[str]) -> Output[dict[str, str]]:
    """By what the cluster is recognised: the UID of what nobody makes anew while it lives, by where it was read.

    Read by a provider of its own, which has no objects: theirs must not be touched while this one leads elsewhere.
    Raises, in a preview too, when `cluster.uid` names another cluster.
    """
    provider = _provider("cluster-reader", spec)
    opts = ResourceOptions(provider=provider)
    reached: Output[bool] = Output.from_input(_reached(spec, provider))

    def when_reached(name: str) -> Output[str]:
        return reached.apply(lambda _: name)

    if spec.scope == "cluster":
        read = {"kube-system": KubernetesObject.read("Namespace", when_reached("kube-system"), "kube-system", opts).metadata["uid"]}
    else:
        # The one object that Kubernetes puts into every namespace and that the published Role may read.
        names = sorted(f"{namespace}/{naming.ROOT_CA}" for namespace in namespaces)
        read = {name: KubernetesObject.read("ConfigMap", when_reached(name), name, opts).metadata["uid"] for name in names}

    def check(uids: dict[str, str]) -> dict[str, str]:
        if problem := unpinned_cluster(spec, uids):
            raise pulumi.RunError(problem)
        return uids

    return Output.all(**read).apply(check)


async def _reached(spec: ClusterSpec, provider: k8s.Provider) -> bool:
    """Raises, in our own words, when no API server answers: the provider would advise to forget all that is deployed there.

    The provider says it to nobody who only asks. But of a kind that it does not know itself it asks the API server whether it
    lives in a namespace, and takes it for one that does when there is no answer.
    """
    opts = pulumi.InvokeOptions(provider=provider)
    decoded = await pulumi.runtime.invoke_async("kubernetes:yaml:decode", {"text": _PROBE, "defaultNamespace": _UNANSWERED}, opts)
    if any(item["metadata"].get("namespace") == _UNANSWERED for item in decoded["result"]):
        raise pulumi.RunError(unreachable_cluster(spec, read_kubeconfig(spec, os.environ.get("KUBECONFIG", ""))))
    return True


def object_providers(spec: ClusterSpec, first: pulumi.Resource) -> tuple[ResourceOptions, k8s.Provider]:
    """The provider of a stack's objects, as options, and that of those which stay when the stack lets go of them.

    Both wait for `first`: what may refuse before. The first creates no object over one that is there, unless the stack takes a
    namespace over: otherwise a renamed resource would update the live object, and its deletion under the old name would delete it.
    The second does, so that a namespace that stayed is the stack's again; Pulumi deletes nothing of it.
    """
    # None, not False: an operator can set PULUMI_K8S_UPSERT_EXISTING_OBJECTS for one `up`; the SDK makes it an input.
    cluster = _provider("cluster", spec, first, upserts=True if spec.take_over else None)
    return ResourceOptions(provider=cluster), _provider("cluster-retained", spec, first, upserts=True)


def _provider(name: str, spec: ClusterSpec, first: pulumi.Resource | None = None, upserts: bool | None = None) -> k8s.Provider:
    # ConfigMaps and Secrets change in place: otherwise each change of a route table would delete and create it.
    # By an input: `depends_on` would wait for the children of a component, not for the component.
    in_place = None if first is None else first.urn.apply(lambda _: True)
    return k8s.Provider(
        name,
        # Empty, not absent: Pulumi would put the path in KUBECONFIG into the state, where it fails the next operator, who has none such.
        kubeconfig=_service_account() if spec.in_cluster else spec.kubeconfig or "",
        context=spec.context,
        cluster_identifier=_IDENTIFIER,
        enable_config_map_mutable=in_place,
        enable_secret_mutable=in_place,
        upsert_existing_objects=upserts,
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
