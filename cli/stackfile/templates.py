"""The texts that `fatefed init` puts together: `stack.template` has them part by part, and says how they are spelled."""

import re
from importlib.resources import files

# Between two parts; Pulumi would drop a blank line.
GAP = "  #\n"

# What is published, by endpoint: what it carries, and the fixed ports of the example for clusters without load balancers.
# An engine's endpoints come in this order; the example is that of the last one. `$who`: peers, or members of an exchange.
ENDPOINTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "pulsar": ("data, TLS", ()),
    "rabbitmq": ("data: AMQP without TLS", ()),
    "trafficServer": ("data, TLS", ()),
    "nginx": ("control: HTTP; $who dial it by IP address", ("httpPort: 30103",)),
    "rollsite": ("data and control: gRPC without TLS", ("port: 30091",)),
    "osx": ("data and control: gRPC without TLS", ("port: 30091",)),
    "servingProxy": ("requests for predictions: gRPC without TLS", ("port: 30096",)),
    "sitePortal": ("an FML Manager's calls: HTTPS, mutual TLS", ("port: 30843",)),
}

# Who may connect: as it was asked for, or proposed.
SOURCES = "sourceRanges: $ranges # the addresses from which $who connect; anyone: no limit, on purpose"
NO_SOURCES = "# sourceRanges: [198.51.100.7/32] # the addresses from which $who connect; or: anyone. Until it is set, previews warn"


def _parts() -> dict[str, str]:
    """The text of each part of `stack.template`, by name."""
    _, *found = re.split(r"^#% ([\w/-]+).*\n", files("cli.stackfile").joinpath("stack.template").read_text("utf-8"), flags=re.M)
    return {name: re.sub(r"^(\$\w+)\n", r"\1", part, flags=re.M) for name, part in zip(found[::2], found[1::2], strict=True)}


PARTS = _parts()
