"""The verbs about what lies between organizations: the firewall sheet, the drawing, and what a change does."""

import argparse
from dataclasses import asdict
from pathlib import Path

from cli.commands.stack import Result, stack_of
from cli.reports import changes as impact
from cli.reports import firewall, topology
from cli.tools.files import shown, write_atomic
from federation.reports.topology import topology_of


def firewall_sheet(arguments: argparse.Namespace) -> Result:
    """Print every connection that crosses the edge of the stack's cluster, for who opens firewalls: direction, hosts, ports, purpose, who
    must open it. Reads the stack file and its peers' descriptors; with --live also the stack's outputs; writes nothing.
    """
    rows = firewall.firewall_sheet(stack_of(arguments), live=arguments.live)
    return Result(firewall.FORMATS[arguments.format](rows), {"rows": [row.plain() for row in rows]})


def plan(arguments: argparse.Namespace) -> Result:
    """Say, as Markdown, what the stack file does to running parties: which pairs, how (reload, cut, restart, data loss), who has to act.
    Compares it with what the stack's state remembers (`pulumi stack export`), or with another stack file; writes nothing. Exit status: 0
    nothing stops, 3 pods restart or links are cut, 4 data is left behind.
    """
    found = impact.stack_impact(stack_of(arguments), arguments.against)
    worst = impact.severity(found.effects)
    data = {"effects": [effect.plain() for effect in found.effects], "severity": worst, "unseen": list(found.unseen)}
    return Result(impact.markdown(found, arguments.stack), data, impact.EXITS[worst])


def draw_topology(arguments: argparse.Namespace) -> Result:
    """Draw the federation as this stack sees it: organizations, parties, links and their states. Reads the stack file and its peers'
    descriptors; writes FILE only.
    """
    loaded = stack_of(arguments).load()
    found = topology_of(loaded.spec, loaded.peers, loaded.plan)
    text = topology.FORMATS[arguments.format](found)
    data = {"nodes": [asdict(node) for node in found.nodes], "edges": [asdict(edge) for edge in found.edges]}
    if arguments.output is None:
        return Result(text, data)
    path = Path(arguments.output)
    write_atomic(path, f"{text}\n".encode())
    return Result(f"written: {shown(path)}", {**data, "file": str(path)})
