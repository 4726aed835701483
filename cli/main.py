"""`fatefed`: prepares, checks and renders the stack of one organization, and exchanges descriptors with its peers.

No verb changes a cluster: only `pulumi up` and `pulumi destroy` do. Each verb's help says what it reads and writes.
Exit status: 0 ok, 1 a check failed or something is wrong in the configuration, 2 wrong usage, 141 the reader of the output ended first;
of `plan` also 3 and 4.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from cli.commands import cluster as cluster_commands
from cli.commands import network
from cli.commands import stack as commands
from cli.commands.stack import FAILED, OK, USAGE, Result
from cli.peers.descriptors import DAYS
from cli.reports import firewall, topology
from cli.stackfile.initialize import RELEASE
from cli.stackfile.kinds import KINDS
from cli.tools.errors import UsageError
from cli.tools.output import READER_ENDED, OutputError, said_to_the_end, say
from cli.tools.text import printable
from federation.base.errors import FederationError

_UNTOUCHED = "No cluster is changed"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; its exit status."""
    try:
        try:
            return _run(argv)
        except SystemExit as stopped:  # argparse, after wrong usage or --help
            if stopped.code:
                return USAGE
            said_to_the_end()
            return OK
    except OutputError as error:
        if error.code != READER_ENDED:
            with suppress(OutputError):
                say(f"fatefed: {error}", sys.stderr)
        return error.code


def _run(argv: Sequence[str] | None) -> int:
    arguments = _parser().parse_args(argv)
    try:
        result: Result = arguments.run(arguments)
    except UsageError as error:
        say(f"fatefed: {printable(str(error))}", sys.stderr)
        return USAGE
    except FederationError as error:
        say(printable(str(error)), sys.stderr)
        if arguments.json:
            _say_json({"problems": [{"place": p.place, "problem": p.problem, "remedy": p.remedy} for p in error.problems]})
        return FAILED
    except (KeyboardInterrupt, EOFError):
        say("\nfatefed: interrupted", sys.stderr)
        return FAILED
    if arguments.json:
        _say_json(result.data)
    elif result.text:
        say(printable(result.text))
    if result.refused:
        say(f"fatefed: {printable(result.refused)}", sys.stderr)
    return result.code


def _say_json(data: dict[str, Any]) -> None:
    say(json.dumps(data, indent=2, sort_keys=True))


Verbs = Any  # argparse's own type for a group of verbs is private


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="fatefed", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    _init_verb(verbs)
    _convert_verb(_group(verbs, "convert", "Stack files from other tools' files (kubefate)."))
    verb = _cluster_verb(verbs, "check", commands.check)
    verb.add_argument(
        "--live", action="store_true", help="ask the cluster, too, whose the stack's namespaces are, and what is left in them"
    )
    _key_verbs(verbs)
    _descriptor_verb(verbs)
    _peer_verbs(verbs)
    _image_verbs(verbs)
    _doctor_verbs(verbs)
    _release_verbs(verbs)
    _report_verbs(verbs)
    return parser


def _key_verbs(verbs: Verbs) -> None:
    """Secrets, signing keys and CAs."""
    _verb(_group(verbs, "secrets", "The entries of fate:secrets (init)."), "init", commands.secrets_init)
    identity = _group(verbs, "identity", "The key that signs this organization's descriptors (create, show).")
    verb = _verb(identity, "create", commands.identity_create)
    verb.add_argument("--replace", action="store_true", help="make a new key: every peer must then accept it with --key")
    _verb(identity, "show", commands.identity_show)
    trust = _group(verbs, "trust", "The certificate authorities of this stack's parties (init, rotate).")
    verb = _verb(trust, "init", commands.trust_init)
    verb.add_argument("--party", metavar="ID", help="this one alone (default: all)")
    _issuer_options(verb)
    verb = _verb(trust, "rotate", commands.trust_rotate)
    verb.add_argument("--party", metavar="ID", help="the party; needed with more than one with a CA")
    verb.add_argument("--yes", action="store_true", help="do the second and third step without a question")
    _issuer_options(verb)
    verb.add_argument("--issuer", metavar="NAME", help="who of cert-manager signs next (default: the name so far, with the CA's number)")


