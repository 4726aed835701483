"""`make bench`: everything that is timed, as one table; `make bench ARGS="unchanged --rounds 3"` for some of it.

Writes build/bench.json and build/bench.md, and says what became slower since the report that is stored; `--store` replaces that one, and
the table of docs/reference/performance.md. Status 1 when a goal is missed.
"""

import argparse
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from sandbox import cluster, tools
from sandbox.state import COMPONENTS
from sandbox.workspace import REPO
from tests.bench import party_up, plan_scale, preview_scale, unchanged
from tests.bench.report import Row, report, slower, table

BENCHMARKS: dict[str, Callable[[Path, Path, int], Iterable[Row]]] = {
    "unchanged": unchanged.measure,
    "up": party_up.measure,
    "plan": plan_scale.measure,
    "peers": preview_scale.measure,
}
STORED = REPO / "tests" / "bench" / "stored.json"
PAGE = REPO / "docs" / "reference" / "performance.md"
_TABLE = re.compile(r"(?<=<!-- table -->\n).*?(?=<!-- end of table -->)", re.S)


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"what to run: {', '.join(BENCHMARKS)} (all)")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each (5)")
    parser.add_argument("--store", action="store_true", help="keep the report as the one to compare with")
    asked = parser.parse_args()
    if unknown := set(asked.names) - BENCHMARKS.keys():
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # operators have compiled modules
    rows = _run(asked.names or list(BENCHMARKS), asked.rounds)
    found = report(rows)
    text = table(found)
    build = REPO / "build"
    build.mkdir(exist_ok=True)
    (build / "bench.json").write_text(json.dumps(found, indent=1) + "\n")
    (build / "bench.md").write_text(text + "\n")
    print(text)
    print("\n".join(slower(json.loads(STORED.read_text()), found) or ["nothing became slower since the stored report"]))
    if asked.store:
        STORED.write_text(json.dumps(found, indent=1) + "\n")
        PAGE.write_text(_TABLE.sub(lambda _: f"{text}\n", PAGE.read_text()))
    return 1 if any(row.missed for row in rows) else 0


def _run(names: Sequence[str], rounds: int) -> list[Row]:
    tools.ensure((*tools.CLIENT_TOOLS, *COMPONENTS), print)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "sandbox"
        cluster.up(root, ["bench"], print)
        try:
            for name in names:
                rows.extend(BENCHMARKS[name](Path(folder) / name, cluster.kubeconfig(root, "bench"), rounds))
        finally:
            cluster.down(root, [], print)
    return rows


if __name__ == "__main__":
    sys.exit(main())
