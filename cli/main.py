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
from cli.stackfile.initialize import KINDS, RELEASE
from cli.tools.errors import UsageError
from cli.tools.output import READER_ENDED, OutputError, said_to_the_end, say
from cli.tools.text import printable
from federation.base.errors import FederationError

_UNTOUCHED = " No cluster is changed."
_HELP = {
    "init": "Write a first stack file, stacks/Pulumi.<stack>.yaml: complete, commented, valid. Reads Pulumi.yaml." + _UNTOUCHED,
    "check": "Check a stack file. Reads it and its peers' descriptors, with --live also the cluster by kubectl, and the stack's outputs "
    "by `pulumi`, if it may, where the cluster gives the addresses of an exported descriptor; writes nothing." + _UNTOUCHED,
    "convert": "Stack files from other tools' files (kubefate).",
    "convert kubefate": "Write DIR/Pulumi.<name>.yaml for each cluster.yaml of KubeFATE (charts fate, fate-exchange, fate-serving; v1.5.0 "
    "and up), with the same meaning. One cluster is one stack. Lists what could not be carried over, in the file too, and the commands "
    "that give the passwords, none of which is written. Nothing is written when a file is wrong." + _UNTOUCHED,
    "secrets": "The entries of fate:secrets (init).",
    "secrets init": "Make the passwords that are missing and write them into the stack file, encrypted by `pulumi config set --secret`; "
    "existing entries stay, no value is shown. Lists the certificates that only you can give." + _UNTOUCHED,
    "identity": "The key that signs this organization's descriptors (create, show).",
    "identity create": "Write the organization's Ed25519 key: the private part goes into fate:secrets, encrypted by "
    "`pulumi config set --secret`, its fingerprint into fate:identity. A key that is there stays." + _UNTOUCHED,
    "identity show": "Print the fingerprint that peers compare with yours. Reads the stack file; writes nothing." + _UNTOUCHED,
    "trust": "The certificate authorities of this stack's parties (init, rotate).",
    "trust init": "Write what parties with `tls: partyCa` lack: for each a CA, limited to the party's own names, and its server's key; the "
    "keys into fate:secrets, encrypted by `pulumi config set --secret`, the CA's certificate into fate:trust. What is there "
    "stays. For a party with `tls: certManager` the CA's key goes into DIR instead, with an Issuer for cert-manager." + _UNTOUCHED,
    "trust rotate": "Write the next of three steps that replace a party's CA: the new one is trusted beside the old one; it signs; the "
    "old one goes. Between them `pulumi up`, and peers accept the descriptor. Writes fate:secrets and fate:trust; with "
    "`tls: certManager` fate:trust, the party's issuer, and DIR." + _UNTOUCHED,
    "descriptor": "What this stack publishes (export).",
    "descriptor export": "Write the signed descriptor that peers import. Reads the stack's outputs and its key with `pulumi`; "
    "writes FILE, its serial number into fate:identity, and what it says into fate:exported, so that a preview says when it is out of "
    "date." + _UNTOUCHED,
    "peers": "Other organizations' parties and exchanges (add, suspend, resume, retire, move).",
    "peers add": "Accept a peer's descriptor: checks its signature, shows who it is, what it says, the fingerprint of its key to compare "
    "with the peer, and which routes it changes, asks, then writes the descriptor beside the stack file, and its key, serial and sha256 "
    "into the stack file. `pulumi up` applies it. Instead of a file, --from-stack reads it with `pulumi` from the outputs of another stack "
    "of the same state backend, and --name alone reads that stack again." + _UNTOUCHED,
    "status": "Show what the stack has in its cluster: modules, claims, certificates, Services, consoles. Reads the stack file and its "
    "peers' descriptors, and the cluster by kubectl ($KUBECTL, else PATH); no state, no passphrase, no Secret." + _UNTOUCHED,
    "doctor": "Check the stack's own cluster: modules, claims, certificates, quotas, addresses, node ports, classes. With peers, the "
    "links to them instead: names, ports, TLS, routes there and back, clocks, releases, and the route files in the cluster; with --engines "
    "or --images the external engines, or the registries. Exit status 1 "
    "when a check failed; what may not be read is said and does not fail. Reads what `status` reads; docs/rbac/viewer.yaml suffices. No "
    "cluster is changed, unless you ask for a Job with --in-cluster.",
    "support-bundle": "Write an archive for whoever helps: configuration without secrets, rendered objects, status, doctor, events, "
    "versions; logs when asked. Reads what `status` reads and runs `helm template`; writes FILE only." + _UNTOUCHED,
    "peers suspend": "Take a peer's routes and trust away for a while: writes its state into the stack file and shows which routes that "
    "changes. `pulumi up` applies it; the peer is not asked." + _UNTOUCHED,
    "peers resume": "Give a suspended peer its routes back: writes its state into the stack file. `pulumi up` applies it." + _UNTOUCHED,
    "peers retire": "Part with a peer for good: writes its state into the stack file. Its party id stays with its key: no other peer can "
    "take it. `pulumi up` applies it; the peer is not asked." + _UNTOUCHED,
    "peers move": "Move fate:peers out of the stack file into a file of its own, which fate:peersFile names: from about 450 peers on, "
    "Pulumi cannot hand the configuration to the program. What is deployed stays as it is." + _UNTOUCHED,
    "releases": "The releases of FATE and FATE-Serving that can be deployed (list, show), and files with your own (check).",
    "releases check": "Check a file with a release of your own: its keys, what they refer to, and that every combination can be planned."
    " Reads the file; writes nothing." + _UNTOUCHED,
    "releases list": "List every release, with its combinations of engines, devices and algorithms; with -s also the stack's own. "
    "Reads the catalogue; writes nothing." + _UNTOUCHED,
    "releases show": "Show one release of FATE or FATE-Serving: combinations with their modules, images, ports; with -s also one of "
    "the stack's own. Reads the catalogue; writes nothing." + _UNTOUCHED,
    "images": "The images of a stack (list, pin).",
    "images list": "List every image that the stack's nodes pull: upstream's name, to mirror it and to name its digest in "
    "fate:images.digests, and the reference after fate:images. Reads the stack file and its peers' descriptors; writes nothing."
    + _UNTOUCHED,
    "images pin": "Ask the registries which digest each image's tag stands for, where nodes pull it, and write the digests into "
    "fate:images.digests. Reads $DOCKER_CONFIG/config.json for passwords, else the pull secret of the stack with `pulumi`; writes the "
    "stack file only. An image for several platforms is pinned with the digest for all of them." + _UNTOUCHED,
    "plan": "Say, as Markdown, what the stack file does to running parties: which pairs, how (reload, cut, restart, data loss), who has to "
    "act. Compares it with what the stack's state remembers (`pulumi stack export`), or with another stack file; writes nothing. Exit "
    "status: 0 nothing stops, 3 pods restart or links are cut, 4 data is left behind." + _UNTOUCHED,
    "firewall": "Print every connection that crosses the edge of the stack's cluster, for who opens firewalls: direction, hosts, ports, "
    "purpose, who must open it. Reads the stack file and its peers' descriptors; with --live also the stack's outputs; writes nothing."
    + _UNTOUCHED,
    "topology": "Draw the federation as this stack sees it: organizations, parties, links and their states. Reads the stack file and its "
    "peers' descriptors; writes FILE only." + _UNTOUCHED,
    "render": "Write every object the stack would create as DIR/<namespace>/<kind>-<name>.yaml, secrets as <redacted>, later "
    "addresses as <known-after-up:...>; how consoles are reached is in DIR/<namespace>/access.txt. Reads the stack file and its "
    "peers' descriptors, runs `helm template` ($HELM, else PATH); needs no cluster, no passphrase, no pulumi." + _UNTOUCHED,
}


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
    _convert_verb(_group(verbs, "convert"))
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
    _verb(_group(verbs, "secrets"), "secrets init", commands.secrets_init)
    identity = _group(verbs, "identity")
    verb = _verb(identity, "identity create", commands.identity_create)
    verb.add_argument("--replace", action="store_true", help="make a new key: every peer must then accept it with --key")
    _verb(identity, "identity show", commands.identity_show)
    trust = _group(verbs, "trust")
    verb = _verb(trust, "trust init", commands.trust_init)
    verb.add_argument("--party", metavar="ID", help="this one alone (default: all)")
    _issuer_options(verb)
    verb = _verb(trust, "trust rotate", commands.trust_rotate)
    verb.add_argument("--party", metavar="ID", help="the party; needed with more than one with a CA")
    verb.add_argument("--yes", action="store_true", help="do the second and third step without a question")
    _issuer_options(verb)
    verb.add_argument("--issuer", metavar="NAME", help="who of cert-manager signs next (default: the name so far, with the CA's number)")


