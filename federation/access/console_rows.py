"""The web consoles of modules of a party and its FATE-Serving: which Service shows each, and what a reader of its address could do.

One row per console. Those without a `risk` ask everyone for a password that this program set; they are shown by default,
the others only where a stack names them.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Console:
    """One console. `module` and `port` are keys of a release's modules and ports; `object` is KubeFATE's name of its Ingress."""

    module: str
    component: str
    object: str
    service: str
    port: str
    label: str
    risk: str | None = None

    def host(self, party: str, domain: str) -> str:
        """The name it has when the stack gives none: `9999.fateboard.bank-a.example`."""
        return f"{party}.{self.label}.{domain}"


CONSOLES: dict[str, Console] = {
    "fateboard": Console("fateboard", "fateboard", "fateboard", "fateboard", "fateboard", "fateboard"),
    "notebook": Console("client", "client", "client", "notebook", "notebook", "notebook"),
    "spark": Console(
        "sparkMaster",
        "spark-master",
        "spark",
        "spark-client",
        "sparkMasterWeb",
        "spark",
        "it asks for no password, shows every application and can end it",
    ),
    "rabbitmq": Console(
        "rabbitmq",
        "rabbitmq",
        "rabbitmq",
        "rabbitmq",
        "rabbitmqAdmin",
        "rabbitmq",
        "its only protection is the broker's own password, and anyone who signs in administers every queue",
    ),
    "pulsar": Console(
        "pulsar",
        "pulsar",
        "pulsar",
        "pulsar",
        "pulsarAdmin",
        "pulsar",
        "it is the broker's admin API without a password: anyone who reaches it can read and delete every topic",
    ),
    "namenode": Console(
        "namenode",
        "namenode",
        "namenode",
        "namenode",
        "namenodeWeb",
        "namenode",
        "it asks for no password, and WebHDFS behind it can read and delete all data",
    ),
    "servingProxy": Console(
        "servingProxy",
        "serving-proxy",
        "serving-proxy",
        "serving-proxy",
        "servingProxyHttp",
        "serving-proxy",
        "it has no authentication: anyone who reaches it gets predictions of every model",
    ),
    "servingAdmin": Console("servingAdmin", "serving-admin", "serving-admin", "serving-admin", "servingAdmin", "serving-admin"),
}
DEFAULT_CONSOLES = tuple(name for name, console in CONSOLES.items() if console.risk is None)
