"""The first stack file of an organization: complete, commented, valid as it is."""

import json
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from string import Template
from types import MappingProxyType
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from cli.stackfile.first_kinds import StackKind
from cli.stackfile.kinds import FIRST_STACKS, PORTAL_RELEASE, FirstStack
from cli.stackfile.templates import ENDPOINTS, GAP, NO_NODE_SOURCES, NO_SOURCES, PARTS, SOURCES
from cli.tools.errors import CommandError, UsageError
from cli.tools.files import shown, write_atomic
from cli.tools.kept import refuse_to_forget
from cli.tools.project import Stack
from federation.base.errors import FederationError, Problem
from federation.base.scalars import ANYONE, Cidr, Domain, IpAddress, Name, PartyId, SourceRanges, Uid
from federation.catalogue.native import NATIVE
from federation.catalogue.releases import Combination, catalogue
from federation.trust.plan import PARTY_CA

SERVING_RELEASE = "2.1.6"
# By major version of FATE.
_USUAL = {
    1: Combination(computing="Spark", federation="Pulsar", storage="HDFS"),
    2: Combination(computing="Eggroll", federation="OSX", storage="Eggroll"),
}


@dataclass(frozen=True, kw_only=True)
class Answers:
    """The values that `init` fills in."""

    kind: StackKind
    organization: str
    # Of the kubeconfig; None: one that is called like the organization.
    context: str | None = None
    party_id: str = "9999"
    federation: str = "fraud"
    domain: str = "fraud.example"
    # Its random id; None: not known yet.
    federation_id: str | None = None
    # Of FATE; empty: the one that goes with the kind.
    release: str = ""
    # Engines; what is absent goes with the others. An exchange has only a federation engine.
    computing: str | None = None
    engine: str | None = None
    storage: str | None = None
    # Names of peers: in a star the exchange of the party, in a mesh and for an exchange the other parties.
    peers: tuple[str, ...] = ()
    # Who may connect to what is published (address ranges, or the word `anyone`), and the cluster's own ranges; empty: as a proposal.
    source_ranges: tuple[str, ...] = ()
    cluster_ranges: tuple[str, ...] = ()
    # Where peers reach the cluster's nodes; None: load balancers publish.
    node_address: str | None = None

    @property
    def row(self) -> FirstStack:
        """What is true of its kind."""
        return FIRST_STACKS[self.kind]

    @property
    def fate(self) -> str:
        """The release of FATE."""
        return self.release or self.row.release()


def init_stack(stack: Stack, answers: Answers, *, force: bool = False) -> str:
    """Write the stack file and return its text. FederationError for a wrong answer, or when the file exists and not `force`."""
    text = stack_text(answers)
    if stack.file.exists() and not force:
        raise CommandError(shown(stack.file), "exists already", "choose another stack with -s, or replace the file with --force")
    if not force:
        refuse_to_forget(stack)
    write_atomic(stack.file, text.encode())
    return text


