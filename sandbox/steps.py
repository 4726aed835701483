"""What the demos share: steps with their seconds, the same done by every operator, and the hand-over of descriptors."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from sandbox.errors import MissingRequirementsError, SandboxError
from sandbox.files import write_atomic
from sandbox.workspace import Workspace


def run(name: str, about: str | None, verbs: Mapping[str, Callable[[], None]], arguments: Sequence[str] | None) -> int:
    """Run one verb of a demo. Exit status 1 when a step did not do what it should, 2 where this machine cannot run it."""
    parser = argparse.ArgumentParser(prog=name, description=about)
    parser.add_argument("verb", choices=verbs)
    verb = parser.parse_args(arguments).verb
    try:
        verbs[verb]()
    except MissingRequirementsError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 2
    except SandboxError as error:
        print(f"\nfailed: {error}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        print(f"\ninterrupted: `make {name}` goes on from here", file=sys.stderr)
        return 1
    return 0


def say(line: str) -> None:
    """Print a line of progress at once."""
    print(line, flush=True)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Name what follows, and say how long it took."""
    begun = time.monotonic()
    say(f"── {title}")
    yield
    say(f"   {time.monotonic() - begun:.1f} s")


def each(spaces: Mapping[str, Workspace], action: Callable[[Workspace], object]) -> None:
    """Do the same in every folder at once; the first failure counts."""
    with ThreadPoolExecutor(len(spaces)) as pool:
        for done in [pool.submit(action, space) for space in spaces.values()]:
            done.result()


def counts(operations: Mapping[str, int]) -> str:
    """How many resources had which operation, in words."""
    return ", ".join(f"{count} {word}" for word, count in operations.items()) or "nothing to do"


def export(space: Workspace) -> None:
    """Write the operator's descriptor beside the stacks folder."""
    space.fatefed("descriptor", "export", "-o", str(space.folder / "descriptor.json"))


def receive(space: Workspace, sender: Workspace) -> None:
    """The hand-over of a descriptor file from one organization to another, and of its fingerprint, as on the phone."""
    key = sender.fatefed("identity", "show").strip()
    name = f"{sender.organization}.json"
    write_atomic(space.folder / "stacks" / "peers" / name, (sender.folder / "descriptor.json").read_bytes())
    space.fatefed("peers", "add", f"peers/{name}", "--name", sender.organization, "--key", key, "--yes")


def must_be_unchanged(space: Workspace) -> None:
    """`pulumi up` once more. SandboxError when that changes anything."""
    operations = space.up()
    if set(operations) != {"unchanged"}:
        raise SandboxError(f"{space.organization}: a second `pulumi up` gave {counts(operations)}")
