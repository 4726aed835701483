"""The drawing of a federation: complete, deterministic, and safe whatever names peers choose."""

import itertools
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from cli.main import main
from cli.reports.topology import mermaid, svg
from federation.reports.topology import Edge, Node, Topology, topology_of
from tests.support.configs import (
    CASES,
    EXCHANGE,
    LOCAL,
    MESH_OF_TWO,
    MESH_SUSPENDED,
    PENDING,
    RETIRED,
    SERVING,
    SERVING_CASES,
    SERVING_EXCHANGE,
    SERVING_LOCAL,
    SERVING_STAR,
    SUSPENDED,
    Case,
    party_descriptor,
)  # fmt: skip
from tests.support.stacks import project

SVG = "{http://www.w3.org/2000/svg}"


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
    assert state in mermaid(found)
    assert f", {state}</text>" in svg(found)


def test_fate_serving_is_drawn_with_its_party_its_exchange_and_its_peers(tmp_path: Path) -> None:
    def edges(case: Case, folder: str) -> set[tuple[str, str, str]]:
        found = drawn(case, tmp_path / folder)
        return {(edge.own, edge.other, edge.carries) for edge in found.edges if "serving" in edge.own}

    models = ("serving-9999", "party-9999", "models")
    assert edges(SERVING, "mesh") == {models, ("serving-9999", "peer-clinic-b-serving", "predictions")}
    assert edges(SERVING_STAR, "star") == {models, ("serving-9999", "peer-consortium-serving", "predictions")}
    assert edges(SERVING_EXCHANGE, "exchange") == {
        ("serving-exchange", "peer-bank-a-serving", "predictions"),
        ("serving-exchange", "peer-clinic-b-serving", "predictions"),
    }
    assert edges(SERVING_LOCAL, "local") >= {(f"serving-{party}", "serving-exchange", "predictions") for party in ("9998", "9999")}
    titles = {node.title for node in drawn(SERVING_STAR, tmp_path / "titles").nodes}
    assert titles >= {"FATE-Serving 9999", "FATE-Serving 10000", "serving exchange"}


def test_strangers_to_all_collaborations_have_no_link(tmp_path: Path) -> None:
    case = EXCHANGE.with_peer("hospital-c", party_descriptor("10001", "hospital-c"))
    case = case.changed(lambda config: config.update(collaborations={"fraud": ["9999", "10000"]}))
    assert {other for _, other, _ in links(drawn(case, tmp_path))} == {"peer-bank-a", "peer-clinic-b"}


@pytest.mark.parametrize("case", [*CASES, *SERVING_CASES], ids=str)
def test_every_unit_and_link_is_in_both_drawings(case: Case, tmp_path: Path) -> None:
    found = drawn(case, tmp_path)
    assert found.nodes
    assert {edge.own for edge in found.edges} | {edge.other for edge in found.edges} <= {node.key for node in found.nodes}
    picture = ElementTree.fromstring(svg(found))
    texts = [text.text for text in picture.iter(f"{SVG}text")]
    assert [node.title for node in found.nodes if node.title not in texts] == []
    legend = 4
    assert len(list(picture.iter(f"{SVG}path"))) == len(found.edges) + legend
    chart = mermaid(found).splitlines()
    assert sum("<br/>" in line for line in chart) == len(found.nodes)
    assert sum("|" in line for line in chart) == len(found.edges)


def test_boxes_do_not_overlap_and_stay_inside(tmp_path: Path) -> None:
    case = EXCHANGE
    for number in range(20):
        case = case.with_peer(
            f"member-{number}", party_descriptor(str(20000 + number), f"member-{number}", host=f"203.0.113.{100 + number}")
        )
    picture = ElementTree.fromstring(svg(drawn(case, tmp_path)))
    height = int(picture.attrib["height"])
    boxes = sorted(
        (int(box.attrib["x"]), int(box.attrib["y"]), int(box.attrib["y"]) + int(box.attrib["height"]))
        for box in picture.iter(f"{SVG}rect")
        if box.attrib.get("rx") == "7"
    )
    assert len(boxes) == 23
    for (x, _, bottom), (next_x, top, _) in itertools.pairwise(boxes):
        assert x != next_x or bottom < top
    assert all(0 < top < bottom < height for _, top, bottom in boxes)


def test_names_cannot_break_out_of_the_drawing() -> None:
    node = Node("peer-x", 'a"]; click <script>', "party 1", '"><script>alert(1)</script>', "active")
    found = Topology(
        "fraud", "bank-a", (Node("party-2", "bank-a", "party 2", "x", "own"), node), (Edge("party-2", "peer-x", "Pulsar", "active"),)
    )
    assert not list(ElementTree.fromstring(svg(found)).iter(f"{SVG}script"))
    assert '"]; click' not in mermaid(found)


def test_the_verb_prints_or_writes_the_same_bytes_each_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    EXCHANGE.write(project(tmp_path) / "stacks")
    command = ["topology", "-s", "consortium", "-C", str(tmp_path)]
    assert main(command) == 0
    first = capsys.readouterr().out
    assert first.startswith("<svg ")
    assert main([*command, "-o", str(tmp_path / "federation.svg")]) == 0
    assert (tmp_path / "federation.svg").read_text() == first
    capsys.readouterr()
    assert main([*command, "--format", "mermaid"]) == 0
    assert capsys.readouterr().out.startswith("flowchart LR\n")
    assert main([*command, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["nodes"]) == 3
