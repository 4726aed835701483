"""A federation as a picture: Mermaid for documents, or one HTML page that opens without a network. The same stack gives the same bytes.

Neither computes a position: Mermaid and the browser lay out.
"""

import re
from collections.abc import Iterator
from html import escape
from itertools import groupby
from pathlib import Path
from string import Template

from federation.reports.topology import Edge, Node, Topology

_ARROWS = {"active": "<-->", "suspended": "<-.->", "retired": "<-.->", "pending": "<-.->"}
_PAGE = Path(__file__).with_name("topology.template")


def mermaid(topology: Topology) -> str:
    """A flowchart, as GitHub, GitLab and editors draw it. Links without TLS are red, what does not work today is dashed."""
    names = {node.key: f"n{number}" for number, node in enumerate(topology.nodes)}
    lines = ["flowchart LR"]
    for number, (organization, nodes) in enumerate(_organizations(topology)):
        lines.append(f'  subgraph o{number}["{_letters(organization)}"]')
        lines += [f'    {names[node.key]}["{_letters(node.title)}<br/>{_letters(_below(node))}"]' for node in nodes]
        lines.append("  end")
    for edge in topology.edges:
        text = f"{_letters(_above(edge))}<br/>{_letters(edge.carries)}"
        lines.append(f'  {names[edge.own]} {_ARROWS[edge.state]}|"{text}"| {names[edge.other]}')
    if plain := [str(number) for number, edge in enumerate(topology.edges) if not edge.tls]:
        lines.append(f"  linkStyle {','.join(plain)} stroke:#c2410c")
    if waiting := [names[node.key] for node in topology.nodes if node.state not in ("own", "active")]:
        lines += ["  classDef waiting stroke-dasharray: 5 5", f"  class {','.join(waiting)} waiting"]
    return "\n".join(lines)


def html(topology: Topology) -> str:
    """A page of boxes and links, and a table of the same links: HTML and CSS alone, no script, nothing to fetch."""
    nodes, linked = {node.key: node for node in topology.nodes}, {edge.other for edge in topology.edges}
    roots = [node for node in topology.nodes if node.state == "own" or node.key not in linked]
    return Template(_PAGE.read_text("utf-8")).substitute(
        federation=escape(topology.federation),
        organization=escape(topology.organization),
        branches="\n".join(_branch(node, topology, nodes, isroot=True) for node in roots),
        rows="\n".join(_row(edge, nodes) for edge in topology.edges),
    )


def _branch(node: Node, topology: Topology, nodes: dict[str, Node], *, isroot: bool) -> str:
    """A box, and to its right what it is linked with. Units of this stack are roots: their links are drawn there alone."""
    edges = [edge for edge in topology.edges if edge.own == node.key and (isroot or node.state != "own")]
    links = "".join(
        f"<li>{_planes(edge for edge in edges if edge.other == other)}{_branch(nodes[other], topology, nodes, isroot=False)}</li>"
        for other in dict.fromkeys(edge.other for edge in edges)
    )
    title, facts = f"<b>{escape(node.title)}</b>", f"<small>{escape(_below(node))}</small>"
    box = f'<div class="box {node.state}"><i>{escape(_owner(node))}</i>{title}{facts}</div>'
    return f'<div class="branch">{box}<ul>{links}</ul></div>' if links else f'<div class="branch">{box}</div>'


def _planes(edges: Iterator[Edge]) -> str:
    spans = (f'<span class="{_security(edge)} {edge.state}">{escape(_above(edge))}</span>' for edge in edges)
    return f'<div class="planes">{"".join(spans)}</div>'


def _row(edge: Edge, nodes: dict[str, Node]) -> str:
    ends = (f"{nodes[key].title} ({nodes[key].organization})" for key in (edge.own, edge.other))
    cells = (*ends, edge.plane, edge.carries, _security(edge), edge.state)
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"


def _organizations(topology: Topology) -> list[tuple[str, list[Node]]]:
    """Nodes by organization, the own one first; an organization's nodes together."""
    order = sorted(topology.nodes, key=lambda node: (node.state != "own", node.organization))
    return [(owner, list(nodes)) for owner, nodes in groupby(order, key=_owner)]


def _owner(node: Node) -> str:
    return f"{node.organization} (this stack)" if node.state == "own" else node.organization


def _security(edge: Edge) -> str:
    return "TLS" if edge.tls else "plaintext"


def _above(edge: Edge) -> str:
    """The first line of a link."""
    words = (edge.plane, _security(edge), *([] if edge.state == "active" else [edge.state]))
    return ", ".join(words)


def _below(node: Node) -> str:
    """The second line of a unit."""
    return node.facts if node.state in ("own", "active") else f"{node.state}; {node.facts}"


def _letters(text: str) -> str:
    """A text inside a label: whatever Mermaid could take for syntax, HTML or Markdown becomes the number of its letter."""
    return re.sub(r"[^\w .,:;()/'-]", lambda letter: f"#{ord(letter[0])};", text)


FORMATS = {"mermaid": mermaid, "html": html}
