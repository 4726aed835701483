"""A federation as a drawing: Mermaid for documents, SVG by itself. The same stack always gives the same bytes."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from xml.sax.saxutils import escape

from federation.reports.topology import Edge, Node, Topology

# Colour and dashes of a link, by the state of its peer.
_STATES = {"active": ("#1a7f5a", ""), "suspended": ("#b45309", "8 5"), "retired": ("#8a8f98", "2 5"), "pending": ("#6b7280", "5 5")}
_MERMAID_LINKS = {"active": "---", "suspended": "-.-", "retired": "-.-", "pending": "-.-"}

# Pixels.
_BOX_WIDTH, _BOX_HEIGHT, _GAP, _PADDING, _TITLE, _MARGIN, _BETWEEN = 260, 52, 12, 14, 26, 24, 300
_HEAD, _LEGEND = 44, 34


def mermaid(found: Topology) -> str:
    """A flowchart."""
    names = {node.key: f"n{number}" for number, node in enumerate(found.nodes)}
    lines = ["flowchart LR"]
    for number, (organization, nodes) in enumerate(_organizations(found)):
        own = " (this stack)" if nodes[0].state == "own" else ""
        lines.append(f'  subgraph o{number}["{_quoted(organization + own)}"]')
        lines += [f'    {names[node.key]}["{_quoted(node.title)}<br/>{_quoted(_below(node))}"]' for node in nodes]
        lines.append("  end")
    for edge in found.edges:
        if edge.other in names:
            said = edge.carries if edge.state == "active" else f"{edge.carries}, {edge.state}"
            lines.append(f'  {names[edge.own]} {_MERMAID_LINKS[edge.state]}|"{_quoted(said)}"| {names[edge.other]}')
    return "\n".join(lines)


def svg(found: Topology) -> str:
    """A picture: own units on the left, peers on the right."""
    groups = _organizations(found)
    left = [group for group in groups if group[1][0].state == "own"]
    right = [group for group in groups if group[1][0].state != "own"]
    height = max(_column_height(left), _column_height(right)) + _HEAD + _LEGEND + 2 * _MARGIN
    outer = _BOX_WIDTH + 2 * _PADDING
    width = 2 * _MARGIN + outer + (_BETWEEN + outer if right else 0)
    boxes = [*_placed(left, _MARGIN, height), *_placed(right, _MARGIN + outer + _BETWEEN, height)]
    units = {box.node.key: box for box in boxes if box.node is not None}
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            'font-family="system-ui, sans-serif" font-size="13">',
            f"<title>{escape(found.federation)}, as {escape(found.organization)} sees it</title>",
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
            _text(_MARGIN, _MARGIN + 8, found.federation, size=16, weight=600),
            *(line for box in boxes if box.node is None for line in _frame(box)),
            *(line for edge in found.edges if edge.other in units for line in _link(edge, units[edge.own], units[edge.other])),
            *(line for box in units.values() for line in _unit(box)),
            *_legend(height),
            "</svg>",
        ]
    )


@dataclass(frozen=True)
class _Box:
    """A rectangle: of a unit, or (`node` None) around an organization's."""

    x: int
    y: int
    width: int
    height: int
    label: str
    node: Node | None = None

    @property
    def middle(self) -> int:
        """The height at which links arrive."""
        return self.y + self.height // 2


def _organizations(found: Topology) -> list[tuple[str, list[Node]]]:
    """Nodes by organization, the own one first; an organization's nodes together."""
    order = sorted(found.nodes, key=lambda node: (node.state != "own", node.organization))
    return [(name, list(nodes)) for (_, name), nodes in groupby(order, key=lambda node: (node.state == "own", node.organization))]


def _group_height(nodes: list[Node]) -> int:
    return _TITLE + len(nodes) * (_BOX_HEIGHT + _GAP) - _GAP + 2 * _PADDING


def _column_height(groups: list[tuple[str, list[Node]]]) -> int:
    return sum(_group_height(nodes) + _GAP for _, nodes in groups)


def _placed(groups: list[tuple[str, list[Node]]], x: int, height: int) -> Iterator[_Box]:
    """A column, in the middle of the picture's height."""
    y = _MARGIN + _HEAD + (height - 2 * _MARGIN - _HEAD - _LEGEND - _column_height(groups)) // 2
    for organization, nodes in groups:
        own = " (this stack)" if nodes[0].state == "own" else ""
        yield _Box(x, y, _BOX_WIDTH + 2 * _PADDING, _group_height(nodes), organization + own)
        for number, node in enumerate(nodes):
            top = y + _PADDING + _TITLE + number * (_BOX_HEIGHT + _GAP)
            yield _Box(x + _PADDING, top, _BOX_WIDTH, _BOX_HEIGHT, node.title, node)
        y += _group_height(nodes) + _GAP


def _frame(box: _Box) -> list[str]:
    return [
        f'<rect x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="10" fill="#f6f7f9" stroke="#d4d8de"/>',
        _text(box.x + _PADDING, box.y + _PADDING + 10, box.label, weight=600),
    ]


def _unit(box: _Box) -> list[str]:
    node = box.node
    if node is None:
        return []
    colour, dashes = _STATES.get(node.state, ("#1f3a5f", ""))
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return [
        f'<rect x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="7" fill="#ffffff" stroke="{colour}"{dashed}/>',
        _text(box.x + 12, box.y + 21, node.title, weight=600),
        _text(box.x + 12, box.y + 40, _below(node), size=12, colour="#4b5563"),
    ]


def _link(edge: Edge, own: _Box, other: _Box) -> list[str]:
    colour, dashes = _STATES[edge.state]
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    if own.x == other.x:
        side = own.x - _PADDING - 6
        way = f"M {own.x} {own.middle} C {side} {own.middle}, {side} {other.middle}, {other.x} {other.middle}"
        return [f'<path d="{way}" fill="none" stroke="{colour}" stroke-width="2"{dashed}/>']
    begin, end = own.x + own.width, other.x
    bend = (begin + end) // 2
    way = f"M {begin} {own.middle} C {bend} {own.middle}, {bend} {other.middle}, {end} {other.middle}"
    said = edge.carries if edge.state == "active" else f"{edge.carries}, {edge.state}"
    return [
        f'<path d="{way}" fill="none" stroke="{colour}" stroke-width="2"{dashed}/>',
        _text(end - _PADDING - 8, other.middle - 7, said, size=11, colour=colour, anchor="end"),
    ]


def _legend(height: int) -> list[str]:
    lines, y = [], height - _MARGIN + 4
    for number, (state, (colour, dashes)) in enumerate(_STATES.items()):
        x = _MARGIN + number * 120
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        lines += [f'<path d="M {x} {y - 4} h 28" stroke="{colour}" stroke-width="2"{dashed}/>', _text(x + 36, y, state, size=12)]
    return lines


def _text(x: int, y: int, text: str, *, size: int = 13, weight: int = 400, colour: str = "#111827", anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" font-size="{size}" font-weight="{weight}" fill="{colour}" text-anchor="{anchor}">{escape(text)}</text>'


def _below(node: Node) -> str:
    """The second line of a unit."""
    return node.facts if node.state in ("own", "active") else f"{node.state}; {node.facts}"


def _quoted(text: str) -> str:
    return text.replace('"', "#quot;")


FORMATS = {"svg": svg, "mermaid": mermaid}
