"""The picture of a federation: true, complete, deterministic, and safe whatever names peers choose."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cli.main import main
from cli.reports.topology import html, mermaid
from federation.reports.topology import Edge, Node, Topology, topology_of
from tests.support.configs import (
    CASES,
    CLINIC,
    EXCHANGE,
    LOCAL,
    MESH,
    MESH_OF_TWO,
    MESH_SUSPENDED,
    OSX_EXCHANGE,
    OSX_STAR,
    PENDING,
    RABBITMQ_MESH,
    RETIRED,
    ROLLSITE_MESH,
    ROLLSITE_STAR,
    SERVING,
    SERVING_CASES,
    SERVING_EXCHANGE,
    SERVING_LOCAL,
    SERVING_STAR,
    STAR_PARTY,
    SUSPENDED,
    Case,
    exchange_descriptor,
    party,
    party_descriptor,
)  # fmt: skip
from tests.support.stacks import project

# What crosses between two parties with Pulsar, and with OSX or rollsite.
PULSAR = {("control", False), ("data", True)}
ONE_PROXY = {("data and control", False)}


class Page(HTMLParser):
    """The elements of a page with their attributes, and its texts; every element must end."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag != "meta":
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def drawn(case: Case, folder: Path) -> Topology:
    """What is drawn of a stack."""
    loaded = case.load(folder)
    return topology_of(loaded.spec, loaded.peers, loaded.plan)


def links(found: Topology) -> set[tuple[str, str, str]]:
    """Who is linked with whom, and how it stands."""
    return {(edge.own, edge.other, edge.state) for edge in found.edges}


def test_an_exchange_is_linked_with_every_member(tmp_path: Path) -> None:
    found = drawn(EXCHANGE, tmp_path)
    assert [(node.organization, node.title, node.state) for node in found.nodes] == [
        ("consortium", "exchange", "own"),
        ("bank-a", "party 9999", "active"),
        ("clinic-b", "party 10000", "active"),
    ]
    assert links(found) == {("exchange", "peer-bank-a", "active"), ("exchange", "peer-clinic-b", "active")}


def planes(topology: Topology) -> set[tuple[str, bool]]:
    """What crosses, and whether it is encrypted."""
    return {(edge.plane, edge.tls) for edge in topology.edges}


@pytest.mark.parametrize(
    ("cases", "expected"),
    [
        ((STAR_PARTY, EXCHANGE, MESH, LOCAL), PULSAR),
        ((RABBITMQ_MESH,), {("control", False), ("data", False)}),
        ((OSX_STAR, OSX_EXCHANGE, ROLLSITE_STAR, ROLLSITE_MESH), ONE_PROXY),
    ],
    ids=["Pulsar", "RabbitMQ", "one proxy"],
)
def test_control_and_data_are_links_of_their_own_and_plaintext_is_marked(
    cases: tuple[Case, ...], expected: set[tuple[str, bool]], tmp_path: Path
) -> None:
    for case in cases:
        topology = drawn(case, tmp_path / case.name)
        assert planes(topology) == expected, case
        words = {f"{plane}, {'TLS' if tls else 'plaintext'}" for plane, tls in expected}
        assert {text for text in re.findall(r'\|"(.*?)<br/>', mermaid(topology))} == words
        red = re.search(r"linkStyle ([\d,]+) stroke", mermaid(topology))
        assert red is not None
        assert [topology.edges[int(number)].tls for number in red[1].split(",")] == [False] * sum(not edge.tls for edge in topology.edges)
        assert words <= set(Page(html(topology)).texts)


def test_members_of_a_star_are_linked_through_their_exchange(tmp_path: Path) -> None:
    case = STAR_PARTY.with_peer("clinic-b", CLINIC)
    assert links(drawn(case, tmp_path / "a")) == {
        ("party-9999", "peer-consortium", "active"),
        ("peer-consortium", "peer-clinic-b", "active"),
    }
    one = case.with_peer("clinic-b", CLINIC, state="suspended")
    assert ("peer-consortium", "peer-clinic-b", "suspended") in links(drawn(one, tmp_path / "b"))
    hub = case.with_peer("consortium", exchange_descriptor(), state="suspended")
    assert links(drawn(hub, tmp_path / "c")) == {
        ("party-9999", "peer-consortium", "suspended"),
        ("peer-consortium", "peer-clinic-b", "suspended"),
    }
    apart = case.changed(lambda config: config.update(collaborations={"other": ["9999", "10009"]}))
    assert links(drawn(apart, tmp_path / "d")) == {("party-9999", "peer-consortium", "active")}


def test_two_parties_of_a_stack_share_the_links_behind_their_exchange(tmp_path: Path) -> None:
    case = STAR_PARTY.with_peer("clinic-b", CLINIC).changed(lambda config: config["parties"].update({"9998": party("fate-9998")}))
    edges = drawn(case, tmp_path).edges
    assert len(edges) == len(set(edges)) == 3 * len(PULSAR)


def test_units_of_one_stack_are_linked_once(tmp_path: Path) -> None:
    assert links(drawn(LOCAL, tmp_path / "a")) == {("exchange", "peer-clinic-b", "active"), ("party-9999", "exchange", "active")}
    assert links(drawn(MESH_OF_TWO, tmp_path / "b")) == {
        ("party-9998", "party-9999", "active"),
        ("party-9998", "peer-clinic-b", "active"),
        ("party-9999", "peer-clinic-b", "active"),
    }


