"""The console of a Site Portal that browsers reach: its pages, by the same objects as the consoles of parties."""

from federation.base import naming
from federation.chart_values.fate import ShownConsole
from federation.config.units import PortalUnit

CONSOLE = "sitePortal"


def shown_portal(unit: PortalUnit) -> dict[str, ShownConsole]:
    """What is made of the console; nothing of an FML Manager, without fate:boards, or when the stack names other consoles only.

    It is shown by default, because it asks everyone for a password that this program set.
    """
    if (
        unit.party_id is None
        or unit.stack.boards is None
        or not (named := unit.stack.boards.consoles.named or {CONSOLE: None}).keys() & {CONSOLE}
    ):
        return {}
    spec = named[CONSOLE]
    return {
        CONSOLE: ShownConsole(
            component=naming.FRONTEND,
            object=naming.FRONTEND,
            service=naming.FRONTEND,
            port=unit.release.ports["frontend"],
            host=f"{unit.party}.{naming.FRONTEND}.{unit.stack.boards.domain}",
            path="/",
            annotations={**unit.stack.boards.annotations, **({} if spec is None else spec.annotations)},
        )
    }
