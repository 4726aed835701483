"""The console of a Site Portal that browsers reach: its pages, by the same objects as the consoles of parties."""

from federation.base import naming
from federation.base.scalars import PartyId
from federation.catalogue.portal import portal_catalogue
from federation.chart_values.fate import ShownConsole
from federation.config.portal import SitePortalSpec
from federation.config.stack import StackSpec

CONSOLE = "sitePortal"


def shown_portal(spec: StackSpec, party: PartyId, own: SitePortalSpec) -> dict[str, ShownConsole]:
    """What is made of the console; nothing without fate:boards, or when the stack names other consoles only.

    It is shown by default, because it asks everyone for a password that this program set.
    """
    if spec.boards is None or not (named := spec.boards.consoles.named or {CONSOLE: None}).keys() & {CONSOLE}:
        return {}
    given = named[CONSOLE]
    return {
        CONSOLE: ShownConsole(
            component=naming.FRONTEND,
            object=naming.FRONTEND,
            service=naming.FRONTEND,
            port=portal_catalogue()[own.release].ports["frontend"],
            host=f"{party}.{naming.FRONTEND}.{spec.boards.domain}",
            path="/",
            annotations={**spec.boards.annotations, **({} if given is None else given.annotations)},
        )
    }
