"""A kubectl that answers what a test wants: the plan's objects as a cluster would show them, or a refusal."""

import base64
import json
import sys
from pathlib import Path
from typing import Any

from cli.doctor.planned import resource
from cli.doctor.snapshot import Expected, expected
from federation.base.live import live_values, substitute
from federation.manifests.objects import Manifest
from federation.stack.plan import StackPlan
from federation.units.unit import UnitPlan

Answers = dict[str, Any]
FORBIDDEN = 'Error from server (Forbidden): {} is forbidden: User "viewer" cannot list resource'
NOT_FOUND = "Error from server (NotFound): {} not found"

_SCRIPT = """#!{python}
import json, pathlib, subprocess, sys, time
here = pathlib.Path({folder!r})
arguments = [a for a in sys.argv[1:] if not a.startswith(("--request-timeout", "--context", "--kubeconfig", "--all-namespaces"))]
with (here / "asked").open("a") as log:
    log.write(json.dumps(sys.argv[1:]) + "\\n")
time.sleep(float((here / "seconds").read_text()) if (here / "seconds").exists() else 0)
answers = json.loads((here / "answers.json").read_text())
place = "/" + arguments[arguments.index("--namespace") + 1] if "--namespace" in arguments else ""
if arguments[0] == "create" and "create" not in answers:
    # The Job's container runs here, as a kubelet would run it.
    job = json.load(sys.stdin)
    [container] = job["spec"]["template"]["spec"]["containers"]
    (here / "job.json").write_text(json.dumps(job))
    run = [sys.executable, *container["command"][1:], *container["args"]]
    done = subprocess.run(run, capture_output=True, text=True, env={{"PYTHONPATH": str(here / "site")}})
    name, place = job["metadata"]["name"], job["metadata"]["namespace"]
    ended = {{"metadata": {{"name": name + "-x", "labels": {{"job-name": name}}}}, "status": {{"phase": "Succeeded"}}}}
    answers["pods/" + place].append(ended)
    answers["logs/" + place + "/" + name + "-x"] = done.stdout or done.stderr
    (here / "answers.json").write_text(json.dumps(answers))
    sys.exit(print("job.batch/" + name))
if arguments[0] == "delete" and "delete" not in answers:
    sys.exit()
if arguments[0] == "get" and arguments[1] == "--raw":
    key = arguments[2]
elif arguments[0] == "get":
    key = arguments[1] + place + ("/" + arguments[2] if not arguments[2].startswith("--") else "")
elif arguments[:2] == ["auth", "can-i"]:
    denied = " ".join(arguments[2:4]) in answers["denied"]
    sys.exit(print("no" if denied else "yes") or int(denied))
elif arguments[0] == "logs":
    key = "logs" + place + "/" + (arguments[arguments.index("--selector") + 1] if "--selector" in arguments else arguments[1])
else:
    key = arguments[0]
answer = answers.get(key, "Error from server (NotFound): " + key + " not found")
if isinstance(answer, str) and (answer.startswith("error:") or arguments[0] not in ("logs", "port-forward")):
    sys.exit(answer)
print(answer if isinstance(answer, str) else json.dumps({{"items": answer}} if isinstance(answer, list) else answer))
"""


_HELM = """#!{python}
import json, pathlib, sys
print("---\\n".join(json.dumps(one) + "\\n" for one in json.loads(pathlib.Path({file!r}).read_text())[sys.argv[2]]))
"""


class FakeHelm:
    """A helm that renders of each unit's chart its workloads, a ConfigMap, a Service and its consoles' Ingresses."""

    def __init__(self, folder: Path, plan: StackPlan) -> None:
        self.program = folder / "helm"
        file = folder / "charts.json"
        file.write_text(json.dumps({unit.key: chart_objects(unit) for unit in plan.units}))
        self.program.write_text(_HELM.format(python=sys.executable, file=str(file)))
        self.program.chmod(0o755)


class FakeKubectl:
    """The program, its answers by question (`pods/fate-9999`, `namespaces/fate-9999`, `/version`), and what it was asked."""

    def __init__(self, folder: Path, plan: StackPlan) -> None:
        self.folder = folder
        self.program = folder / "kubectl"
        self.program.write_text(_SCRIPT.format(python=sys.executable, folder=str(folder)))
        self.program.chmod(0o755)
        self.answers = healthy(plan)
        self.write()

    def write(self) -> None:
        """Let it answer what `answers` holds now."""
        (self.folder / "answers.json").write_text(json.dumps(self.answers))

    def slow(self, seconds: float) -> None:
        """Let it think before each answer."""
        (self.folder / "seconds").write_text(str(seconds))

    @property
    def asked(self) -> list[list[str]]:
        """The arguments of every call."""
        return [json.loads(line) for line in (self.folder / "asked").read_text().splitlines()]


def healthy(plan: StackPlan) -> Answers:
    """The answers of a cluster where everything of a plan is there and well."""
    answers: Answers = {
        "/version": {"gitVersion": "v1.34.1"},
        "version": {"clientVersion": {"gitVersion": "v1.34.0"}},
        "storageclasses": [_named("standard", {"storageclass.kubernetes.io/is-default-class": "true"})],
        "ingressclasses": [_named("nginx")],
        "services": [],
        "denied": [],
        "/apis/cert-manager.io/v1": {"resources": [{"kind": "Certificate"}]},
    }
    for unit in plan.units:
        answers |= _unit(unit)
    return answers


