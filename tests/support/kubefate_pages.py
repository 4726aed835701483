"""The rows as tables for docs/guides/from-kubefate.md and docs/reference/kubefate-defaults.md: no part of fatefed.

`python -m tests.support.kubefate_pages` writes them; a test compares.
"""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from cli.convert.claims import CLAIMS, ROOT
from cli.convert.defaults import BOARD_HOSTS, CHARTS_READ, DEFAULTS
from cli.convert.rows.row import EVERY, Row
from cli.convert.rows.shared import module_rows
from cli.convert.rows.table import MODULES, TABLE
from cli.convert.versions import OLDEST, SERVING_TARGETS, TARGETS

_BEGIN, _END = "<!-- rows: written by `python -m tests.support.kubefate_pages` -->", "<!-- end of rows -->"
_KINDS = {
    "party": "A party (chart `fate`)",
    "exchange": "An exchange (chart `fate-exchange`, or `fate` with rollsite or osx alone)",
    "serving": "FATE-Serving (chart `fate-serving`)",
    "servingExchange": "A serving exchange (chart `fate-serving` without servingServer)",
}


def tables() -> str:
    """Every row, and the releases that become others."""
    return "\n".join([_BEGIN, *_releases(), *_modules(), *_rows(), _END])


def default_tables() -> str:
    """What KubeFATE takes without a key, its claims and the names of its consoles."""
    return "\n".join([_BEGIN, *_charts(), *_defaults(), *_claims(), *_boards(), _END])


def with_tables(text: str, rows: str) -> str:
    """A page with its tables written again."""
    return re.sub(f"{re.escape(_BEGIN)}.*?{re.escape(_END)}", lambda _: rows, text, flags=re.S)


def _head(title: str, *columns: str) -> Iterator[str]:
    yield from ("", f"### {title}", "", f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}")


def _charts() -> Iterator[str]:
    yield from _head("Charts that were read", "chart", "versions")
    yield from (f"| {chart} | {', '.join(versions)} |" for chart, versions in CHARTS_READ.items())


def _defaults() -> Iterator[str]:
    yield from _head("Defaults", "chart", "key", "versions", "no block", "block without the key", "the block", "source")
    for row in DEFAULTS:
        cells = (row.chart, f"`{row.key}`", str(row.series), _shown(row.absent), _shown(row.block))
        yield f"| {' | '.join(cells)} | `{'.'.join(row.block_path)}` | {row.source} |"


def _claims() -> Iterator[str]:
    columns = ("chart", "module", "versions", "claim", "folder", "`kubefate cluster delete`", "here")
    yield from _head("Claims, with `persistence: true`", *columns)
    for row in CLAIMS:
        folder = "its root" if row.folders == ROOT else row.folders or "`subPath`"
        here = f"not used: {row.unused}" if row.unused else f"`{row.ours}`" if row.stays else f"`existingClaim: {row.name}`"
        gone = "keeps it" if row.stays else "**deletes it**"
        where = folder if row.mounted else "not mounted"
        cells = (row.chart, row.module, str(row.series), f"`{row.name}`", where, gone, here)
        yield f"| {' | '.join(cells)} |"


def _boards() -> Iterator[str]:
    yield from _head("Consoles that are shown by default", "chart", "versions", "host")
    yield from (f"| {row.chart} | {row.series} | `{row.host}` |" for row in BOARD_HOSTS)


def _shown(value: object) -> str:
    return "none" if value is None else f"`{value}`"


def _releases() -> Iterator[str]:
    yield from _head("Releases", "chart", "becomes", "why")
    yield "| a release of `fatefed releases list` | the same | |"
    for chart, targets in (("fate, fate-exchange", TARGETS), ("fate-serving", SERVING_TARGETS)):
        yield from (f"| {chart} {row.series} | {row.release} | {row.why} |" for row in targets)
    oldest = ", ".join(f"{chart} {version}" for chart, version in OLDEST.items())
    yield f"| older than {oldest} | refused | |"
    yield "| any other | refused | `--release` chooses one |"


def _modules() -> Iterator[str]:
    yield from _head("Keys of every module", "key", "charts", "becomes")
    for row in module_rows("<module>", "<place>"):
        yield _line(row)
    yield from ("", "| module | place |", "|---|---|")
    for word, place, _ in MODULES:
        yield f"| `{word}` | `{place}` |"


def _rows() -> Iterator[str]:
    shared = {id(row) for row in TABLE if row.kinds == EVERY}
    of_modules = {row.key for word, place, kinds in MODULES for row in module_rows(word, place, kinds)}
    yield from _section("Every cluster", [row for row in TABLE if id(row) in shared])
    for kind, title in _KINDS.items():
        rows = [row for row in TABLE if kind in row.kinds and id(row) not in shared and row.key not in of_modules]
        yield from _section(title, rows)


def _section(title: str, rows: list[Row]) -> Iterator[str]:
    yield from _head(title, "key", "charts", "becomes")
    yield from (_line(row) for row in rows)


def _line(row: Row) -> str:
    charts = f"from {row.since}" if row.until is None and row.since != "1.5.0" else f"to {row.until}" if row.until else ""
    becomes, note = row.how.becomes, row.how.note
    shown = f"`{becomes}`" if re.fullmatch(r"[\w:.<>*-]+", becomes) else becomes or "not carried"
    usual = "absent: KubeFATE's default" if row.default else ""
    return f"| `{row.key}` | {charts} | {'; '.join(part for part in (shown, note, usual) if part).replace('|', ' ')} |"


# The pages, with what stands between their marks.
PAGES: dict[str, Callable[[], str]] = {"guides/from-kubefate.md": tables, "reference/kubefate-defaults.md": default_tables}


def main(folder: Path) -> None:
    """Write the tables into the pages."""
    for name, rows in PAGES.items():
        path = folder / name
        path.write_text(with_tables(path.read_text("utf-8"), rows()), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
