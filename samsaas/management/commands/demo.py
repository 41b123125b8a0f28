"""`manage.py demo`: the whole product on this machine, without any account or service anywhere.

1. Prepare: write settings and keys into a private folder, and start again with them, as settings are read once.
2. Serve: migrate, then run the sandbox, the web server, the worker and the beat in this process until Ctrl-C.
"""

from __future__ import annotations

import copy
import errno
import logging
import os
import shlex
import signal
import sys
import threading
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from django.utils.log import configure_logging

from samsaas import checks
from samsaas.demo.home import LOOPBACK, AlreadyRunning, Home

STAGE = "SAMSAAS_DEMO_STAGE"
OURS = ("samsaas", "profiles", "subscriptions", "reclamation")
Bound = TypeVar("Bound")

WELCOME = """
  samsaas is running.{state}

    Application   {public_url}/
    Sandbox       {sandbox_url}/  (a stand-in Dropbox; nothing leaves this machine)

{sign_in}

  What to click:
    1. License operations > User Subscriptions > Direct integration profiles > New
    2. Choose Dropbox, press Continue, enter a display name, and paste
         Client ID      {client_id}
         Client secret  {client_secret}
    3. Press Submit, then Get OAuth Token. The sandbox asks which administrator you are:
       choose one of Nordwind Trading or Blue Harbour Studio and press Allow.
    4. Watch the software subscriptions arrive.

  Everything is kept in {folder}. Press Ctrl-C to stop; run it again to go on where you were.
"""
RESET = """    Another password for admin, or for another account:
      SAMSAAS_ENV_FILE={environment} {python} manage.py changepassword admin"""


REAL = """The settings are those of a real installation ({public_url}), and the demo's stand-in gives tokens to anybody.
Run it where PUBLIC_URL is not set, or start it with SAMSAAS_ENV_FILE=/dev/null if the line is in .env."""
UNPREPARED = "{stage} is set, but SANDBOX is off: these are not the demo's settings. Unset {stage}."


class Command(BaseCommand):
    help = "Run web, worker, beat and a stand-in Dropbox in one process over SQLite."
    requires_system_checks: list[str] = []  # the keys they ask for are made here

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=port, default=8000, help="port of the application (default: 8000)")
        parser.add_argument("--sandbox-port", type=port, default=8765, help="port of the sandbox (default: 8765)")
        parser.add_argument("--fresh", action="store_true", help="delete what an earlier demo left, and start anew")
        parser.add_argument("--yes", action="store_true", help="do not ask before deleting")

    def handle(self, *args: Any, **options: Any) -> None:
        if not checks.is_local(settings.PUBLIC_URL):
            raise CommandError(REAL.format(public_url=settings.PUBLIC_URL.rpartition("@")[2]))
        home = Home(Path(os.environ.get("SAMSAAS_DEMO_DIR", settings.BASE_DIR / "var" / "demo")))
        os.umask(0o077)  # keys, tokens and the database are this person's only
        try:
            if os.environ.get(STAGE) != "serve":
                self._prepare(home, options)
            if not settings.SANDBOX:
                raise CommandError(UNPREPARED.format(stage=STAGE))
            with home.alone():
                self._serve(home, options["port"], options["sandbox_port"])
        except AlreadyRunning as error:
            raise CommandError(f"A demo is already running from {home.folder}. Stop it first.") from error

    def _prepare(self, home: Home, options: dict[str, Any]) -> None:
        """Does not return: this process becomes the serving one."""
        with home.alone():
            if options["fresh"] and home.exists():
                self._confirm(home, sure=options["yes"])
                home.forget()
            home.prepare(port=options["port"], sandbox_port=options["sandbox_port"])
        ports = ["--port", str(options["port"]), "--sandbox-port", str(options["sandbox_port"])]
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "demo", *ports]
        sys.stdout.flush()
        os.execve(command[0], command, {**home.environment(), STAGE: "serve"})  # noqa: S606 - no shell wanted

    def _confirm(self, home: Home, *, sure: bool) -> None:
        if sure:
            return
        if not sys.stdin.isatty():
            raise CommandError(f"--fresh deletes the demo in {home.folder}. Add --yes to say that you mean it.")
        if input(f"Delete the demo in {home.folder}, its database and keys? [y/N] ").strip().lower() != "y":
            raise CommandError("Nothing was deleted.")

    def _serve(self, home: Home, web_port: int, sandbox_port: int) -> None:
        stopping = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopping.set())
        log_to(home.log_file)
        from samsaas.demo import embedded  # noqa: PLC0415 - loads the worker, which stage 1 has no use for

        sandbox = self._sandbox(home, sandbox_port)
        product = bind(lambda: embedded.Embedded(LOOPBACK, web_port, settings.PUBLIC_URL), web_port, "--port")
        call_command("migrate", verbosity=0)
        from samsaas.demo import people as demo_people  # noqa: PLC0415 - stage 1 runs without the apps' data

        demo_people.fill(sandbox.sandbox.teams.values())
        sandbox.start()
        resumed = embedded.resume_interrupted()
        product.run(stopping, started=lambda: self._welcome(home, sandbox.url, resumed))
        sandbox.shutdown()
        self.stdout.write("  Stopped. Run it again to go on where you were.")
        embedded.leave(0)

    def _sandbox(self, home: Home, number: int) -> Any:
        from profiles.connectors.dropbox import sandbox  # noqa: PLC0415 - never loaded outside the demo
        from profiles.connectors.dropbox.sandbox import serving  # noqa: PLC0415

        stand_in = sandbox.Sandbox(redirect_uris=[settings.OAUTH_REDIRECT_URL], state_file=home.sandbox_state)
        return bind(lambda: serving.serve(stand_in, LOOPBACK, number), number, "--sandbox-port")

    def _welcome(self, home: Home, sandbox_url: str, resumed: int) -> None:
        from profiles.connectors.dropbox.sandbox import application  # noqa: PLC0415
        from samsaas.demo import accounts  # noqa: PLC0415 - stage 1 runs without the apps' data

        passwords = accounts.make()
        text = WELCOME.format(
            state="" if passwords else found_again(resumed),
            public_url=settings.PUBLIC_URL,
            sandbox_url=sandbox_url,
            sign_in=sign_in(home, passwords),
            client_id=application.DEMO_KEY,
            client_secret=application.DEMO_SECRET,
            folder=home.folder,
        )
        self.stdout.write(text)
        self.stdout.flush()


