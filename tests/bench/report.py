"""What benchmarks measured: as a table, as JSON, and beside what was measured before."""

import os
import platform
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

# By how much a figure must grow before it is called slower: two runs of the same program differ by less.
_TOLERATED = 1.15


@dataclass(frozen=True)
class Row:
    """One thing that was measured, once for each of `samples`; `beside`: the row that it is divided by, run by run."""

    name: str
    unit: str
    samples: Sequence[float]
    beside: "Row | None" = None
    # At most: of the median, and of the ratio.
    limit: float | None = None
    limit_ratio: float | None = None

    @property
    def ratio(self) -> float | None:
        """The median of the ratios, each of two runs that followed each other; of the medians when one has more runs."""
        if self.beside is None:
            return None
        if len(self.samples) != len(self.beside.samples):
            return statistics.median(self.samples) / statistics.median(self.beside.samples)
        return statistics.median(mine / its for mine, its in zip(self.samples, self.beside.samples, strict=True))

    @property
    def missed(self) -> bool:
        """Whether it is above a limit."""
        limits = ((statistics.median(self.samples), self.limit), (self.ratio, self.limit_ratio))
        return any(figure is not None and limit is not None and figure > limit for figure, limit in limits)

    def plain(self) -> dict[str, Any]:
        """As JSON; `goal` in words."""
        least, middle, most = min(self.samples), statistics.median(self.samples), max(self.samples)
        figures = {"median": _short(middle), "least": _short(least), "most": _short(most), "runs": len(self.samples)}
        divided = {} if self.beside is None else {"ratio": _short(self.ratio or 0), "beside": self.beside.name}
        goals = [f"under {self.limit:g} {self.unit}"] if self.limit else []
        goals += [f"ratio under {self.limit_ratio:g}"] if self.limit_ratio else []
        goal = {"goal": ", ".join(goals) + (": MISSED" if self.missed else "")} if goals else {}
        return {"name": self.name, "unit": self.unit, **figures, **divided, **goal}


def report(rows: Iterable[Row]) -> dict[str, Any]:
    """Everything, with the machine."""
    return {"date": f"{datetime.now(UTC):%Y-%m-%d}", "machine": machine(), "rows": [row.plain() for row in rows]}


def machine() -> str:
    """The processor, how many there are, the memory, and how busy it is."""
    model = next((line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    memory = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    return f"{os.cpu_count()} x {model}, {memory / 1024**2:.0f} GiB, load {os.getloadavg()[2]:.1f}, Python {platform.python_version()}"


def table(found: Mapping[str, Any]) -> str:
    """A table in Markdown."""
    head = ("what", "unit", "median", "spread", "runs", "ratio", "beside", "goal")
    lines = [_cells(head), _cells(["---"] * len(head))]
    for row in found["rows"]:
        spread = f"{row['least']:g} to {row['most']:g}"
        ratio = f"{row['ratio']:g}" if "ratio" in row else ""
        lines.append(
            _cells(
                [
                    row["name"],
                    row["unit"],
                    f"{row['median']:g}",
                    spread,
                    str(row["runs"]),
                    ratio,
                    row.get("beside", ""),
                    row.get("goal", ""),
                ]
            )
        )
    return "\n".join([f"{found['date']}, {found['machine']}", "", *lines])


def slower(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What grew since `before`: ratios, which another machine has alike; other figures on the same processor only."""
    known = {(row["name"], row["unit"]): row for row in before["rows"]}
    same = _processor(before) == _processor(now)
    found = []
    for row in now["rows"]:
        old = known.get((row["name"], row["unit"]))
        figure = "ratio" if old is not None and "ratio" in row and "ratio" in old else "median"
        if old is None or (figure == "median" and not same):
            continue
        if row[figure] > old[figure] * _TOLERATED:
            found.append(f"slower: {row['name']}, {row['unit']}: {figure} {old[figure]:g} -> {row[figure]:g}")
    return found


def _processor(found: Mapping[str, Any]) -> str:
    return str(found["machine"]).partition(",")[0]


def _cells(texts: Iterable[str]) -> str:
    return f"| {' | '.join(texts)} |"


def _short(value: float) -> float:
    """Three digits."""
    return float(f"{value:.3g}")


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()
