"""The consoles of a party, or of its FATE-Serving, that browsers reach: which, under which names, by which objects, and how
a person finds them.

Ingresses are part of the party's chart. HTTPRoutes and Istio's objects are typed: a kind that the cluster does not know
would make the whole chart fail, with the party in it (docs/decisions).
"""

from collections.abc import Collection, Mapping
from typing import Any

from federation.access.console_rows import CONSOLES, DEFAULT_CONSOLES
from federation.base import naming
from federation.base.scalars import PartyId, is_ip
from federation.chart_values.fate import Boards, ShownConsole
from federation.config.boards import BoardsSpec, ConsoleSpec, HttpRouteBoards, IngressBoards, IstioBoards, PartyConsoleSpec
from federation.config.units import AnyUnit, ConsoleUnit
from federation.manifests.objects import TLS_SECRET_TYPE, Manifest, SecretPlan

_GATEWAY_API, _ISTIO = "gateway.networking.k8s.io/v1", "networking.istio.io/v1beta1"


def shown(unit: ConsoleUnit, deployed: Collection[str]) -> dict[str, PartyConsoleSpec]:
    """The consoles of a unit that are shown, in the table's order. `deployed`: its modules, by their names in the catalogue."""
    if unit.stack.boards is None:
        return {}
    everyone = unit.stack.boards.consoles.named or {name: ConsoleSpec() for name in DEFAULT_CONSOLES}
    wanted = {name: PartyConsoleSpec(annotations=console.annotations) for name, console in everyone.items()}
    for name, console_spec in unit.spec.boards.named.items():
        if console_spec == "none":
            wanted.pop(name, None)
        else:
            shared = everyone[name].annotations if name in everyone else {}
            wanted[name] = console_spec.model_copy(update={"annotations": {**shared, **console_spec.annotations}})
    return {name: wanted[name] for name, console in CONSOLES.items() if name in wanted and console.module in deployed}


def host_of(boards: BoardsSpec | None, party: PartyId, name: str, console: PartyConsoleSpec) -> str:
    """The host name of a console that is shown."""
    domain = "" if boards is None else boards.domain
    return console.host or CONSOLES[name].host(party, domain)


def shown_consoles(unit: ConsoleUnit, deployed: Collection[str]) -> dict[str, ShownConsole]:
    """The objects of each console of a unit that browsers reach."""
    shared = {} if unit.stack.boards is None else unit.stack.boards.annotations
    return {
        name: ShownConsole(
            component=CONSOLES[name].component,
            object=CONSOLES[name].object,
            service=CONSOLES[name].service,
            port=unit.release.ports[CONSOLES[name].port],
            host=host_of(unit.stack.boards, unit.party, name, console),
            path=console.path,
            annotations={**shared, **console.annotations},
        )
        for name, console in shown(unit, deployed).items()
    }


def console_values(boards: BoardsSpec | None, consoles: Mapping[str, ShownConsole]) -> Boards | None:
    """The chart's section about consoles; None when none is shown by an Ingress."""
    if not isinstance(boards, IngressBoards) or not consoles:
        return None
    secret = None if boards.tls is None else boards.tls.kubernetes_secret or naming.CONSOLE_CERTIFICATE
    return Boards(class_name=boards.class_name, tls_secret=secret, consoles=dict(consoles))


def console_objects(unit: AnyUnit, consoles: Mapping[str, ShownConsole]) -> tuple[Manifest, ...]:
    """The custom resources that show consoles."""
    scope = (unit.namespace, unit.labels)
    if not consoles:
        return ()
    match unit.stack.boards:
        case HttpRouteBoards() as boards:
            return tuple(_route(boards, name, console, *scope) for name, console in consoles.items())
        case IstioBoards() as boards:
            gateway = f"{unit.key}-gateway"
            services = (_virtual_service(gateway, name, console, *scope) for name, console in consoles.items())
            return (_istio_gateway(boards, gateway, list(consoles.values()), *scope), *services)
    return ()


def _route(boards: HttpRouteBoards, name: str, console: ShownConsole, namespace: str, labels: Mapping[str, str]) -> Manifest:
    spec = {
        "parentRefs": [boards.gateway.plain()],
        "hostnames": [console.host],
        "rules": [
            {
                "matches": [{"path": {"type": "PathPrefix", "value": console.path}}],
                "backendRefs": [{"name": console.service, "port": console.port}],
            }
        ],
    }
    return Manifest(f"{name}-route", _GATEWAY_API, "HTTPRoute", console.object, namespace, labels, console.annotations, {"spec": spec})


