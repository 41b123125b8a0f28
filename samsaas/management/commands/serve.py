"""`manage.py serve`: a whole installation as one process, without Redis; see docs/deploying.md."""

from __future__ import annotations

from typing import Any

from django.core.management import BaseCommand, CommandError
from django.db import Error, connection, connections

from samsaas import health, one_process, startup


class Command(BaseCommand):
    help = "Run web, worker and beat as one process, without Redis, with the settings of this installation."
    requires_system_checks: list[str] = []  # `refuse_unless_usable` runs them, and more

    def handle(self, *args: Any, **options: Any) -> None:
        application = one_process.OneProcess()
        startup.refuse_unless_usable(startup.SERVE, addresses=application.cfg.address)
        self._require_migrated_database()
        try:
            with one_process.hold_database():
                connections.close_all()  # no connection may be shared with the serving process
                application.run()
        except one_process.AlreadyServed as error:
            name = connection.settings_dict["NAME"]
            raise CommandError(f"Another process serves the database {name}. Stop it first.") from error

    def _require_migrated_database(self) -> None:
        try:
            pending = health.pending_migrations()
        except Error as error:
            raise CommandError("The database does not answer. Start it, or correct DATABASE_URL.") from error
        if pending:
            raise CommandError(f"{pending} migrations are not applied. Make a backup, then run manage.py migrate.")
