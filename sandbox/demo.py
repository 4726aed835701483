"""`make demo`: three organizations, each with a cluster of its own, linked into a federation by real `pulumi up`s.

It does what three separate operators would do. Between their folders only signed descriptor files, signing requests and
public certificates are copied, and fingerprints of keys are told. It can be interrupted and run again; it writes no tracked file.
"""

import argparse
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from sandbox import cluster, pki, tools
from sandbox.errors import SandboxError
from sandbox.files import private_dir, write_atomic
from sandbox.state import COMPONENTS, default_root, organizations
from sandbox.summary import show_summary
from sandbox.workspace import REPO, Workspace

DEMO = REPO / ".demo"
EXCHANGE, PARTIES = "consortium", {"bank-a": "9999", "clinic-b": "10000"}
DOMAIN = "fraud.example"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; exit status 1 when any step did not do what it should."""
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("verb", choices=("up", "down"))
    verb = parser.parse_args(arguments).verb
    try:
        (up if verb == "up" else down)()
    except SandboxError as error:
        print(f"\nfailed: {error}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted: `make demo` goes on from here", file=sys.stderr)
        return 1
    return 0


def up() -> None:
    """Bring everything up and link it."""
    begun = time.monotonic()
    organizations = [EXCHANGE, *PARTIES]
    with _step("tools: find or build"):
        tools.ensure((*tools.CLIENT_TOOLS, *COMPONENTS), _say)
    with _step("three control planes"):
        cluster.up(default_root(), organizations, _say)
    spaces = {name: Workspace(name, DEMO / name, cluster.kubeconfig(default_root(), name)) for name in organizations}
    with _step("three working folders: project, backend, passphrase, stack"):
        _each(spaces, lambda space: space.prepare())
    consortium = spaces[EXCHANGE]
    with _step("identities: each makes the key that signs its descriptors"):
        _each(spaces, lambda space: space.fatefed("identity", "create"))
    with _step("certificates: keys stay home, the consortium signs requests"):
        _certificates(spaces)
        _each(spaces, lambda space: space.fatefed("secrets", "init"))
    with _step("consortium: pulumi up (the exchange)"):
        _say(f"  {_counts(consortium.up())}")
        _export(consortium)
    with _step("bank-a and clinic-b: import the exchange, pulumi up (a FATE party each)"):
        _each({name: spaces[name] for name in PARTIES}, lambda space: _join(space, consortium))
    with _step("consortium: import both parties, preview, pulumi up"):
        _link(consortium, [spaces[name] for name in PARTIES])
    with _step("a second pulumi up changes nothing, anywhere"):
        _each(spaces, _must_be_unchanged)
    show_summary(spaces, PARTIES, time.monotonic() - begun)


def down() -> None:
    """Stop the three control planes and delete what the demo made; other clusters of the sandbox stay."""
    ours = [EXCHANGE, *PARTIES]
    # An empty list would mean every cluster.
    if running := [name for name in ours if name in organizations(default_root())]:
        cluster.down(default_root(), running, _say)
    for name in ours:
        shutil.rmtree(DEMO / name, ignore_errors=True)
    _say("the demo's clusters and folders are gone")


def _join(space: Workspace, consortium: Workspace) -> None:
    _receive(space, consortium)
    _say(f"  {space.organization}: {_counts(space.up())}")
    _export(space)


def _export(space: Workspace) -> None:
    space.fatefed("descriptor", "export", "-o", str(space.folder / "descriptor.json"))


# What a preview of the exchange's stack may hold when parties join.
_LINKING = [
    ("update", "kubernetes:core/v1:ConfigMap", "exchange-routes"),
    ("update", "kubernetes:networking.k8s.io/v1:NetworkPolicy", "exchange-policy-peers-nginx"),
    ("update", "kubernetes:networking.k8s.io/v1:NetworkPolicy", "exchange-policy-peers-traffic-server"),
    ("update", "pulumi:pulumi:Stack", "fate-consortium"),
]


def _link(consortium: Workspace, parties: list[Workspace]) -> None:
    for party in parties:
        _receive(consortium, party)
    changes = [change for change in consortium.preview() if not change[1].startswith("fate:federation:External")]
    for operation, kind, name in changes:
        _say(f"  preview: {operation} {kind} {name}")
    if unexpected := [change for change in changes if change not in _LINKING]:
        raise SandboxError(f"adding parties must only change the exchange's routes and network policies, but would also: {unexpected}")
    _say(f"  {_counts(consortium.up())}")


def _receive(space: Workspace, sender: Workspace) -> None:
    """The hand-over of a descriptor file from one organization to another, and of its fingerprint, as on the phone."""
    key = sender.fatefed("identity", "show").strip()
    name = f"{sender.organization}.json"
    write_atomic(space.folder / "stacks" / "peers" / name, (sender.folder / "descriptor.json").read_bytes())
    space.fatefed("peers", "add", f"peers/{name}", "--name", sender.organization, "--key", key, "--yes")


def _must_be_unchanged(space: Workspace) -> None:
    counts = space.up()
    if set(counts) != {"unchanged"}:
        raise SandboxError(f"{space.organization}: a second `pulumi up` gave {_counts(counts)}")


def _certificates(spaces: dict[str, Workspace]) -> None:
    """Each party makes a key and a request; the consortium's CA signs; only requests and certificates are copied."""
    consortium = spaces[EXCHANGE].folder
    authority = _authority(private_dir(consortium / "ca"))
    for name, party in PARTIES.items():
        space, unit, server_name = spaces[name], f"party-{party}", f"{party}.{DOMAIN}"
        if all(space.has_secret(f"{unit}-{part}") for part in ("key", "certificate", "ca")):
            continue
        home = private_dir(space.folder / "tls")
        key = pki.new_key("rsa-2048")
        write_atomic(home / "key.pem", pki.key_pem(key))
        write_atomic(home / "request.csr", pki.pem(pki.new_csr(key, server_name, organization=name)))
        request = consortium / "ca" / f"{name}.csr"
        write_atomic(request, (home / "request.csr").read_bytes())
        certificate = pki.sign_csr(request.read_bytes(), authority, [server_name], organization=name)
        write_atomic(consortium / "ca" / f"{name}.cert.pem", pki.pem(certificate))
        write_atomic(home / "cert.pem", (consortium / "ca" / f"{name}.cert.pem").read_bytes())
        write_atomic(home / "ca.cert.pem", (consortium / "ca" / "ca.cert.pem").read_bytes())
        for part, file in (("key", "key.pem"), ("certificate", "cert.pem"), ("ca", "ca.cert.pem")):
            space.set_secret(f"{unit}-{part}", (home / file).read_bytes())
        (home / "key.pem").unlink()  # from here on it is in fate:secrets, encrypted


def _authority(home: Path) -> pki.Authority:
    certificate, key = home / "ca.cert.pem", home / "ca.key.pem"
    if not (certificate.exists() and key.exists()):
        authority = pki.new_authority(f"{DOMAIN} federation CA", organization=EXCHANGE, kind="rsa-2048")
        write_atomic(key, pki.key_pem(authority.key))
        write_atomic(certificate, pki.pem(authority.certificate))
    return pki.load_authority(certificate.read_bytes(), key.read_bytes())


def _each(spaces: dict[str, Workspace], action: Callable[[Workspace], object]) -> None:
    """Do the same in every folder at once; the first failure counts."""
    with ThreadPoolExecutor(len(spaces)) as pool:
        for done in [pool.submit(action, space) for space in spaces.values()]:
            done.result()


@contextmanager
def _step(title: str) -> Iterator[None]:
    begun = time.monotonic()
    _say(f"── {title}")
    yield
    _say(f"   {time.monotonic() - begun:.1f} s")


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {word}" for word, count in counts.items()) or "nothing to do"


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
