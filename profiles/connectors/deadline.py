"""A total deadline for one exchange: when the time is over, its socket is shut down under the reader.

The timeout of `requests` counts per read. A server that sends one byte at a time, also in the headers, would hold a
worker for hours.
"""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

TICK_SECONDS = 0.05
_wire = threading.local()


class _Keeper:
    """One thread that watches the deadlines of all exchanges in this process. It sleeps while there are none."""

    def __init__(self) -> None:
        self.dogs: set[Watchdog] = set()
        self._busy = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def watch(self, dog: Watchdog) -> None:
        self.dogs.add(dog)
        self._busy.set()
        if self._thread is None or not self._thread.is_alive():  # never started, or lost in a fork
            with self._starting:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(target=self._watch_clock, name="deadlines", daemon=True)
                    self._thread.start()

    def _watch_clock(self) -> None:
        while True:
            self._busy.wait()
            time.sleep(TICK_SECONDS)
            for dog in tuple(self.dogs):
                dog.bark_if_over()
            if not self.dogs:
                self._busy.clear()
                if self.dogs:  # one was added between the two lines above
                    self._busy.set()


_keeper = _Keeper()


class Watchdog:
    """Shuts the socket of one exchange after `seconds`. `reached`: the request may have left this machine."""

    def __init__(self, seconds: float) -> None:
        self.expired = self.reached = False
        self.connection: Any = None
        self.sock: Any = None
        self._ends = time.monotonic() + seconds

    def __enter__(self) -> Watchdog:
        _wire.watchdog = self
        _keeper.watch(self)
        return self

    def __exit__(self, *exc_info: object) -> None:
        _keeper.dogs.discard(self)
        self.connection = self.sock = _wire.watchdog = None

    def bark_if_over(self) -> None:
        if time.monotonic() < self._ends:
            return
        self.expired = True
        sock = self.sock or getattr(self.connection, "sock", None)
        if sock is not None:
            try:
                # Not SSLSocket.shutdown(): it would remove the TLS state while the reader still uses it.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
            except OSError:
                return


class _Watched:
    """Tells the watchdog of the running exchange which socket to shut, on new and on kept connections."""

    sock: Any

    def connect(self) -> None:
        self._show_socket()
        super().connect()  # type: ignore[misc]
        self._show_socket()

    def request(self, *args: Any, **kwargs: Any) -> None:
        self._show_socket()
        super().request(*args, **kwargs)  # type: ignore[misc]
        self._show_socket()

    def _show_socket(self) -> None:
        watchdog: Watchdog | None = getattr(_wire, "watchdog", None)
        if watchdog is None:
            return
        watchdog.connection, watchdog.sock = self, getattr(self, "sock", None)
        watchdog.reached = watchdog.reached or watchdog.sock is not None
        if watchdog.expired:
            raise TimeoutError("the total deadline is over")


class _WatchedHTTP(_Watched, HTTPConnection):
    pass


class _WatchedHTTPS(_Watched, HTTPSConnection):
    pass


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _WatchedHTTP


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPS


POOLS = {"http": _HTTPPool, "https": _HTTPSPool}


class WatchedAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = POOLS
        return manager
