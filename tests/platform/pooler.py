"""A connection pooler in 70 lines: clients are let in by us, their queries run on server connections of ours.

In transaction mode all clients share one server connection, handed on after each transaction; in session mode
each client has its own. That is all that the preflight must tell apart.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

GREETING = b"".join(
    (
        b"R" + struct.pack("!II", 8, 0),
        b"S" + struct.pack("!I", 4 + len(b"server_version\x0018.6\x00")) + b"server_version\x0018.6\x00",
        b"S" + struct.pack("!I", 4 + len(b"client_encoding\x00UTF8\x00")) + b"client_encoding\x00UTF8\x00",
        b"K" + struct.pack("!III", 12, 1, 1),  # process number 1: poolers invent it
        b"Z" + struct.pack("!I", 5) + b"I",
    )
)


class Server:
    """A server connection, used by one client at a time; libpq logs in, then its socket is ours."""

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(url, autocommit=True)
        self.socket = socket.socket(fileno=os.dup(self.connection.pgconn.socket))
        self.socket.setblocking(True)
        self.turn = threading.Lock()


@contextmanager
def pooler(url: str, *, transaction_mode: bool) -> Iterator[int]:
    """Listen before the database at ``url``; yields the port."""
    servers = [Server(url)]
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client = listener.accept()[0]
                    if not transaction_mode:
                        servers.append(Server(url))
                    threading.Thread(target=serve, args=(client, servers[-1]), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    for server in servers:
        server.socket.close()
        server.connection.close()


def serve(client: socket.socket, server: Server) -> None:
    with client, contextlib.suppress(ConnectionError):
        exactly(client, struct.unpack("!I", exactly(client, 4))[0] - 4)
        client.sendall(GREETING)
        held = False
        while (message := frame(client))[:1] != b"X":
            if not held:
                server.turn.acquire()
                held = True
            server.socket.sendall(message)
            if message[:1] not in b"QS":
                continue
            while True:
                answer = frame(server.socket)
                client.sendall(answer)
                if answer[:1] == b"Z":
                    break
            if answer[5:] == b"I":
                server.turn.release()
                held = False


def frame(connection: socket.socket) -> bytes:
    head = exactly(connection, 5)
    return head + exactly(connection, struct.unpack("!I", head[1:])[0] - 4)


def exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        if not (more := connection.recv(size - len(data))):
            raise ConnectionResetError
        data += more
    return data
