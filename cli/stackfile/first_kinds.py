"""The kinds of first stacks, and what each is for: help and completion read nothing else of them."""

from collections.abc import Mapping
from typing import Literal

# Of FATE: what a first stack deploys unless another is named.
RELEASE = "1.11.2"
StackKind = Literal["exchange", "party", "external", "namespaced", "mesh", "serving", "portal"]
HELP: Mapping[StackKind, str] = {
    "exchange": "an organization that runs the exchange of a star",
    "party": "a party of a star, whose exchange is another organization's",
    "external": "a party whose exchange runs on KubeFATE, FedLCM or AnsibleFATE",
    "namespaced": "a party of a star, deployed with rights in one namespace only",
    "mesh": "a party of a mesh, linked directly to its peers",
    "serving": "a party of a star with FATE-Serving for predictions with trained models",
    "portal": "a party of a star with FedLCM's Site Portal",
}
