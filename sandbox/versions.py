"""Which version of a tool will do. Pure functions, and the versions that are built, read from the Go modules."""

import json
import re
from functools import cache
from pathlib import Path

from sandbox.errors import SandboxError

MODULES = Path(__file__).with_name("tools")
MINIMUM_PULUMI = (3, 259, 0)  # the Python SDK that the program pins
KUBECTL_SKEW = 1  # minor versions either way (kubernetes.io/releases/version-skew-policy, "kubectl")
HELM_MAJOR = 3
PROVIDER = "4.25.0"  # what the provider module's pseudo-version stands for; pulumi-kubernetes of the venv must be equal

Version = tuple[int, int, int]

_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(?P<rest>[-+].*)?")


def parse(text: str) -> Version | None:
    """The first version in `text` ("v1.32.4-dispatcher" is 1.32.4); None when there is none."""
    match = _VERSION.search(text)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def kubectl_version(output: str) -> Version | None:
    """The client's version in the output of `kubectl version --client -o json`."""
    try:
        return parse(json.loads(output)["clientVersion"]["gitVersion"])
    except (ValueError, KeyError, TypeError):
        return None


def pulumi_will_do(version: Version) -> bool:
    """Same major version, not older than the minimum."""
    return version[0] == MINIMUM_PULUMI[0] and version >= MINIMUM_PULUMI


def kubectl_will_do(version: Version, server: Version) -> bool:
    """Within the supported skew of the server."""
    return version[0] == server[0] and abs(version[1] - server[1]) <= KUBECTL_SKEW


def helm_will_do(version: Version) -> bool:
    """The major version that the Kubernetes provider embeds."""
    return version[0] == HELM_MAJOR


def show(version: Version) -> str:
    """As people write it."""
    return ".".join(str(part) for part in version)


@cache
def of_module(folder: str, module: str) -> str:
    """The version, without its v, that sandbox/tools/FOLDER/go.mod requires of a module."""
    text = (MODULES / folder / "go.mod").read_text()
    requirement = re.search(rf"^(?:require )?\s*{re.escape(module)} v(\S+)", text, re.MULTILINE)
    if not requirement:
        raise SandboxError(f"{MODULES / folder / 'go.mod'} does not require {module}")
    return requirement[1]