def _descriptor_verb(verbs: Verbs) -> None:
    """The descriptor that peers get."""
    verb = _verb(_group(verbs, "descriptor"), "descriptor export", commands.descriptor_export)
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
    peers = _group(verbs, "peers")
    for name, state in (("suspend", "suspended"), ("resume", "active"), ("retire", "retired")):
        verb = _verb(peers, f"peers {name}", commands.peers_state, state=state)
        verb.add_argument("name", metavar="NAME", help="the peer's name under fate:peers")
        verb.add_argument("--reason", metavar="TEXT", help="why, for people; kept in the stack file and in the output `peers`")
    verb = _verb(peers, "peers add", commands.peers_add)
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
    _verb(peers, "peers move", commands.peers_move)


def _image_verbs(verbs: Verbs) -> None:
    """Images."""
    images = _group(verbs, "images")
    _verb(images, "images list", commands.images_list)
    verb = _verb(images, "images pin", commands.images_pin)
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
    releases = _group(verbs, "releases")
    _verb(releases, "releases list", commands.releases_list)
    verb = _verb(releases, "releases check", commands.releases_check, stack=False)
    verb.add_argument(
        "file", type=Path, metavar="FILE", help="a row of the catalogue, as in federation/catalogue/rows/fate; it may have a base"
    )
    verb = _verb(releases, "releases show", commands.releases_show)
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
    verb.add_argument("kind", choices=list(KINDS), metavar="KIND", help="; ".join(f"{kind}: {what}" for kind, what in KINDS.items()))
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
    verb = _verb(verbs, "convert kubefate", commands.convert_kubefate, stack=False)
    verb.add_argument("files", type=Path, nargs="+", metavar="CLUSTER.yaml", help="what `kubefate cluster install -f` was given")
    verb.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the stack files go, such as stacks")
    verb.add_argument("--organization", metavar="ORG", help="who owns the clusters (default: each cluster's name)")
    verb.add_argument("--federation", metavar="NAME", default="fate", help="the federation's name (default: %(default)s)")
    verb.add_argument("--domain", help="the federation's domain (default: that of the exchange in the file, else fate.org)")
    verb.add_argument("--node-address", metavar="HOST", help="where peers reach the nodes, for Services of type NodePort")
    verb.add_argument("--release", help="the release of FATE, or of FATE-Serving, instead of the one that goes with chartVersion")
    verb.add_argument("--force", action="store_true", help="replace existing files")