def _unit(unit: UnitPlan) -> Answers:
    place, modules = unit.namespace, expected(unit)
    stateful = [module for module in modules if module.claims]
    chart = chart_objects(unit)
    config_maps = [*(_live(manifest) for manifest in (*unit.owner, *unit.routes)), *(one for one in chart if one["kind"] == "ConfigMap")]
    services = [*(manifest.document() for manifest in unit.services), *(one for one in chart if one["kind"] == "Service")]
    namespaces = [manifest.document() for manifest in unit.namespace_object]
    return (
        {
            f"namespaces/{place}": namespaces[0] if namespaces else _named(place),
            f"deployments/{place}": [_workload(unit, module) for module in modules if module not in stateful],
            f"statefulsets/{place}": [_workload(unit, module) for module in stateful],
            f"pods/{place}": [pod(unit, module) for module in modules],
            f"persistentvolumeclaims/{place}": [_claim(unit, module, number) for module in stateful for number in range(module.claims)],
            f"services/{place}": [_service(document) for document in services],
            f"networkpolicies/{place}": [manifest.document() for manifest in unit.policies],
            f"resourcequotas/{place}": [],
            f"ingresses/{place}": [_ingress(name, host) for name, host in unit.console_hosts.items()],
            f"events/{place}": [],
            f"certificates.cert-manager.io/{place}": [_certificate(manifest) for manifest in unit.certificates],
            f"certificaterequests.cert-manager.io/{place}": [_request(manifest, unit) for manifest in unit.certificates],
        }
        | {f"configmaps/{place}/{document['metadata']['name']}": document for document in config_maps}
        | {f"{resource(board.document())}/{place}/{board.name}": board.document() for board in unit.console_objects}
    )


def chart_objects(unit: UnitPlan) -> list[Answers]:
    """What `FakeHelm` makes of a unit's chart."""
    workloads = [{key: value for key, value in _workload(unit, module).items() if key != "status"} for module in expected(unit)]
    labels = {"app.kubernetes.io/instance": unit.key}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "nginx-config", "labels": labels}, "data": {"nginx.conf": "x"}}
    ports = [{"name": "mysql", "port": 3306, "targetPort": "mysql"}]
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "mysql", "labels": labels}}
    # Other ways to show consoles are typed objects.
    hosts = {} if unit.console_objects else unit.console_hosts
    ingresses = [{"apiVersion": "networking.k8s.io/v1", "kind": "Ingress"} | _ingress(name, host) for name, host in hosts.items()]
    return [*workloads, config, {**service, "spec": {"type": "ClusterIP", "ports": ports}}, *ingresses]


def _live(manifest: Manifest) -> Answers:
    """A route table as `pulumi up` fills it in."""
    document = manifest.document()
    values = {value: "203.0.113.50" if value.field == "loadBalancer" else "10.0.0.1" for value in live_values(document)}
    found: Answers = substitute(document, values)
    return found


def _labels(unit: UnitPlan, module: Expected) -> dict[str, str]:
    return {"app.kubernetes.io/name": module.component, "app.kubernetes.io/instance": unit.key}


def _named(name: str, annotations: dict[str, str] | None = None) -> Answers:
    return {"metadata": {"name": name, "annotations": annotations or {}}}


def _workload(unit: UnitPlan, module: Expected) -> Answers:
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet" if module.claims else "Deployment",
        "metadata": {"name": module.component, "labels": _labels(unit, module)},
        "spec": {"replicas": module.replicas, "template": {"spec": {"containers": [{"name": "main", "image": module.image}]}}},
        "status": {"readyReplicas": module.replicas},
    }


def pod(unit: UnitPlan, module: Expected) -> Answers:
    """A pod of a module that is ready."""
    return {
        "metadata": {"name": f"{module.component}-0", "labels": _labels(unit, module), "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"containers": [{"name": "main", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}]},
        "status": {"containerStatuses": [{"name": "main", "restartCount": 0, "state": {"running": {}}}]},
    }


def _claim(unit: UnitPlan, module: Expected, number: int) -> Answers:
    return {
        "metadata": {"name": f"data-{module.component}-{number}", "labels": _labels(unit, module)},
        "spec": {"storageClassName": "standard", "resources": {"requests": {"storage": "1Gi"}}},
        "status": {"phase": "Bound", "capacity": {"storage": "1Gi"}},
    }


def _service(document: Answers) -> Answers:
    spec = document["spec"]
    status = {"loadBalancer": {"ingress": [{"ip": "203.0.113.50"}]}} if spec["type"] == "LoadBalancer" else {}
    return {**document, "spec": {**spec, "clusterIP": "10.0.0.1"}, "status": status}


def _certificate(manifest: Manifest) -> Answers:
    """A Certificate that cert-manager signed as it is asked for now."""
    ready = {"type": "Ready", "status": "True", "observedGeneration": 1, "message": "Certificate is up to date and has not expired"}
    return {
        "metadata": {"name": manifest.name, "generation": 1},
        **manifest.fields,
        "status": {"conditions": [ready], "notAfter": "2027-11-22T09:00:00Z", "revision": 1},
    }


def _request(manifest: Manifest, unit: UnitPlan) -> Answers:
    """What the Issuer signed: the CA's own certificate serves for one, since it is signed by that CA."""
    annotations = {"cert-manager.io/certificate-name": manifest.name, "cert-manager.io/certificate-revision": "1"}
    signed = "" if unit.tls is None or unit.tls.issuer is None else unit.tls.issuer.certificate
    return {"metadata": {"name": f"{manifest.name}-1", "annotations": annotations}, "status": {"certificate": encoded(signed)}}


def encoded(text: str) -> str:
    """Bytes as JSON has them."""
    return base64.b64encode(text.encode()).decode()


def _ingress(name: str, host: str) -> Answers:
    return {"metadata": {"name": name}, "spec": {"rules": [{"host": host}]}}