def _istio_gateway(boards: IstioBoards, gateway: str, consoles: list[ShownConsole], namespace: str, labels: Mapping[str, str]) -> Manifest:
    hosts = list(dict.fromkeys(console.host for console in consoles))
    http: dict[str, Any] = {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": hosts}
    servers = [http]
    if boards.credential_name is not None:
        http["tls"] = {"httpsRedirect": True}
        tls = {"mode": "SIMPLE", "credentialName": boards.credential_name}
        servers.append({"port": {"number": 443, "name": "https", "protocol": "HTTPS"}, "tls": tls, "hosts": hosts})
    spec = {"selector": dict(boards.selector), "servers": servers}
    return Manifest("boards-gateway", _ISTIO, "Gateway", gateway, namespace, labels, boards.annotations, {"spec": spec})


def _virtual_service(gateway: str, name: str, console: ShownConsole, namespace: str, labels: Mapping[str, str]) -> Manifest:
    route = {"destination": {"host": console.service, "port": {"number": console.port}}}
    spec = {
        "gateways": [gateway],
        "hosts": [console.host],
        "http": [{"match": [{"uri": {"prefix": console.path}}], "route": [route]}],
    }
    return Manifest(f"{name}-route", _ISTIO, "VirtualService", console.object, namespace, labels, console.annotations, {"spec": spec})


def console_secret(unit: AnyUnit, values: Boards | None) -> tuple[SecretPlan, ...]:
    """The Secret with the certificate of every host, when it is in fate:secrets."""
    boards = unit.stack.boards
    if values is None or not isinstance(boards, IngressBoards) or boards.tls is None or boards.tls.secret is None:
        return ()
    name, prefix = naming.CONSOLE_CERTIFICATE, boards.tls.secret
    sources = {"tls.crt": f"{prefix}-certificate", "tls.key": f"{prefix}-key"}
    return (SecretPlan(name, name, unit.namespace, unit.labels, TLS_SECRET_TYPE, sources),)


def access(
    unit: ConsoleUnit, consoles: Mapping[str, ShownConsole], deployed: Collection[str], offered: Collection[str] = DEFAULT_CONSOLES
) -> dict[str, Any]:
    """Each console's URL and port-forward command, and a line for the hosts file of who has no DNS entry for its hosts.

    `offered`: those that are not shown, and still worth a port-forward.
    """
    entries: dict[str, Any] = {}
    for name, row in CONSOLES.items():
        if row.module in deployed and (name in consoles or name in offered):
            port = unit.release.ports[row.port]
            entries[name] = {
                **shown_access(unit.stack.boards, consoles.get(name), port),
                "portForward": port_forward(unit.namespace, row.service, port),
            }
    return entries | hosts_file(unit.stack.boards, consoles)


def port_forward(namespace: str, service: str, port: int) -> str:
    """The command that brings a console to the operator's machine."""
    return f"kubectl -n {namespace} port-forward service/{service} {port}:{port}"


def hosts_file(boards: BoardsSpec | None, consoles: Mapping[str, ShownConsole]) -> dict[str, str]:
    """A line for the hosts file; nothing when no console is shown."""
    return {HOSTS_FILE: _hosts_line(boards, consoles)} if consoles else {}


def shown_access(boards: BoardsSpec | None, console: ShownConsole | None, port: int) -> dict[str, str]:
    """The URL of a console, and its host when it is shown; otherwise that of its port-forward."""
    return {"url": f"http://localhost:{port}"} if console is None else _console(boards, console)


def _console(boards: BoardsSpec | None, console: ShownConsole) -> dict[str, str]:
    scheme = "https" if encrypted(boards) else "http"
    port = "" if boards is None or boards.port is None else f":{boards.port}"
    return {"url": f"{scheme}://{console.host}{port}{console.path}", "host": console.host}


def encrypted(boards: BoardsSpec | None) -> bool:
    """Whether browsers reach the consoles by HTTPS."""
    match boards:
        case IngressBoards(tls=tls):
            return tls is not None
        case HttpRouteBoards(https=https):
            return https
        case IstioBoards(credential_name=name):
            return name is not None
    return False


def _hosts_line(boards: BoardsSpec | None, consoles: Mapping[str, ShownConsole]) -> str:
    hosts = " ".join(dict.fromkeys(console.host for console in consoles.values()))
    address = None if boards is None else boards.address
    if address is None:
        return f"<IP address of the ingress controller or gateway: say it as boards.address> {hosts}"
    return f"{address} {hosts}" if is_ip(address) else f"<IP address of {address}> {hosts}"


HOSTS_FILE = "hostsFile"  # in `access`, beside the consoles
