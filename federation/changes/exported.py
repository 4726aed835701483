"""The descriptors that peers may have of this stack: the last exported ones, compared with what its units publish now.

The stack file keeps them field by field (`fate:exported`), so that a preview can name what differs, and compare what it knows already.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from federation.base.live import live_values, substitute
from federation.config.stack import ExportedSpec, StackSpec
from federation.peers.descriptor import FieldChange, changed_fields, changes_text, field_texts, finish
from federation.units.unit import UnitPlan

# The fields of a descriptor body as text, by path. None: not known yet.
Fields = Mapping[str, str | None]
_AUTHORITIES = "trust.authorities"
# Stands for an address that is not known yet, so that the rest of a body can be read.
_STAND_IN = "192.0.2.1"


def published_fields(body: Mapping[str, Any]) -> Fields:
    """The fields of a planned body, as an export would write them; None where a live address is missing."""
    unknown = {path for path, text in field_texts(body).items() if live_values(text)}
    whole = finish(substitute(body, dict.fromkeys(live_values(body), _STAND_IN)))
    return {path: None if path in unknown else text for path, text in field_texts(whole.plain()).items()}


def planned_fields(unit: UnitPlan, body: Mapping[str, Any] | None = None) -> Fields:
    """The same of a plan without the values of fate:secrets, where the CA of `tls: provided` stands. `body`: with live addresses."""
    hidden = {_AUTHORITIES: None} if unit.tls is not None and unit.tls.provided and "trust" not in unit.descriptor else {}
    return {**published_fields(unit.descriptor if body is None else body), **hidden}


def outdated(exported: ExportedSpec, key: str | None, fields: Fields) -> tuple[FieldChange, ...]:
    """The known differences between a unit and its exported descriptor. `key`: the organization's."""
    known = {path: text for path, text in fields.items() if text is not None}
    before = {path: text for path, text in exported.fields.items() if path in known or path not in fields}
    # A file without a signature has no key, and none is missed there.
    signed = () if None in (exported.key, key) else changed_fields({"key": str(exported.key)}, {"key": str(key)})
    return (*signed, *changed_fields(before, known))


def exported_warnings(spec: StackSpec, published: Mapping[str, Fields], options: str) -> Iterator[str]:
    """A sentence for each exported descriptor that is out of date. `published`: the fields of each unit; `options`: of the stack."""
    key = None if spec.identity is None else spec.identity.key
    for unit, exported in sorted(spec.exported.items()):
        if unit not in published:
            yield (
                f"{unit}: its descriptor was exported, and this stack has no such unit: peers may still dial it; "
                f"ask them to retire it, then remove fate:exported.{unit}"
            )
        elif changes := outdated(exported, key, published[unit]):
            yield (
                f"{unit}: your exported descriptor is out of date ({changes_text(changes)}), and peers still use it: after `pulumi up`, "
                f"{send(export_command(unit, options))}"
            )


def export_command(unit: str, options: str) -> str:
    """The command that exports the descriptor of a unit again."""
    return f"run `fatefed descriptor export {options} --unit {unit} -o FILE`"


def send(command: str) -> str:
    """The remedy: run a command, and send its file to the peers."""
    return f"{command} and send the file to your peers; they accept it with `fatefed peers add`"
