"""Which day it is for everybody, wherever they are; and for how many of them a descriptor may be accepted."""

from datetime import UTC, date, datetime

# For how long peers may accept a descriptor that says nothing else.
DESCRIPTOR_DAYS = 90


def today() -> date:
    """The day, in UTC."""
    return datetime.now(UTC).date()
