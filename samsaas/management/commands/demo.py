"""`manage.py demo`: the whole product on this machine, without any account or service anywhere.

1. Prepare: write settings and keys into a private folder, then start again, because Django reads its settings once.
2. Serve: migrate, then run the sandbox, the web server, the worker and the beat in this process until Ctrl-C.
"""

from __future__ import annotations

import copy
import errno
import logging
import os
import shlex
import signal
import socket
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
from samsaas.demo.home import LOOPBACK, AlreadyRunning, DemoFolder

STAGE = "SAMSAAS_DEMO_STAGE"
OWN_PACKAGES = ("samsaas", "profiles", "subscriptions", "reclamation")
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

  Everything is kept in {folder}. Press Ctrl-C to stop; run it again to continue.
"""
RESET = """    To set a new password for admin, or for another account:
      SAMSAAS_ENV_FILE={environment} {python} manage.py changepassword admin"""


REAL = """The settings are those of a real installation ({public_url}), and the demo's stand-in gives tokens to anybody.
Run it where PUBLIC_URL is not set, or start it with SAMSAAS_ENV_FILE=/dev/null if the line is in .env."""
# Option -> (default, whose port it is).
PORTS = {"--port": (8000, "application"), "--sandbox-port": (8765, "sandbox")}
PORT_REFUSED = """Port {number} of the {owner} {why}. Start the demo with another port:
  make demo ARGS="{arguments}"
or, without make:
  {python} manage.py demo {arguments}"""
UNPREPARED = "{stage} is set, but SANDBOX is off: these are not the demo's settings. Unset {stage}."


class Command(BaseCommand):
    help = "Run web, worker, beat and a stand-in Dropbox in one process over SQLite."
    requires_system_checks: list[str] = []  # some need keys, which this command makes

    def add_arguments(self, parser: ArgumentParser) -> None:
        for option, (default, owner) in PORTS.items():
            parser.add_argument(option, type=port, default=default, help=f"port of the {owner} (default: {default})")
        parser.add_argument("--fresh", action="store_true", help="delete the data of an earlier demo and start again")
        parser.add_argument("--yes", action="store_true", help="do not ask before deleting")

    def handle(self, *args: Any, **options: Any) -> None:
        if not checks.is_local(settings.PUBLIC_URL):
            raise CommandError(REAL.format(public_url=settings.PUBLIC_URL.rpartition("@")[2]))
        home = DemoFolder(Path(os.environ.get("SAMSAAS_DEMO_DIR", settings.BASE_DIR / "var" / "demo")))
        os.umask(0o077)  # keys, tokens and the database are private to this user
        try:
            if os.environ.get(STAGE) != "serve":
                self._restart_with_settings(home, options)
            if not settings.SANDBOX:
                raise CommandError(UNPREPARED.format(stage=STAGE))
            with home.hold_lock():
                self._serve_until_stopped(home, {"--port": options["port"], "--sandbox-port": options["sandbox_port"]})
        except AlreadyRunning as error:
            raise CommandError(f"A demo is already running from {home.folder}. Stop it first.") from error

    def _restart_with_settings(self, home: DemoFolder, options: dict[str, Any]) -> None:
        """Write the settings, then replace this process by the serving one. Does not return."""
        with home.hold_lock():
            if options["fresh"] and home.exists():
                self._confirm_deletion(home, sure=options["yes"])
                home.delete_files()
            home.write_settings(port=options["port"], sandbox_port=options["sandbox_port"])
        ports = ["--port", str(options["port"]), "--sandbox-port", str(options["sandbox_port"])]
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "demo", *ports]
        sys.stdout.flush()
        os.execve(command[0], command, {**home.process_environment(), STAGE: "serve"})  # noqa: S606 - no shell wanted

    def _confirm_deletion(self, home: DemoFolder, *, sure: bool) -> None:
        if sure:
            return
        if not sys.stdin.isatty():
            raise CommandError(f"--fresh deletes the demo in {home.folder}. Add --yes to confirm.")
        if input(f"Delete the demo in {home.folder}, its database and keys? [y/N] ").strip().lower() != "y":
            raise CommandError("Nothing was deleted.")

    def _serve_until_stopped(self, home: DemoFolder, ports: dict[str, int]) -> None:
        stopping = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopping.set())
        log_to(home.log_file)
        from samsaas import embedded  # noqa: PLC0415 - loads the worker, which stage 1 does not need
        from samsaas.demo import web  # noqa: PLC0415
        from samsaas.demo.clock import DemoClock  # noqa: PLC0415 - needs the models

        sandbox = self._bind_sandbox(home, ports)
        web_port = ports["--port"]
        demo_clock = DemoClock(home.folder / "clock")
        demo_clock.begin()
        product = bind_port(lambda: web.Embedded(LOOPBACK, web_port, settings.PUBLIC_URL), "--port", ports)
        call_command("migrate", verbosity=0)
        from samsaas.demo import people as demo_people  # noqa: PLC0415 - stage 1 runs without the apps' data

        demo_people.create_people(sandbox.sandbox.teams.values())
        sandbox.start()
        resumed = embedded.resume_interrupted()
        product.run(stopping, started=lambda: self._print_welcome(home, sandbox.url, resumed))
        sandbox.shutdown()
        self.stdout.write("  Stopped. Run it again to continue.")
        embedded.exit_process(0)

    def _bind_sandbox(self, home: DemoFolder, ports: dict[str, int]) -> Any:
        from profiles.connectors.dropbox import sandbox  # noqa: PLC0415 - never loaded outside the demo
        from profiles.connectors.dropbox.sandbox import serving  # noqa: PLC0415

        stand_in = sandbox.Sandbox(redirect_uris=[settings.OAUTH_REDIRECT_URL], state_file=home.sandbox_state)
        number = ports["--sandbox-port"]
        return bind_port(lambda: serving.serve(stand_in, LOOPBACK, number), "--sandbox-port", ports)

    def _print_welcome(self, home: DemoFolder, sandbox_url: str, resumed: int) -> None:
        from profiles.connectors.dropbox.sandbox import application  # noqa: PLC0415
        from samsaas.demo import accounts  # noqa: PLC0415 - stage 1 runs without the apps' data

        passwords = accounts.create_accounts()
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
    """A port number for argparse, whose error message contains this function's name. Raises ValueError."""
    number = int(text)
    if not 0 < number < 2**16:
        raise ValueError(text)
    return number


