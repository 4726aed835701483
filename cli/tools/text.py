"""Text for a terminal: columns, and nothing that moves its cursor."""

from collections.abc import Sequence

from federation.base.errors import escaped


def printable(text: str) -> str:
    """Without what could move the cursor or turn the direction of writing: errors quote what strangers sent."""
    return "\n".join(map(escaped, text.split("\n")))


def table(rows: Sequence[Sequence[str]]) -> str:
    """Columns of the width of their longest cell, two spaces apart."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
