"""What `make demo` shows at its end: organizations, parties, endpoints, module status, routes, and what to try next."""

from collections.abc import Mapping
from typing import Any

from sandbox.errors import SandboxError
from sandbox.workspace import Workspace


def show_summary(spaces: Mapping[str, Workspace], parties: Mapping[str, str], seconds: float) -> None:
    """Print the summary. SandboxError when a module is not ready or a route is not what it should be."""
    problems: list[str] = []
    for name, space in spaces.items():
        outputs = space.json("pulumi", "stack", "output", "-s", name)
        for unit, endpoints in outputs["endpoints"].items():
            print(f"\n{name}  {unit}  (FATE {outputs['release'][unit]}, routes {outputs['routeRevision'][unit]})")
            for service, endpoint in endpoints.items():
                ports = ", ".join(f"{purpose} {port}" for purpose, port in endpoint["ports"].items())
                print(f"  endpoint {service:14} {endpoint['host']}  {ports}")
            namespace = next(iter(_namespaces(space, unit)))
            problems += _show_modules(space, namespace)
        if outputs["pendingPeers"]:
            problems.append(f"{name} has pending peers: {outputs['pendingPeers']}")
    _show_routes(spaces["consortium"])
    _show_next(parties)
    print(f"\n{seconds:.0f} s in all")
    if problems:
        raise SandboxError("\n".join(problems))


def _namespaces(space: Workspace, unit: str) -> list[str]:
    workloads = space.kubectl("get", "statefulsets,deployments", "-A", "-l", f"app.kubernetes.io/instance={unit}")["items"]
    if not workloads:
        raise SandboxError(f"{space.organization}: {unit} has no workloads")
    return sorted({item["metadata"]["namespace"] for item in workloads})


def _show_modules(space: Workspace, namespace: str) -> list[str]:
    problems = []
    shown = []
    for item in space.kubectl("get", "statefulsets,deployments", "-n", namespace)["items"]:
        name, wanted, ready = item["metadata"]["name"], item["spec"]["replicas"], item["status"].get("readyReplicas", 0)
        shown.append(f"{name} {ready}/{wanted}")
        if ready != wanted:
            problems.append(f"{space.organization}: {name} has {ready} of {wanted} replicas ready")
    print(f"  modules  {', '.join(shown)}")
    return problems


def _show_routes(consortium: Workspace) -> None:
    data: dict[str, Any] = consortium.kubectl("get", "configmap", "exchange-routes", "-n", "fate-exchange")["data"]
    print("\nroutes of the exchange")
    for name in ("sni.yaml", "route_table.yaml"):
        print(f"  {name}")
        print("".join(f"    {line}\n" for line in data[name].splitlines()), end="")


def _show_next(parties: Mapping[str, str]) -> None:
    name, party = next(iter(parties.items()))
    print(f"""
to go on by hand
  cd .demo/{name} && . ./env
  kubectl get pods -n fate-{party}
  pulumi config set --path 'fate:parties.{party}.modules.spark.workers' 3 && pulumi preview
  fatefed render -s {name} --out /tmp/{name}
a third party: `fatefed init party -s shop-c --party-id 10001` (README, "Add a third party to the demo")
the end: make demo-down""")
