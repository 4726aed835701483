"""The command `sandbox`. Exit status: 0 ok, 1 failed, 2 wrong usage."""

import argparse
import json
import os
import shlex
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from sandbox import cluster, tools
from sandbox.catalogue import recipes
from sandbox.errors import MissingRequirementsError, SandboxError
from sandbox.images.build import ensure
from sandbox.images.recipes import REGISTRY
from sandbox.state import NODE_KINDS, ROOT_VARIABLE, default_root

OK, FAILED, USAGE = 0, 1, 2
_KUBECTL_VERBS = {"exec": "run a command in a container", "logs": "what a container printed", "port-forward": "reach a pod from here"}
_printing = threading.Lock()


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb."""
    arguments = _parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
    except SandboxError as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return USAGE if isinstance(error, MissingRequirementsError) else FAILED
    except BrokenPipeError:  # `sandbox status | head`: what was wanted has been read
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except KeyboardInterrupt:
        print("sandbox: interrupted; run the same command again to go on", file=sys.stderr)
        return FAILED
    return code


def say(line: str) -> None:
    """Print a line of progress at once."""
    with _printing:
        print(line, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sandbox", description=__doc__)
    parser.add_argument("--root", type=Path, default=None, help=f"where clusters live (default ${ROOT_VARIABLE}, else .demo/sandbox)")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    _verb(verbs, "tools", _tools, "find or build every tool of clusters and programs, and say which was chosen and why")
    verb = _verb(verbs, "up", _up, "start a Kubernetes cluster per organization")
    verb.add_argument("organizations", nargs="+", metavar="ORG")
    verb.add_argument(
        "--nodes", choices=NODE_KINDS, help="what runs pods: nothing, but kwok marks them ready (default); or a real node (root)"
    )
    verb = _verb(verbs, "down", _down, "stop control planes (all when none is named) and delete their state")
    verb.add_argument("organizations", nargs="*", metavar="ORG")
    verb.add_argument("--keep", action="store_true", help="keep the state, for a later `up`")
    verb = _verb(verbs, "status", _status, "show every control plane: components, memory, ports")
    verb.add_argument("organizations", nargs="*", metavar="ORG")
    verb.add_argument("--json", action="store_true", help="for programs")
    verb = _verb(verbs, "kubeconfig", _kubeconfig, "print the path of the administrator's kubeconfig")
    verb.add_argument("organization", metavar="ORG")
    for name, summary in _KUBECTL_VERBS.items():
        verb = _verb(verbs, name, _kubectl, f"kubectl {name}: {summary}")
        verb.add_argument("organization", metavar="ORG")
        verb.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="as kubectl takes them")
        verb.set_defaults(kubectl_verb=name)
    verb = _verb(
        verbs, "restart-node", _restart_node, "stop a real node and its containers, as a machine that fails does, and start it again"
    )
    verb.add_argument("organization", metavar="ORG")
    verb = _verb(verbs, "images", _images, "build local test images that stand for those of a release, for real nodes")
    verb.add_argument("--stack-config", action="store_true", help="print what a stack file needs to use them, and build nothing")
    verb = _verb(verbs, "env", _env, 'print variables for the tools: eval "$(sandbox env)"')
    verb.add_argument("--pulumi-home", type=Path, help="set PULUMI_HOME and install the Kubernetes provider there")
    return parser


def _verb(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, run: object, summary: str) -> argparse.ArgumentParser:
    verb: argparse.ArgumentParser = verbs.add_parser(name, help=summary, description=summary)
    verb.set_defaults(run=run)
    return verb


def _root(arguments: argparse.Namespace) -> Path:
    chosen: Path | None = arguments.root
    return chosen.absolute() if chosen else default_root()


def _tools(_: argparse.Namespace) -> int:
    for choice in tools.ensure([name for name, recipe in recipes().items() if recipe.always], say):
        say(f"{choice.name:28}{choice.seconds:6.1f} s  {choice.path or '-'}  ({choice.why})")
    return OK


def _up(arguments: argparse.Namespace) -> int:
    cluster.up(_root(arguments), arguments.organizations, say, arguments.nodes)
    return OK


def _down(arguments: argparse.Namespace) -> int:
    cluster.down(_root(arguments), arguments.organizations, say, keep=arguments.keep)
    return OK


def _status(arguments: argparse.Namespace) -> int:
    clusters = cluster.status(_root(arguments), arguments.organizations)
    if arguments.json:
        print(json.dumps([asdict(one) for one in clusters], indent=2, default=str))
        return OK
    if not clusters:
        print(f"no cluster in {_root(arguments)}")
    for one in clusters:
        pss, rss = (sum(getattr(row, size) for row in one.components) for size in ("pss_mib", "rss_mib"))
        print(f"{one.organization}: {one.state}, {one.nodes} nodes, {one.url}, memory PSS {pss:.0f} MiB, RSS {rss:.0f} MiB")
        for row in one.components:
            detail = f"pid {row.pid}, PSS {row.pss_mib:.0f} MiB, RSS {row.rss_mib:.0f} MiB, up {row.uptime:.0f} s"
            print(f"  {row.name:26}{detail if row.up else 'down'}")
    return OK


def _kubeconfig(arguments: argparse.Namespace) -> int:
    print(cluster.kubeconfig(_root(arguments), arguments.organization))
    return OK


def _kubectl(arguments: argparse.Namespace) -> int:
    """Become kubectl."""
    kubeconfig = cluster.kubeconfig(_root(arguments), arguments.organization)
    program = str(tools.tool_path("kubectl"))
    os.execv(program, [program, f"--kubeconfig={kubeconfig}", arguments.kubectl_verb, *arguments.arguments])  # noqa: S606


def _restart_node(arguments: argparse.Namespace) -> int:
    cluster.restart_node(_root(arguments), arguments.organization, say)
    return OK


def _images(arguments: argparse.Namespace) -> int:
    if arguments.stack_config:
        print(f"  fate:images:\n    registry: {REGISTRY}\n    pullPolicy: Never # they are on the nodes, and in no registry")
        return OK
    for archive in ensure(say):
        say(str(archive))
    return OK


def _env(arguments: argparse.Namespace) -> int:
    home = arguments.pulumi_home
    for name, value in tools.tools_env(home.absolute() if home else None).items():
        print(f"export {name}={shlex.quote(value)}")
    return OK