def stack_text(answers: Answers) -> str:
    """The stack file for these answers. FederationError for an answer that its key would not accept."""
    _check(answers)
    row, engines = answers.row, _engines(answers)
    peers = answers.peers or row.peers
    if row.peer == "the exchange" and len(peers) != 1:
        raise UsageError(f"a stack of kind {answers.kind} has one peer, its exchange: add others with `fatefed peers add`")
    without = NO_SOURCES if answers.node_address is None else NO_NODE_SOURCES
    sources = SOURCES if answers.source_ranges else without
    texts = {
        "what": _what(answers, peers),
        "kind": answers.kind,
        "topology": row.topology,
        "organization": _scalar(answers.organization),
        "context": _scalar(answers.context or answers.organization),
        "owner": answers.organization,
        "federation": _scalar(answers.federation),
        "domain": answers.domain,
        "id_line": "" if answers.federation_id is None else _fill(PARTS["federation-id"], id=answers.federation_id),
        "party": answers.party_id,
        "party_id": json.dumps(answers.party_id),
        "namespace_note": "exists already; this stack does not create it" if row.namespaced else "of its own, made by `pulumi up`",
        "release": answers.fate,
        "serving_release": SERVING_RELEASE,
        "portal_release": PORTAL_RELEASE,
        "computing": engines.computing,
        "engine": engines.federation,
        "storage": engines.storage,
        "who": row.who,
        "sources": _fill(sources, ranges=_flow(answers.source_ranges), who=row.who),
        "ranges_line": _fill(PARTS["ranges"], ranges=_flow(answers.cluster_ranges)) if answers.cluster_ranges else PARTS["no-ranges"],
        "tls_line": _tls_line(row, engines.federation),
        "spark": _spark(answers, engines),
        "notebook": _fill(PARTS["notebook" if _has_notebook(answers.fate) else "no-notebook"], release=answers.fate),
        "node": str(answers.node_address),
        "exchange_line": "" if row.topology == "mesh" else _fill(PARTS["exchange-line"], exchange=_scalar(next(iter(peers), ""))),
    }
    nodes = answers.node_address is not None
    units = [_unit(row, engines.federation, nodes=nodes), *_beside(row, nodes=nodes)]
    parts = [PARTS["organization"], PARTS[row.cluster], *units, _peers(row, peers, engines.federation)]
    return _fill(PARTS["head"] + GAP.join(parts), **texts)


def _engines(answers: Answers) -> Combination:
    """The engines that were asked for; for those that were not, the legal combination that is most like the usual one."""
    if answers.row.hub and (answers.computing or answers.storage):
        raise UsageError("an exchange neither computes nor stores: drop --computing and --storage, or choose another kind")
    wanted = {"computing": answers.computing, "federation": answers.engine, "storage": answers.storage}
    asked = {kind: word for kind, word in wanted.items() if word is not None}
    release = catalogue()[answers.fate]
    topology = answers.row.topology
    legal = [row for row in release.combinations if topology == "mesh" or NATIVE.star(row.federation)]
    fitting = [row for row in legal if all(getattr(row, kind) == word for kind, word in asked.items())]
    if not fitting:
        problem = f"release {release.release} is not deployed as {' + '.join(asked.values())} in a {topology}"
        raise FederationError(
            [Problem("--computing, --federation-engine, --storage", problem, f"choose one of: {'; '.join(map(str, legal))}")]
        )
    return max(fitting, key=lambda row: sum(getattr(row, kind) == getattr(_USUAL[release.major], kind) for kind in wanted))


def _spark(answers: Answers, engines: Combination) -> str:
    """The image of Spark's workers, where the stack must name one."""
    release = catalogue()[answers.fate]
    row = release.combination(engines.computing, engines.federation, engines.storage)
    needed = row is not None and "sparkWorker" in row.modules and release.modules["sparkWorker"].tag is None
    return _fill(PARTS["spark-worker"], owner=answers.organization) if needed else ""


def _has_notebook(release: str) -> bool:
    """Whether an image of the notebook is known to be published."""
    return not any("client" in doubt.modules for doubt in catalogue()[release].uncertain)


def _unit(row: FirstStack, engine: str, *, nodes: bool) -> str:
    """The party or the exchange, with what its engine publishes, by load balancers or at the nodes."""
    if row.hub:
        head = PARTS["exchange"] + PARTS[f"exchange/{engine}"] + PARTS["exchange-publish"]
        return head + _publish(NATIVE.endpoints("exchange", engine), 6, nodes=nodes, hub=True)
    asks = {"pulsar": PARTS["client-certificates"]} if row.tls == PARTY_CA else {}
    return PARTS["party"] + _publish(NATIVE.endpoints("party", engine), 8, asks, nodes=nodes)


def _tls_line(row: FirstStack, engine: str) -> str:
    return PARTS[f"tls/{row.tls}"] if NATIVE.tls(engine) else ""