@pytest.mark.parametrize(
    ("case", "state"),
    [(SUSPENDED, "suspended"), (RETIRED, "retired"), (MESH_SUSPENDED, "suspended"), (PENDING, "pending")],
    ids=str,
)
def test_a_peer_s_state_is_that_of_its_link(case: Case, state: str, tmp_path: Path) -> None:
    found = drawn(case, tmp_path)
    assert state in {edge.state for edge in found.edges}
    assert state in {node.state for node in found.nodes}
    assert re.search(rf'<-\.->\|"[^|]*, {state}<br/>', mermaid(found))
    assert re.search(r"class n\d.* waiting$", mermaid(found))
    page = Page(html(found))
    assert ("box", state) in {tuple(str(attributes.get("class")).split()) for tag, attributes in page.elements if tag == "div"}
    assert any(text.endswith(f", {state}") for text in page.texts)


def test_fate_serving_is_drawn_with_its_party_its_exchange_and_its_peers(tmp_path: Path) -> None:
    def edges(case: Case, folder: str) -> set[tuple[str, str, str]]:
        found = drawn(case, tmp_path / folder)
        return {(edge.own, edge.other, edge.plane) for edge in found.edges if "serving" in edge.own}

    models = ("serving-9999", "party-9999", "models")
    assert edges(SERVING, "mesh") == {models, ("serving-9999", "peer-clinic-b-serving", "requests for predictions")}
    assert edges(SERVING_STAR, "star") == {
        models,
        ("serving-9999", "peer-consortium-serving", "requests for predictions"),
        ("peer-consortium-serving", "peer-clinic-b-serving", "requests for predictions"),
    }
    assert edges(SERVING_EXCHANGE, "exchange") == {
        ("serving-exchange", "peer-bank-a-serving", "requests for predictions"),
        ("serving-exchange", "peer-clinic-b-serving", "requests for predictions"),
    }
    assert edges(SERVING_LOCAL, "local") >= {
        (f"serving-{party}", "serving-exchange", "requests for predictions") for party in ("9998", "9999")
    }
    titles = {node.title for node in drawn(SERVING_STAR, tmp_path / "titles").nodes}
    assert titles >= {"FATE-Serving 9999", "FATE-Serving 10000", "serving exchange"}


def test_strangers_to_all_collaborations_have_no_link(tmp_path: Path) -> None:
    case = EXCHANGE.with_peer("hospital-c", party_descriptor("10001", "hospital-c"))
    case = case.changed(lambda config: config.update(collaborations={"fraud": ["9999", "10000"]}))
    assert {other for _, other, _ in links(drawn(case, tmp_path))} == {"peer-bank-a", "peer-clinic-b"}


@pytest.mark.parametrize("case", [*CASES, *SERVING_CASES], ids=str)
def test_every_unit_and_link_is_in_both_pictures(case: Case, tmp_path: Path) -> None:
    found = drawn(case, tmp_path)
    assert found.nodes
    assert {edge.own for edge in found.edges} | {edge.other for edge in found.edges} <= {node.key for node in found.nodes}
    chart = mermaid(found).splitlines()
    assert sum('["' in line and "<br/>" in line for line in chart) == len(found.nodes)
    assert sum('|"' in line for line in chart) == len(found.edges)
    page = Page(html(found))
    assert [node.title for node in found.nodes if node.title not in page.texts] == []
    assert sum(tag == "tr" for tag, _ in page.elements) == len(found.edges) + 1
    spans = [str(attributes["class"]) for tag, attributes in page.elements if tag == "span"]
    assert len(spans) >= len(found.edges)
    assert {*spans} == {f"{'TLS' if edge.tls else 'plaintext'} {edge.state}" for edge in found.edges}


def test_many_parties_of_one_stack_make_a_page_of_their_size(tmp_path: Path) -> None:
    case = MESH.changed(lambda config: config["parties"].update({str(n): party(f"fate-{n}", exchange=None) for n in range(9000, 9012)}))
    assert sum(tag == "span" for tag, _ in Page(html(drawn(case, tmp_path))).elements) == len(drawn(case, tmp_path).edges)


def test_the_page_opens_without_a_network(tmp_path: Path) -> None:
    text = html(drawn(EXCHANGE, tmp_path))
    page = Page(text)
    assert len(page.elements) > 50
    assert not {tag for tag, _ in page.elements} & {"script", "link", "img", "iframe", "object"}
    assert not [name for _, attributes in page.elements for name in attributes if name in ("src", "href") or name.startswith("on")]
    assert not re.search(r"https?:|url\(|@import", text)


def test_names_cannot_break_out_of_the_picture() -> None:
    evil = 'a"]; click <script>alert(1)</script> `x` | end\nn9 --> n0'
    nodes = Node("party-2", "bank-a", "party 2", "x", "own"), Node("peer-x", evil, evil, evil, "active")
    topology = Topology(evil, evil, nodes, (Edge("party-2", "peer-x", "data", evil, False, "active"),))
    page = Page(html(topology))
    assert evil in page.texts
    assert "script" not in {tag for tag, _ in page.elements}
    chart = mermaid(topology)
    assert len(chart.splitlines()) == len(
        mermaid(Topology("", "", (nodes[0], Node("peer-x", "b", "b", "b", "active")), topology.edges)).splitlines()
    )
    assert [part for part in ('"]; click', "<script", "`", "n9 -->") if part in chart] == []


def test_the_verb_prints_or_writes_the_same_bytes_each_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    EXCHANGE.write(project(tmp_path) / "stacks")
    command = ["topology", "-s", "consortium", "-C", str(tmp_path)]
    assert main(command) == 0
    assert capsys.readouterr().out.startswith("flowchart LR\n")
    assert main([*command, "--format", "html"]) == 0
    first = capsys.readouterr().out
    assert first.startswith("<!DOCTYPE html>")
    assert main([*command, "--format", "html", "-o", str(tmp_path / "federation.html")]) == 0
    assert (tmp_path / "federation.html").read_text() == first
    capsys.readouterr()
    assert main([*command, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["nodes"]) == 3