def _descriptor_verb(verbs: Verbs) -> None:
    """The descriptor that peers get."""
    verb = _verb(_group(verbs, "descriptor", "What this stack publishes (export)."), "export", commands.descriptor_export)
    verb.add_argument(
        "--unit",
        metavar="UNIT",
        help="exchange, party-<id>, serving-<id>, serving-exchange, site-portal-<id>, fml-manager; needed when the stack has several",
    )
    verb.add_argument("-o", "--output", required=True, metavar="FILE", help="where to write it; - for standard output")
    verb.add_argument("--days", type=int, default=DAYS, help="for how long peers may accept it (default %(default)s)")
    verb.add_argument("--serial", type=int, metavar="N", help="go on from this serial number, when the stack file lost count")
    verb.add_argument("--unsigned", action="store_true", help="without a signature, for peers that cannot check one")


def _peer_verbs(verbs: Verbs) -> None:
    """Peers: who they are, and in which state."""
    peers = _group(verbs, "peers", "Other organizations' parties and exchanges (add, suspend, resume, retire, move).")
    for name, run in (("suspend", commands.peers_suspend), ("resume", commands.peers_resume), ("retire", commands.peers_retire)):
        verb = _verb(peers, name, run)
        verb.add_argument("name", metavar="NAME", help="the peer's name under fate:peers")
        verb.add_argument("--reason", metavar="TEXT", help="why, for people; kept in the stack file and in the output `peers`")
    verb = _verb(peers, "add", commands.peers_add)
    verb.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the descriptor, from here or from the folder of the stack file")
    other = "the stack that publishes it, one of your own in the same state backend: ORGANIZATION/PROJECT/STACK"
    verb.add_argument("--from-stack", metavar="STACK", help=other)
    verb.add_argument(
        "--unit", metavar="UNIT", help="with --from-stack: which unit, such as party-10000; needed when the stack has several"
    )
    verb.add_argument("--name", help="the peer's name under fate:peers (default: the peer that has this descriptor, else its organization)")
    heard = "the fingerprint that the sender told you: any other is refused, and a new key of a known peer is accepted"
    verb.add_argument("--key", metavar="SHA256:...", help=heard)
    verb.add_argument("--unsigned", action="store_true", help="accept a file without a signature, whose sha256 you compared with its owner")
    names = "accept host names without addresses: whoever controls a name decides where pods of this stack connect to"
    verb.add_argument("--resolve", action="store_true", help=names)
    verb.add_argument("--yes", action="store_true", help="accept without a question; a key that is new here needs --key, too")
    _verb(peers, "move", commands.peers_move)


def _image_verbs(verbs: Verbs) -> None:
    """Images."""
    images = _group(verbs, "images", "The images of a stack (list, pin).")
    _verb(images, "list", commands.images_list)
    verb = _verb(images, "pin", commands.images_pin)
    verb.add_argument("--update", action="store_true", help="also take the new digest where a tag has another one than is pinned")
    _registry_options(verb)


def _doctor_verbs(verbs: Verbs) -> None:
    """What the cluster, peers, engines and registries answer."""
    _cluster_verb(verbs, "status", cluster_commands.status)
    verb = _cluster_verb(verbs, "doctor", cluster_commands.doctor)
    verb.add_argument("peer", nargs="*", metavar="PEER", help="ask about the links to these peers, by their names under fate:peers")
    verb.add_argument("--peers", action="store_true", help="ask about the links to every active peer")
    inside = "ask peers from a pod: makes a Job with FATE-Flow's image in the party's namespace, and deletes it (docs/rbac/doctor-job.yaml)"
    verb.add_argument("--in-cluster", action="store_true", help=inside)
    engines = "ask the external engines instead, each question for at most 10 s: reads their passwords with `pulumi config get`"
    verb.add_argument("--engines", action="store_true", help=engines)
    images = "ask the registries for every image instead, from this machine, as nodes will; nothing is pulled, and no row fails"
    verb.add_argument("--images", action="store_true", help=images)
    _registry_options(verb)
    verb = _cluster_verb(verbs, "support-bundle", cluster_commands.support_bundle, seconds=120)
    verb.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="where to write it, such as bundle.tar.gz")
    logs = "also the last LINES lines of each pod; FATE's logs may name data sets and columns (default: none)"
    verb.add_argument("--logs", type=int, default=0, metavar="LINES", help=logs)