def _beside(row: FirstStack, *, nodes: bool) -> Iterator[str]:
    """FATE-Serving or the Site Portal of the party."""
    if row.beside is not None:
        yield PARTS[row.beside] + _publish(frozenset({row.endpoint}), 8, nodes=nodes)


def _publish(
    endpoints: frozenset[str], column: int, more: Mapping[str, str] = MappingProxyType({}), *, nodes: bool, hub: bool = False
) -> str:
    """`more`: what else is said of an endpoint."""
    part, text = PARTS["endpoint-of-nodes" if nodes else "endpoint"], ""
    for name, row in ENDPOINTS.items():
        if name in endpoints:
            port = f"{row.key}: {row.of_exchange if hub else row.node_port}"
            text += _fill(part, name=name, what=row.what, port=port) + more.get(name, "")
    return textwrap.indent(text, " " * column)


def _what(answers: Answers, peers: tuple[str, ...]) -> str:
    party = f"party {answers.party_id} of {answers.organization}"
    head = answers.row.head.format(party=party, organization=answers.organization, peers=", ".join(peers))
    return f"Federation {answers.federation}, {head}"


def _peers(row: FirstStack, peers: tuple[str, ...], engine: str) -> str:
    if not peers:
        return PARTS["no-peers"]
    if row.by_hand:
        return _fill(PARTS["peer-by-hand"], peer=_scalar(peers[0])) + PARTS[f"addresses/{engine}"]
    entries = (_fill(PARTS["peer"], peer=_scalar(peer), peer_file=peer, peer_note=f"{row.peer} of {peer}") for peer in peers)
    return PARTS["peers"] + "".join(entries)


def _flow(ranges: tuple[str, ...]) -> str:
    return ANYONE if ranges == (ANYONE,) else f"[{', '.join(ranges)}]"


def _check(answers: Answers) -> None:
    wanted: list[tuple[str, Any, Any]] = [
        ("--organization", Name, answers.organization),
        ("--federation", Name, answers.federation),
        ("--domain", Domain, answers.domain),
        *([] if answers.federation_id is None else [("--federation-id", Uid, answers.federation_id)]),
        ("--party-id", PartyId, answers.party_id),
        *(("--peer", Name, peer) for peer in answers.peers),
        ("--source-ranges", SourceRanges, answers.source_ranges),
        ("--cluster-ranges", tuple[Cidr, ...], answers.cluster_ranges),
        *([] if answers.node_address is None else [("--node-address", IpAddress, answers.node_address)]),
    ]
    problems = []
    if answers.node_address is not None and answers.source_ranges not in ((), (ANYONE,)):
        remedy = f"say --source-ranges {ANYONE}, and let a firewall or fate:networkPolicy.publishedFrom filter"
        problems.append(Problem("--source-ranges", "node ports (--node-address) filter nothing", remedy))
    if answers.fate not in catalogue():
        problems.append(Problem("--release", f"unknown release {answers.fate}", f"choose one of {', '.join(catalogue())}"))
    elif (major := answers.row.major) is not None and catalogue()[answers.fate].major != major():
        problems.append(Problem("--release", f"Site Portal does not work with FATE {answers.fate}", "choose a release of FATE 1.x"))
    for option, kind, value in wanted:
        try:
            TypeAdapter(kind).validate_python(value)
        except ValidationError as error:
            reason = error.errors(include_url=False, include_input=False)[0]["msg"].removeprefix("Value error, ")
            rule = "lower case letters, digits and dashes, at most 63" if kind is Name else reason
            problems.append(Problem(option, f"{_shown(value)!r} is not accepted", rule))
    if problems:
        raise FederationError(problems)


def _shown(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else ",".join(value)


def _fill(text: str, **values: str) -> str:
    return Template(text).safe_substitute(values)


def _scalar(text: str) -> str:
    """A name as YAML reads it as a text: "0123" and "no" need quotes."""
    return text if yaml.safe_load(text) == text else json.dumps(text)
