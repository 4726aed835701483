"""`fatefed`: prepares, checks and renders the stack of one organization, and exchanges descriptors with its peers.

No verb changes a cluster: only `pulumi up` and `pulumi destroy` do. Each verb's help says what it reads and writes.
Exit status: 0 ok, 1 a check failed or something is wrong in the configuration, 2 wrong usage, 141 the reader of the output ended first;
of `plan` also 3 and 4.

In a terminal, tables fit its width, and states have colours (NO_COLOR turns them off, FORCE_COLOR on). A pipe or a file gets
the plain form: one line a row, two spaces or more between columns, whatever the width. Programs read --json.
"""

import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer import _completion_shared

from cli.commands import convert, data, doctor, keys, modules, peers, reports, stackfile
from cli.tools import verbs
from cli.tools.output import READER_ENDED, OutputError, flush_stdout, say

# In the order of the help: what one begins with, what one looks at, what one changes.
_VERBS: tuple[tuple[str, verbs.Verb] | typer.Typer, ...] = (
    ("new", stackfile.new),
    ("init", stackfile.init),
    ("check", stackfile.check),
    convert.CONVERT,
    keys.KEYS,
    keys.SECRETS,
    keys.IDENTITY,
    keys.TRUST,
    peers.DESCRIPTOR,
    peers.PEERS,
    ("plan", reports.plan),
    ("status", doctor.status),
    ("logs", modules.logs),
    ("open", modules.open_console),
    ("doctor", doctor.doctor),
    ("support-bundle", doctor.support_bundle),
    data.DATA,
    ("verify", data.verify),
    ("firewall", reports.firewall_sheet),
    ("topology", reports.draw_topology),
    ("render", reports.render_objects),
    reports.IMAGES,
    reports.RELEASES,
)


class _InOrder(verbs.Group):
    """Typer lists verbs before groups of verbs."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [str(verb.info.name) if isinstance(verb, typer.Typer) else verb[0] for verb in _VERBS]


# Typer's script for zsh defines the function and does not call it: the first TAB of every shell did nothing.
_SCRIPTS = _completion_shared._completion_scripts
_SCRIPTS["zsh"] += '[[ $funcstack[1] = _%(prog_name)s ]] && %(complete_func)s "$@"\n'

app = typer.Typer(
    name="fatefed", cls=_InOrder, help=__doc__, rich_markup_mode=None, context_settings={"help_option_names": ["-h", "--help"]}
)
for verb in _VERBS:
    if isinstance(verb, typer.Typer):
        app.add_typer(verb)
    else:
        verbs.add(app, *verb)


def _version(asked: bool) -> None:
    if asked:
        say(f"fatefed {version('fate-federation')}")
        raise typer.Exit


@app.callback()
def _fatefed(
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version, and end")] = False,
) -> None:
    pass


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; its exit status."""
    try:
        code = verbs.run(app, argv)
        flush_stdout()
        return code
    except OutputError as error:
        if error.code != READER_ENDED:
            with suppress(OutputError):
                say(f"fatefed: {error}", sys.stderr)
        return error.code


if __name__ == "__main__":
    sys.exit(main())
