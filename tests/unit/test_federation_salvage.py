"""A field that is wrong: told once, without inventing other problems, and without hiding those that stand elsewhere."""

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from federation.errors import FederationError
from federation.load import load_stack
from federation.problems import keys_at
from federation.spec import StackSpec
from tests.support.configs import (
    BALANCED,
    EXTERNAL_LOCAL,
    LOCAL,
    MESH,
    PORTAL_LOCAL,
    ROLLSITE_LOCAL,
    SERVING,
    SERVING_WHOLE,
    STAR_PARTY,
    Case,
    Config,
    party,
)
from tests.support.peer_servers import authority

CASES = [LOCAL, MESH, BALANCED, ROLLSITE_LOCAL, EXTERNAL_LOCAL, SERVING_WHOLE, PORTAL_LOCAL]
# Below them is no field of a model.
_FREE = frozenset({"chartValues", "annotations", "env"})
# Of no type that any field has.
_WRONG: Any = [[]]


def fields(data: Mapping[Any, Any], at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every field of a configuration, and those that its maps could have."""
    known = [key for key in keys_at(at, StackSpec) if key != "*"]
    yield from ((*at, key) for key in dict.fromkeys([*map(str, data), *known]) if key not in _FREE)
    for key, value in data.items():
        if isinstance(value, dict) and str(key) not in _FREE:
            yield from fields(value, (*at, str(key)))


def broken(case: Case, path: tuple[str, ...], value: Any = _WRONG) -> Case:
    """The stack with something else at a path."""
    config: Any = copy.deepcopy(case.config)
    below = config
    for key in path[:-1]:
        below = below[key]
    below[path[-1]] = value
    return Case(case.name, config, case.files)


def told(case: Case, folder: Path) -> dict[str, str]:
    """What is said, by place in the configuration."""
    with pytest.raises(FederationError) as caught:
        load_stack(case.write(folder))
    return {found.place.rpartition(" fate:")[2]: found.problem for found in caught.value.problems}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_one_wrong_field_is_one_place(case: Case, tmp_path: Path) -> None:
    invented = {}
    paths = list(fields(case.config))
    assert len(paths) > 50
    for number, path in enumerate(paths):
        found = told(broken(case, path), tmp_path / str(number))
        if not found or [place for place in found if not f"{place}.".startswith(f"{'.'.join(path)}.")]:
            invented[path] = found
    assert invented == {}


def test_no_wrong_field_hides_what_is_wrong_elsewhere(tmp_path: Path) -> None:
    """Another party's release, a file outside the folder, and a peer's path out of it: whatever field is wrong beside them."""
    more: Config = {"parties.101.release": "unknown release 9.9", "manifests.x": "is outside", "peers.x.descriptor": "is outside"}
    case = LOCAL.with_entry("x", descriptor="../x.json").changed(
        lambda config: (
            config["parties"].update({"101": party("fate-101", exchange="local", release="9.9")}),
            config.update(manifests={"x": "../x.yaml"}),
        )
    )
    paths = [path for path in fields(case.config) if path[:2] not in {("parties", "101"), ("peers", "x"), ("manifests", "x")}]
    hidden = {}
    for number, path in enumerate(paths):
        if path[0] == "peersFile":  # a file that cannot be found is told alone
            continue
        found = told(broken(case, path), tmp_path / str(number))
        lost = [
            place for place, said in more.items() if said not in found.get(place, "") and not f"{place}.".startswith(f"{'.'.join(path)}.")
        ]
        if lost:
            hidden[path] = lost
    assert hidden == {}


@pytest.mark.parametrize("field", ["namespace", "persistence", "algorithm", "device", "credentials", "publish", "exchange", "modules"])
def test_a_wrong_field_of_a_party_does_not_hide_the_others(field: str, tmp_path: Path) -> None:
    case = broken(broken(STAR_PARTY, ("parties", "9999", "release"), "9.9"), ("parties", "9999", "tls"), "none")
    found = told(broken(case, ("parties", "9999", field)), tmp_path)
    assert found["parties.9999.release"] == "unknown release 9.9"
    assert "cannot go without" in found["parties.9999.tls"]
    assert any(place.startswith(f"parties.9999.{field}") for place in found)
    assert len(found) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"federation": None},
        {"federation": {"name": "Fraud!", "domain": "fraud", "topology": "ring", "link": "gateway"}},
        {"federation": {}},
        {"federation": "fraud"},
        {"organization": "Bank A"},
        {"trust": {"leafDays": 30, "renewDays": 30, "parties": {"77": {"authorities": {}, "signing": "1"}}}},
        {"cluster": {"inCluster": True, "context": "here", "nodePortRange": "20000-20100"}},
    ],
    ids=["federation: null", "every field", "empty", "a word", "organization", "trust", "cluster"],
)
def test_what_the_federation_should_have_been_is_not_guessed(change: Config, tmp_path: Path) -> None:
    """Peers of this federation and parties of a star are not blamed for it; what is wrong in any federation is told."""
    right = SERVING.changed(lambda config: config["parties"]["9999"]["publish"].update(nginx={"type": "LoadBalancer"}))
    (section,) = change
    assert {place.partition(".")[0] for place in told(right.changed(lambda config: config.update(change)), tmp_path / "right")} == {section}
    wrong = broken(right, ("parties", "9999", "release"), "9.9").changed(lambda config: config.update(change))
    found = told(wrong, tmp_path / "wrong")
    assert found.pop("parties.9999.release") == "unknown release 9.9"
    assert {place.partition(".")[0] for place in found} == {section}


def test_a_wrong_authority_of_one_party_leaves_the_others_checked(tmp_path: Path) -> None:
    trust = {"leafDays": "x", "parties": {"9999": {"authorities": {}, "signing": "1"}, "77": {"authorities": {}, "signing": "1"}}}
    case = STAR_PARTY.changed(lambda config: config.update(trust=trust))
    found = told(case, tmp_path / "both")
    assert set(found) == {"trust.leafDays", "trust.parties.9999", "trust.parties.77"}


def test_wrong_lifetimes_leave_the_authorities_checked(tmp_path: Path) -> None:
    trust = {"leafDays": 30, "renewDays": 30, "parties": {"77": {"authorities": {"1": authority("77")}, "signing": "1"}}}
    found = told(STAR_PARTY.changed(lambda config: config.update(trust=trust)), tmp_path)
    assert found == {"trust": "renewDays 30 is not less than leafDays 30", "trust.parties.77": "party 77 is no party of this stack"}