def bind_port(make: Callable[[], Bound], option: str, ports: dict[str, int]) -> Bound:
    """The result of `make`, which binds the port of `option`. Raises `CommandError` with a command that will work."""
    try:
        return make()
    except OSError as error:
        why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used ({error})"
        better = ports | {option: free_port_above(ports[option], besides=set(ports.values()))}
        changed = [f"{name} {number}" for name, number in better.items() if number != PORTS[name][0]]
        message = PORT_REFUSED.format(
            number=ports[option],
            owner=PORTS[option][1],
            why=why,
            arguments=" ".join(changed),
            python=shlex.quote(os.path.relpath(sys.executable)),
        )
        raise CommandError(message) from error


def free_port_above(number: int, *, besides: set[int]) -> int:
    """The next higher port that is free on this machine, and unprivileged."""
    for candidate in range(max(number, 1023) + 1, 2**16):
        with socket.socket() as probe:
            if candidate not in besides and probe.connect_ex((LOOPBACK, candidate)) != 0:
                return candidate
    return number


def sign_in(home: DemoFolder, passwords: dict[str, str]) -> str:
    """How to sign in: a line for each new account, or "as before"."""
    environment, python = (shlex.quote(os.path.relpath(path)) for path in (home.environment_file, sys.executable))
    reset = RESET.format(environment=environment, python=python)
    if not passwords:
        return f"    Sign in as before.\n{reset}"
    lines = "\n".join(f"      {name:<16}{password}" for name, password in passwords.items())
    return f"    Sign in with the role of that name; the passwords are shown only now\n{lines}\n{reset}"


def found_again(resumed: int) -> str:
    from profiles.models import IntegrationProfile  # noqa: PLC0415 - stage 1 runs without the apps' data
    from subscriptions.models import Subscription  # noqa: PLC0415

    kept = f"{IntegrationProfile.objects.count()} profiles, {Subscription.objects.current().count()} subscriptions"
    runs = f" and {resumed} interrupted job runs, which resume now" if resumed else ""
    return f"\n  It continues with {kept}{runs}."


class ForThePerson(logging.Filter):
    """Lets through warnings of this project, and errors of every library."""

    def filter(self, record: logging.LogRecord) -> bool:
        own = record.name.split(".")[0] in OWN_PACKAGES
        return record.levelno >= (logging.WARNING if own else logging.ERROR)


def log_to(path: Path) -> None:
    """Log everything to the file, and only what `ForThePerson` lets through to the console.

    It changes the settings, because the worker configures logging from them again.
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
