"""What was exported against what is published now: what differs is named, and what is not known alarms nobody."""

from pathlib import Path
from typing import Any

import pytest

from federation.base.live import live_values, substitute
from federation.changes.exported import Fields, exported_warnings, outdated, planned_fields, published_fields
from federation.config.stack import ExportedSpec, StackSpec
from federation.peers.descriptor import field_texts, finish
from federation.stack.load import LoadedStack
from tests.support.configs import EVERY_CASE, NODE_PORTS, RABBITMQ_MESH_OF_TWO, STAR_PARTY, Case, Config, key_of

PARTY = "party-9999"
ADDRESS, NEXT = "203.0.113.50", "203.0.113.51"


def filled(body: Any, address: str = ADDRESS) -> Any:
    """A body as the program has it when every Service has this address."""
    return substitute(body, dict.fromkeys(live_values(body), address))


def exported(loaded: LoadedStack, unit: str = PARTY, **signed: Any) -> ExportedSpec:
    """What an export writes of a unit."""
    body = loaded.plan.unit(unit).descriptor
    return ExportedSpec(fields=field_texts(finish(filled(body)).plain()), **signed)


def with_exports(spec: StackSpec, exports: dict[str, ExportedSpec]) -> StackSpec:
    """The stack after these exports."""
    return spec.model_copy(update={"exported": exports})


def said(loaded: LoadedStack, exports: dict[str, ExportedSpec], published: dict[str, Fields]) -> list[str]:
    """The warnings of stack `bank-a`."""
    return list(exported_warnings(with_exports(loaded.spec, exports), published, "-s bank-a"))


@pytest.mark.parametrize("case", EVERY_CASE, ids=str)
def test_what_was_exported_just_now_is_up_to_date_for_every_kind_of_unit(case: Case, tmp_path: Path) -> None:
    loaded = case.load(tmp_path)
    assert loaded.plan.units
    for unit in loaded.plan.units:
        told = exported(loaded, unit.key)
        assert len(told.fields) > 8
        for fields in (published_fields(filled(unit.descriptor)), published_fields(unit.descriptor), planned_fields(unit)):
            assert outdated(told, None, fields) == ()
            assert said(loaded, {unit.key: told}, {unit.key: fields}) == []


def test_an_address_that_changed_is_named_with_the_remedy(tmp_path: Path) -> None:
    loaded = STAR_PARTY.load(tmp_path)
    fields = published_fields(filled(loaded.plan.unit(PARTY).descriptor, NEXT))
    (warning,) = said(loaded, {PARTY: exported(loaded)}, {PARTY: fields})
    assert "party-9999: your exported descriptor is out of date" in warning
    for field in ("nginx.addresses", "nginx.host", "pulsar.addresses", "pulsar.host"):
        assert f"endpoints.{field}: {ADDRESS} -> {NEXT}" in warning
    assert "`fatefed descriptor export -s bank-a --unit party-9999 -o FILE`" in warning
    assert "send the file to your peers" in warning


def test_an_address_that_is_not_known_yet_alarms_nobody_and_hides_no_other_change(tmp_path: Path) -> None:
    loaded = STAR_PARTY.load(tmp_path)
    body = dict(loaded.plan.unit(PARTY).descriptor)
    assert live_values(body)
    fields = published_fields(body | {"release": "2.0.0"})
    assert fields["endpoints.pulsar.host"] is fields["endpoints.pulsar.addresses"] is None
    (change,) = outdated(exported(loaded), None, fields)
    assert (change.field, change.old, change.new) == ("release", "1.11.2", "2.0.0")


def _port(config: Config) -> None:
    config["parties"]["9999"]["publish"]["pulsar"]["port"] = 30777


def _host(config: Config) -> None:
    config["parties"]["9999"]["publish"]["nginx"]["advertise"] = {"host": "nginx.bank-a.example", "addresses": ["203.0.113.8"]}


def _id(config: Config) -> None:
    config["federation"]["id"] = "8c6f9d4e-3b1a-4f57-9f25-0d2a6c1e7b90"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (_port, {"endpoints.pulsar.ports.tls: 30651 -> 30777"}),
        (_host, {"endpoints.nginx.host: 203.0.113.9 -> nginx.bank-a.example", "endpoints.nginx.addresses: 203.0.113.9 -> 203.0.113.8"}),
        (_id, {"federation.id: (absent) -> 8c6f9d4e-3b1a-4f57-9f25-0d2a6c1e7b90", "schemaVersion: 1 -> 2"}),
    ],
)
def test_what_the_stack_file_alone_changes_is_named(change: Any, named: set[str], tmp_path: Path) -> None:
    before, after = NODE_PORTS.load(tmp_path / "before"), NODE_PORTS.changed(change).load(tmp_path / "after")
    (warning,) = said(after, {PARTY: exported(before)}, {PARTY: planned_fields(after.plan.unit(PARTY))})
    assert set(warning.partition("(")[2].rpartition("), and peers")[0].split("; ")) == named


