"""A PostgreSQL of the test's own, which stops, comes back, loses its connections, and becomes and leaves a standby."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests import servers


class OwnPostgres(servers.Cluster):
    """What can happen to it."""

    def restart(self) -> None:
        self.stop()
        self.start()

    def crash(self) -> None:
        """As when the machine dies: every connection at once, and recovery at the next start."""
        self.stop(signal.SIGQUIT)

    def cut_connections(self) -> None:
        with psycopg.connect(self.url, autocommit=True) as link:
            link.execute("select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()")

    def become_standby(self) -> None:
        """It answers and reads, and refuses to write, as a standby does until it is promoted."""
        self.stop()
        (self.data / "standby.signal").touch()
        self.start()

    def promote(self) -> None:
        with psycopg.connect(self.url, autocommit=True) as link:
            link.execute("select pg_promote()")

    def refuse_writes(self) -> None:
        self._set_read_only("on")

    def allow_writes(self) -> None:
        self._set_read_only("off")

    def _set_read_only(self, value: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as link:
            link.execute("set default_transaction_read_only = off")
            link.execute(f"alter system set default_transaction_read_only = {value}")
            link.execute("select pg_reload_conf()")


@contextmanager
def running() -> Iterator[OwnPostgres]:
    folder = Path(tempfile.mkdtemp(prefix="samsaas-own-pg-"))
    try:
        made = OwnPostgres(folder)
        made.start()
        try:
            yield made
        finally:
            made.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
