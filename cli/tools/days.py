"""Which day it is for everybody, wherever they are."""

from datetime import UTC, date, datetime


def today() -> date:
    """The day, in UTC."""
    return datetime.now(UTC).date()
