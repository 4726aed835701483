"""Properties of routes that hold for any federation, not only for those that somebody thought of."""

import dataclasses
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as some

from federation.load import LoadedStack
from federation.peers import Peer, Peers
from federation.plan import StackPlan, plan_stack
from tests.support.configs import EXCHANGE, MESH, OSX_MESH, RABBITMQ_MESH, ROLLSITE_EXCHANGE, Case, party_descriptor

BASES: list[Case] = [EXCHANGE, MESH, ROLLSITE_EXCHANGE, RABBITMQ_MESH, OSX_MESH]
_FOLDER = tempfile.TemporaryDirectory()
LOADED: list[LoadedStack] = [case.load(Path(_FOLDER.name) / str(number)) for number, case in enumerate(BASES)]
bases = some.sampled_from(range(len(BASES)))
# A member: id, number in the network, state.
members = some.lists(
    some.tuples(some.integers(1, 9998), some.integers(1, 250), some.sampled_from(["active", "suspended", "retired"])),
    min_size=1,
    max_size=12,
    unique_by=(lambda member: member[0], lambda member: member[1]),
)


def planned(base: int, peers: list[Peer]) -> StackPlan:
    """The plan of a stack with these peers."""
    loaded = LOADED[base]
    return plan_stack(loaded.spec, Peers(tuple(peers), {}))


def peer(base: int, member: tuple[int, int, str]) -> Peer:
    """An accepted peer."""
    party, net, state = member
    descriptor = party_descriptor(str(party), f"m-{party}", host=f"203.0.113.{net}", nginx=f"198.51.100.{net}", engine=BASES[base].engine)
    return Peer(f"m-{party}", descriptor, state)


@settings(max_examples=60, deadline=None)
@given(bases, members, some.randoms())
def test_no_byte_of_a_plan_depends_on_the_order_of_peers(base: int, given_members: list[tuple[int, int, str]], random: object) -> None:
    peers = [peer(base, member) for member in given_members]
    shuffled = list(peers)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = planned(base, peers), planned(base, shuffled)
    assert one.units == other.units
    assert repr(one.units) == repr(other.units)


@settings(max_examples=60, deadline=None)
@given(bases, members)
def test_one_more_party_changes_routes_and_policies_and_nothing_else(base: int, given_members: list[tuple[int, int, str]]) -> None:
    *few, last = (peer(base, (party, net, "active")) for party, net, _ in given_members)
    (before,), (after,) = planned(base, few).units, planned(base, [*few, last]).units
    # An exchange is protected from its first member on; that is no object.
    same = {name: getattr(before, name) for name in ("routes", "policies", "links", "protected")}
    assert dataclasses.replace(after, **same) == before
    assert [m.name for m in after.routes] == [m.name for m in before.routes]
    assert [m.name for m in after.policies] == [m.name for m in before.policies]
    assert after.routes != before.routes
    assert after.links.keys() - before.links.keys() == {last.party_id}


@settings(max_examples=60, deadline=None)
@given(bases, members)
def test_a_route_leads_to_active_parties_only(base: int, given_members: list[tuple[int, int, str]]) -> None:
    (unit,) = planned(base, [peer(base, member) for member in given_members]).units
    texts = "".join(text for manifest in unit.routes for text in manifest.fields["data"].values())
    policies = repr(unit.policies)
    for _, net, state in given_members:
        for address in (f"203.0.113.{net}", f"198.51.100.{net}"):
            published = address.startswith("203") or BASES[base].engine in ("Pulsar", "RabbitMQ")
            routed = any(address == word.strip('",').rpartition(":")[0] or address == word.strip('",') for word in texts.split())
            assert routed == (state == "active" and published), address
            assert (f"'{address}/32'" in policies) == (state == "active" and published), address