def port(text: str) -> int:
    """For argparse, which names this function in its message. Raises ValueError."""
    number = int(text)
    if not 0 < number < 2**16:
        raise ValueError(text)
    return number


def bind(make: Callable[[], Bound], number: int, option: str) -> Bound:
    """What `make` gives. Raises `CommandError` naming the port and its option."""
    try:
        return make()
    except OSError as error:
        why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used ({error})"
        raise CommandError(f"Port {number} {why}. Choose another one with {option}.") from error


def sign_in(home: Home, passwords: dict[str, str]) -> str:
    """How to sign in: a line for each account that was just made, or as before."""
    environment, python = (shlex.quote(os.path.relpath(path)) for path in (home.environment_file, sys.executable))
    reset = RESET.format(environment=environment, python=python)
    if not passwords:
        return f"    Sign in as before.\n{reset}"
    lines = "\n".join(f"      {name:<16}{password}" for name, password in passwords.items())
    return f"    Sign in with the role of that name; the passwords are shown only this once\n{lines}\n{reset}"


def found_again(resumed: int) -> str:
    from profiles.models import IntegrationProfile  # noqa: PLC0415 - stage 1 runs without the apps' data
    from subscriptions.models import Subscription  # noqa: PLC0415

    kept = f"{IntegrationProfile.objects.count()} profiles, {Subscription.objects.current().count()} subscriptions"
    runs = f" and {resumed} interrupted job runs, which go on now" if resumed else ""
    return f"\n  It goes on where you were: {kept}{runs}."


class ForThePerson(logging.Filter):
    """What is worth interrupting somebody for: our own warnings, and everybody's errors."""

    def filter(self, record: logging.LogRecord) -> bool:
        ours = record.name.split(".")[0] in OURS
        return record.levelno >= (logging.WARNING if ours else logging.ERROR)


def log_to(path: Path) -> None:
    """Everything goes into the file; the console keeps what is for the person in front of it.

    The settings change, not only the handlers: the worker configures logging from them once more.
    """
    path.touch(mode=0o600)
    logs: dict[str, Any] = copy.deepcopy(settings.LOGGING)
    logs["filters"]["for_the_person"] = {"()": ForThePerson}
    console = logs["handlers"]["console"]
    logs["handlers"]["file"] = {**console, "class": "logging.FileHandler", "filename": str(path)}
    console["filters"] = [*console["filters"], "for_the_person"]
    logs["root"]["handlers"] = ["console", "file"]
    settings.LOGGING = logs
    configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)
