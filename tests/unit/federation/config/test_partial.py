"""A field that is wrong: told once, without inventing other problems, and without hiding those that stand elsewhere."""

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError

from federation.base.errors import FederationError, NotParsed, of_each
from federation.base.model_errors import keys_at, problems_of
from federation.base.scalars import PATTERNS_IN_WORDS
from federation.catalogue.releases import Release
from federation.config.partial import need_every_entry, parsed
from federation.config.stack import StackSpec
from federation.peers.descriptor import Descriptor
from federation.peers.signed import Statement
from federation.stack.load import load_stack
from tests.support.configs import (
    BALANCED,
    EXTERNAL_LOCAL,
    LOCAL,
    MESH,
    PORTAL_LOCAL,
    RABBITMQ_BY_HAND,
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


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_publication_without_a_type_is_one_place(case: Case, tmp_path: Path) -> None:
    """Those beside it under publish are not missing."""
    invented = {}
    paths = [path for path in fields(case.config) if "publish" in path[:-1]]
    assert len(paths) > 5
    for number, path in enumerate(paths):
        found = told(broken(case, path, {"a": 1}), tmp_path / str(number))
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
    assert "needs TLS" in found["parties.9999.tls"]
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


@pytest.mark.parametrize("domain", ["2.1.0", "fraud.2", "fraud.0x1f"])
def test_a_domain_whose_end_reads_as_a_number_is_refused(domain: str, tmp_path: Path) -> None:
    """No name below it could be a server name: resolvers would take it for an address."""
    found = told(broken(LOCAL, ("federation", "domain"), domain), tmp_path)
    assert found == {"federation.domain": f"{domain!r} is not a domain name such as fraud.example"}


@pytest.mark.parametrize("key", [True, 1, None, 1.5], ids=str)
def test_a_key_that_is_no_text_is_told_like_any_other(key: object, tmp_path: Path) -> None:
    """Without quotes YAML reads a word such as on as true."""
    wrong = broken(LOCAL, ("parties", "9999", "release"), "9.9").changed(lambda config: config["federation"].update({key: "x"}))
    found = told(wrong, tmp_path)
    assert found.pop("parties.9999.release") == "unknown release 9.9"
    assert found == {"federation": "has a key that is not text: YAML reads on and yes as true, and digits as a number"}


def test_a_wrong_authority_of_one_party_leaves_the_others_checked(tmp_path: Path) -> None:
    trust = {"leafDays": "x", "parties": {"9999": {"authorities": {}, "signing": "1"}, "77": {"authorities": {}, "signing": "1"}}}
    case = STAR_PARTY.changed(lambda config: config.update(trust=trust))
    found = told(case, tmp_path / "both")
    assert set(found) == {"trust.leafDays", "trust.parties.9999", "trust.parties.77"}


def test_a_wrong_field_of_a_party_does_not_ask_to_remove_its_authority(tmp_path: Path) -> None:
    trust = {"parties": {"9999": {"authorities": {"1": authority("9999")}, "signing": "1"}}}
    case = STAR_PARTY.changed(lambda config: config.update(trust=trust))
    assert set(told(broken(case, ("parties", "9999", "release"), 2.2), tmp_path / "field")) == {"parties.9999.release"}
    assert set(told(broken(case, ("parties",)), tmp_path / "all")) == {"parties"}


def test_wrong_lifetimes_leave_the_authorities_checked(tmp_path: Path) -> None:
    trust = {"leafDays": 30, "renewDays": 30, "parties": {"77": {"authorities": {"1": authority("77")}, "signing": "1"}}}
    found = told(STAR_PARTY.changed(lambda config: config.update(trust=trust)), tmp_path)
    assert found == {"trust": "renewDays 30 is not less than leafDays 30", "trust.parties.77": "party 77 is not a party of this stack"}


def test_what_did_not_parse_is_missing_and_nothing_stands_in_its_place() -> None:
    spec = parsed(
        LOCAL.changed(
            lambda config: (
                config["parties"]["9999"].update(tls="maybe"),
                config.update(exchange="here", manifests={"x": [1], "y": "y.yaml"}, peers="none"),
                config["federation"].update(topology="ring"),
            )
        ).config
    )
    assert spec.parties["9999"].release == LOCAL.config["parties"]["9999"]["release"]
    assert (spec.federation.name, spec.parties.get("101"), "z" in spec.manifests) == ("fraud", None, False)
    assert list(spec.manifests) == ["y"]
    assert spec.peers, "a map of which nothing parsed is not empty"
    reads: list[Callable[[], object]] = [
        lambda: spec.parties["9999"].tls,
        lambda: spec.federation.topology,
        lambda: spec.exchange and spec.exchange.namespace,
        lambda: spec.exchange and spec.exchange.modules.nginx.replicas,
        lambda: spec.fml_manager,
        lambda: "x" in spec.manifests,
        lambda: spec.manifests["x"],
        lambda: spec.peers.get("anybody"),
        lambda: need_every_entry(spec.parties, spec.manifests),
    ]
    for read in reads:
        with pytest.raises(NotParsed):
            read()


def test_of_fields_that_break_a_rule_together_only_those_are_missing_that_could_mend_it() -> None:
    spec = parsed({**LOCAL.config, "cluster": {"inCluster": True, "context": "here", "nodePortRange": "20000-20100"}})
    assert spec.cluster.node_port_range == "20000-20100"
    for field in ("in_cluster", "context"):
        with pytest.raises(NotParsed):
            getattr(spec.cluster, field)


def test_a_rule_ends_at_what_did_not_parse_and_what_it_found_before_stands() -> None:
    spec = parsed(broken(LOCAL, ("parties", "9999", "tls")).config)

    def reads(field: str) -> Iterator[str]:
        yield f"before {field}"
        yield getattr(spec.parties["9999"], field)

    assert [*of_each(("tls", "algorithm"), reads)] == ["before tls", "before algorithm", "Basic"]


_PYDANTICS = re.compile(r"Input|String should|Tuple should|List should|Unable to|instance of|Field required|not permitted|\^|class_name")
_VALUES: list[Any] = [_WRONG, "", "x y\n", -1, 10**30, 1.5, {}, {"a": 1}, None, True, "a" * 500, ["x"] * 40, "[2001:db8::1]:6651"]


@pytest.mark.parametrize("case", [BALANCED, RABBITMQ_BY_HAND], ids=str)
def test_every_mistake_is_told_in_words_of_this_program(case: Case) -> None:
    told_of = 0
    for path in fields(case.config):
        for value in _VALUES:
            try:
                StackSpec.model_validate(broken(case, path, value).config)
            except ValidationError as error:
                for problem in problems_of(error, StackSpec, ".".join):
                    told_of += 1
                    assert not _PYDANTICS.search(f"{problem.problem} {problem.remedy}"), f"{path} {value!r}: {problem}"
    assert told_of > 1000


@pytest.mark.parametrize("model", [StackSpec, Descriptor, Statement, Release], ids=lambda model: model.__name__)
def test_every_pattern_has_words(model: type[BaseModel]) -> None:
    """Of those that pydantic checks; the others are for the JSON schemas, beside a validator that has words of its own."""
    found = set(_patterns(model))
    assert found
    assert found <= PATTERNS_IN_WORDS.keys()


def _patterns(annotation: Any, seen: set[Any] | None = None) -> Iterator[str]:
    seen = set() if seen is None else seen
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and annotation not in seen:
        seen.add(annotation)
        for field in annotation.model_fields.values():
            yield from (pattern for data in field.metadata if isinstance(pattern := getattr(data, "pattern", None), str))
            yield from _patterns(field.annotation, seen)
    for data in getattr(annotation, "__metadata__", ()):
        if isinstance(pattern := getattr(data, "pattern", None), str):
            yield pattern
        yield from (pattern for each in getattr(data, "metadata", ()) if isinstance(pattern := getattr(each, "pattern", None), str))
    for argument in get_args(annotation):
        yield from _patterns(argument, seen)