def _group(verbs: Verbs, name: str) -> Verbs:
    group = verbs.add_parser(name, help=_HELP[name].partition(". ")[0], description=_HELP[name])
    return group.add_subparsers(required=True, metavar="VERB")


def _cluster_verb(verbs: Verbs, name: str, run: Callable[[argparse.Namespace], Result], *, seconds: int = 30) -> argparse.ArgumentParser:
    """A verb that reads the cluster."""
    verb = _verb(verbs, name, run)
    verb.add_argument("--timeout", type=float, default=seconds, metavar="SECONDS", help="for all questions together (default: %(default)s)")
    return verb


def _verb(
    verbs: Verbs, name: str, run: Callable[[argparse.Namespace], Result], *, stack: bool = True, **fixed: str
) -> argparse.ArgumentParser:
    """A verb; without `stack` it is about no stack. `fixed`: what no argument says."""
    verb: argparse.ArgumentParser = verbs.add_parser(name.rsplit(" ", 1)[-1], help=_HELP[name].partition(". ")[0], description=_HELP[name])
    verb.set_defaults(run=run, **fixed)
    if stack:
        verb.add_argument("-s", "--stack", help="the stack's name")
        verb.add_argument("-C", "--dir", type=Path, metavar="DIR", help="the project folder, with Pulumi.yaml (default: from here upwards)")
    verb.add_argument("--json", action="store_true", help="print JSON, for programs")
    return verb


if __name__ == "__main__":
    sys.exit(main())
