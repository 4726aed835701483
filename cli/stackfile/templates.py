"""The texts that `fatefed init` puts together: `stack.template` has them part by part, and says how they are spelled."""

import re
from importlib.resources import files
from typing import NamedTuple

# Between two parts; Pulumi would drop a blank line.
GAP = "  #\n"


class Endpoint(NamedTuple):
    """What an endpoint carries, its port at the nodes of a cluster without load balancers, and that of an exchange, which may share them.

    `$who`: peers, or members of an exchange.
    """

    what: str
    node_port: int
    of_exchange: int = 0
    key: str = "port"


# An engine's endpoints come in this order.
ENDPOINTS: dict[str, Endpoint] = {
    "pulsar": Endpoint("data, TLS", 30099),
    "rabbitmq": Endpoint("data: AMQP without TLS", 30098),
    "trafficServer": Endpoint("data, TLS", 0, 30007),
    "nginx": Endpoint("control: HTTP; $who dial it by IP address", 30093, 30003, "httpPort"),
    "rollsite": Endpoint("data and control: gRPC without TLS", 30091, 30001),
    "osx": Endpoint("data and control: gRPC without TLS", 30091, 30001),
    "servingProxy": Endpoint("requests for predictions: gRPC without TLS", 30096),
    "sitePortal": Endpoint("an FML Manager's calls: HTTPS, mutual TLS", 30843),
}

# Who may connect: as it was asked for, or proposed.
SOURCES = "sourceRanges: $ranges # the addresses of $who; anyone: no limit"
NO_NODE_SOURCES = (
    "# sourceRanges: anyone # node ports filter nothing: write it when networkPolicy.publishedFrom, or a firewall, says who connects"
)
NO_SOURCES = "# sourceRanges: [198.51.100.7/32] # the addresses of $who; or: anyone. Without it previews warn"


def _parts() -> dict[str, str]:
    """The text of each part of `stack.template`, by name."""
    _, *parts = re.split(r"^#% ([\w/-]+).*\n", files("cli.stackfile").joinpath("stack.template").read_text("utf-8"), flags=re.M)
    return {name: re.sub(r"^(\$\w+)\n", r"\1", part, flags=re.M) for name, part in zip(parts[::2], parts[1::2], strict=True)}


PARTS = _parts()
