"""The addresses that a plan leaves open, from the cluster's Services. Pure."""

from collections.abc import Mapping
from typing import Any

from cli.doctor.snapshot import addresses, name_of
from cli.tools.kubectl import Ask, Object, Reading
from federation.base.live import LiveValue, live_values, substitute


def live_address(value: LiveValue, readings: Mapping[Ask, Reading]) -> str | None:
    """An address of a Service; None while it has none, or cannot be read."""
    reading = readings.get(Ask("services", value.namespace))
    services: dict[str, Object] = {} if reading is None else {name_of(item): item for item in reading.items}
    service = services.get(value.service)
    if service is None:
        return None
    if value.field == "loadBalancer":
        return next(iter(addresses(service)), None)
    address = service["spec"].get("clusterIP")
    return None if address is None else str(address)


def filled(data: Any, readings: Mapping[Ask, Reading]) -> Any:
    """Planned data with the addresses that are known; others stay markers."""
    return substitute(data, {value: live_address(value, readings) or str(value) for value in live_values(data)})
