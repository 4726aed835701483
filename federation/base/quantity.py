"""Kubernetes' amounts as numbers, however they are spelled: `500m`, `2Gi`, `1e3`."""

import re
from decimal import Decimal

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_SUFFIXES = {"n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3")}
_SUFFIXES |= {letter: Decimal(1000) ** power for power, letter in enumerate("kMGTPE", 1)}
_SUFFIXES |= {f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", 1)}


def amount(text: str | int) -> Decimal:
    """The number that a resource.Quantity means: cores, bytes, pieces. ValueError for what is none."""
    written = str(text).strip()
    suffix = next((end for end in sorted(_SUFFIXES, key=len, reverse=True) if written.endswith(end)), "")
    number = written.removesuffix(suffix)
    # Narrower than Decimal, which reads NaN, `1_0`, digits of every script, and powers of ten that no product can hold.
    if _NUMBER.fullmatch(number) is None:
        raise ValueError(f"{written!r} is not an amount")
    return Decimal(number) * _SUFFIXES.get(suffix, Decimal(1))


def mebibytes(memory: str) -> int:
    """A memory quantity in MiB, rounded down."""
    return int(amount(memory) // _SUFFIXES["Mi"])


def cores(cpu: str) -> int:
    """A CPU quantity in whole cores, rounded down, at least 1."""
    return max(1, int(amount(cpu)))


def shown(value: Decimal, *, memory: bool) -> str:
    """An amount as people write it: `12Gi` for bytes, `2.5` for cores and pieces."""
    if not memory:
        return f"{value.normalize():f}"
    for unit in ("Ti", "Gi", "Mi", "Ki"):
        if value >= _SUFFIXES[unit]:
            return f"{round(value / _SUFFIXES[unit], 1).normalize():f}{unit}"
    return f"{value:.0f}"
