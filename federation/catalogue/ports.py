"""Whose each port of a release is: a table, because names only look as if they said it."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from federation.base.model import Model

# The names under `ports` of a release of FATE, FATE-Serving or FedLCM, by the name under `modules`.
PORTS_OF_MODULES: Mapping[str, tuple[str, ...]] = {
    "fateflow": ("fateflowHttp", "fateflowGrpc"),
    "fateboard": ("fateboard",),
    "client": ("notebook",),
    "mysql": ("mysql",),
    "nginx": ("nginxHttp", "nginxGrpc", "nginxHealth"),
    "pulsar": ("pulsar", "pulsarTls", "pulsarAdmin", "pulsarAdminTls"),
    "rabbitmq": ("rabbitmq", "rabbitmqAdmin"),
    "clustermanager": ("clustermanager",),
    "nodemanager": ("nodemanager",),
    "rollsite": ("rollsite",),
    "lbrollsite": ("lbrollsite",),
    "osx": ("osx",),
    "sparkMaster": ("sparkMaster", "sparkMasterRest", "sparkMasterWeb"),
    "sparkWorker": ("sparkWorkerWeb",),
    "namenode": ("namenode", "namenodeWeb"),
    "datanode": ("datanode", "datanodeWeb"),
    "trafficServer": ("trafficServer", "trafficServerPublished"),
    "servingServer": ("servingServer",),
    "servingProxy": ("servingProxyHttp", "servingProxyInter", "servingProxyIntra"),
    "servingRedis": ("servingRedis",),
    "servingZookeeper": ("servingZookeeper",),
    "servingAdmin": ("servingAdmin",),
    "frontend": ("frontend", "frontendTls"),
    "sitePortalServer": ("sitePortalServer",),
    "fmlManagerServer": ("fmlManagerServer",),
    "postgres": ("postgres",),
}

Ports = TypeVar("Ports", bound=Model)


def ports_of(modules: Iterable[str], ports: Mapping[str, int]) -> dict[str, int]:
    """Those of a release's ports that are of these modules, by name."""
    names = {name for module in modules for name in PORTS_OF_MODULES.get(module, ())}
    return {name: port for name, port in ports.items() if name in names}


def chart_ports(model: type[Ports], modules: Iterable[str], ports: Mapping[str, int]) -> Ports:
    """The ports of these modules as the values of their chart, which takes those that its model knows."""
    known = model.written_keys()
    return model.model_validate({name: port for name, port in ports_of(modules, ports).items() if name in known})
