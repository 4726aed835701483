"""The addresses that the node gave to its pods, as the network plugins' library keeps them: seconds before the API server has them.

A pod must be filtered from the first packet that its containers send.
"""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from sandbox.policies.model import Object

RESULTS = Path("/var/lib/cni/results")  # libcni's, which containerd uses; one file per pod and network
_POLL = 0.1  # seconds

Addresses = Mapping[tuple[str, str], tuple[str, ...]]


class Assigned:
    """The addresses by namespace and name of a pod. A thread reads the folder, and sets `changed` when they change."""

    def __init__(self, changed: threading.Event, say: Callable[[str], None], folder: Path = RESULTS) -> None:
        self._say = say
        self._folder = folder
        self._changed = changed
        self._files: frozenset[tuple[str, int]] = frozenset()
        self.addresses: Addresses = {}

    def start(self) -> "Assigned":
        """Begin to read. The thread ends with the program."""
        self.refresh()
        threading.Thread(target=self._run, daemon=True, name="cni").start()
        return self

    def refresh(self) -> None:
        """Read the folder if its files are others than before."""
        files = frozenset(_sizes(self._folder))
        if files != self._files:
            self._files = files
            self.addresses = read((self._folder / name for name, _ in files), self._say)
            self._changed.set()

    def _run(self) -> None:
        while True:
            time.sleep(_POLL)
            try:
                self.refresh()
            except Exception as error:  # whatever it is: without this thread, new pods would not be filtered from their first packet
                self._say(f"{self._folder}: {type(error).__name__}: {error}; the addresses of before stay")


def read(paths: Iterable[Path], say: Callable[[str], None]) -> Addresses:
    """What the files say. Of two results for one pod, the younger: the node has not removed the older one yet."""
    assigned: dict[tuple[str, str], tuple[str, ...]] = {}
    for _, path, text in sorted(_texts(paths)):
        try:
            kept = json.loads(text)
        except ValueError:  # still being written: it is read again when it has grown
            continue
        try:
            names = dict(kept.get("cniArgs") or [])
            addresses = tuple(one["address"].partition("/")[0] for one in kept["result"].get("ips") or [])
            if addresses and "K8S_POD_NAME" in names:
                assigned[names["K8S_POD_NAMESPACE"], names["K8S_POD_NAME"]] = addresses
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            say(f"{path}: {type(error).__name__}: {error}; the address in it is not used before the API server knows it")
    return assigned


def with_addresses(pods: Iterable[Object], addresses: Addresses) -> list[Object]:
    """The same pods, with the addresses that the node gave them in the place of those that the API server knows."""
    return [_with_address(pod, addresses.get((pod["metadata"]["namespace"], pod["metadata"]["name"]))) for pod in pods]


def _with_address(pod: Object, addresses: tuple[str, ...] | None) -> Object:
    if addresses is None or pod["spec"].get("hostNetwork"):
        return pod
    status: dict[str, Any] = dict(pod.get("status") or {})
    return {**pod, "status": status | {"podIPs": [{"ip": address} for address in addresses]}}


def _sizes(folder: Path) -> Iterable[tuple[str, int]]:
    for path in folder.iterdir() if folder.is_dir() else ():
        with contextlib.suppress(FileNotFoundError):  # removed in the meantime
            yield path.name, path.stat().st_size


def _texts(paths: Iterable[Path]) -> Iterable[tuple[float, Path, str]]:
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            yield path.stat().st_mtime, path, path.read_text()
