"""A Redis of the test's own, which may be stopped, killed and started again at its address."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from tests import servers

WAITING_LINE = 4


class OwnRedis:
    """Without persistence: what it held is gone when it comes back."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("redis-server")
        if not program:
            raise servers.Missing("redis-server is not installed.")
        self.port = servers.free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._command = [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
        self._process: subprocess.Popen[bytes] | None = None
        self._hole: list[socket.socket] = []

    def start(self) -> None:
        """Returns when it answers."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        servers.wait_for_port(self.port, self._process)

    def freeze(self) -> None:
        """From now on the machine takes connections, and nobody answers."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    def flush(self) -> None:
        """Forget everything, at once."""
        with redis.Redis(port=self.port) as link:
            link.flushall()

    def vanish(self) -> None:
        """From now on packets to its address get lost: a connection is neither accepted nor refused."""
        self.kill()
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(0)
        self._hole = [listener]
        for _ in range(WAITING_LINE):  # the kernel drops the first packet of whoever finds the line full
            waiting = socket.socket()
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", self.port))
            self._hole.append(waiting)

    def come_back(self) -> None:
        for end in self._hole:
            end.close()
        self._hole = []
        self.start()

    def restart(self) -> None:
        self.kill()
        self.start()

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def running(folder: Path) -> Iterator[OwnRedis]:
    made = OwnRedis(folder)
    made.start()
    try:
        yield made
    finally:
        made.kill()
