"""A total deadline for one exchange: when the time is over, its socket is shut down under the reader.

The timeout of `requests` counts per read. A server that sends one byte at a time, also in the headers, would hold a
worker for hours. It does not count the look-up of a name at all, and it counts anew for every address of a name.
"""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

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

    @property
    def seconds_left(self) -> float:
        return max(self._ends - time.monotonic(), 0.0)

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


def running_watchdog() -> Watchdog | None:
    """The watchdog of the exchange that this thread is making."""
    return getattr(_wire, "watchdog", None)


def look_up(host: str, port: int, seconds: float) -> list[str]:
    """The addresses of a name, in the order to try them. Raises OSError, and TimeoutError when the time is over.

    A look-up cannot be broken off, so a thread of its own makes it and is left behind if it takes too long.
    """
    found: list[str] = []
    failed: list[OSError | UnicodeError] = []

    def ask() -> None:
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.extend(dict.fromkeys(str(answer[4][0]) for answer in answers))
        except (OSError, UnicodeError) as error:
            failed.append(error)

    asking = threading.Thread(target=ask, name=f"look-up-{host}", daemon=True)
    asking.start()
    asking.join(seconds)
    if failed:
        raise OSError(str(failed[0])) from failed[0]
    if not found:
        raise TimeoutError(f"the name {host} was not found in time")
    return found


class _Watched:
    """Tells the watchdog of the running exchange which socket to shut, on new and on kept connections."""

    sock: Any
    timeout: Any
    port: int
    _dns_host: str

    def _new_conn(self) -> socket.socket:
        """Connect to the first address of the name that answers, all tries within the deadline of the exchange."""
        watchdog = running_watchdog()
        if watchdog is None:
            connected: socket.socket = super()._new_conn()  # type: ignore[misc]
            return connected
        name, seconds = self._dns_host, self.timeout
        try:
            addresses = look_up(name, self.port, watchdog.seconds_left)
        except OSError as error:
            raise NameResolutionError(name, self, socket.gaierror(str(error))) from error  # type: ignore[arg-type]
        try:
            return self._try_addresses(addresses, seconds, watchdog)
        finally:
            self._dns_host, self.timeout = name, seconds

    def _try_addresses(self, addresses: list[str], seconds: Any, watchdog: Watchdog) -> socket.socket:
        for address in addresses:
            left = watchdog.seconds_left
            longest = min(seconds, left) if isinstance(seconds, int | float) else left
            self._dns_host, self.timeout = address, max(longest, TICK_SECONDS)
            try:
                connected: socket.socket = super()._new_conn()  # type: ignore[misc]
            except (ConnectTimeoutError, NewConnectionError):
                if address == addresses[-1] or watchdog.seconds_left <= 0:
                    raise
            else:
                return connected
        raise TimeoutError("the total deadline is over")

    def connect(self) -> None:
        self._show_socket()
        super().connect()  # type: ignore[misc]
        self._show_socket()

    def request(self, *args: Any, **kwargs: Any) -> None:
        self._show_socket()
        super().request(*args, **kwargs)  # type: ignore[misc]
        self._show_socket()

    def _show_socket(self) -> None:
        watchdog = running_watchdog()
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
