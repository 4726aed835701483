"""Whom `fatefed verify --peer` asks about: a party that the own one dials."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from cli.commands.data import verify
from cli.flow.party import OwnParty
from cli.tools.errors import CommandError, UsageError
from cli.tools.project import Stack
from cli.verify.links import link_of


def known(exchange: str | None, *links: str) -> tuple[Stack, OwnParty]:
    """A stack with party 9999, and what it dials."""
    unit: Any = SimpleNamespace(party_id="9999", links=dict.fromkeys(links), blocked={"20000": "is severed"})
    spec = SimpleNamespace(parties={"9999": SimpleNamespace(exchange=exchange)})
    return cast(Stack, SimpleNamespace(load=lambda: SimpleNamespace(spec=spec))), OwnParty(unit, 9380)


@pytest.mark.parametrize(
    ("links", "peer", "problem"),
    [
        (("10000", "10001"), "10002", "has no route to it\n    remedy: its peers: 10000, 10001"),
        ((), "10000", "has no route to it\n    remedy: accept a peer's descriptor first"),
        (("10000",), "20000", "has no route to it: is severed"),
        (("10000",), "9999", "is the own party"),
    ],
)
def test_a_peer_that_a_party_of_a_mesh_does_not_dial_is_refused(links: tuple[str, ...], peer: str, problem: str) -> None:
    with pytest.raises(CommandError) as caught:
        link_of(*known(None, *links), peer)
    assert problem in str(caught.value)


@pytest.mark.parametrize(("exchange", "links"), [(None, ("10000",)), ("exchange", ("exchange",))])
def test_a_peer_of_a_mesh_is_dialled_and_one_behind_an_exchange_is_asked_for_there(exchange: str | None, links: tuple[str, ...]) -> None:
    link = link_of(*known(exchange, *links), "10000")
    assert link is not None
    assert (link("9999").peer, link("9999").exchange) == ("10000", exchange)


@pytest.mark.parametrize("peer", ["²", "09999", "\u0661", "-1", "party", ""])
def test_what_is_no_party_id_is_wrong_usage(peer: str) -> None:
    with pytest.raises(UsageError, match="must be the id of a party"):
        verify(peer=peer, url="http://127.0.0.1:1")
