"""Stack files from other tools' files: `convert`."""

from pathlib import Path
from typing import Annotated

import typer

from cli.tools.files import shown
from cli.tools.text import printable
from cli.tools.verbs import Result, group


def convert_kubefate(
    files: Annotated[list[Path], typer.Argument(metavar="CLUSTER.yaml", help="what `kubefate cluster install -f` was given")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="where the stack files go, such as stacks")],
    organization: Annotated[str | None, typer.Option(metavar="ORG", help="who owns the clusters (default: each cluster's name)")] = None,
    federation: Annotated[str, typer.Option(metavar="NAME", help="the federation's name")] = "fate",
    domain: Annotated[
        str | None, typer.Option(help="the federation's domain (default: that of the exchange in the file, else fate.org)")
    ] = None,
    node_address: Annotated[
        str | None, typer.Option(metavar="HOST", help="where peers reach the nodes, for Services of type NodePort")
    ] = None,
    release: Annotated[
        str | None, typer.Option(help="the release of FATE, or of FATE-Serving, instead of the one that goes with chartVersion")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="replace existing files")] = False,
) -> Result:
    """Write `DIR/Pulumi.<name>.yaml` for each cluster.yaml of KubeFATE (charts fate, fate-exchange, fate-serving; v1.5.0 and up), with the
    same meaning. One cluster is one stack. Lists what could not be carried over, in the file too, and the commands that give the passwords,
    none of which is written. Nothing is written when a file is wrong.

    Example: `fatefed convert kubefate cluster.yaml --out stacks`
    """
    from cli.convert import report
    from cli.convert.clusters import Choices
    from cli.convert.files import convert_files

    choices = Choices(organization=organization, federation=federation, domain=domain, node_address=node_address, release=release)
    written = convert_files(files, out, choices, force=force)
    text = "\n\n".join(report.as_text(one.done, shown(one.file), one.stack) for one in written)
    return Result(printable(text), {"converted": [report.as_data(one.done, str(one.file), one.stack) for one in written]})


CONVERT = group("convert", "Stack files from other tools' files (kubefate).", ("kubefate", convert_kubefate))