def test_another_ca_is_named_by_its_fingerprint(tmp_path: Path) -> None:
    loaded = STAR_PARTY.load(tmp_path)
    told = exported(loaded)
    told = told.model_copy(update={"fields": {**told.fields, "trust.authorities": "CA 0123456789abcdef"}})
    fields = {**published_fields(loaded.plan.unit(PARTY).descriptor), "trust.authorities": "CA fedcba9876543210"}
    (warning,) = said(loaded, {PARTY: told}, {PARTY: fields})
    assert "(trust.authorities: CA 0123456789abcdef -> CA fedcba9876543210)" in warning


def test_a_ca_that_only_fate_secrets_holds_is_compared_where_it_is_known(tmp_path: Path) -> None:
    """`tls: provided`: a plan without secrets lacks it, which is not the same as having none."""
    loaded = STAR_PARTY.load(tmp_path)
    unit, told = loaded.plan.unit(PARTY), exported(loaded)
    assert unit.tls is not None
    assert unit.tls.provided
    told = told.model_copy(update={"fields": {**told.fields, "trust.authorities": "CA 0123456789abcdef"}})
    assert outdated(told, None, planned_fields(unit)) == ()
    (change,) = outdated(told, None, published_fields(unit.descriptor))
    assert (change.field, change.new) == ("trust.authorities", None)


def test_another_key_of_the_organization_is_a_change_and_an_unsigned_file_has_none(tmp_path: Path) -> None:
    loaded = STAR_PARTY.load(tmp_path)
    fields, old, new = planned_fields(loaded.plan.unit(PARTY)), key_of("bank-a"), key_of("bank-b")
    signed = exported(loaded, key=old, serial=3)
    assert outdated(signed, old, fields) == ()
    (change,) = outdated(signed, new, fields)
    assert (change.field, change.old, change.new) == ("key", old, new)
    assert outdated(exported(loaded), new, fields) == ()


def test_a_load_balancer_with_a_name_has_no_addresses_to_compare(tmp_path: Path) -> None:
    """Some are known and some not: a body that is known in part is read like a whole one."""
    unit = STAR_PARTY.load(tmp_path).plan.unit(PARTY)
    named = {value: "lb.bank-a.example" for value in live_values(unit.descriptor) if value.service == "nginx-public"}
    assert len(named) == 1
    whole = substitute(unit.descriptor, {value: named.get(value, ADDRESS) for value in live_values(unit.descriptor)})
    partly = substitute(unit.descriptor, {value: named.get(value, str(value)) for value in live_values(unit.descriptor)})
    told = ExportedSpec(fields=field_texts(finish(whole).plain()))
    assert (told.fields["endpoints.nginx.host"], told.fields["endpoints.nginx.addresses"]) == ("lb.bank-a.example", "")
    assert outdated(told, None, published_fields(partly)) == ()
    assert published_fields(partly)["endpoints.pulsar.host"] is None


def test_a_unit_that_is_gone_is_named_until_its_entry_is_removed(tmp_path: Path) -> None:
    loaded = STAR_PARTY.load(tmp_path)
    (warning,) = said(loaded, {"party-9998": exported(loaded)}, {PARTY: planned_fields(loaded.plan.unit(PARTY))})
    assert warning.startswith("party-9998: its descriptor was exported, and this stack has no such unit")
    assert "remove fate:exported.party-9998" in warning


def test_units_that_were_never_exported_are_not_compared(tmp_path: Path) -> None:
    loaded = RABBITMQ_MESH_OF_TWO.load(tmp_path)
    keys = [unit.key for unit in loaded.plan.units]
    assert len(keys) == 2
    fields: dict[str, Fields] = {key: published_fields(filled(loaded.plan.unit(key).descriptor, NEXT)) for key in keys}
    assert [text.partition(":")[0] for text in said(loaded, {keys[1]: exported(loaded, keys[1])}, fields)] == [keys[1]]
    assert said(loaded, {}, fields) == []
