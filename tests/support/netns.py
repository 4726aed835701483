"""Network namespaces in this process: a namespace is a file descriptor, so nothing is left of one after its tests."""

import ctypes
import errno
import os
import selectors
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)
T = TypeVar("T")


def in_thread(function: Callable[[], T]) -> T:
    """Call it in a thread that ends: the namespaces of this thread stay what they are."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(function())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def _checked(code: int) -> None:
    if code:
        raise OSError(ctypes.get_errno(), f"{os.strerror(ctypes.get_errno())}: network namespaces need root")


class Namespace:
    """One network namespace: that of a file, or a new one with its loopback interface up."""

    def __init__(self, file: Path | None = None) -> None:
        def make() -> int:
            _checked(_libc.unshare(_CLONE_NEWNET))
            return os.open("/proc/thread-self/ns/net", os.O_RDONLY)

        self.fd = in_thread(make) if file is None else os.open(file, os.O_RDONLY)
        self.sockets: list[socket.socket] = []
        if file is None:
            self.run("ip", "link", "set", "lo", "up")

    @property
    def path(self) -> str:
        """Where other processes find it while this one lives."""
        return f"/proc/{os.getpid()}/fd/{self.fd}"

    def run(self, *argv: str, stdin: str = "") -> str:
        """A command inside it. AssertionError with what it wrote when it fails."""
        command = ["nsenter", f"--net={self.path}", *argv]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(argv)}: {done.stderr}"
        return done.stdout

    def inside(self, function: Callable[[], T]) -> T:
        """Call it with this namespace's network. A socket keeps the network that it was made in."""

        def enter() -> T:
            _checked(_libc.setns(self.fd, _CLONE_NEWNET))
            return function()

        return in_thread(enter)

    def write(self, path: str, text: str) -> None:
        """A file below /proc/sys/net, as this namespace has it."""

        def write() -> None:
            with open(f"/proc/sys/net/{path}", "w") as file:
                file.write(text)

        self.inside(write)

    def listen(self, ports: Iterable[int], datagram_ports: Iterable[int] = (), address: str = "::") -> None:
        """Send back what comes over connections to these TCP ports, and answer what comes to these UDP ports with the sender's address."""
        for kind, numbers in ((socket.SOCK_STREAM, ports), (socket.SOCK_DGRAM, datagram_ports)):
            for number in numbers:
                self.inside(lambda kind=kind, number=number: self._bind(kind, address, number))

    def _bind(self, kind: int, address: str, number: int) -> None:
        server = socket.socket(socket.AF_INET6, kind)
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        server.bind((address, number))
        self.sockets.append(server)
        if kind == socket.SOCK_STREAM:
            server.listen(64)
        threading.Thread(target=_accept if kind == socket.SOCK_STREAM else _answer, args=[server], daemon=True).start()

    def close(self) -> None:
        """End it: the kernel removes its interfaces with it."""
        for one in self.sockets:
            one.close()
        os.close(self.fd)


def _accept(server: socket.socket) -> None:
    while True:
        try:
            client, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_echo, args=[client], daemon=True).start()


def _echo(client: socket.socket) -> None:
    with client:
        try:
            while data := client.recv(100):
                client.sendall(data)
        except OSError:
            return


def _answer(server: socket.socket) -> None:
    while True:
        try:
            _, address = server.recvfrom(100)
            server.sendto(str(address[0]).encode(), address)
        except OSError:
            return


# Who connects: a namespace, the address to connect from if it has several, and where to.
Connection = tuple[Namespace, str, tuple[str, int], str]


def open_connections(wanted: list[Connection], patience: float = 0.4) -> list[bool]:
    """Which of these connections open, all tried at once: (from, own address or empty, (address, port), TCP or UDP)."""
    with selectors.DefaultSelector() as selector:
        opened = [False] * len(wanted)
        left = {}
        for at, (namespace, own, target, protocol) in enumerate(wanted):
            client = namespace.inside(lambda own=own, target=target, protocol=protocol: _connect(own, target, protocol))
            left[client] = at
            selector.register(client, selectors.EVENT_READ if protocol == "UDP" else selectors.EVENT_WRITE)
        until = time.monotonic() + patience
        while left and (rest := until - time.monotonic()) > 0:
            for key, _ in selector.select(rest):
                client = key.fileobj
                assert isinstance(client, socket.socket)
                opened[left.pop(client)] = client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
                selector.unregister(client)
                client.close()
        for client in left:
            client.close()
    return opened


def _connect(own: str, target: tuple[str, int], protocol: str) -> socket.socket:
    kind = socket.SOCK_DGRAM if protocol == "UDP" else socket.SOCK_STREAM
    family, _, _, _, address = socket.getaddrinfo(*target, type=kind)[0]  # with the number of the interface that a scope names
    client = socket.socket(family, kind)
    client.setblocking(False)
    if own:
        client.bind((own, 0))
    code = client.connect_ex(address)
    assert code in (0, errno.EINPROGRESS), f"{target}: {os.strerror(code)}"
    if protocol == "UDP":
        client.send(b"?")
    return client
