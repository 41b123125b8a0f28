"""`manage.py sandbox`: serve the stand-in Dropbox on its own."""

from __future__ import annotations

import signal
import threading
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Serve a stand-in Dropbox to develop and test against; refused unless SANDBOX is on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8765)
        parser.add_argument("--state", type=Path, help="file that keeps grants, tokens and the past over a restart")
        parser.add_argument("--members", type=int, help="add a team with so many members, such as 1000000")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.SANDBOX:
            raise CommandError(
                "The sandbox gives tokens to anybody who asks for one. Set SANDBOX=true, on a development machine only."
            )
        server = self._bind_server(options)
        stopping = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopping.set())
        server.start()
        self.stdout.write(f"Stand-in Dropbox on {server.url}/ for {settings.OAUTH_REDIRECT_URL}")
        for team in server.sandbox.teams.values():
            self.stdout.write(f"  {team.name}: {team.people} members")
        self.stdout.flush()
        stopping.wait()
        server.shutdown()
        self.stdout.write("Stopped.")

    def _bind_server(self, options: dict[str, Any]) -> Any:
        from profiles.connectors.dropbox import sandbox  # noqa: PLC0415 - never loaded in production
        from profiles.connectors.dropbox.sandbox import serving, team  # noqa: PLC0415

        teams = team.demo_teams()
        if members := options["members"]:
            teams.append(team.LargeTeam(members))
        stand_in = sandbox.Sandbox(teams, redirect_uris=[settings.OAUTH_REDIRECT_URL], state_file=options["state"])
        try:
            return serving.serve(stand_in, options["host"], options["port"])
        except (OSError, OverflowError) as error:
            raise CommandError(
                f"Port {options['port']} cannot be used ({error}). Choose another with --port."
            ) from error