def _release_verbs(verbs: Verbs) -> None:
    """Releases of FATE."""
    releases = _group(
        verbs, "releases", "The releases of FATE and FATE-Serving that can be deployed (list, show), and files with your own (check)."
    )
    _verb(releases, "list", commands.releases_list)
    verb = _verb(releases, "check", commands.releases_check, stack=False)
    verb.add_argument(
        "file", type=Path, metavar="FILE", help="a row of the catalogue, as in federation/catalogue/rows/fate; it may have a base"
    )
    verb = _verb(releases, "show", commands.releases_show)
    verb.add_argument("release", metavar="RELEASE", help="such as 1.11.2")


def _report_verbs(verbs: Verbs) -> None:
    """What the plan is, in many forms."""
    verb = _verb(verbs, "plan", network.plan)
    against = "a stack file as it was, with its descriptors beside it (a git worktree), instead of the deployed state"
    verb.add_argument("--against", type=Path, metavar="FILE", help=against)
    verb = _verb(verbs, "firewall", network.firewall_sheet)
    verb.add_argument("--format", choices=list(firewall.FORMATS), default="table", help="default: %(default)s")
    verb.add_argument("--live", action="store_true", help="with the addresses that the last `pulumi up` was given")
    verb = _verb(verbs, "topology", network.draw_topology)
    verb.add_argument("--format", choices=list(topology.FORMATS), default="svg", help="default: %(default)s")
    verb.add_argument("-o", "--output", metavar="FILE", help="where to write it (default: standard output)")
    verb = _verb(verbs, "render", commands.render_objects)
    verb.add_argument("--config", type=Path, metavar="FILE", help="a stack file, instead of -s")
    out = "new, empty, or an earlier rendering, whose stale files are removed"
    verb.add_argument("--out", type=Path, required=True, metavar="DIR", help=out)


def _registry_options(verb: argparse.ArgumentParser) -> None:
    """How registries are asked."""
    signed_in = "users and passwords of registries (default: Docker's config.json of this user, then the stack's pull secret)"
    verb.add_argument("--auth", type=Path, metavar="FILE", help=signed_in)
    verb.add_argument(
        "--ca", type=Path, metavar="FILE", help="the PEM file of a CA that registries are trusted by, beside the machine's own"
    )


def _issuer_options(verb: argparse.ArgumentParser) -> None:
    """Where the CA comes from with which cert-manager signs."""
    folder = "with tls: certManager: make a CA, and write key, certificate and Issuer into this folder; no file is overwritten"
    verb.add_argument("--issuer-files", type=Path, metavar="DIR", help=folder)
    given = "with tls: certManager: take the CA whose public certificate (PEM) this is; its Issuer exists"
    verb.add_argument("--authority", type=Path, metavar="FILE", help=given)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


