"""Passes connections on into another network namespace: `proxy.py LOOPBACK_PORT PID TARGET_PORT`.

It listens where it is started, then enters the namespace of process PID and connects there to 127.0.0.1: no interface, address or
rule of the host changes. Standard library only.
"""

import asyncio
import contextlib
import ctypes
import os
import socket
import sys

_NETWORK = 0x40000000  # CLONE_NEWNET of linux/sched.h
_CHUNK = 1 << 16  # bytes


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError, RuntimeError):
        writer.write_eof()


async def _connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    try:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        writer.close()
        return
    try:
        await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))
    finally:
        writer.close()
        inner_writer.close()


async def _serve(listening: socket.socket, port: int) -> None:
    running: set[asyncio.Task[None]] = set()  # asyncio itself holds a task too weakly

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(_connect(reader, writer, port))
        running.add(task)
        task.add_done_callback(running.discard)

    server = await asyncio.start_server(connected, sock=listening)
    await server.serve_forever()


def main() -> None:
    """Listen, enter the namespace, serve."""
    port, pid, target = (int(argument) for argument in sys.argv[1:])
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen(128)
    namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).setns(namespace, _NETWORK):
        raise OSError(ctypes.get_errno(), "setns")
    asyncio.run(_serve(listening, target))


if __name__ == "__main__":
    main()
