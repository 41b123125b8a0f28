"""A small TCP proxy that treats what a server says as it is told: slowly, by halves, never, or with a reset."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

WAYS = (
    "through",
    "drip",
    "drip after the headers",
    "late",
    "mute",
    "reset at once",
    "reset in the middle",
    "half, then closed",
    "half, then silent",
)
HALF = 200
PAUSE = 0.03
LONG = 5.0


class Proxy:
    """Listens in front of `port`; `way` may be changed at any time and counts for what is said next."""

    def __init__(self, port: int) -> None:
        self._behind = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.way = "through"
        self.over = threading.Event()

    def serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._behind))
            threading.Thread(target=self._between, args=(client, server), daemon=True).start()

    def stop(self) -> None:
        self.over.set()
        self._listener.close()

    def _between(self, client: socket.socket, server: socket.socket) -> None:
        """One thread for both directions: a socket another thread still reads from is not closed by closing it."""
        with contextlib.suppress(OSError), client, server:
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    said = ready.recv(65536)
                    if not said or (ready is server and not self._deliver(client, said)):
                        return
                    if ready is client:
                        server.sendall(said)

    def _deliver(self, client: socket.socket, said: bytes) -> bool:
        """Whether the connection goes on afterwards."""
        way = self.way
        if way == "through":
            client.sendall(said)
            return True
        if way == "late":
            self.over.wait(LONG)
            client.sendall(said)
            return True
        if way.startswith("drip"):
            head = said.index(b"\r\n\r\n") + 4 if way.endswith("headers") else 0
            client.sendall(said[:head])
            return self._drip(client, said[head:])
        if way.startswith("half") or way.endswith("middle"):
            client.sendall(said[:HALF])
        if way in ("mute", "half, then silent"):
            self.over.wait(LONG)
        if way.startswith("reset"):
            time.sleep(PAUSE)  # so that what was said before arrives before the reset
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    def _drip(self, client: socket.socket, said: bytes) -> bool:
        for at in range(len(said)):
            if self.over.is_set():
                return False
            client.sendall(said[at : at + 1])
            time.sleep(PAUSE)
        return True


@contextmanager
def before(port: int) -> Iterator[Proxy]:
    proxy = Proxy(port)
    threading.Thread(target=proxy.serve, daemon=True).start()
    try:
        yield proxy
    finally:
        proxy.stop()
