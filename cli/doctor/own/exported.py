"""`doctor`'s rows about exported descriptors: whether they have the Services' current addresses. Pure."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from cli.doctor.live_addresses import filled
from cli.doctor.objects import REFRESH
from cli.doctor.rows import ROLE, Row, not_read, skipped
from cli.doctor.snapshot import Snapshot, UnitView
from federation.base.live import live_values
from federation.changes.exported import export_command, outdated, planned_fields, send
from federation.config.project import stack_of_file
from federation.peers.descriptor import changes_text


def exported_rows(view: UnitView, snapshot: Snapshot) -> Iterator[Row]:
    """A row for the exported descriptor of a deployed unit; none for a unit whose descriptor was never exported."""
    spec, key = snapshot.spec, view.unit.key
    check, exported = f"{key}: the exported descriptor is up to date", spec.exported.get(key)
    command = export_command(key, f"-s {stack_of_file(Path(snapshot.loaded.source.name))}")
    if exported is None:
        # Versions before this one counted exports, and forgot what they said.
        if spec.identity is not None and spec.identity.serial is not None and not spec.exported:
            yield Row(check, "not readable", "the stack file has no record of an export", f"when it was: {command}, which writes it")
        return
    body = filled(dict(view.unit.descriptor), snapshot.readings)
    try:
        fields = planned_fields(view.unit, body)
    except ValidationError as error:
        odd = ", ".join(sorted({repr(problem["input"]) for problem in error.errors()}))
        fix = "set `advertise` of this publication to a name that a descriptor can hold: small letters, digits, dashes and dots"
        yield Row(check, "failed", f"a Service has an address that no descriptor can hold: {odd}", fix)
        return
    identity = None if spec.identity is None else spec.identity.key
    if changes := outdated(exported, identity, fields):
        yield Row(check, "failed", f"it is out of date: {changes_text(changes)}", f"{REFRESH}; then {send(command)}")
    elif missing := sorted(live_values(body)):
        addressed = Row(f"{key}: Service {missing[0].service}", "failed")
        yield not_read(check, view.reading("services"), ROLE) or skipped(check, addressed)
    else:
        yield Row(check, "ok")
