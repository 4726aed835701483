"""The console of a Site Portal that browsers reach: its pages, by the same objects as the consoles of parties."""

from federation import naming
from federation.portal_releases import portal_catalogue
from federation.portal_spec import SitePortalSpec
from federation.scalars import PartyId
from federation.spec import StackSpec
from federation.values import ShownConsole

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