def _init_verb(verbs: Verbs) -> None:
    verb = _verb(verbs, "init", commands.init)
    verb.add_argument("kind", choices=list(KINDS), metavar="KIND", help="; ".join(f"{kind}: {row.help}" for kind, row in KINDS.items()))
    verb.add_argument("--organization", metavar="ORG", help="who owns the stack (default: the stack's name)")
    verb.add_argument("--context", help="of the kubeconfig (default: its current one, or one that is called like the organization)")
    verb.add_argument("--party-id", metavar="ID", help="the party's id (default 9999)")
    verb.add_argument("--federation", metavar="NAME", default="fraud", help="the federation's name (default: %(default)s)")
    verb.add_argument("--domain", default="fraud.example", help="default: %(default)s")
    known = (
        "the federation's id; new: make one, for who founds a mesh (default: an exchange makes one, others learn it by `fatefed peers add`)"
    )
    verb.add_argument("--federation-id", metavar="ID", help=known)
    verb.add_argument(
        "--release", default=RELEASE, metavar="RELEASE", help="of FATE, one of `fatefed releases list` (default: %(default)s)"
    )
    verb.add_argument("--computing", metavar="ENGINE", help="FATE's computing engine; default: Spark, or with FATE 2.x Eggroll")
    verb.add_argument("--federation-engine", metavar="ENGINE", help="FATE's federation engine; default: Pulsar, or with FATE 2.x OSX")
    verb.add_argument("--storage", metavar="ENGINE", help="FATE's storage engine; the default goes with the computing engine")
    announced = "a peer to announce: a party's exchange, else other parties; may be repeated"
    verb.add_argument("--peer", action="append", default=[], metavar="NAME", help=announced)
    sources = "who may connect to what is published: address ranges, or `anyone` (default: a proposal in a comment, and previews warn)"
    verb.add_argument("--source-ranges", type=_listed, default=(), metavar="CIDR,...", help=sources)
    own = "address ranges of the cluster's pods, Services and nodes, where no peer may be (default: a proposal in a comment)"
    verb.add_argument("--cluster-ranges", type=_listed, default=(), metavar="CIDR,...", help=own)
    verb.add_argument("--force", action="store_true", help="replace an existing file")


def _convert_verb(verbs: Verbs) -> None:
    verb = _verb(verbs, "kubefate", commands.convert_kubefate, stack=False)
    verb.add_argument("files", type=Path, nargs="+", metavar="CLUSTER.yaml", help="what `kubefate cluster install -f` was given")
    verb.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the stack files go, such as stacks")
    verb.add_argument("--organization", metavar="ORG", help="who owns the clusters (default: each cluster's name)")
    verb.add_argument("--federation", metavar="NAME", default="fate", help="the federation's name (default: %(default)s)")
    verb.add_argument("--domain", help="the federation's domain (default: that of the exchange in the file, else fate.org)")
    verb.add_argument("--node-address", metavar="HOST", help="where peers reach the nodes, for Services of type NodePort")
    verb.add_argument("--release", help="the release of FATE, or of FATE-Serving, instead of the one that goes with chartVersion")
    verb.add_argument("--force", action="store_true", help="replace existing files")


def _group(verbs: Verbs, name: str, what: str) -> Verbs:
    return verbs.add_parser(name, help=what, description=what).add_subparsers(required=True, metavar="VERB")


def _cluster_verb(verbs: Verbs, name: str, run: Callable[[argparse.Namespace], Result], *, seconds: int = 30) -> argparse.ArgumentParser:
    """A verb that reads the cluster."""
    verb = _verb(verbs, name, run)
    verb.add_argument("--timeout", type=float, default=seconds, metavar="SECONDS", help="for all questions together (default: %(default)s)")
    return verb


def _verb(verbs: Verbs, name: str, run: Callable[[argparse.Namespace], Result], *, stack: bool = True) -> argparse.ArgumentParser:
    """A verb; without `stack` it is about no stack. What its function's docstring says is its help."""
    text = " ".join((run.__doc__ or "").split())
    said = text if _UNTOUCHED in text else f"{text} {_UNTOUCHED}."
    verb: argparse.ArgumentParser = verbs.add_parser(name, help=said.partition(". ")[0], description=said)
    verb.set_defaults(run=run)
    if stack:
        verb.add_argument("-s", "--stack", help="the stack's name")
        verb.add_argument("-C", "--dir", type=Path, metavar="DIR", help="the project folder, with Pulumi.yaml (default: from here upwards)")
    verb.add_argument("--json", action="store_true", help="print JSON, for programs")
    return verb


if __name__ == "__main__":
    sys.exit(main())
